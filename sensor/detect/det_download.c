/* SPDX-License-Identifier: Apache-2.0
 * D15: files are fetched in a visit whose place or client is new for the credential (MITRE ATT&CK DET0550). */
#include "detect/scene.h"

#include <stdio.h>

static const struct rule rule = {
    .id = "D15",
    .name = "Download after new location or client",
    .action = "download-after-new-location",
    .category = "context",
    .description = "The credential fetches customers' files in a visit from a place or with a client that is not usual "
                   "for it.",
    .first_step = "End the session and block the credential, then ask the owner; list the customers whose files were "
                  "fetched (casetap impact) and tell them.",
    .tactics = {"TA0009", "TA0001"},
    .techniques = {"T1213.004", "T1078"},
};

/* A newcomer has no usual place; he is told once he has gone through several cases or customers' affairs. */
static bool is_newcomer_busy(const struct scene *s)
{
    const struct story_totals *t = &s->visit->totals;
    return t->cases >= s->rules->context.newcomer_cases || t->customers >= 2;
}

static void judge(struct scene *s)
{
    const struct visit *v = s->visit;
    if (!s->takes_file || !s->rules->download_after_new.enabled || s->is_young)
        return;
    if (!context_is_new(&v->context) || (v->context.is_newcomer && !is_newcomer_busy(s)))
        return;
    double change = v->has_change ? s->rules->download_after_new.change_bits : 0;
    double bits = context_bits(&v->context) + change;
    if (bits < s->rules->download_after_new.bits || scene_has_context(s, &rule))
        return;
    struct finding f = {
        .rule = &rule, .family = STORY_CONTEXT, .risk = 55, .over_bits = bits - s->rules->download_after_new.bits};
    scene_why_context(s, &f);
    if (change > 0)
        finding_why(&f, "event.action", "password or account change", "not just after a new place", change);
    char value[ALERT_TEXT];
    struct span name = activity_get(s->a, STR_FILE);
    snprintf(value, sizeof value, "%.*s", (int)(name.size < 120 ? name.size : 120), (const char *)name.at);
    finding_why(&f, "file.name", value, "downloads come from usual places", 0);
    scene_report_context(s, &f);
}

const struct detector *det_download(void)
{
    static const struct detector detector = {&rule, judge};
    return &detector;
}
