/* SPDX-License-Identifier: Apache-2.0
 * Names alone say what a segment is: nothing has to be opened to list them. */
#include "store/segments.h"

#include "base/err.h"
#include "base/times.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_SEGMENTS (1u << 20)

uint32_t segment_day(uint64_t ns)
{
    char text[TIME_TEXT_MAX];
    unsigned y = 0, m = 0, d = 0;
    time_text(ns, text);
    (void)sscanf(text, "%4u-%2u-%2u", &y, &m, &d); /* it is always of this form */
    return y * 10000 + m * 100 + d;
}

uint32_t segment_days(uint32_t day)
{
    char text[TIME_TEXT_MAX];
    uint64_t ns = 0;
    snprintf(text, sizeof text, "%04u-%02u-%02uT00:00:00Z", day / 10000 % 10000, day / 100 % 100, day % 100);
    return time_parse(span_text(text), &ns) ? time_day(ns) : 0;
}

void segment_path(const char *dir, const struct segment *s, const char *suffix, struct text *out)
{
    text_clear(out);
    text_addf(out, "%s/activities-%08u-%08llu%s", dir, s->day, (unsigned long long)s->number, suffix);
}

static bool parse_name(const char *name, struct segment *s)
{
    unsigned long long number;
    int end = 0;
    *s = (struct segment){0};
    if (sscanf(name, "activities-%8u-%llu%n", &s->day, &number, &end) != 2 || !number)
        return false;
    s->number = number;
    s->is_packed = strcmp(name + end, SEGMENT_PACKED) == 0;
    return s->is_packed || strcmp(name + end, SEGMENT_PLAIN) == 0;
}

static int by_number(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (int)y->is_packed - (int)x->is_packed;
}

int segments_add(struct segments *list, const struct segment *s)
{
    if ((list->n & (list->n - 1)) == 0) { /* a power of two: full */
        struct segment *more = list->n < MAX_SEGMENTS ? realloc(list->at, (list->n ? 2 * list->n : 1) * sizeof *more) : NULL;
        if (!more)
            return E_NOMEM;
        list->at = more;
    }
    list->at[list->n++] = *s;
    return E_OK;
}

int segments_list(const char *dir, struct segments *out, struct text *why)
{
    struct segment s;
    int rc = E_OK;
    *out = (struct segments){0};
    DIR *d = opendir(dir);
    if (!d) {
        text_addf(why, "%s: %s", dir, strerror(errno));
        return E_IO;
    }
    for (const struct dirent *e; rc == E_OK && (e = readdir(d));)
        if (parse_name(e->d_name, &s))
            rc = segments_add(out, &s);
    closedir(d);
    if (rc) {
        segments_free(out);
        return rc;
    }
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_number);
    size_t n = 0;
    for (size_t i = 0; i < out->n; i++)
        if (n == 0 || out->at[n - 1].number != out->at[i].number)
            out->at[n++] = out->at[i];
    out->n = n;
    return E_OK;
}

void segments_free(struct segments *s)
{
    free(s->at);
    *s = (struct segments){0};
}

bool segments_are_in(const char *dir)
{
    struct segment s;
    bool is_one = false;
    DIR *d = opendir(dir);
    if (!d)
        return false;
    for (const struct dirent *e; !is_one && (e = readdir(d));)
        is_one = parse_name(e->d_name, &s);
    closedir(d);
    return is_one;
}
