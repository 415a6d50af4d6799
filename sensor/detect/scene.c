/* SPDX-License-Identifier: Apache-2.0
 * From a finding to its story. */
#include "detect/scene.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/times.h"
#include "detect/learn.h"
#include "detect/tally.h"

/* What is new about the visit, on its highest level; the session when nothing is. */
static uint64_t what_is_new(const struct scene *s)
{
    const struct visit *v = s->visit;
    uint8_t text[32] = {v->context.level};
    switch ((enum place_level)v->context.level) {
    case LEVEL_COUNTRY: memcpy(text + 1, v->place.country, sizeof v->place.country); break;
    case LEVEL_NETWORK: memcpy(text + 1, &v->place.asn, sizeof v->place.asn); break;
    case LEVEL_PREFIX:
        text[1] = v->place.is_v6;
        memcpy(text + 2, v->place.prefix, sizeof v->place.prefix);
        break;
    case LEVEL_KNOWN:
        memcpy(text + 1, &v->client.family, sizeof v->client.family);
        memcpy(text + 3, &v->client.agent, sizeof v->client.agent);
        if (!v->context.is_client_new)
            memcpy(text + 8, s->a->session, SESSION_HASH_SIZE);
        break;
    }
    return hash64(span_of(text, sizeof text), 5);
}

struct story_key scene_story_key(const struct scene *s)
{
    return (struct story_key){s->credential | 1, what_is_new(s), STORY_CONTEXT, 0};
}

static void add_blind_words(char *out, size_t size, const char *words)
{
    size_t used = strlen(out);
    snprintf(out + used, size - used, "%s%s", used ? "; " : "", words);
}

static void tell_blindness(const struct scene *s, struct alert *alert)
{
    alert->blind[0] = 0;
    if (!s->has_geo)
        add_blind_words(alert->blind, sizeof alert->blind, "no geo database: country and network unknown");
    if (s->is_young)
        add_blind_words(alert->blind, sizeof alert->blind, "still learning what is usual");
    if (s->a->flags & ACT_ONE_SIDED)
        add_blind_words(alert->blind, sizeof alert->blind, "one side of the traffic was not seen");
    if (s->a->flags & ACT_PARTIAL)
        add_blind_words(alert->blind, sizeof alert->blind, "bytes are missing from the capture");
    else if (s->a->doubt && !(s->a->flags & ACT_ONE_SIDED))
        add_blind_words(alert->blind, sizeof alert->blind, "bytes of its connection are missing from the capture");
    if (s->a->flags & ACT_ENCRYPTED)
        add_blind_words(alert->blind, sizeof alert->blind, "the connection was not decrypted");
}

static uint64_t story_ns(const struct scene *s)
{
    return s->rules->learning.story_s * NS_PER_S;
}

static uint64_t volume_ns(const struct scene *s)
{
    return s->rules->learning.volume_story_s * NS_PER_S;
}

static struct story *context_story(struct scene *s)
{
    return s->visit->story.who ? stories_find(s->stories, &s->visit->story, s->now_ns, story_ns(s)) : NULL;
}

static struct story *volume_story(struct scene *s)
{
    return s->live->volume.who ? stories_find(s->stories, &s->live->volume, s->now_ns, volume_ns(s)) : NULL;
}

bool scene_has_context(struct scene *s, const struct rule *rule)
{
    struct story *story = context_story(s);
    return story && story_has(story, rule);
}

bool scene_is_told(struct scene *s)
{
    return context_story(s) != NULL;
}

bool scene_has_volume(struct scene *s, const struct rule *rule)
{
    struct story *story = volume_story(s);
    return story && story_has(story, rule);
}

static void relate_customers(const struct scene *s, struct alert *alert, const struct customer_list *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        alert_relate_customer(alert, tally_customer_name(s->tally, list->hash[i]));
}

/* The visit's earlier acts belong to the story, too. */
static void begin_story(struct scene *s, struct story *story)
{
    struct visit *v = s->visit;
    if (!v->whose)
        return; /* nothing is new about the visit: the story begins with this act */
    story_more(story, &v->totals, v->acts);
    relate_customers(s, story_alert(story), &v->customers);
    s->is_counted = true;
}

void scene_speak(struct scene *s, const struct rule *rule)
{
    for (unsigned i = 0; i < s->n_spoken; i++)
        if (s->spoken[i] == rule)
            return;
    if (s->n_spoken < SCENE_SPOKEN_MAX)
        s->spoken[s->n_spoken++] = rule;
}

bool scene_join(struct scene *s, const struct finding *f)
{
    struct story *story = context_story(s);
    if (!story)
        story = volume_story(s);
    if (story)
        story_join(story, f, s->a);
    return story != NULL;
}

