/* SPDX-License-Identifier: Apache-2.0
 * Characters made harmless, one by one. */
#include "record/shown.h"

#include "record/utf8.h"

#include <stdio.h>

static uint32_t code_point(struct span c)
{
    uint32_t head = c.at[0];
    if (c.size == 1)
        return head;
    uint32_t value = head & (0xffu >> (c.size + 1));
    for (size_t i = 1; i < c.size; i++)
        value = value << 6 | (c.at[i] & 0x3fu);
    return value;
}

/* Characters that move the cursor, switch modes, reorder what stands beside them, or are not seen at all. */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* Columns a character takes: 2 for East Asian wide ones and pictures, 0 for combining marks. */
static size_t columns_of(uint32_t c)
{
    bool is_wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                   (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                   (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    bool is_mark = (c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x20d0 && c <= 0x20ff) ||
                   (c >= 0xfe00 && c <= 0xfe0f);
    return is_wide ? 2 : is_mark ? 0 : 1;
}

size_t shown_next(struct span *s, char shown[SHOWN_MAX])
{
    size_t n = utf8_char(*s), columns;
    if (n == 0) {
        n = 1;
        columns = (size_t)snprintf(shown, SHOWN_MAX, "\\x%02x", s->at[0]);
    } else {
        uint32_t c = code_point(span_sub(*s, 0, n));
        columns = columns_of(c);
        if (is_harmful(c)) {
            columns = (size_t)snprintf(shown, SHOWN_MAX, c < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)c);
        } else {
            memcpy(shown, s->at, n);
            shown[n] = 0;
        }
    }
    *s = span_from(*s, n);
    return columns;
}

void shown_add(struct span s, size_t max, struct text *out)
{
    char shown[SHOWN_MAX];
    for (size_t used = 0; s.size;) {
        (void)shown_next(&s, shown);
        used += strlen(shown);
        if (used > max)
            return;
        text_add_str(out, shown);
    }
}
