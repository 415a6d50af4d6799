/* SPDX-License-Identifier: Apache-2.0
 * YAML files as a tree that remembers where everything stood, so that each complaint can say file:line:column.
 * The only user of libyaml. Anchors and aliases are refused (a rule file has no need of them, a bomb has). */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/text.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    const char *file;           /* as given to the loader */
    unsigned line, column;      /* from 1 */
    const char *scalar;         /* YAML_SCALAR: NUL-terminated */
    size_t scalar_size;
    bool is_quoted;             /* a quoted scalar is never a number or null */
    const char *key;            /* in a map: this node's key, else NULL */
    unsigned key_line, key_column;
    struct yaml_node *child;    /* first member of a list or map */
    struct yaml_node *next;     /* next sibling */
};

struct yaml; /* owns one file's nodes */

/* Reads a file of at most 1 MiB. E_IO when it cannot be read, E_CONF when it is not YAML; 'why' gets one line. */
int yaml_load(const char *path, struct yaml **out, struct text *why);
/* The same from memory; 'name' stands for the file in messages. */
int yaml_parse(const char *name, struct span content, struct yaml **out, struct text *why);
/* Not yaml_free: libyaml exports a function of that name. */
void yaml_close(struct yaml *y);
const struct yaml_node *yaml_root(const struct yaml *y);

/* The member of a map, or NULL (also when 'map' is NULL or no map). */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* Writes "file:line:column: " and the formatted message into why; returns E_CONF. */
int yaml_fail(const struct yaml_node *at, struct text *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* E_CONF when 'map' is no map or has a key that is not in the NULL-ended list; names the nearest valid one. */
int yaml_check_keys(const struct yaml_node *map, const char *const *valid, struct text *why);
/* The nearest of a NULL-ended list by edit distance (at most 3 edits, and of no more than half the word), or NULL. */
const char *yaml_nearest(const char *word, const char *const *valid);

#endif
