/* SPDX-License-Identifier: Apache-2.0
 * change: a group's value is another than at its last act (within the timeframe, if one is given). */
#include "detect/rule_type.h"

#include <stdio.h>

struct change {
    uint64_t hash;
    uint32_t last_s;
    char text[64];
};

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct change *c = state, was = *c;
    uint64_t hash = 0;
    for (unsigned i = 0; i < e->p->n_fields; i++) {
        uint64_t one = rule_field_hash(e->p->fields[i], e->view, hash);
        if (one == 0)
            return false; /* not known is no change */
        hash = one;
    }
    *c = (struct change){.hash = hash, .last_s = e->now_s};
    rule_field_text(e->p->fields[0], e->view, c->text, sizeof c->text);
    if (was.hash == 0 || was.hash == hash || (e->p->timeframe_s > 0 && e->now_s - was.last_s > e->p->timeframe_s))
        return false;
    snprintf(why->field, sizeof why->field, "%s", rule_field_name(e->p->fields[0]));
    snprintf(why->value, sizeof why->value, "%s", c->text);
    snprintf(why->usual, sizeof why->usual, "%s %u s before", was.text, e->now_s - was.last_s);
    return true;
}

const struct rule_type *type_change(void)
{
    static const struct rule_type type = {"change", NULL, "the `fields` have other values than at the group's last act",
                                          sizeof(struct change), false, feed, NULL, NULL};
    return &type;
}
