/* SPDX-License-Identifier: Apache-2.0
 * The alert as a value: reasons, related names, severity. */
#include "record/alert.h"

#include "record/utf8.h"

/* Copies text cut between characters, NUL-terminated; NUL bytes inside become U+FFFD so that nothing behind them is
 * lost. */
static void copy_text(char *out, size_t max, struct span s)
{
    bool is_cut = false;
    size_t used = 0;
    for (;;) {
        size_t nul = span_find_byte(s, 0, 0);
        used += utf8_copy(span_sub(s, 0, nul), (uint8_t *)out + used, max - 1 - used, &is_cut);
        if (nul == SIZE_MAX || is_cut)
            break;
        used += utf8_copy(SPAN("\xef\xbf\xbd"), (uint8_t *)out + used, max - 1 - used, &is_cut);
        s = span_from(s, nul + 1);
    }
    out[used] = 0;
}

void alert_why(struct alert *a, const char *field, const char *value, const char *usual, double bits)
{
    if (a->n_why == ALERT_WHY_MAX)
        return;
    struct why *w = &a->why[a->n_why++];
    copy_text(w->field, sizeof w->field, span_text(field));
    copy_text(w->value, sizeof w->value, span_text(value));
    copy_text(w->usual, sizeof w->usual, span_text(usual));
    w->bits = bits;
}

static void relate(char list[][ALERT_TEXT], uint8_t *n, struct span name)
{
    char copy[ALERT_TEXT];
    copy_text(copy, sizeof copy, name);
    if (!copy[0] || *n == ALERT_RELATED_MAX)
        return;
    for (int i = 0; i < *n; i++) {
        if (strcmp(list[i], copy) == 0)
            return;
    }
    memcpy(list[(*n)++], copy, sizeof copy);
}

void alert_relate_user(struct alert *a, struct span user)
{
    relate(a->users, &a->n_users, user);
}

void alert_relate_customer(struct alert *a, struct span customer)
{
    relate(a->customers, &a->n_listed_customers, customer);
}

void alert_relate_ip(struct alert *a, const struct ipaddr *ip)
{
    if (ipaddr_is_zero(ip) || a->n_ips == ALERT_RELATED_MAX)
        return;
    for (int i = 0; i < a->n_ips; i++) {
        if (ipaddr_eq(&a->ips[i], ip))
            return;
    }
    a->ips[a->n_ips++] = *ip;
}

const char *alert_severity(const struct alert *a)
{
    return a->risk < 40 ? "low" : a->risk < 60 ? "medium" : a->risk < 80 ? "high" : "critical";
}
