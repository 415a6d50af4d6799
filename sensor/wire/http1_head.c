/* SPDX-License-Identifier: Apache-2.0
 * Message heads of HTTP/1.x: start line, fields, body framing. */
#include "wire/http1_head.h"

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

static struct span trim_blanks(struct span s)
{
    while (s.size && is_blank(s.at[0]))
        s = span_from(s, 1);
    while (s.size && is_blank(s.at[s.size - 1]))
        s.size--;
    return s;
}

static struct span trim_line_end(struct span line)
{
    if (line.size && line.at[line.size - 1] == '\n')
        line.size--;
    if (line.size && line.at[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* Takes the next line off the front of *rest, without its end. False when no line end is left. */
static bool take_line(struct span *rest, struct span *line)
{
    size_t end = span_find_byte(*rest, '\n', 0);
    if (end == SIZE_MAX)
        return false;
    *line = trim_line_end(span_sub(*rest, 0, end + 1));
    *rest = span_from(*rest, end + 1);
    return true;
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

static bool parse_request_line(struct span line, struct http1_head *out)
{
    line = trim_blanks(line);
    size_t method = token_size(line);
    if (method == 0 || method == line.size || !is_blank(line.at[method]) || line.size < method + 11)
        return false;
    struct span version = span_from(line, line.size - 8);
    if (!is_version(version) || !is_blank(line.at[line.size - 9]))
        return false;
    out->method = span_sub(line, 0, method);
    out->target = trim_blanks(span_sub(line, method, line.size - 8 - method));
    out->version_major = 1;
    out->version_minor = (uint8_t)(version.at[7] - '0');
    return out->target.size != 0;
}

/* The reason may be missing, with or without the space before it (RFC 9112, 4). */
static bool parse_status_line(struct span line, struct http1_head *out)
{
    if (!is_version(line) || line.size < 12 || !is_blank(line.at[8]))
        return false;
    const uint8_t *d = line.at + 9;
    if (d[0] < '1' || d[0] > '9' || !is_digit(d[1]) || !is_digit(d[2]) || (line.size > 12 && !is_blank(line.at[12])))
        return false;
    out->version_major = 1;
    out->version_minor = (uint8_t)(line.at[7] - '0');
    out->status = (uint16_t)((d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0'));
    return true;
}

bool http1_head_is_request_line(struct span line, bool is_strict)
{
    struct http1_head head = {0};
    line = trim_line_end(line);
    if (!parse_request_line(line, &head))
        return false;
    return !is_strict || (head.method.size + head.target.size + 10 == line.size &&
                          span_find_byte(head.target, ' ', 0) == SIZE_MAX && span_find_byte(head.target, '\t', 0) == SIZE_MAX);
}

bool http1_head_is_status_line(struct span line)
{
    struct http1_head head = {0};
    return parse_status_line(trim_line_end(line), &head);
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

/* One line that is not a fold. */
static void add_field(struct http1_head *out, struct span line)
{
    size_t colon = span_find_byte(line, ':', 0);
    struct span name = span_sub(line, 0, colon == SIZE_MAX ? 0 : colon);
    if (name.size && is_blank(name.at[name.size - 1])) {
        out->has_bad_lines = true; /* RFC 9112, 5.1: a way to smuggle; servers that take it drop the space */
        name = trim_blanks(name);
    }
    if (name.size == 0) {
        out->has_bad_lines = true;
        return;
    }
    fields_add(&out->fields, name, trim_blanks(span_from(line, colon + 1)));
}

int http1_head_parse(struct span bytes, enum http1_role role, struct http1_head *out)
{
    struct fields fields = {out->fields.list, 0, out->fields.max, false};
    *out = (struct http1_head){.fields = fields};
    struct span line;
    if (!take_line(&bytes, &line)) {
        line = trim_line_end(bytes);
        bytes = span_of(NULL, 0);
    }
    if (!(role == HTTP1_REQUEST ? parse_request_line(line, out) : parse_status_line(line, out)))
        return E_BAD;
    bool can_fold = false;
    while (take_line(&bytes, &line)) {
        if (line.size && is_blank(line.at[0])) {
            if (can_fold && trim_blanks(line).size) {
                struct span *value = &out->fields.list[out->fields.n - 1].value;
                struct span more = trim_blanks(line);
                *value = value->size ? span_of(value->at, (size_t)(more.at + more.size - value->at)) : more;
                out->has_folds = true;
            }
            continue;
        }
        if (line.size == 0)
            break;
        uint16_t before = out->fields.n;
        add_field(out, line);
        can_fold = out->fields.n != before;
    }
    return E_OK;
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

/* All Transfer-Encoding fields are one list (RFC 9110, 5.3); "identity" was withdrawn and means nothing. */
static struct coding_facts transfer_coding(const struct http1_head *head)
{
    struct coding_facts facts = {0};
    const struct field *field;
    uint16_t from = 0;
    while ((field = fields_next(&head->fields, SPAN("transfer-encoding"), &from))) {
        struct span rest = field->value, part;
        while (span_split(&rest, ',', &part)) {
            part = span_trim(part);
            if (part.size == 0 || span_eq_nocase(part, SPAN("identity")))
                continue;
            facts.is_odd = facts.is_odd || facts.ends_chunked; /* something after chunked, or chunked twice */
            facts.is_present = true;
            facts.ends_chunked = span_eq_nocase(part, SPAN("chunked"));
        }
    }
    return facts;
}

static void content_length(const struct http1_head *head, struct http1_body *body)
{
    const struct field *field;
    uint16_t from = 0;
    while ((field = fields_next(&head->fields, SPAN("content-length"), &from))) {
        struct span rest = field->value, part;
        while (span_split(&rest, ',', &part)) {
            uint64_t length;
            if (!span_u64(span_trim(part), &length))
                body->is_ambiguous = true;
            else if (body->has_length)
                body->is_ambiguous = body->is_ambiguous || length != body->length;
            else {
                body->length = length;
                body->has_length = true;
            }
        }
    }
}

static struct http1_body body_of(const struct http1_head *head, bool is_request)
{
    struct http1_body body = {.kind = is_request ? HTTP1_BODY_NONE : HTTP1_BODY_CLOSE};
    struct coding_facts coding = transfer_coding(head);
    content_length(head, &body);
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
    if (span_eq_nocase(method, SPAN("HEAD")) || head->status < 200 || head->status == 204 || head->status == 304 ||
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
    size_t scheme = span_find(head->target, SPAN("://"), 0);
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