static void report(struct scene *s, const struct finding *f, const struct story_key *key)
{
    scene_speak(s, f->rule);
    bool is_joining = context_story(s) != NULL;
    if (!is_joining)
        s->visit->story = *key;
    struct story *story = stories_open(s->stories, &s->visit->story, s->a, s->now_ns, story_ns(s));
    bool is_news = !story_has(story, f->rule);
    story_join(story, f, s->a);
    if (!is_joining)
        begin_story(s, story);
    if (story_whose(story) == 0)
        story_set_whose(story, s->visit->whose);
    tell_blindness(s, story_alert(story));
    learn_undo(s, is_news);
}

void scene_report_context(struct scene *s, const struct finding *f)
{
    struct story_key key = scene_story_key(s);
    report(s, f, &key);
}

void scene_report_certain(struct scene *s, const struct finding *f)
{
    struct story_key key = {s->credential | 1, hash64(span_text(f->rule->id), 9), STORY_CONTEXT, 0};
    struct visit *v = s->visit;
    report(s, f, &key);
    if (v->whose)
        return;
    struct story *story = context_story(s); /* nothing was new about the visit: from here on its things count */
    if (story_whose(story) == 0)
        story_set_whose(story, hash64(span_of(&key, sizeof key), s->now_ns) | 1);
    v->whose = story_whose(story);
}

void scene_report_volume(struct scene *s, const struct finding *f)
{
    scene_speak(s, f->rule);
    bool is_joining = volume_story(s) != NULL;
    s->live->volume = (struct story_key){s->credential | 1, 0, STORY_VOLUME, 0};
    struct story *story = stories_open(s->stories, &s->live->volume, s->a, s->now_ns, volume_ns(s));
    story_join(story, f, s->a);
    if (!is_joining)
        relate_customers(s, story_alert(story), &s->live->customers);
    tell_blindness(s, story_alert(story));
    s->b->today_alerted = 1;
    s->b->alert_s = s->now_s;
}

static void why_place(const struct scene *s, struct finding *f)
{
    const struct visit *v = s->visit;
    char usual[ALERT_TEXT], value[ALERT_TEXT], prefix[PREFIX_TEXT_MAX];
    context_usual_place(s->b, (enum place_level)v->context.level, usual, sizeof usual);
    switch ((enum place_level)v->context.level) {
    case LEVEL_COUNTRY:
        finding_why(f, "source.geo.country_iso_code", v->place.country, usual, v->context.place_bits);
        break;
    case LEVEL_NETWORK: {
        struct span org = activity_get(s->a, STR_AS_ORG);
        snprintf(value, sizeof value, "AS%u%s%.*s", v->place.asn, org.size ? " " : "",
                 (int)(org.size < 100 ? org.size : 100), (const char *)org.at);
        finding_why(f, "source.as.number", value, usual, v->context.place_bits);
        break;
    }
    case LEVEL_PREFIX:
        finding_why(f, "source.ip", place_prefix_text(&v->place, prefix), usual, v->context.place_bits);
        break;
    case LEVEL_KNOWN: break;
    }
}

void scene_why_context(const struct scene *s, struct finding *f)
{
    const struct context *c = &s->visit->context;
    char usual[ALERT_TEXT], value[ALERT_TEXT];
    why_place(s, f);
    if (c->is_family_new) {
        snprintf(value, sizeof value, "%s %u", s->visit->client.name[0] ? s->visit->client.name : "unknown",
                 s->visit->client.major);
        finding_why(f, "user_agent.name", value, context_usual_client(s->b, usual, sizeof usual), c->client_bits);
    } else if (c->is_client_new) {
        struct span agent = activity_get(s->a, STR_AGENT);
        snprintf(value, sizeof value, "%.*s", (int)(agent.size < 150 ? agent.size : 150), (const char *)agent.at);
        finding_why(f, "user_agent.original", value, "the same browser on another system", c->client_bits);
    }
    if (c->hour_bits > 0) {
        uint32_t start = s->visit->start_s;
        static const char *const weekday[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
        snprintf(value, sizeof value, "%s %02u:%02u UTC", weekday[time_weekday(start * NS_PER_S)],
                 time_hour(start * NS_PER_S), start / 60 % 60);
        finding_why(f, "event.start", value, context_usual_hours(s->b, usual, sizeof usual), c->hour_bits);
    }
    if (c->list_bits > 0)
        finding_why(f, "casetap.source.class", network_class_name((enum network_class)s->a->source_class),
                    "never for this credential", c->list_bits);
    if (c->newcomer_bits > 0)
        finding_why(f, "user.name", s->b->name, "a new credential: nothing is usual yet", c->newcomer_bits);
}
