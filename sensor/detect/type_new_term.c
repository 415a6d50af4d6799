/* SPDX-License-Identifier: Apache-2.0
 * new_term: a value that the group has not had within the window. A group is watched for 'learning' and 'min-events' acts
 * before anything of it is news, and a value that 'peers' other groups have is none. */
#include "detect/rule_type.h"

#include <stdio.h>

#include "base/hash.h"

static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t words[3] = {a, b, c};
    return hash64(span_of(words, sizeof words), 17);
}

static uint64_t term_of(const struct rule_event *e)
{
    uint64_t hash = 0;
    for (unsigned i = 0; i < e->p->n_fields; i++) {
        uint64_t one = rule_field_hash(e->p->fields[i], e->view, hash);
        if (one == 0)
            return 0;
        hash = one;
    }
    return hash;
}

/* Whether the group has been watched for long enough; counts this act. */
static bool is_known(const struct rule_event *e)
{
    bool is_new;
    struct term *group = rule_terms_touch(e->terms, mix(e->rule, e->group, 0), &is_new);
    if (is_new)
        group->first_s = e->now_s;
    group->last_s = e->now_s;
    return group->n++ >= e->p->min_events && e->now_s - group->first_s >= e->p->learning_s;
}

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    uint64_t value = term_of(e);
    bool is_new, is_first;
    (void)state;
    if (value == 0)
        return false;
    bool can_tell = is_known(e);
    struct term *own = rule_terms_touch(e->terms, mix(e->rule, e->group, value), &is_new);
    uint32_t last_s = own->last_s;
    own->first_s = is_new ? e->now_s : own->first_s;
    own->last_s = e->now_s;
    own->n++;
    struct term *all = rule_terms_touch(e->terms, mix(e->rule, 0, value), &is_first);
    uint32_t others = all->n;
    all->n += is_new;
    if (e->p->match >= 0 && !rule_match_one(e->match, (unsigned)e->p->match, e->view))
        return false;
    if (!can_tell || (!is_new && e->now_s - last_s <= e->p->window_s) || (e->p->peers > 0 && others >= e->p->peers))
        return false;
    snprintf(why->field, sizeof why->field, "%s", rule_field_name(e->p->fields[0]));
    rule_field_text(e->p->fields[0], e->view, why->value, sizeof why->value);
    if (rule_field_usual(e->p->fields[0], e->view, why->usual, sizeof why->usual))
        return true;
    if (is_new)
        snprintf(why->usual, sizeof why->usual, "never before");
    else
        snprintf(why->usual, sizeof why->usual, "not for %u days", (e->now_s - last_s) / 86400);
    return true;
}

const struct rule_type *type_new_term(void)
{
    static const struct rule_type type = {"new_term", "new_terms", "`fields` have values that the group has not had for `window`",
                                          0, false, feed, NULL, NULL};
    return &type;
}
