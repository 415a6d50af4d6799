/* SPDX-License-Identifier: Apache-2.0
 * Growable text with a cap. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX_DEFAULT ((size_t)1 << 20)

void text_fini(struct text *t)
{
    free(t->at);
    *t = (struct text){.max = t->max};
}

/* Room for 'more' bytes and the NUL; returns how many of them fit. */
static size_t reserve(struct text *t, size_t more)
{
    size_t max = t->max ? t->max : TEXT_MAX_DEFAULT;
    if (more > max - t->size) {
        t->is_cut = true;
        more = max - t->size;
    }
    size_t need = t->size + more + 1;
    if (need <= t->cap)
        return more;
    size_t cap = t->cap ? t->cap : 64;
    while (cap < need)
        cap *= 2;
    if (cap > max + 1) /* so that what has room is never over the cap */
        cap = max + 1;
    char *grown = realloc(t->at, cap);
    if (!grown) {
        t->is_cut = true;
        return t->cap > t->size ? t->cap - t->size - 1 : 0;
    }
    t->at = grown;
    t->cap = cap;
    return more;
}

char *text_make_room(struct text *t, size_t n)
{
    size_t max = t->max ? t->max : TEXT_MAX_DEFAULT;
    if (n > max - t->size || reserve(t, n) < n)
        return NULL;
    return t->at + t->size;
}

void text_add(struct text *t, struct span s)
{
    char *room = text_room(t, s.size);
    if (room) {
        if (s.size)
            memcpy(room, s.at, s.size);
        text_grew(t, s.size);
        return;
    }
    size_t fits = reserve(t, s.size);
    if (!t->at)
        return;
    if (fits)
        memcpy(t->at + t->size, s.at, fits);
    t->size += fits;
    t->at[t->size] = 0;
}

void text_add_str(struct text *t, const char *s)
{
    text_add(t, span_text(s));
}

void text_addf(struct text *t, const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (size < 0)
        return;
    if ((size_t)size < sizeof small) {
        text_add(t, span_of(small, (size_t)size));
        return;
    }
    size_t fits = reserve(t, (size_t)size);
    if (!t->at)
        return;
    va_start(args, format);
    vsnprintf(t->at + t->size, fits + 1, format, args);
    va_end(args);
    t->size += fits;
}
