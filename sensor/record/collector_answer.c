/* SPDX-License-Identifier: Apache-2.0
 * Answers of collectors, read as JSON. */
#include "record/collector_answer.h"

#include "base/err.h"
#include "record/json_tree.h"
#include "record/shown.h"

#include <stdio.h>

#define REASON_MAX 200

bool answer_hec_id(struct span body, uint64_t *id)
{
    struct text why = {0};
    struct tree t;
    bool is_there = tree_open(&t, body, &why) == E_OK && tree_number(&t, "ackId", INT64_MAX, id);
    if (t.root)
        tree_close(&t);
    text_fini(&why);
    return is_there;
}

bool answer_hec_acked(struct span body, uint64_t id)
{
    char path[40];
    struct text why = {0};
    struct tree t;
    snprintf(path, sizeof path, "acks.%llu", (unsigned long long)id);
    bool is_acked = tree_open(&t, body, &why) == E_OK && json_is_true(tree_find(&t, path));
    if (t.root)
        tree_close(&t);
    text_fini(&why);
    return is_acked;
}

static void tell(const json_t *error, struct text *why)
{
    const json_t *reason = json_is_object(error) ? json_object_get(error, "reason") : error;
    if (json_is_string(reason) && !why->size)
        shown_add(span_of(json_string_value(reason), json_string_length(reason)), REASON_MAX, why);
}

bool answer_bulk(struct span body, uint16_t *statuses, size_t n, struct text *why)
{
    struct text bad = {0};
    struct tree t;
    int rc = tree_open(&t, body, &bad);
    json_t *items = rc ? NULL : tree_find(&t, "items");
    bool is_good = json_array_size(items) == n;
    for (size_t i = 0; i < n && is_good; i++) {
        const json_t *item = json_object_get(json_array_get(items, i), "index");
        const json_t *status = json_object_get(item, "status");
        json_int_t value = json_is_integer(status) ? json_integer_value(status) : 0;
        is_good = value >= 100 && value <= 599;
        statuses[i] = (uint16_t)(is_good ? value : 0);
        if (value >= 300)
            tell(json_object_get(item, "error"), why);
    }
    if (t.root)
        tree_close(&t);
    text_fini(&bad);
    return is_good;
}
