/* SPDX-License-Identifier: Apache-2.0
 * D15: files are fetched in a visit whose place or client is new for the credential (MITRE ATT&CK DET0550). */
#include "detect/scene.h"

#include <stdio.h>

#include "detect/conduct.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_DOWNLOAD_AFTER_NEW];
}

static void judge(struct scene *s)
{
    const struct visit *v = s->visit;
    if (!s->takes_file || !s->by_context.is_over || scene_has_context(s, rule(s)))
        return;
    struct finding f = {.rule = rule(s), .family = STORY_CONTEXT, .risk = scene_risk(&s->by_context), .is_scored = true};
    scene_why_context(s, &f);
    if (v->has_change)
        finding_why(&f, "event.action", "password or account change", "not just after a new place",
                    s->rules->download_after_new.change_bits);
    conduct_why(s, &s->conduct, &f);
    char value[ALERT_TEXT];
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
