/* SPDX-License-Identifier: Apache-2.0
 * Reads what a body is, and which part of a file it is. */
#include "wire/content.h"

#include "base/err.h"
#include "wire/param.h"

/* RFC 9110, 5.6.2 */
static bool is_token(struct span s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.at[i], lower = c | 0x20;
        if (!((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c && memchr(others, c, sizeof(others) - 1))))
            return false;
    }
    return s.size > 0;
}

static bool read_media(struct span media, struct content_type *out)
{
    size_t slash = span_find_byte(media, '/', 0);
    if (slash == SIZE_MAX || media.size >= sizeof(out->media) || !is_token(span_sub(media, 0, slash)) ||
        !is_token(span_from(media, slash + 1)))
        return false;
    for (size_t i = 0; i < media.size; i++) {
        uint8_t c = media.at[i];
        out->media[i] = (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
    }
    out->media_size = (uint8_t)media.size;
    return true;
}

bool content_type_parse(struct span field, struct content_type *out)
{
    *out = (struct content_type){0};
    struct span part, name, value;
    if (!param_split(&field, ';', &part))
        return false;
    bool is_good = read_media(part, out);
    while (param_next(&field, &name, &value)) {
        struct span inside = param_inside(value);
        if (!out->boundary.at && span_eq_nocase(name, SPAN("boundary")))
            out->boundary = inside;
        else if (!out->charset.at && span_eq_nocase(name, SPAN("charset")))
            out->charset = inside;
    }
    return is_good;
}

/* Takes "bytes" and what may stand behind it off *field. */
static bool take_unit(struct span *field, uint8_t behind)
{
    *field = span_trim(*field);
    if (!span_starts_nocase(*field, SPAN("bytes")))
        return false;
    *field = span_from(*field, sizeof("bytes") - 1);
    if (field->size == 0 || field->at[0] != behind)
        return false;
    *field = span_trim(span_from(*field, 1));
    return true;
}

int content_range_parse(struct span field, struct content_range *out)
{
    *out = (struct content_range){0};
    struct content_range got = {0};
    /* "bytes=0-9/10" is wrong but sent by some; it can mean nothing else */
    struct span other = field;
    if (!take_unit(&field, ' ')) {
        if (!take_unit(&other, '='))
            return E_BAD;
        field = other;
    }
    size_t slash = span_find_byte(field, '/', 0);
    if (slash == SIZE_MAX)
        return E_BAD;
    struct span range = span_trim(span_sub(field, 0, slash)), total = span_trim(span_from(field, slash + 1));
    got.has_total = !span_eq(total, SPAN("*"));
    if (got.has_total && !span_u64(total, &got.total))
        return E_BAD;
    got.has_range = !span_eq(range, SPAN("*"));
    if (got.has_range) {
        size_t dash = span_find_byte(range, '-', 0);
        if (dash == SIZE_MAX || !span_u64(span_sub(range, 0, dash), &got.first) ||
            !span_u64(span_from(range, dash + 1), &got.last) || got.last < got.first ||
            (got.has_total && got.last >= got.total))
            return E_BAD;
    }
    if (!got.has_range && !got.has_total)
        return E_BAD;
    *out = got;
    return E_OK;
}

static bool read_wanted(struct span range, struct content_wanted *out)
{
    size_t dash = span_find_byte(range, '-', 0);
    if (dash == SIZE_MAX)
        return false;
    struct span first = span_trim(span_sub(range, 0, dash)), last = span_trim(span_from(range, dash + 1));
    if (first.size == 0)
        return span_u64(last, &out->suffix);
    out->last = UINT64_MAX;
    return span_u64(first, &out->first) && (last.size == 0 || span_u64(last, &out->last)) && out->first <= out->last;
}

int content_wanted_parse(struct span field, struct content_wanted *out)
{
    *out = (struct content_wanted){0};
    struct content_wanted got = {0}, more;
    struct span range;
    if (!take_unit(&field, '='))
        return E_BAD;
    while (span_split(&field, ',', &range)) {
        range = span_trim(range);
        if (range.size == 0)
            continue;
        more = (struct content_wanted){0};
        if (!read_wanted(range, got.n ? &more : &got))
            return E_BAD;
        got.n++;
    }
    if (got.n == 0)
        return E_BAD;
    *out = got;
    return E_OK;
}
