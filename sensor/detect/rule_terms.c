/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/rule_terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"

struct rule_terms {
    struct map *map;
};

struct rule_terms *rule_terms_new(void)
{
    struct rule_terms *t = calloc(1, sizeof *t);
    if (t)
        t->map = map_new(sizeof(uint64_t), sizeof(struct term), RULE_TERMS_MAX, 21);
    if (t && !t->map) {
        free(t);
        return NULL;
    }
    return t;
}

void rule_terms_free(struct rule_terms *t)
{
    if (!t)
        return;
    map_free(t->map);
    free(t);
}

struct term *rule_terms_touch(struct rule_terms *t, uint64_t hash, bool *is_new)
{
    return map_touch(t->map, &hash, is_new);
}

uint64_t rule_terms_evicted(const struct rule_terms *t)
{
    return map_evicted(t->map);
}

void rule_terms_save(void *terms, void (*line)(void *line_ctx, const char *text), void *line_ctx)
{
    const struct rule_terms *t = terms;
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    while (map_walk(t->map, &at, &key, &value)) {
        const struct term *one = value;
        char text[80];
        snprintf(text, sizeof text, "%016" PRIx64 " %u %u %u", *(const uint64_t *)key, one->first_s, one->last_s, one->n);
        line(line_ctx, text);
    }
}

int rule_terms_load(void *terms, const char *line)
{
    uint64_t hash;
    struct term one;
    bool is_new;
    int end = 0;
    if (sscanf(line, "%16" SCNx64 " %u %u %u%n", &hash, &one.first_s, &one.last_s, &one.n, &end) != 4 || line[end])
        return E_BAD;
    *rule_terms_touch(terms, hash, &is_new) = one;
    return E_OK;
}
