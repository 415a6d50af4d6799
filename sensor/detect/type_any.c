/* SPDX-License-Identifier: Apache-2.0
 * any: every act for which the condition holds. blacklist: one whose value is on a list. whitelist: one whose value is not. */
#include "detect/rule_type.h"

#include <stdio.h>

static void tell_field(const struct rule_event *e, unsigned field, const char *usual, struct rule_reason *why)
{
    snprintf(why->field, sizeof why->field, "%s", rule_field_name(field));
    rule_field_text(field, e->view, why->value, sizeof why->value);
    snprintf(why->usual, sizeof why->usual, "%s", usual);
}

static bool feed_any(const struct rule_event *e, void *state, struct rule_reason *why)
{
    (void)state;
    unsigned field = e->p->reason >= 0 ? (unsigned)e->p->reason : (unsigned)rule_field_of("event.action");
    tell_field(e, field, "", why);
    rule_field_usual(field, e->view, why->usual, sizeof why->usual);
    return true;
}

static bool is_listed(const struct rule_event *e)
{
    char value[ALERT_TEXT * 4];
    rule_field_text((unsigned)e->p->field, e->view, value, sizeof value);
    return word_list_has(e->p->list, span_text(value));
}

static bool feed_blacklist(const struct rule_event *e, void *state, struct rule_reason *why)
{
    (void)state;
    if (rule_field_hash((unsigned)e->p->field, e->view, 0) == 0 || !is_listed(e))
        return false;
    tell_field(e, (unsigned)e->p->field, "not one of the list", why);
    return true;
}

static bool feed_whitelist(const struct rule_event *e, void *state, struct rule_reason *why)
{
    (void)state;
    if (rule_field_hash((unsigned)e->p->field, e->view, 0) == 0 || is_listed(e))
        return false;
    tell_field(e, (unsigned)e->p->field, "one of the list", why);
    return true;
}

const struct rule_type *type_any(void)
{
    static const struct rule_type type = {"any", NULL, "every act for which the condition holds", 0, false, feed_any, NULL, NULL};
    return &type;
}

const struct rule_type *type_blacklist(void)
{
    static const struct rule_type type = {"blacklist", NULL, "an act whose `field` has a value of the list", 0, false,
                                          feed_blacklist, NULL, NULL};
    return &type;
}

const struct rule_type *type_whitelist(void)
{
    static const struct rule_type type = {"whitelist", NULL, "an act whose `field` has a value that is not on the list", 0,
                                          false, feed_whitelist, NULL, NULL};
    return &type;
}
