/* SPDX-License-Identifier: Apache-2.0
 * Which of the names in a Content-Disposition counts, and what is left of it once it is fit to be shown. */
#include "wire/disposition.h"

#include "wire/param.h"
#include "wire/unicode.h"
#include "wire/url.h"

static bool is_unfit(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f || code == 0x2028 || code == 0x2029;
}

/* The last part of a path of either kind. */
static struct span last_part(struct span s)
{
    size_t from = s.size;
    while (from && s.at[from - 1] != '/' && s.at[from - 1] != '\\')
        from--;
    return span_from(s, from);
}

/* Whether 's' can be shown as it is. */
static bool is_clean(struct span s)
{
    uint32_t code;
    while (s.size) {
        size_t size = unicode_get(s, &code);
        if (size == 0 || is_unfit(code))
            return false;
        s = span_from(s, size);
    }
    return true;
}

struct span disposition_clean_name(struct span raw, struct arena *a)
{
    struct span s = span_trim(last_part(raw));
    if (s.size == 0 || span_eq(s, SPAN(".")) || span_eq(s, SPAN("..")))
        return span_of(NULL, 0);
    if (is_clean(s))
        return s;
    bool is_utf8 = unicode_is_valid(s);
    uint8_t *to = arena_alloc(a, s.size * 2); /* ISO-8859-1 at most doubles, '_' never grows */
    if (!to)
        return span_of(NULL, 0);
    size_t used = 0;
    while (s.size) {
        uint32_t code = s.at[0];
        size_t size = is_utf8 ? unicode_get(s, &code) : 1;
        used += unicode_put(is_unfit(code) ? '_' : code, to + used);
        s = span_from(s, size);
    }
    return span_of(to, used);
}

/* ISO-8859-1 to UTF-8. */
static struct span from_latin1(struct span s, struct arena *a)
{
    uint8_t *to = arena_alloc(a, s.size * 2);
    if (!to)
        return span_of(NULL, 0);
    size_t used = 0;
    for (size_t i = 0; i < s.size; i++)
        used += unicode_put(s.at[i], to + used);
    return span_of(to, used);
}

/* RFC 8187, 3.2: charset'language'percent-encoded. A span with at == NULL when it is not of that form, names a
 * charset that is not known, or is not well-formed in it: then the plain parameter counts. */
static struct span extended_value(struct span raw, struct arena *a)
{
    struct span none = {0};
    raw = param_inside(raw);
    size_t first = span_find_byte(raw, '\'', 0);
    size_t second = first == SIZE_MAX ? SIZE_MAX : span_find_byte(raw, '\'', first + 1);
    if (second == SIZE_MAX)
        return none;
    struct span charset = span_sub(raw, 0, first);
    bool is_latin1 = span_eq_nocase(charset, SPAN("ISO-8859-1"));
    if (!is_latin1 && !span_eq_nocase(charset, SPAN("UTF-8")))
        return none;
    struct span plain = url_decode(span_from(raw, second + 1), false, a);
    if (plain.at && is_latin1)
        return from_latin1(plain, a);
    return unicode_is_valid(plain) ? plain : none;
}

/* Browsers write a quotation mark and line ends in form-data names as %22, %0D and %0A, and nothing else (WHATWG
 * HTML, "multipart/form-data encoding algorithm"). */
static struct span undo_form_escapes(struct span s, struct arena *a)
{
    if (span_find(s, SPAN("%22"), 0) == SIZE_MAX && span_find_nocase(s, SPAN("%0d"), 0) == SIZE_MAX &&
        span_find_nocase(s, SPAN("%0a"), 0) == SIZE_MAX)
        return s;
    uint8_t *to = arena_alloc(a, s.size);
    if (!to)
        return span_of(NULL, 0);
    size_t used = 0;
    while (s.size) {
        struct span three = span_sub(s, 0, 3);
        bool is_mark = span_eq(three, SPAN("%22")), is_cr = span_eq_nocase(three, SPAN("%0d"));
        bool is_escape = is_mark || is_cr || span_eq_nocase(three, SPAN("%0a"));
        to[used++] = !is_escape ? s.at[0] : is_mark ? '"' : is_cr ? '\r' : '\n';
        s = span_from(s, is_escape ? 3 : 1);
    }
    return span_of(to, used);
}

static struct span plain_value(struct span raw, bool is_form, struct arena *a)
{
    struct span value = param_value(raw, is_form, a);
    return is_form ? undo_form_escapes(value, a) : value;
}

static enum disposition_type type_of(struct span name)
{
    if (span_eq_nocase(name, SPAN("attachment")))
        return DISPOSITION_ATTACHMENT;
    if (span_eq_nocase(name, SPAN("inline")))
        return DISPOSITION_INLINE;
    if (span_eq_nocase(name, SPAN("form-data")))
        return DISPOSITION_FORM_DATA;
    return name.size ? DISPOSITION_OTHER : DISPOSITION_NONE;
}

void disposition_parse(struct span field, struct arena *a, struct disposition *out)
{
    *out = (struct disposition){0};
    struct span part, name, value, extended = {0}, plain = {0};
    struct span rest = field;
    if (!param_split(&rest, ';', &part))
        return;
    /* some servers leave the type out: 'filename="a.txt"' */
    if (span_find_byte(part, '=', 0) != SIZE_MAX) {
        rest = field;
        part = SPAN("attachment");
    }
    out->type = type_of(part);
    bool is_form = out->type == DISPOSITION_FORM_DATA;
    while (param_next(&rest, &name, &value)) {
        if (is_form && !out->name.at && span_eq_nocase(name, SPAN("name"))) {
            out->name = plain_value(value, true, a);
        } else if (!plain.at && span_eq_nocase(name, SPAN("filename"))) {
            plain = plain_value(value, is_form, a);
            out->has_filename = true;
        } else if (!extended.at && span_eq_nocase(name, SPAN("filename*"))) {
            extended = extended_value(value, a);
            out->has_filename = true;
        }
    }
    struct span clean = disposition_clean_name(extended, a);
    out->filename = clean.at ? clean : disposition_clean_name(plain, a);
}
