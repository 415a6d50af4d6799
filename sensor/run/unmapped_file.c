/* SPDX-License-Identifier: Apache-2.0
 * Rows of the unmapped table, for programs and for people. */
#include "run/unmapped_file.h"

#include <stdlib.h>

#define SHOWN 5

int unmapped_file_open(struct line_file **out, const char *dir, struct text *why)
{
    struct text path = {0};
    text_addf(&path, "%s/unmapped.ndjson", dir);
    int rc = line_file_open(out, text_str(&path), true, why);
    text_fini(&path);
    return rc;
}

void unmapped_file_write(struct line_file *f, const struct unmapped *u)
{
    struct text line = {0};
    size_t n;
    struct unmapped_row *rows = unmapped_rows(u, &n);
    for (size_t i = 0; i < n; i++) {
        text_clear(&line);
        unmapped_json(&rows[i], &line);
        (void)line_file_write(f, text_span(&line)); /* sticky: told at close */
    }
    text_fini(&line);
    free(rows);
}

static void add(struct text *out, uint64_t n, const char *what)
{
    text_addf(out, ", %llu %s%s", (unsigned long long)n, what, n == 1 ? "" : "s");
}

void unmapped_summary(const struct unmapped *u, struct text *out)
{
    size_t n, shown = 0, refused = 0;
    struct unmapped_row *rows = unmapped_rows(u, &n);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].refused == rows[i].requests || shown == SHOWN) {
            refused += rows[i].refused == rows[i].requests;
            continue;
        }
        shown++;
        text_addf(out, "unmapped  %s %s%s: %llu request%s", rows[i].method, rows[i].host, rows[i].template,
                  (unsigned long long)rows[i].requests, rows[i].requests == 1 ? "" : "s");
        if (rows[i].files)
            add(out, rows[i].files, "file");
        add(out, rows[i].bytes, "byte");
        add(out, rows[i].credentials, "credential");
        text_add_char(out, '\n');
    }
    if (n - refused > shown)
        text_addf(out, "unmapped  and %zu more templates that no route takes (--out DIR: unmapped.ndjson)\n", n - refused - shown);
    free(rows);
}
