/* SPDX-License-Identifier: Apache-2.0
 * Path templates, value patterns and globs. */
#include "app/template.h"

#include "base/err.h"
#include "wire/url.h"

static bool is_dots(struct span s, size_t n)
{
    return s.size == n && s.at[0] == '.' && s.at[n - 1] == '.';
}

/* Without ";name=value": parameters of a segment (RFC 3986, 3.3), which servlet containers take off before they look. */
static struct span without_parameters(struct span part)
{
    size_t mark = span_find_byte(part, ';', 0);
    return mark != SIZE_MAX && span_find_byte(part, '=', mark) != SIZE_MAX ? span_sub(part, 0, mark) : part;
}

/* An encoded slash is one: gateways (CGI, PSGI, WSGI) and most proxies hand on the path decoded. */
static bool has_slash(struct span path)
{
    return span_find_nocase(path, SPAN("%2f"), 0) != SIZE_MAX;
}

void path_split(struct span path, struct arena *a, struct path *out)
{
    bool has_escapes = path.size && span_find_byte(path, '%', 0) != SIZE_MAX;
    bool has_parameters = path.size && span_find_byte(path, ';', 0) != SIZE_MAX;
    if (has_escapes && has_slash(path)) {
        path = url_decode(path, false, a);
        has_escapes = false;
    }
    out->n = out->first = 0;
    out->is_cut = false;
    if (path.size && path.at[0] == '/')
        path = span_from(path, 1);
    if (!path.at)
        path = SPAN("");
    struct span part;
    while (span_split(&path, '/', &part)) {
        bool is_last = path.at == NULL;
        if (has_parameters)
            part = without_parameters(part);
        if (has_escapes && span_find_byte(part, '%', 0) != SIZE_MAX)
            part = url_decode(part, false, a);
        if (is_dots(part, 2) && out->n)
            out->n--;
        if ((part.size == 0 || is_dots(part, 1) || is_dots(part, 2)) && !is_last)
            continue;
        if (out->n == PATH_SEGMENTS) {
            out->is_cut = true;
            return;
        }
        out->segment[out->n++] = is_dots(part, 1) || is_dots(part, 2) ? SPAN("") : part;
    }
}

/* Adds a capture's name to the list: its index, -1 for an anonymous one, -2 when it does not fit. */
static int name_add(char names[][TEMPLATE_NAME], uint8_t *n, uint8_t max, struct span name)
{
    if (name.size == 0)
        return -1;
    if (*n == max || name.size >= TEMPLATE_NAME)
        return -2;
    memcpy(names[*n], name.at, name.size);
    names[*n][name.size] = 0;
    return (*n)++;
}

/* Splits one segment of a template; false when it is malformed. */
static bool part_compile(struct span text, struct template *out, struct template_part *part, const char **why)
{
    *part = (struct template_part){.prefix = text, .kind = PART_LITERAL, .capture = -1};
    size_t open = span_find_byte(text, '{', 0), star = span_find_byte(text, '*', 0);
    if (open == SIZE_MAX && star == SIZE_MAX)
        return true;
    struct span name = {NULL, 0};
    size_t from = star, to;
    part->kind = PART_ONE;
    if (open != SIZE_MAX && (star == SIZE_MAX || open < star)) {
        size_t close = span_find_byte(text, '}', open);
        if (close == SIZE_MAX) {
            *why = "'{' without '}'";
            return false;
        }
        name = span_sub(text, open + 1, close - open - 1);
        if (name.size > 2 && name.at[name.size - 1] == '*' && name.at[name.size - 2] == '*') {
            name.size -= 2;
            part->kind = PART_MANY;
        } else if (name.size && name.at[name.size - 1] == '#') {
            name.size--;
            part->is_number = true;
        }
        from = open;
        to = close + 1;
    } else {
        bool is_many = star + 1 < text.size && text.at[star + 1] == '*';
        part->kind = is_many ? PART_MANY : PART_ONE;
        to = star + (is_many ? 2 : 1);
    }
    part->prefix = span_sub(text, 0, from);
    part->suffix = span_from(text, to);
    if (part->kind == PART_MANY && (part->prefix.size || part->suffix.size)) {
        *why = "'**' must be a whole segment";
        return false;
    }
    if (span_find_byte(part->suffix, '{', 0) != SIZE_MAX || span_find_byte(part->suffix, '*', 0) != SIZE_MAX) {
        *why = "more than one capture in a segment";
        return false;
    }
    int index = name_add(out->names, &out->n_names, TEMPLATE_CAPTURES, name);
    if (index == -2)
        *why = "too many captures, or a name longer than 23 bytes";
    part->capture = (int8_t)index;
    return index != -2;
}

