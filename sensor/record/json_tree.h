/* SPDX-License-Identifier: Apache-2.0
 * A line of JSON as a tree, asked by paths ("a.b.c"); the first complaint stays. Inside record/ only. */
#ifndef RECORD_JSON_TREE_H
#define RECORD_JSON_TREE_H

#include <jansson.h>

#include "base/ipaddr.h"
#include "base/text.h"

struct tree {
    json_t *root;
    struct text *why;
    bool is_bad;
};

/* Reads the line; E_BAD with the reason in why (kept for later complaints) when it is no JSON. */
int tree_open(struct tree *t, struct span line, struct text *why);
void tree_close(struct tree *t);
void tree_complain(struct tree *t, const char *path, const char *what);
/* The member at "a.b.c", or NULL. */
json_t *tree_find(const struct tree *t, const char *path);
/* The string at a path; {NULL, 0} when there is none (a complaint when something else stands there). */
struct span tree_text(struct tree *t, const char *path);
/* The number at a path, from 0 to max; false when there is none. */
bool tree_number(struct tree *t, const char *path, uint64_t max, uint64_t *value);
uint64_t tree_number_or_0(struct tree *t, const char *path, uint64_t max);
/* Exactly 'size' bytes of lower-case hexadecimal, when something stands at the path; false when nothing does. */
bool tree_hex(struct tree *t, const char *path, uint8_t *out, size_t size);
/* Which of n names (NULL: none with that number) stands at a path; 0 when nothing does, -1 when it is none of them. */
int tree_name(struct tree *t, const char *path, const char *(*name)(int), int n);
void tree_ip(struct tree *t, const char *path, struct ipaddr *out);
/* A time must stand there. */
void tree_time(struct tree *t, const char *path, uint64_t *out);

#endif
