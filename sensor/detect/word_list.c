/* SPDX-License-Identifier: Apache-2.0
 * Open addressing over 64-bit hashes of the words in lower case: two of 200,000 words collide once in 900 million lists. */
#include "detect/word_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"

#define WORD_SIZE 256u

struct word_list {
    uint64_t *slots; /* 0 = empty */
    size_t n, cap;   /* cap: a power of two */
};

static uint64_t hash_of(struct span word)
{
    uint8_t lower[WORD_SIZE];
    return hash64(span_lower(word, lower, sizeof lower), word.size) | 1;
}

static size_t slot_of(const struct word_list *l, uint64_t hash)
{
    size_t i = hash & (l->cap - 1);
    while (l->slots[i] && l->slots[i] != hash)
        i = (i + 1) & (l->cap - 1);
    return i;
}

int word_list_new(struct word_list **out)
{
    struct word_list *l = calloc(1, sizeof *l);
    if (!l)
        return E_NOMEM;
    l->cap = 64;
    l->slots = calloc(l->cap, sizeof *l->slots);
    if (!l->slots) {
        free(l);
        return E_NOMEM;
    }
    *out = l;
    return E_OK;
}

static int grow(struct word_list *l)
{
    struct word_list bigger = {calloc(2 * l->cap, sizeof *l->slots), l->n, 2 * l->cap};
    if (!bigger.slots)
        return E_NOMEM;
    for (size_t i = 0; i < l->cap; i++)
        if (l->slots[i])
            bigger.slots[slot_of(&bigger, l->slots[i])] = l->slots[i];
    free(l->slots);
    *l = bigger;
    return E_OK;
}

int word_list_add(struct word_list *l, struct span word)
{
    uint64_t hash = hash_of(word);
    if (l->n == WORD_LIST_MAX)
        return E_LIMIT;
    if (word_list_has(l, word))
        return E_STATE;
    if (2 * (l->n + 1) > l->cap && grow(l) != E_OK)
        return E_NOMEM;
    l->slots[slot_of(l, hash)] = hash;
    l->n++;
    return E_OK;
}

bool word_list_has(const struct word_list *l, struct span word)
{
    return l->slots[slot_of(l, hash_of(word))] != 0;
}

size_t word_list_size(const struct word_list *l)
{
    return l->n;
}

void word_list_free(struct word_list *l)
{
    if (!l)
        return;
    free(l->slots);
    free(l);
}

static int read_lines(struct word_list *l, FILE *f, const char *path, struct text *why)
{
    char line[1024];
    int rc = E_OK;
    for (unsigned n = 1; rc == E_OK && fgets(line, sizeof line, f); n++) {
        size_t size = strcspn(line, "#\r\n");
        struct span word = span_trim(span_of(line, size));
        if (word.size == 0)
            continue;
        rc = word_list_add(l, word);
        if (rc == E_STATE || rc == E_LIMIT) {
            text_addf(why, "%s:%u:1: '%.*s' %s", path, n, (int)word.size, (const char *)word.at,
                      rc == E_STATE ? "stands here twice" : "is one word too many");
            rc = E_CONF;
        }
    }
    return rc;
}

int word_list_load(const char *dir, const char *name, struct word_list **out, struct text *why)
{
    struct text path = {0};
    struct word_list *l = NULL;
    text_addf(&path, "%s/%s.txt", dir, name);
    FILE *f = fopen(text_str(&path), "re");
    int rc = f ? word_list_new(&l) : E_IO;
    if (!f)
        text_addf(why, "%s: %s", text_str(&path), strerror(errno));
    if (rc == E_OK)
        rc = read_lines(l, f, text_str(&path), why);
    if (f)
        fclose(f);
    text_fini(&path);
    if (rc)
        word_list_free(l);
    else
        *out = l;
    return rc;
}
