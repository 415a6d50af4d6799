/* SPDX-License-Identifier: Apache-2.0
 * One story per source and day; the names it tried, and whoever it got in as first of all. */
#include "detect/det_stuffing.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/times.h"

static const struct rule *rule(const struct stuffing_question *q)
{
    return q->rules->head[SCORED_STUFFING];
}

#define VICTIM_RISK 90

static struct story_key key_of(const struct activity *a)
{
    struct ipaddr net = ipaddr_prefix(&a->source, 32, 64).ip;
    return (struct story_key){hash64(span_of(net.bytes, sizeof net.bytes), 9) | 1, 0, STORY_CAMPAIGN, 0};
}

static uint64_t idle_ns(const struct stuffing_question *q)
{
    return q->rules->learning.volume_story_s * NS_PER_S;
}

static bool is_stuffing(const struct rules *r, const struct source *source, uint32_t now_s)
{
    uint32_t window_s = r->stuffing.window_s;
    double failures = recent_count(&source->failures, now_s, window_s);
    double successes = recent_count(&source->successes, now_s, window_s);
    return failures >= r->stuffing.attempts && failures >= r->stuffing.share * (failures + successes) &&
           source_names(source, now_s, window_s) >= r->stuffing.names;
}

static void open_story(const struct stuffing_question *q, const struct source *source, struct story *story,
                       uint32_t now_s)
{
    uint32_t window_s = q->rules->stuffing.window_s;
    unsigned names = source_names(source, now_s, window_s), failures = recent_count(&source->failures, now_s, window_s);
    struct finding f = {.rule = rule(q),
                        .family = STORY_CAMPAIGN,
                        .risk = rule(q)->risk,
                        .over_bits = fmin(10, log2(names / q->rules->stuffing.names))};
    char value[ALERT_TEXT];
    snprintf(value, sizeof value, "%u failed sign-ins in %u minutes", failures, window_s / 60);
    finding_why(&f, "event.outcome", value, "a few typing errors", 2 * log2(1 + failures));
    snprintf(value, sizeof value, "%u different names", names);
    finding_why(&f, "related.user", value, "one person per source", 2 * log2(1 + names));
    story_set_nameless(story, true);
    story_join(story, &f, q->a);
    struct alert *alert = story_alert(story);
    for (uint32_t i = 0; i < source->n_names; i++)
        alert_relate_user(alert, span_text(source->names[i].name));
    if (!q->has_geo)
        snprintf(alert->blind, sizeof alert->blind, "no geo database: country and network unknown");
}

void det_stuffing_failure(const struct stuffing_question *q, const struct source *source)
{
    uint32_t now_s = time_s(q->now_ns);
    struct story_key key = key_of(q->a);
    if (!rule(q))
        return;
    struct story *story = stories_find(q->stories, &key, q->now_ns, idle_ns(q));
    if (!story && !is_stuffing(q->rules, source, now_s))
        return;
    story = stories_open(q->stories, &key, q->a, q->now_ns, idle_ns(q));
    if (!story_has(story, rule(q)))
        open_story(q, source, story, now_s);
    alert_relate_user(story_alert(story), activity_get(q->a, STR_USER));
    story_add(story, q->a, &(struct story_count){0}, q->now_ns);
    stories_tell(q->stories, story);
}

/* The list is capped; who was broken into comes first in it. */
static void name_victim(struct alert *alert, struct span user)
{
    for (unsigned i = 0; i < alert->n_users; i++)
        if (span_eq(span_text(alert->users[i]), user)) {
            memmove(alert->users[i], alert->users[i + 1], (size_t)(alert->n_users - i - 1) * sizeof alert->users[0]);
            alert->n_users--;
            break;
        }
    unsigned keep = alert->n_users < ALERT_RELATED_MAX ? alert->n_users : ALERT_RELATED_MAX - 1;
    memmove(alert->users[1], alert->users[0], keep * sizeof alert->users[0]);
    snprintf(alert->users[0], sizeof alert->users[0], "%.*s", (int)user.size, (const char *)user.at);
    alert->n_users = (uint8_t)(keep + 1);
}

void det_stuffing_success(const struct stuffing_question *q)
{
    struct story_key key = key_of(q->a);
    struct story *story = stories_find(q->stories, &key, q->now_ns, idle_ns(q));
    if (!story)
        return;
    struct span user = activity_get(q->a, STR_USER);
    struct finding f = {.rule = rule(q), .family = STORY_CAMPAIGN, .risk = VICTIM_RISK};
    char value[ALERT_TEXT];
    snprintf(value, sizeof value, "%.*s got in", (int)(user.size < 120 ? user.size : 120), (const char *)user.at);
    finding_why(&f, "user.name", value, "nobody from there", 8);
    story_set_nameless(story, false);
    story_join(story, &f, q->a);
    name_victim(story_alert(story), user);
    story_mark(story);
    story_add(story, q->a, &(struct story_count){0}, q->now_ns);
    stories_tell(q->stories, story);
}