int template_compile(struct span text, struct template *out, const char **why)
{
    *out = (struct template){.many = UINT8_MAX};
    if (text.size == 0 || text.at[0] != '/') {
        *why = "a path begins with '/'";
        return E_BAD;
    }
    struct span rest = span_from(text, 1), part;
    if (!rest.size)
        rest = SPAN("");
    while (span_split(&rest, '/', &part)) {
        if (out->n == TEMPLATE_SEGMENTS) {
            *why = "more than 12 segments";
            return E_BAD;
        }
        if (part.size == 0 && rest.at) {
            *why = "an empty segment";
            return E_BAD;
        }
        if (!part_compile(part, out, &out->parts[out->n], why))
            return E_BAD;
        if (out->parts[out->n].kind == PART_MANY) {
            if (out->many != UINT8_MAX) {
                *why = "more than one '**'";
                return E_BAD;
            }
            out->many = out->n;
        }
        out->n++;
    }
    return E_OK;
}

static bool is_digits(struct span s)
{
    for (size_t i = 0; i < s.size; i++)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return s.size > 0;
}

static bool part_match(const struct template_part *part, struct span segment, struct captures *out)
{
    if (part->kind == PART_LITERAL)
        return span_eq(part->prefix, segment);
    size_t fixed = part->prefix.size + part->suffix.size;
    if (segment.size <= fixed || !span_starts(segment, part->prefix) ||
        !span_eq(span_from(segment, segment.size - part->suffix.size), part->suffix))
        return false;
    struct span value = span_sub(segment, part->prefix.size, segment.size - fixed);
    if (part->is_number && !is_digits(value))
        return false;
    if (part->capture >= 0)
        out->value[part->capture] = value;
    return true;
}

/* The text from the first to the last of some segments: only right when nothing in between was decoded or left out,
 * else the last one alone. */
static struct span segments_join(const struct path *path, uint8_t from, uint8_t to)
{
    if (from >= to)
        return SPAN("");
    const struct span *first = &path->segment[from], *last = &path->segment[to - 1];
    size_t sum = 0;
    for (uint8_t i = from; i < to; i++)
        sum += path->segment[i].size + 1;
    bool in_one = true;
    for (uint8_t i = from; i + 1 < to && in_one; i++)
        in_one = path->segment[i].at && path->segment[i].at + path->segment[i].size + 1 == path->segment[i + 1].at;
    return in_one ? span_of(first->at, sum - 1) : *last;
}

bool template_match(const struct template *t, const struct path *path, struct captures *out)
{
    memset(out, 0, sizeof *out);
    if (path->is_cut)
        return false;
    const struct span *segment = path->segment + path->first;
    uint8_t n = (uint8_t)(path->n - path->first);
    if (t->many == UINT8_MAX) {
        if (n != t->n)
            return false;
        for (uint8_t i = 0; i < t->n; i++)
            if (!part_match(&t->parts[i], segment[i], out))
                return false;
        return true;
    }
    uint8_t after = (uint8_t)(t->n - t->many - 1);
    if (n < t->many + after)
        return false;
    for (uint8_t i = 0; i < t->many; i++)
        if (!part_match(&t->parts[i], segment[i], out))
            return false;
    uint8_t back = (uint8_t)(n - after);
    for (uint8_t i = 0; i < after; i++)
        if (!part_match(&t->parts[t->many + 1 + i], segment[back + i], out))
            return false;
    if (t->parts[t->many].capture >= 0)
        out->value[t->parts[t->many].capture] = segments_join(path, (uint8_t)(path->first + t->many), (uint8_t)(path->first + back));
    return true;
}

int template_capture(const struct template *t, struct span name)
{
    for (uint8_t i = 0; i < t->n_names; i++)
        if (span_eq(span_text(t->names[i]), name))
            return i;
    return -1;
}

struct span template_first(const struct template *t)
{
    if (t->n && t->parts[0].kind == PART_LITERAL)
        return t->parts[0].prefix.at ? t->parts[0].prefix : SPAN("");
    return span_of(NULL, 0);
}

