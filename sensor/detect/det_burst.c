/* SPDX-License-Identifier: Apache-2.0
 * D09: many different files within minutes. */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

#include "detect/volume.h"

static const struct rule rule = {
    .id = "D09",
    .name = "Download burst",
    .action = "download-burst",
    .category = "volume",
    .description = "The credential fetches many different files within minutes, far more than it or its peers ever do.",
    .first_step = "Ask the owner what the files are for; if there is no answer at once, end the session and list the "
                  "customers concerned.",
    .tactics = {"TA0009", "TA0010"},
    .techniques = {"T1213.004", "T1530", "T1119", "T1020"},
};

static void judge(struct scene *s)
{
    const struct rules *r = s->rules;
    if (!s->is_file || !r->download_burst.enabled)
        return;
    unsigned files = pace_count(&s->live->files, s->now_s, r->download_burst.window_s);
    if (files < r->download_burst.files || scene_has_volume(s, &rule))
        return;
    size_t which = offsetof(struct baseline, files_window);
    struct spread usual = volume_usual(s->b, s->fleet, which, (struct spread){3, 12});
    double bits = surprise_count(usual, fmax(files, s->b->window_files));
    if (bits < r->download_burst.bits)
        return;
    struct finding f = {.rule = &rule, .family = STORY_VOLUME, .risk = 60, .over_bits = bits - r->download_burst.bits};
    char value[ALERT_TEXT], text[ALERT_TEXT];
    snprintf(value, sizeof value, "%u different files in %u s", files, r->download_burst.window_s);
    finding_why(&f, "casetap.files.burst", value, volume_text(s->b, which, usual, text, sizeof text), bits);
    scene_report_volume(s, &f);
}

const struct detector *det_burst(void)
{
    static const struct detector detector = {&rule, judge};
    return &detector;
}
