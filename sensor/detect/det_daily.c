/* SPDX-License-Identifier: Apache-2.0
 * D10: more files or more bytes in a day than is usual. */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

#include "detect/volume.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_DAILY_VOLUME];
}

/* A day's files of one or two cases are a big log bundle. What is surprising about them counts only as far as the
 * number of cases is surprising, too; where no cases are known, nothing is held back. */
static double held_by_cases(const struct scene *s, double file_bits)
{
    struct spread cases = volume_usual_cases(s->b, s->fleet);
    if (s->b->today_cases == 0)
        return file_bits;
    return fmin(file_bits, surprise_count(cases, s->b->today_cases) + s->rules->daily_volume.one_case_bits);
}

static void judge(struct scene *s)
{
    const struct rules *r = s->rules;
    const struct baseline *b = s->b;
    bool is_many = b->today_files >= r->daily_volume.files, is_big = b->today_bytes >= r->daily_volume.bytes;
    if (!s->takes_file || (!is_many && !is_big) || scene_has_volume(s, rule(s)))
        return;
    size_t files_at = offsetof(struct baseline, files_day), bytes_at = offsetof(struct baseline, bytes_day);
    struct spread files = volume_usual(s->b, s->fleet, files_at, (struct spread){3, 15});
    struct spread bytes =
        volume_usual(s->b, s->fleet, bytes_at, (struct spread){20, 16}); /* about 1 MB, within a factor of 16 */
    double file_bits = is_many ? held_by_cases(s, surprise_count(files, b->today_files)) : 0;
    double byte_bits = is_big ? surprise_normal(bytes, log2((double)b->today_bytes)) : 0;
    double bits = fmax(file_bits, byte_bits);
    if (bits < r->daily_volume.bits)
        return;
    struct finding f = {.rule = rule(s), .family = STORY_VOLUME, .risk = rule(s)->risk, .over_bits = bits - r->daily_volume.bits};
    char value[ALERT_TEXT], text[ALERT_TEXT];
    if (is_many && file_bits >= byte_bits) {
        snprintf(value, sizeof value, "%u files of %u cases today", b->today_files, b->today_cases);
        finding_why(&f, "casetap.files.day", value, volume_text(s->b, files_at, files, text, sizeof text), file_bits);
    } else {
        snprintf(value, sizeof value, "%.1f MB today", (double)b->today_bytes / 1e6);
        snprintf(text, sizeof text, "%.1f MB on an active day", exp2(bytes.mean) / 1e6);
        finding_why(&f, "casetap.bytes.day", value, text, byte_bits);
    }
    scene_report_volume(s, &f);
}

const struct detector *det_daily(void)
{
    static const struct detector detector = {SCORED_DAILY_VOLUME, judge};
    return &detector;
}