/* Whether every segment that fits 'b' fits 'a'. */
static bool part_covers(const struct template_part *a, const struct template_part *b)
{
    struct captures unused;
    if (b->kind == PART_LITERAL) {
        struct template_part alone = *a;
        alone.capture = -1;
        return part_match(&alone, b->prefix, &unused);
    }
    if (a->is_number && (!b->is_number || !span_eq(a->prefix, b->prefix) || !span_eq(a->suffix, b->suffix)))
        return false;
    return a->kind == PART_ONE && b->kind == PART_ONE &&
           span_starts(b->prefix, a->prefix) && b->suffix.size >= a->suffix.size &&
           span_eq(span_from(b->suffix, b->suffix.size - a->suffix.size), a->suffix);
}

bool template_covers(const struct template *a, const struct template *b)
{
    uint8_t front = a->many == UINT8_MAX ? a->n : a->many;
    uint8_t behind = a->many == UINT8_MAX ? 0 : (uint8_t)(a->n - a->many - 1);
    bool has_many = b->many != UINT8_MAX;
    if (a->many == UINT8_MAX ? has_many || a->n != b->n : b->n - (has_many ? 1 : 0) < front + behind)
        return false;
    if (has_many && (b->many < front || b->n - b->many - 1 < behind))
        return false;
    for (uint8_t i = 0; i < front; i++)
        if (!part_covers(&a->parts[i], &b->parts[i]))
            return false;
    for (uint8_t i = 0; i < behind; i++)
        if (!part_covers(&a->parts[a->n - 1 - i], &b->parts[b->n - 1 - i]))
            return false;
    return true;
}

int pattern_compile(struct span text, struct pattern *out, const char **why)
{
    *out = (struct pattern){.n = 0};
    for (;;) {
        size_t open = span_find_byte(text, '{', 0);
        out->literal[out->n] = span_sub(text, 0, open);
        if (open == SIZE_MAX)
            break;
        if (out->n && out->literal[out->n].size == 0) {
            *why = "two captures with nothing between them";
            return E_BAD;
        }
        size_t close = span_find_byte(text, '}', open);
        if (close == SIZE_MAX || out->n == PATTERN_PARTS) {
            *why = close == SIZE_MAX ? "'{' without '}'" : "more than 6 captures";
            return E_BAD;
        }
        struct span name = span_sub(text, open + 1, close - open - 1);
        if (name.size > 2 && name.at[name.size - 1] == '*' && name.at[name.size - 2] == '*') {
            out->is_greedy[out->n] = true;
            name.size -= 2;
        }
        if (name.size == 0 || name.size >= TEMPLATE_NAME) {
            *why = "a capture's name has 1 to 23 bytes";
            return E_BAD;
        }
        memcpy(out->names[out->n], name.at, name.size);
        out->n++;
        text = span_from(text, close + 1);
    }
    if (out->n == 0) {
        *why = "no capture";
        return E_BAD;
    }
    return E_OK;
}

static size_t find_last(struct span text, struct span needle)
{
    size_t last = SIZE_MAX;
    for (size_t at = span_find(text, needle, 0); at != SIZE_MAX; at = span_find(text, needle, at + 1))
        last = at;
    return last;
}

struct span pattern_take(const struct pattern *p, struct span text, struct span name)
{
    struct span found = {NULL, 0};
    if (!span_starts(text, p->literal[0]))
        return found;
    text = span_from(text, p->literal[0].size);
    for (uint8_t i = 0; i < p->n; i++) {
        struct span next = p->literal[i + 1];
        bool is_last = i + 1 == p->n;
        size_t end;
        if (is_last) {
            if (text.size < next.size || !span_eq(span_from(text, text.size - next.size), next))
                return span_of(NULL, 0);
            end = text.size - next.size;
        } else {
            end = p->is_greedy[i] ? find_last(text, next) : span_find(text, next, 0);
        }
        if (end == SIZE_MAX)
            return span_of(NULL, 0);
        if (span_eq(span_text(p->names[i]), name))
            found = span_sub(text, 0, end);
        text = span_from(text, end + next.size);
    }
    return found;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool glob_match(struct span glob, struct span text, bool nocase)
{
    size_t g = 0, t = 0, star = SIZE_MAX, mark = 0;
    if (span_eq(glob, text)) /* most globs are plain words; '*' and '?' fit themselves as well */
        return true;
    while (t < text.size) {
        bool same = g < glob.size && (glob.at[g] == '?' || glob.at[g] == text.at[t] ||
                                      (nocase && lower(glob.at[g]) == lower(text.at[t])));
        if (g < glob.size && glob.at[g] == '*') {
            star = g++;
            mark = t;
        } else if (same) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1; /* the last '*' takes one byte more */
            t = ++mark;
        } else {
            return false;
        }
    }
    while (g < glob.size && glob.at[g] == '*')
        g++;
    return g == glob.size;
}
