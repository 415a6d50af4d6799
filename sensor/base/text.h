/* SPDX-License-Identifier: Apache-2.0
 * A growable byte buffer with a hard cap, always NUL-terminated. Over the cap it cuts and remembers (is_cut). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/span.h"

struct text {
    char *at;    /* NULL until the first byte; NUL-terminated afterwards */
    size_t size; /* bytes without the NUL */
    size_t cap;  /* allocated */
    size_t max;  /* hard cap; 0 means 1 MiB */
    bool is_cut; /* something did not fit, or memory ran out */
};

/* All appenders are safe on a zeroed struct. text_fini frees and zeroes (keeping max). */
void text_fini(struct text *t);
static inline void text_clear(struct text *t)
{
    t->size = 0;
    t->is_cut = false;
    if (t->at)
        t->at[0] = 0;
}
void text_add(struct text *t, struct span s);
void text_add_str(struct text *t, const char *s);
void text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for 'n' bytes and a NUL behind the text, for writers that fill it themselves and then call text_grew; NULL when they
 * do not fit (text_add then cuts). */
char *text_make_room(struct text *t, size_t n);
static inline char *text_room(struct text *t, size_t n)
{
    return n < t->cap - t->size ? t->at + t->size : text_make_room(t, n);
}
/* 'n' bytes were written behind the text. */
static inline void text_grew(struct text *t, size_t n)
{
    t->size += n;
    t->at[t->size] = 0;
}
static inline void text_add_char(struct text *t, char c)
{
    char *room = text_room(t, 1);
    if (!room) {
        t->is_cut = true;
        return;
    }
    *room = c;
    text_grew(t, 1);
}
/* The text so far as a C string ("" when empty), and as a span. Borrowed until the next change. */
static inline const char *text_str(const struct text *t)
{
    return t->at ? t->at : "";
}
static inline struct span text_span(const struct text *t)
{
    return span_of(t->at, t->size);
}

#endif
