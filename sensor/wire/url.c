/* SPDX-License-Identifier: Apache-2.0
 * Splits request targets and decodes their parts without copying where nothing is encoded. */
#include "wire/url.h"

#include "base/hex.h"

/* The size of "scheme" when 's' begins with "scheme://", else 0 (RFC 3986, 3.1). */
static size_t scheme_size(struct span s)
{
    size_t at = 0;
    while (at < s.size) {
        uint8_t c = s.at[at], lower = c | 0x20;
        bool is_alpha = lower >= 'a' && lower <= 'z';
        if (!is_alpha && (at == 0 || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            break;
        at++;
    }
    return at && span_starts(span_from(s, at), SPAN("://")) ? at : 0;
}

void url_authority(struct span authority, struct span *host, uint16_t *port)
{
    *port = 0;
    /* the last '@' ends the user info: browsers read it so, and it keeps a password out of the host */
    for (size_t at; (at = span_find_byte(authority, '@', 0)) != SIZE_MAX;)
        authority = span_from(authority, at + 1);
    struct span rest = {0};
    if (authority.size && authority.at[0] == '[') {
        size_t end = span_find_byte(authority, ']', 0);
        *host = span_sub(authority, 1, (end == SIZE_MAX ? authority.size : end) - 1);
        rest = end == SIZE_MAX ? rest : span_from(authority, end + 1);
    } else {
        size_t colon = span_find_byte(authority, ':', 0);
        *host = span_sub(authority, 0, colon);
        rest = span_from(authority, colon);
    }
    uint64_t number;
    if (rest.size > 1 && rest.at[0] == ':' && span_u64(span_from(rest, 1), &number) && number <= UINT16_MAX)
        *port = (uint16_t)number;
}

void url_split(struct span target, struct url *out)
{
    *out = (struct url){0};
    size_t hash = span_find_byte(target, '#', 0);
    target = span_sub(target, 0, hash);
    size_t scheme = scheme_size(target);
    if (scheme) {
        out->scheme = span_sub(target, 0, scheme);
        target = span_from(target, scheme + 1);
    }
    if (span_starts(target, SPAN("//"))) {
        target = span_from(target, 2);
        size_t end = 0;
        while (end < target.size && target.at[end] != '/' && target.at[end] != '?')
            end++;
        url_authority(span_sub(target, 0, end), &out->host, &out->port);
        target = span_from(target, end);
    }
    size_t mark = span_find_byte(target, '?', 0);
    out->path = span_sub(target, 0, mark);
    if (mark != SIZE_MAX)
        out->query = span_from(target, mark + 1);
}

bool url_next_pair(struct span *rest, struct span *name, struct span *value)
{
    struct span part;
    while (span_split(rest, '&', &part)) {
        if (part.size == 0)
            continue;
        size_t equals = span_find_byte(part, '=', 0);
        *name = span_sub(part, 0, equals);
        *value = equals == SIZE_MAX ? span_of(NULL, 0) : span_from(part, equals + 1);
        return true;
    }
    return false;
}

/* Takes one decoded byte off *rest, which is not empty. */
static uint8_t next_byte(struct span *rest, bool plus_is_space)
{
    uint8_t c = rest->at[0];
    size_t took = 1;
    if (c == '%' && rest->size >= 3 && hex_digit(rest->at[1]) >= 0 && hex_digit(rest->at[2]) >= 0) {
        c = (uint8_t)(hex_digit(rest->at[1]) << 4 | hex_digit(rest->at[2]));
        took = 3;
    } else if (c == '+' && plus_is_space) {
        c = ' ';
    }
    *rest = span_from(*rest, took);
    return c;
}

struct span url_decode(struct span raw, bool plus_is_space, struct arena *a)
{
    if (span_find_byte(raw, '%', 0) == SIZE_MAX && (!plus_is_space || span_find_byte(raw, '+', 0) == SIZE_MAX))
        return raw;
    uint8_t *to = arena_alloc(a, raw.size);
    if (!to)
        return span_of(NULL, 0);
    size_t size = 0;
    while (raw.size)
        to[size++] = next_byte(&raw, plus_is_space);
    return span_of(to, size);
}

bool url_decodes_to(struct span raw, bool plus_is_space, struct span plain)
{
    size_t at = 0;
    while (raw.size && at < plain.size)
        if (next_byte(&raw, plus_is_space) != plain.at[at++])
            return false;
    return raw.size == 0 && at == plain.size;
}

bool url_arg(struct span query, struct span name, struct arena *a, struct span *value)
{
    struct span raw_name, raw_value;
    while (url_next_pair(&query, &raw_name, &raw_value)) {
        if (!url_decodes_to(raw_name, true, name))
            continue;
        *value = url_decode(raw_value, true, a);
        return true;
    }
    return false;
}

struct span url_last_segment(struct span path)
{
    size_t from = path.size;
    while (from && path.at[from - 1] != '/')
        from--;
    return span_from(path, from);
}
