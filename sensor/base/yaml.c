/* SPDX-License-Identifier: Apache-2.0
 * YAML trees by libyaml's event parser. All nodes and strings of a file live in one list of blocks, freed together. */
#include "base/yaml.h"

#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <yaml.h>

#define YAML_MAX_SIZE ((size_t)1 << 20)
#define YAML_MAX_DEPTH 32
#define YAML_MAX_NODES 100000u

struct block {
    struct block *next;
};

struct yaml {
    struct block *blocks;
    struct yaml_node *root;
    char *file;
    unsigned n_nodes;
};

struct build {
    struct yaml *y;
    yaml_parser_t *parser;
    struct text *why;
};

static void *keep(struct yaml *y, size_t size)
{
    struct block *b = calloc(1, sizeof *b + size);
    if (!b)
        return NULL;
    b->next = y->blocks;
    y->blocks = b;
    return b + 1;
}

static char *keep_text(struct yaml *y, const void *text, size_t size)
{
    char *copy = keep(y, size + 1);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static int fail(struct build *b, yaml_mark_t mark, const char *what)
{
    text_addf(b->why, "%s:%zu:%zu: %s", b->y->file, mark.line + 1, mark.column + 1, what);
    return E_CONF;
}

static int next_event(struct build *b, yaml_event_t *event)
{
    if (yaml_parser_parse(b->parser, event))
        return 0;
    const yaml_parser_t *p = b->parser;
    text_addf(b->why, "%s:%zu:%zu: %s%s%s", b->y->file, p->problem_mark.line + 1, p->problem_mark.column + 1,
              p->problem ? p->problem : "not readable as YAML", p->context ? ", " : "", p->context ? p->context : "");
    return E_CONF;
}

static int node(struct build *b, yaml_event_t *event, unsigned depth, struct yaml_node **out);

static struct yaml_node *make(struct build *b, enum yaml_kind kind, yaml_mark_t mark)
{
    struct yaml_node *n = b->y->n_nodes++ < YAML_MAX_NODES ? keep(b->y, sizeof *n) : NULL;
    if (n) {
        n->kind = kind;
        n->file = b->y->file;
        n->line = (unsigned)mark.line + 1;
        n->column = (unsigned)mark.column + 1;
    }
    return n;
}

static int list(struct build *b, struct yaml_node *parent, unsigned depth)
{
    struct yaml_node **tail = &parent->child;
    for (;;) {
        yaml_event_t event;
        int rc = next_event(b, &event);
        if (rc)
            return rc;
        bool is_end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!is_end)
            rc = node(b, &event, depth, tail);
        yaml_event_delete(&event);
        if (rc || is_end)
            return rc;
        tail = &(*tail)->next;
    }
}

static bool has_key(const struct yaml_node *map, const char *key)
{
    return yaml_get(map, key) != NULL;
}

/* One "key: value"; *is_end at the end of the map. */
static int pair(struct build *b, struct yaml_node *parent, struct yaml_node **tail, unsigned depth, bool *is_end)
{
    yaml_event_t event;
    int rc = next_event(b, &event);
    if (rc)
        return rc;
    *is_end = event.type == YAML_MAPPING_END_EVENT;
    char *key = NULL;
    yaml_mark_t mark = event.start_mark;
    if (!*is_end && event.type != YAML_SCALAR_EVENT)
        rc = fail(b, mark, "expected a plain key");
    else if (!*is_end && !(key = keep_text(b->y, event.data.scalar.value, event.data.scalar.length)))
        rc = E_NOMEM;
    else if (!*is_end && has_key(parent, key))
        rc = fail(b, mark, "this key stands here twice");
    yaml_event_delete(&event);
    if (rc || *is_end)
        return rc;
    if ((rc = next_event(b, &event)))
        return rc;
    rc = node(b, &event, depth, tail);
    yaml_event_delete(&event);
    if (rc == 0) {
        (*tail)->key = key;
        (*tail)->key_line = (unsigned)mark.line + 1;
        (*tail)->key_column = (unsigned)mark.column + 1;
    }
    return rc;
}

static int map(struct build *b, struct yaml_node *parent, unsigned depth)
{
    struct yaml_node **tail = &parent->child;
    bool is_end = false;
    for (;;) {
        int rc = pair(b, parent, tail, depth, &is_end);
        if (rc || is_end)
            return rc;
        tail = &(*tail)->next;
    }
}

