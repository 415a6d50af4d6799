/* SPDX-License-Identifier: Apache-2.0
 * D09: many different files within minutes. */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

#include "detect/volume.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_DOWNLOAD_BURST];
}

static void judge(struct scene *s)
{
    const struct rules *r = s->rules;
    if (!s->is_file)
        return;
    unsigned files = pace_count(&s->live->files, s->now_s, r->download_burst.window_s);
    if (files < r->download_burst.files || scene_has_volume(s, rule(s)))
        return;
    size_t which = offsetof(struct baseline, files_window);
    struct spread usual = volume_usual(s->b, s->fleet, which, (struct spread){3, 12});
    double bits = surprise_count(usual, fmax(files, s->b->window_files));
    if (bits < r->download_burst.bits)
        return;
    struct finding f = {.rule = rule(s), .family = STORY_VOLUME, .risk = rule(s)->risk, .over_bits = bits - r->download_burst.bits};
    char value[ALERT_TEXT], text[ALERT_TEXT];
    snprintf(value, sizeof value, "%u different files in %u s", files, r->download_burst.window_s);
    finding_why(&f, "casetap.files.burst", value, volume_text(s->b, which, usual, text, sizeof text), bits);
    scene_report_volume(s, &f);
}

const struct detector *det_burst(void)
{
    static const struct detector detector = {SCORED_DOWNLOAD_BURST, judge};
    return &detector;
}
