/* SPDX-License-Identifier: Apache-2.0
 * D15: files are fetched in a visit whose place or client is new for the credential (MITRE ATT&CK DET0550). */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

#include "detect/volume.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_DOWNLOAD_AFTER_NEW];
}

/* A newcomer has no usual place; he is told once he has gone through several cases or customers' affairs. */
static bool is_newcomer_busy(const struct scene *s)
{
    const struct story_totals *t = &s->visit->totals;
    return t->cases >= s->rules->context.newcomer_cases || t->customers >= 2;
}

#define BUSY_DAY_BITS 3 /* one day in eight is a busy one */

static double breadth_bits(const struct scene *s)
{
    if (!s->is_mature || s->is_young)
        return 0; /* nothing to compare with */
    double bits = surprise_count(volume_usual_cases(s->b, s->fleet), s->b->today_cases) - BUSY_DAY_BITS;
    return s->rules->download_after_new.breadth_weight * fmax(0, bits);
}

/* While the fleet learns, only what has changed in every respect is told, and only of who has been here before. */
static bool is_young_and_plain(const struct scene *s, double bits)
{
    return s->is_young &&
           (s->b->sessions == 0 || !context_is_both_new(&s->visit->context) || bits < s->rules->learning.young_bits);
}

static void judge(struct scene *s)
{
    const struct visit *v = s->visit;
    if (!s->takes_file)
        return;
    if (!context_is_new(&v->context) || (v->context.is_newcomer && !is_newcomer_busy(s)) || scene_has_context(s, rule(s)))
        return;
    double change = v->has_change ? s->rules->download_after_new.change_bits : 0;
    double breadth = breadth_bits(s);
    double bits = context_bits(&v->context) + change + breadth;
    if (bits < s->rules->download_after_new.bits || is_young_and_plain(s, bits))
        return;
    struct finding f = {
        .rule = rule(s), .family = STORY_CONTEXT, .risk = rule(s)->risk, .over_bits = bits - s->rules->download_after_new.bits};
    scene_why_context(s, &f);
    if (change > 0)
        finding_why(&f, "event.action", "password or account change", "not just after a new place", change);
    char value[ALERT_TEXT], usual[ALERT_TEXT];
    if (breadth > 0) {
        size_t cases = offsetof(struct baseline, cases_day);
        snprintf(value, sizeof value, "%u cases today", s->b->today_cases);
        volume_text(s->b, cases, volume_usual_cases(s->b, s->fleet), usual, sizeof usual);
        finding_why(&f, "casetap.cases.day", value, usual, breadth);
    }
    struct span name = activity_get(s->a, STR_FILE);
    snprintf(value, sizeof value, "%.*s", (int)(name.size < 120 ? name.size : 120), (const char *)name.at);
    finding_why(&f, "file.name", value, "downloads come from usual places", 0);
    scene_report_context(s, &f);
}

const struct detector *det_download(void)
{
    static const struct detector detector = {SCORED_DOWNLOAD_AFTER_NEW, judge};
    return &detector;
}