static int node(struct build *b, yaml_event_t *event, unsigned depth, struct yaml_node **out)
{
    if (depth > YAML_MAX_DEPTH)
        return fail(b, event->start_mark, "nested too deeply");
    enum yaml_kind kind = YAML_SCALAR;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        kind = YAML_LIST;
    else if (event->type == YAML_MAPPING_START_EVENT)
        kind = YAML_MAP;
    else if (event->type == YAML_ALIAS_EVENT)
        return fail(b, event->start_mark, "aliases are not allowed here");
    else if (event->type != YAML_SCALAR_EVENT)
        return fail(b, event->start_mark, "expected a value");
    struct yaml_node *n = make(b, kind, event->start_mark);
    if (!n)
        return fail(b, event->start_mark, "too large");
    *out = n;
    if (kind == YAML_LIST)
        return list(b, n, depth + 1);
    if (kind == YAML_MAP)
        return map(b, n, depth + 1);
    n->scalar = keep_text(b->y, event->data.scalar.value, event->data.scalar.length);
    n->scalar_size = event->data.scalar.length;
    n->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return n->scalar ? 0 : E_NOMEM;
}

static int document(struct build *b)
{
    for (;;) {
        yaml_event_t event;
        int rc = next_event(b, &event);
        if (rc)
            return rc;
        yaml_event_type_t type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && b->y->root)
            rc = fail(b, event.start_mark, "a second document; one is expected");
        else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT &&
                 type != YAML_STREAM_END_EVENT)
            rc = node(b, &event, 0, &b->y->root);
        yaml_event_delete(&event);
        if (rc || type == YAML_STREAM_END_EVENT)
            return rc;
    }
}

int yaml_parse(const char *name, struct span content, struct yaml **out, struct text *why)
{
    struct yaml *y = calloc(1, sizeof *y);
    yaml_parser_t parser;
    if (!y)
        return E_NOMEM;
    if (!(y->file = keep_text(y, name, strlen(name))) || !yaml_parser_initialize(&parser)) {
        yaml_close(y);
        return E_NOMEM;
    }
    yaml_parser_set_input_string(&parser, content.at ? content.at : (const uint8_t *)"", content.size);
    struct build b = {y, &parser, why};
    int rc = document(&b);
    yaml_parser_delete(&parser);
    if (rc == 0 && !y->root) {
        text_addf(why, "%s:1:1: the file is empty", name);
        rc = E_CONF;
    }
    if (rc) {
        yaml_close(y);
        return rc;
    }
    *out = y;
    return 0;
}

/* What to read at once: a megabyte taken for each small file, and given back, would make malloc carve the tables that are
 * reserved later out of used memory, to be zeroed by hand. */
static size_t room_for(FILE *f)
{
    struct stat st;
    bool is_small = f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size < YAML_MAX_SIZE;
    return is_small ? (size_t)st.st_size + 1 : YAML_MAX_SIZE + 1;
}

int yaml_load(const char *path, struct yaml **out, struct text *why)
{
    FILE *f = fopen(path, "re");
    size_t room = room_for(f);
    char *content = malloc(room);
    int rc = E_IO;
    if (!f || !content) {
        text_addf(why, "%s: %s", path, strerror(f ? ENOMEM : errno));
        goto out;
    }
    size_t size = fread(content, 1, room, f);
    if (ferror(f))
        text_addf(why, "%s: %s", path, strerror(errno));
    else if (size > YAML_MAX_SIZE)
        text_addf(why, "%s: larger than 1 MiB", path);
    else
        rc = yaml_parse(path, span_of(content, size), out, why);
out:
    if (f)
        fclose(f);
    free(content);
    return rc;
}

void yaml_close(struct yaml *y)
{
    if (!y)
        return;
    for (struct block *b = y->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(y);
}

const struct yaml_node *yaml_root(const struct yaml *y)
{
    return y->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *n = map->child; n; n = n->next)
        if (n->key && strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

int yaml_fail(const struct yaml_node *at, struct text *why, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    text_addf(why, "%s:%u:%u: %s", at->file, at->line, at->column, message);
    return E_CONF;
}

/* Levenshtein distance, capped: words over 63 bytes are far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64], n = strlen(b);
    if (n > 63 || strlen(a) > 63)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]), least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[n];
}

const char *yaml_nearest(const char *word, const char *const *valid)
{
    const char *best = NULL;
    size_t half = (strlen(word) + 1) / 2, least = (half < 3 ? half : 3) + 1; /* "x" is not a mistyped "app" */
    for (; *valid; valid++) {
        size_t d = distance(word, *valid);
        if (d < least) {
            least = d;
            best = *valid;
        }
    }
    return best;
}

int yaml_check_keys(const struct yaml_node *map, const char *const *valid, struct text *why)
{
    if (map->kind != YAML_MAP)
        return yaml_fail(map, why, "expected a map (key: value)");
    for (const struct yaml_node *n = map->child; n; n = n->next) {
        const char *const *v = valid;
        while (*v && strcmp(*v, n->key) != 0)
            v++;
        if (*v)
            continue;
        const char *nearest = yaml_nearest(n->key, valid);
        text_addf(why, "%s:%u:%u: unknown key '%.60s'%s%s%s", n->file, n->key_line, n->key_column, n->key,
                  nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        return E_CONF;
    }
    return 0;
}
