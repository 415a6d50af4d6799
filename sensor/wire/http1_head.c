/* SPDX-License-Identifier: Apache-2.0
 * Message heads of HTTP/1.x: start line, fields, body framing. */
#include "wire/http1_head.h"

#include "base/bytes64.h"
#include "base/err.h"

/* tchar of RFC 9110, 5.6.2, one bit per byte value. */
static const uint32_t TOKEN_BITS[8] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff, 0, 0, 0, 0};

bool http1_head_is_token_byte(uint8_t c)
{
    return TOKEN_BITS[c >> 5] >> (c & 31) & 1;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Index of the first blank, or the size. */
static size_t blank_at(struct span s)
{
    size_t space = span_find_byte(s, ' ', 0);
    size_t tab = span_find_byte(span_sub(s, 0, space), '\t', 0);
    return tab < s.size ? tab : space < s.size ? space : s.size;
}

static inline struct span trim_blanks(struct span s)
{
    while (s.size && is_blank(s.at[0])) {
        s.at++;
        s.size--;
    }
    while (s.size && is_blank(s.at[s.size - 1]))
        s.size--;
    return s;
}

static inline struct span trim_line_end(struct span line)
{
    if (line.size && line.at[line.size - 1] == '\n')
        line.size--;
    while (line.size && line.at[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* "HTTP/1.x" at the front of s. Only major version 1 is HTTP/1 framing. */
static bool is_version(struct span s)
{
    return s.size >= 8 && span_starts(s, SPAN("HTTP/1.")) && is_digit(s.at[7]);
}

static size_t token_size(struct span s)
{
    size_t n = 0;
    while (n < s.size && http1_head_is_token_byte(s.at[n]))
        n++;
    return n;
}

static const char *const METHODS[] = {
    "GET",       "POST",   "HEAD",   "PUT",   "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND",
    "PROPPATCH", "REPORT", "SEARCH", "MKCOL", "COPY",  "MOVE",   "LOCK",    "UNLOCK",  "PURGE",
};

size_t http1_head_usual_method(struct span s)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++) {
        struct span method = span_text(METHODS[i]);
        if (s.size >= method.size && span_eq(span_from(s, s.size - method.size), method))
            return method.size;
    }
    return 0;
}

/* "HTML/1.1" and the like, which old servers take for HTTP/1.1, and "HTTP/1." behind any method: whoever says so must
 * not be invisible. */
static bool is_odd_version(struct span method, struct span target, struct span version)
{
    bool is_usual = http1_head_usual_method(method) == method.size && !span_starts(version, SPAN("RTSP/"));
    return target.size && target.at[0] == '/' && version.size && (is_usual || span_starts(version, SPAN("HTTP/")));
}

/* "GET /path" and no more: a simple request (RFC 1945, 5), which servers still answer, and of other methods as well.
 * In "GET HTTP/1.1" the version is the target to them. */
static bool is_simple_request(struct span method, struct span middle, struct span last)
{
    return middle.size == 0 && last.size && (last.at[0] == '/' || is_version(last)) &&
           http1_head_usual_method(method) == method.size;
}

static bool parse_request_line(struct span line, struct http1_head *out)
{
    line = trim_blanks(line);
    size_t method = token_size(line), version = line.size;
    if (method == 0 || method == line.size || !is_blank(line.at[method]))
        return false;
    while (version > method && !is_blank(line.at[version - 1]))
        version--;
    struct span last = span_from(line, version);
    out->method = span_sub(line, 0, method);
    struct span middle = trim_blanks(span_sub(line, method, version - method));
    out->target = span_sub(middle, 0, blank_at(middle)); /* a target has no blanks (RFC 9112, 3.2) */
    out->has_odd_version = out->target.size != middle.size;
    out->version_major = 1;
    out->version_minor = 1;
    if (is_simple_request(out->method, middle, last)) {
        out->target = last;
        out->version_major = 0;
        out->version_minor = 9;
        out->has_odd_version = true;
    } else if (is_version(last) && last.size == 8)
        out->version_minor = (uint8_t)(last.at[7] - '0');
    else if (is_odd_version(out->method, out->target, last))
        out->has_odd_version = true;
    else
        return false;
    return out->target.size != 0;
}

#define METHOD_MAX 32u

bool http1_head_is_plain_request_line(struct span line)
{
    static const char tail[] = " HTTP/1.";
    line = trim_line_end(line);
    size_t method = token_size(span_sub(line, 0, METHOD_MAX)), tail_size = sizeof tail; /* with the digit */
    return method && line.size > method + 1 + tail_size && line.at[method] == ' ' && line.at[method + 1] == '/' &&
           memcmp(line.at + line.size - tail_size, tail, tail_size - 1) == 0 && is_digit(line.at[line.size - 1]);
}

bool http1_head_is_plain_status_line(struct span line)
{
    const uint8_t *at = line.at;
    return line.size > 12 && memcmp(at, "HTTP/1.", 7) == 0 && is_digit(at[7]) && at[8] == ' ' && at[9] >= '1' &&
           is_digit(at[9]) && is_digit(at[10]) && is_digit(at[11]) && (is_blank(at[12]) || at[12] == '\r' || at[12] == '\n');
}

/* The reason may be missing, with or without the space before it (RFC 9112, 4). */
static bool parse_status_line(struct span line, struct http1_head *out)
{
    size_t at, digits = 0;
    if (http1_head_is_plain_status_line(line)) {
        out->version_major = 1;
        out->version_minor = (uint8_t)(line.at[7] - '0');
        out->status = (uint16_t)((line.at[9] - '0') * 100 + (line.at[10] - '0') * 10 + (line.at[11] - '0'));
        return true;
    }
    if (!span_starts(line, SPAN("HTTP/")))
        return false;
    out->version_major = 1;
    out->version_minor = 1;
    if (is_version(line))
        out->version_minor = (uint8_t)(line.at[7] - '0');
    at = blank_at(line);
    out->has_odd_version = !is_version(line) || at != 8;
    while (at < line.size && is_blank(line.at[at]))
        at++;
    for (; at < line.size && digits < 3 && is_digit(line.at[at]); at++, digits++)
        out->status = (uint16_t)(out->status * 10 + (line.at[at] - '0'));
    return digits != 0 && out->status != 0;
}

bool http1_head_is_request_line(struct span line, bool is_strict)
{
    struct http1_head head = {0};
    line = trim_line_end(line);
    if (!parse_request_line(line, &head))
        return false;
    return !is_strict ||
           (!head.has_odd_version && head.method.size + head.target.size + 10 == line.size &&
            span_find_byte(head.target, ' ', 0) == SIZE_MAX && span_find_byte(head.target, '\t', 0) == SIZE_MAX);
}

/* Status codes are 100 to 599 (RFC 9110, 15); a few servers have higher ones. */
bool http1_head_is_status_line(struct span line, bool is_strict)
{
    struct http1_head head = {0};
    line = trim_line_end(line);
    line = span_sub(line, 0, span_find_byte(line, '\r', 0));
    if (!parse_status_line(line, &head))
        return false;
    return !is_strict || (!head.has_odd_version && head.status >= 100 && line.at[8] == ' ' && is_digit(line.at[9]) &&
                          (line.size == 12 || line.at[12] == ' '));
}

bool http1_head_is_field_line(struct span line)
{
    line = trim_line_end(line);
    if (line.size == 0)
        return false;
    if (is_blank(line.at[0]))
        return true;
    size_t name = token_size(line);
    return name != 0 && name < line.size && line.at[name] == ':';
}

/* What has been read of the fields so far. */
struct field_reader {
    struct http1_head *out;
    struct span bare; /* the line before, when it had no colon */
    bool can_fold;    /* the last field of the list may go on */
};

bool http1_head_is_vital(struct span name)
{
    static const char *const names[] = {
        "authorization", "content-disposition", "content-encoding", "content-length", "content-range", "content-type",
        "cookie",        "etag",                "expect",           "forwarded",      "host",          "location",
        "range",         "set-cookie",          "transfer-encoding", "upgrade",       "user-agent",    "x-forwarded-for",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_eq_nocase(name, span_text(names[i])))
            return true;
    return false;
}

bool http1_head_add_field(struct fields *fields, struct span name, struct span value)
{
    if (fields_add(fields, name, value))
        return true;
    uint16_t at = http1_head_is_vital(name) ? fields->n : 0;
    while (at > 0 && http1_head_is_vital(fields->list[at - 1].name))
        at--;
    if (at == 0)
        return false;
    struct field *left_out = &fields->list[at - 1];
    memmove(left_out, left_out + 1, (size_t)(fields->n - at) * sizeof *left_out);
    fields->list[fields->n - 1] = (struct field){name, value};
    return true;
}

static inline void add_field(struct field_reader *r, struct span name, struct span value)
{
    r->can_fold = http1_head_add_field(&r->out->fields, name, trim_blanks(value));
}

static void read_field(struct field_reader *r, struct span line, size_t colon)
{
    r->can_fold = false;
    if (colon == SIZE_MAX) {
        r->bare = line;
        r->out->has_bad_lines = true;
        return;
    }
    struct span name = span_of(line.at, colon);
    if (name.size && is_blank(name.at[name.size - 1])) {
        r->out->has_bad_lines = true; /* RFC 9112, 5.1: a way to smuggle; servers that take it drop the space */
        name = trim_blanks(name);
    }
    r->bare = span_of(NULL, 0);
    if (name.size == 0)
        r->out->has_bad_lines = true;
    else
        add_field(r, name, span_of(line.at + colon + 1, line.size - colon - 1));
}

/* A line that begins with a blank goes on with the field before it (RFC 9112, 5.2); some even put the colon there. */
static void read_fold(struct field_reader *r, struct span line)
{
    struct span more = trim_blanks(line);
    if (r->bare.size && more.size && more.at[0] == ':') {
        add_field(r, r->bare, span_from(more, 1));
        r->bare = span_of(NULL, 0);
        return;
    }
    if (!r->can_fold || more.size == 0)
        return;
    struct span *value = &r->out->fields.list[r->out->fields.n - 1].value;
    *value = value->size ? span_of(value->at, (size_t)(more.at + more.size - value->at)) : more;
    r->out->has_folds = true;
}

/* 'colon' is the index of the first one in the line, or SIZE_MAX. */
static inline void read_line(struct field_reader *r, struct span line, size_t colon)
{
    if (line.size && is_blank(line.at[0]))
        read_fold(r, line);
    else if (line.size)
        read_field(r, line, colon);
}

/* Some clients take a bare CR for a line end. What a server sends is read so; in a request it would let whoever
 * controls a part of a value write fields of his own (RFC 9112, 2.2). */
static void read_parts(struct field_reader *r, struct span line)
{
    struct span part;
    r->out->has_bad_lines = true;
    while (span_split(&line, '\r', &part))
        read_line(r, part, span_find_byte(part, ':', 0));
}

/* The line up to its LF at 'end', whose first colon is at 'colon' (or behind). False when it is empty: the end of the
 * head. */
static bool end_line(struct field_reader *r, struct span line, size_t colon, bool has_cr)
{
    line = trim_line_end(line);
    if (line.size == 0)
        return false;
    if (has_cr && span_find_byte(line, '\r', 0) != SIZE_MAX)
        read_parts(r, line);
    else
        read_line(r, line, colon < line.size ? colon : SIZE_MAX);
    return true;
}

/* What nearly every line is, a name, a colon and a value: read without a call. False when it is not that. */
static inline bool read_plain(struct field_reader *r, const uint8_t *from, const uint8_t *colon, const uint8_t *to)
{
    struct fields *fields = &r->out->fields;
    if (colon <= from || is_blank(*from) || is_blank(colon[-1]) || fields->n == fields->max)
        return false;
    const uint8_t *value = colon + 1;
    while (value < to && is_blank(*value))
        value++;
    while (to > value && is_blank(to[-1]))
        to--;
    fields->list[fields->n++] = (struct field){span_of(from, (size_t)(colon - from)), span_of(value, (size_t)(to - value))};
    r->bare = span_of(NULL, 0);
    r->can_fold = true;
    return true;
}

/* All lines from 'from' to the empty one; a last one without end is left out. One pass over the bytes, 64 at a time: of
 * each line its end, its first colon and whether it holds a CR are known before it is looked at. */
static void read_lines(struct field_reader *r, struct span s, size_t from, bool is_response)
{
    uint8_t room[BYTES64];
    size_t colon = SIZE_MAX; /* of the line that begins at 'from' */
    bool has_cr = false;     /* the same, but for the CR right before the LF */
    for (size_t base = from; base < s.size; base += BYTES64) {
        const uint8_t *block = bytes64_at(s, base, room);
        uint64_t ends = bytes64_equal(block, '\n'), colons = bytes64_equal(block, ':'), crs = bytes64_equal(block, '\r');
        for (; ends; ends &= ends - 1) {
            uint64_t end_bit = ends & -ends, line_bits = end_bit ^ (end_bit - 1);
            const uint8_t *at = s.at + from, *to = s.at + base + __builtin_ctzll(ends);
            colon = colon == SIZE_MAX && colons ? base + (size_t)__builtin_ctzll(colons) : colon;
            has_cr |= (crs & line_bits & ~(end_bit >> 1)) != 0;
            bool is_usual = to > at && to[-1] == '\r' && !has_cr && colon < (size_t)(to - s.at);
            if (!(is_usual && read_plain(r, at, s.at + colon, to - 1)) &&
                !end_line(r, span_of(at, (size_t)(to + 1 - at)), colon - from, has_cr && is_response))
                return;
            colons &= ~line_bits;
            crs &= ~line_bits;
            from = (size_t)(to + 1 - s.at);
            colon = SIZE_MAX;
            has_cr = false;
        }
        colon = colon == SIZE_MAX && colons ? base + (size_t)__builtin_ctzll(colons) : colon;
        has_cr |= crs != 0;
    }
}

/* The start line ends at a bare CR too, in a response: what follows it is a field. */
static struct span split_status_line(struct span line, struct span *rest)
{
    size_t cr = span_find_byte(line, '\r', 0);
    *rest = cr == SIZE_MAX ? span_of(NULL, 0) : span_from(line, cr + 1);
    return span_sub(line, 0, cr);
}

int http1_head_parse(struct span bytes, enum http1_role role, struct http1_head *out)
{
    struct fields fields = {out->fields.list, 0, out->fields.max, false};
    struct field_reader r = {.out = out};
    *out = (struct http1_head){.fields = fields};
    struct span line, rest = {0};
    size_t end = span_find_byte(bytes, '\n', 0), from = end == SIZE_MAX ? bytes.size : end + 1;
    line = trim_line_end(span_sub(bytes, 0, from));
    if (role == HTTP1_RESPONSE)
        line = split_status_line(line, &rest);
    if (!(role == HTTP1_REQUEST ? parse_request_line(line, out) : parse_status_line(line, out)))
        return E_BAD;
    if (rest.size)
        read_parts(&r, rest);
    read_lines(&r, bytes, from, role == HTTP1_RESPONSE);
    return E_OK;
}

/* From within a line: the beginning of the next one that may be empty, or the size. */
static size_t skip_lines(struct span s, size_t from, uint8_t *line)
{
    uint8_t room[BYTES64];
    for (size_t base = from; base < s.size; base += BYTES64) {
        uint64_t ends = bytes64_equal(bytes64_at(s, base, room), '\n');
        for (; ends; ends &= ends - 1) {
            size_t next = base + (size_t)__builtin_ctzll(ends) + 1;
            if (next < s.size && s.at[next] != '\r' && s.at[next] != '\n')
                continue;
            *line = HTTP1_LINE_EMPTY;
            return next;
        }
    }
    *line = HTTP1_LINE_MORE;
    return s.size;
}

size_t http1_head_find_end(struct span s, size_t from, uint8_t *line)
{
    while (from < s.size) {
        if (*line != HTTP1_LINE_MORE && s.at[from] == '\r') {
            *line = HTTP1_LINE_CR;
            from++;
            continue;
        }
        if (s.at[from] == '\n' && *line != HTTP1_LINE_MORE)
            return from + 1;
        from = skip_lines(s, from, line);
    }
    return SIZE_MAX;
}

void http1_head_unfold(uint8_t *value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (value[i] == '\r' || value[i] == '\n')
            value[i] = ' ';
}

struct coding_facts {
    bool is_present, ends_chunked, is_odd;
};

static bool is_nearly_chunked(struct span part)
{
    return span_starts_nocase(part, SPAN("chunked")) && !http1_head_is_token_byte(part.at[7]);
}

/* All Transfer-Encoding fields are one list (RFC 9110, 5.3); "identity" was withdrawn and means nothing. */
static void transfer_coding(struct span list, bool is_request, struct coding_facts *facts)
{
    struct span part;
    while (span_split(&list, ',', &part)) {
        part = span_trim(part);
        if (part.size == 0 || span_eq_nocase(part, SPAN("identity")))
            continue;
        facts->is_odd = facts->is_odd || facts->ends_chunked; /* something after chunked, or chunked twice */
        facts->is_present = true;
        facts->ends_chunked = span_eq_nocase(part, SPAN("chunked"));
        if (!is_request && !facts->ends_chunked && is_nearly_chunked(part))
            facts->ends_chunked = facts->is_odd = true;
    }
}

/* "68 x" is 68 to those who read digits as long as they come. What no file can have, no program takes for a length. */
static bool read_length(struct span part, uint64_t *length, bool *is_odd)
{
    size_t end = blank_at(part);
    *is_odd = end != part.size;
    return span_u64(span_sub(part, 0, end), length) && *length <= INT64_MAX;
}

static void content_length(struct span list, struct http1_body *body)
{
    struct span part;
    uint64_t only;
    if (!body->has_length && span_u64(list, &only) && only <= INT64_MAX) { /* one number, as it should be */
        body->length = only;
        body->has_length = true;
        return;
    }
    while (span_split(&list, ',', &part)) {
        uint64_t length;
        bool is_odd = false, is_number = read_length(span_trim(part), &length, &is_odd);
        body->is_ambiguous = body->is_ambiguous || is_odd || !is_number;
        if (!is_number)
            continue;
        if (body->has_length)
            body->is_ambiguous = body->is_ambiguous || length != body->length;
        else {
            body->length = length;
            body->has_length = true;
        }
    }
}

static struct http1_body body_of(const struct http1_head *head, bool is_request)
{
    struct http1_body body = {.kind = is_request ? HTTP1_BODY_NONE : HTTP1_BODY_CLOSE};
    struct coding_facts coding = {0};
    for (uint16_t i = 0; i < head->fields.n; i++) {
        const struct field *field = &head->fields.list[i];
        if (span_eq_nocase(field->name, SPAN("transfer-encoding")))
            transfer_coding(field->value, is_request, &coding);
        else if (span_eq_nocase(field->name, SPAN("content-length")))
            content_length(field->value, &body);
    }
    if (head->has_bad_lines && (coding.is_present || body.has_length))
        body.is_ambiguous = true;
    if (body.has_length)
        body.kind = HTTP1_BODY_LENGTH;
    if (!coding.is_present)
        return body;
    if (body.has_length || coding.is_odd || head->version_minor == 0 || (is_request && !coding.ends_chunked))
        body.is_ambiguous = true;
    if (coding.ends_chunked)
        body.kind = HTTP1_BODY_CHUNKED;
    else if (!is_request)
        body.kind = HTTP1_BODY_CLOSE;
    return body;
}

struct http1_body http1_head_request_body(const struct http1_head *head)
{
    return body_of(head, true);
}

struct http1_body http1_head_response_body(const struct http1_head *head, struct span method)
{
    struct http1_body body = body_of(head, false);
    bool is_tunnel = span_eq(method, SPAN("CONNECT")) && head->status / 100 == 2;
    if (span_eq_nocase(method, SPAN("HEAD")) || head->status / 100 == 1 || head->status == 204 || head->status == 304 ||
        is_tunnel)
        body.kind = HTTP1_BODY_NONE; /* RFC 9112, 6.3, 1 and 2: whatever the fields say */
    return body;
}

/* The authority without user part and port. */
static struct span host_of_authority(struct span authority)
{
    size_t at;
    while ((at = span_find_byte(authority, '@', 0)) != SIZE_MAX)
        authority = span_from(authority, at + 1);
    if (authority.size && authority.at[0] == '[') {
        size_t end = span_find_byte(authority, ']', 0);
        return end == SIZE_MAX ? authority : span_sub(authority, 0, end + 1);
    }
    size_t colon = span_find_byte(authority, ':', 0);
    return colon == SIZE_MAX ? authority : span_sub(authority, 0, colon);
}

struct span http1_head_host(const struct http1_head *head)
{
    bool is_path = head->target.size && head->target.at[0] == '/';
    size_t scheme = is_path ? SIZE_MAX : span_find(head->target, SPAN("://"), 0);
    if (scheme != SIZE_MAX && scheme > 0 && token_size(head->target) >= scheme) {
        struct span authority = span_from(head->target, scheme + 3);
        size_t end = 0;
        while (end < authority.size && authority.at[end] != '/' && authority.at[end] != '?' && authority.at[end] != '#')
            end++;
        return host_of_authority(span_sub(authority, 0, end));
    }
    if (span_eq(head->method, SPAN("CONNECT")))
        return host_of_authority(head->target);
    return host_of_authority(span_trim(fields_get(&head->fields, SPAN("host"))));
}
