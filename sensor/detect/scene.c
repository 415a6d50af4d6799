/* SPDX-License-Identifier: Apache-2.0
 * From a finding to its story. */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/times.h"
#include "detect/conduct.h"
#include "detect/learn.h"
#include "detect/tally.h"

static bool has_failures(const struct scene *s)
{
    uint32_t within_s = s->rules->success_after_failures.window_s;
    const struct source *source = sources_find(s->sources, &s->a->source);
    unsigned of_source = source ? source_burst(source, s->now_s, within_s) : 0;
    unsigned of_name = sources_name_failures(s->sources, baseline_name(s->b), s->now_s, within_s);
    return fmax(of_source, of_name) >= s->rules->success_after_failures.failures;
}

static struct context judge_context(const struct scene *s, const struct baseline *b)
{
    return context_score(s->rules, &(struct context_question){
                                       .b = b,
                                       .fleet = s->fleet,
                                       .peers = s->peers,
                                       .norms = s->norms,
                                       .has_failures = has_failures(s),
                                       .absence = s->live->absence,
                                       .place = &s->visit->place,
                                       .client = &s->visit->client,
                                       .now_ns = s->now_ns,
                                       .source_class = s->source_class,
                                       .is_mature = s->is_mature,
                                       .is_young = s->is_young,
                                   });
}

void scene_judge_context(struct scene *s)
{
    s->visit->context = judge_context(s, s->b);
}

void scene_meet_peers(struct scene *s)
{
    struct baseline before = *s->b; /* this visit has been learned, in quarantine: it is nothing to compare it with */
    for (size_t i = 0; i < BASELINE_PLACES; i++)
        before.places[i].trust = before.places[i].trust == TRUST_USUAL ? TRUST_USUAL : TRUST_NONE;
    for (size_t i = 0; i < BASELINE_CLIENTS; i++)
        before.clients[i].trust = before.clients[i].trust == TRUST_USUAL ? TRUST_USUAL : TRUST_NONE;
    before.sessions -= s->visit->is_learned && before.sessions > 0;
    struct context again = judge_context(s, &before);
    s->visit->context.place_bits = again.place_bits;
    s->visit->context.client_bits = again.client_bits;
}

/* What is new about the visit, on its highest level; the session when nothing is. */
static uint64_t what_is_new(const struct scene *s)
{
    const struct visit *v = s->visit;
    bool is_of_client = v->context.is_client_new && v->context.client_bits > v->context.place_bits;
    enum place_level level = is_of_client ? LEVEL_KNOWN : (enum place_level)v->context.level;
    uint8_t text[32] = {(uint8_t)level};
    switch (level) {
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

static uint64_t network_of(const struct place *p)
{
    return p->asn ? hash64(span_of(&p->asn, sizeof p->asn), 13) : hash64(span_of(p->prefix, sizeof p->prefix), 14 + p->is_v6);
}

static uint64_t client_of(const struct client *c)
{
    const uint32_t text[2] = {c->family, c->agent};
    return hash64(span_of(text, sizeof text), 15);
}

static uint64_t story_ns(const struct scene *s)
{
    return s->rules->learning.story_s * NS_PER_S;
}

/* Who comes from the new country of an open alert, but through another network and with another client, may be a thief
 * while the owner travels: two things that differ at once are another story. */
struct story_key scene_story_key(const struct scene *s)
{
    struct story_key key = {s->credential | 1, what_is_new(s), STORY_CONTEXT, 0};
    uint64_t network = network_of(&s->visit->place), client = client_of(&s->visit->client);
    const struct story *open = stories_find(s->stories, &key, s->now_ns, story_ns(s));
    if (open && story_is_of_others(open, network, client))
        key.what ^= network + client;
    return key;
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
    if (s->by_context.is_provisional || s->by_volume.is_provisional)
        add_blind_words(alert->blind, sizeof alert->blind, "its level is provisional: too few visits or days were seen");
    if (s->a->flags & ACT_ONE_SIDED)
        add_blind_words(alert->blind, sizeof alert->blind, "one side of the traffic was not seen");
    if (s->a->flags & ACT_PARTIAL)
        add_blind_words(alert->blind, sizeof alert->blind, "bytes are missing from the capture");
    else if (s->a->doubt && !(s->a->flags & ACT_ONE_SIDED))
        add_blind_words(alert->blind, sizeof alert->blind, "bytes of its connection are missing from the capture");
    if (s->a->flags & ACT_ENCRYPTED)
        add_blind_words(alert->blind, sizeof alert->blind, "the connection was not decrypted");
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

bool scene_is_volume_told(struct scene *s, const struct rule *rule)
{
    return volume_story(s) != NULL || scene_has_context(s, rule);
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

static void spend(const struct scene *s, struct story *story, enum channel channel)
{
    budget_spend(s->budget, channel, s->now_s);
    story_set_paid(story, channel);
}

/* An alert that its channel's budget paid for has become sure: that is given back. */
static void refund(const struct scene *s, struct story *story, enum channel channel)
{
    const struct judgement *j = channel == CHANNEL_CONTEXT ? &s->by_context : &s->by_volume;
    if (story && j->is_over && j->is_sure && story_is_paid(story, channel)) {
        budget_is_sure(s->budget, channel, s->now_s);
        story_set_paid(story, CHANNELS);
    }
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
    if (!is_joining && f->is_scored && story_alert(story)->update == 0)
        spend(s, story, CHANNEL_CONTEXT);
    if (!is_joining && story_alert(story)->update == 0)
        story_set_face(story, network_of(&s->visit->place), client_of(&s->visit->client));
    if (!is_joining)
        begin_story(s, story);
    if (story_whose(story) == 0)
        story_set_whose(story, s->visit->whose);
    tell_blindness(s, story_alert(story));
    learn_undo(s, is_news);
}

void scene_raise(struct scene *s)
{
    struct story *context = context_story(s), *volume = volume_story(s);
    if (context && s->by_context.is_over)
        story_raise(context, scene_risk(&s->by_context));
    if (context && s->by_volume.is_over)
        story_raise(context, scene_risk(&s->by_volume));
    if (volume && s->by_volume.is_over)
        story_raise(volume, scene_risk(&s->by_volume));
    refund(s, context, CHANNEL_CONTEXT);
    refund(s, context, CHANNEL_VOLUME);
    refund(s, volume, CHANNEL_VOLUME);
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

static void report_day(struct scene *s, const struct finding *f)
{
    bool is_joining = volume_story(s) != NULL;
    s->live->volume = (struct story_key){s->credential | 1, 0, STORY_VOLUME, 0};
    struct story *story = stories_open(s->stories, &s->live->volume, s->a, s->now_ns, volume_ns(s));
    story_join(story, f, s->a);
    if (!is_joining && f->is_scored)
        spend(s, story, CHANNEL_VOLUME);
    if (!is_joining)
        relate_customers(s, story_alert(story), &s->live->customers);
    tell_blindness(s, story_alert(story));
}

void scene_report_volume(struct scene *s, const struct finding *f)
{
    struct story *context = context_story(s);
    scene_speak(s, f->rule);
    if (context) /* one theft is one alert, whose reasons say how much it takes */
        story_join(context, f, s->a);
    else
        report_day(s, f);
    s->b->today_alerted = 1;
    s->b->alert_s = s->now_s;
    s->live->today.told = (float)conduct_bits(&s->conduct);
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

#define IDLE_BITS 6.0    /* a visit that has touched nothing is so much less of a theft, */
#define CALM_BITS 2.0    /* one that has taken files of several cases with the usual client, unhurried, so much */
#define LOOKING_BITS 2.0 /* one that has only looked, so much */

double scene_risk(const struct judgement *j)
{
    double risk = 50 + 8 * j->rarer;
    return risk < 1 ? 1 : risk > 100 ? 100 : risk;
}

/* A program that is no sync client: those take one customer's cases from where their people sit. */
static bool is_hasty_program(const struct scene *s)
{
    return s->live->today.is_program && (s->visit->context.level != LEVEL_KNOWN || s->b->today_customers > 1);
}

/* 'news': bits of the day's conduct that no alert has told yet. */
static void score_visit(struct scene *s, double news)
{
    struct visit *v = s->visit;
    double change = v->has_change ? s->rules->download_after_new.change_bits : 0;
    s->context_score = context_bits(&v->context) + change;
    bool is_new = context_is_new(&v->context) || v->context.is_older;
    if (v->is_busy && is_new && !s->is_young)
        s->context_score += news;
    if (!v->has_taken && v->context.failure_bits <= 0) /* a guessed password is told at once */
        s->context_score -= v->is_busy ? LOOKING_BITS : IDLE_BITS;
    else if (s->live->today.taken > 1 && !v->context.is_client_new && conduct_is_calm(&s->conduct, is_hasty_program(s)))
        s->context_score -= CALM_BITS;
    const struct {
        struct visit_key key;
        uint64_t start_s;
    } unit = {scene_visit_key(s), v->start_s};
    uint64_t name = hash64(span_of(&unit, sizeof unit), 1);
    s->by_context = budget_judge(s->budget, CHANNEL_CONTEXT, name, s->context_score, s->now_s);
    s->by_context.is_over = s->by_context.is_over && is_new;
}

static void score_day(struct scene *s, double news)
{
    const uint64_t unit[2] = {s->credential, s->b->day};
    s->by_volume = budget_judge(s->budget, CHANNEL_VOLUME, hash64(span_of(unit, sizeof unit), 2), news, s->now_s);
}

void scene_score(struct scene *s)
{
    struct live_day *today = &s->live->today;
    bool is_touch = s->is_file || s->is_case || s->is_customer || s->takes_file;
    s->visit->is_busy = s->visit->is_busy || is_touch;
    s->visit->has_taken = s->visit->has_taken || s->takes_file;
    if (!is_touch && !s->is_visit_new)
        return;
    if (is_touch)
        s->conduct = conduct_judge(s);
    double bits = conduct_bits(&s->conduct);
    bool is_own_story = context_story(s) != NULL;
    double news = is_own_story ? bits : fmax(0, bits - (double)today->told);
    if (!s->is_machine)
        score_visit(s, fmin(news, conduct_haste(&s->conduct, is_hasty_program(s))));
    if (is_touch)
        score_day(s, fmin(news, conduct_of_day(&s->conduct, today->is_program)));
    if (is_own_story && bits > (double)today->told)
        today->told = (float)bits;
}

void scene_why_context(const struct scene *s, struct finding *f)
{
    const struct context *c = &s->visit->context;
    char usual[ALERT_TEXT], value[ALERT_TEXT];
    why_place(s, f);
    if (c->is_older) {
        snprintf(value, sizeof value, "%s %u", s->visit->client.name, s->visit->client.major);
        finding_why(f, "user_agent.version", value, context_usual_client(s->b, usual, sizeof usual), c->client_bits);
    } else if (c->is_family_new) {
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
        finding_why(f, "casetap.source.class", network_class_name((enum network_class)s->source_class),
                    "never for this credential", c->list_bits);
    if (c->presence_bits > 0)
        finding_why(f, "user.name", "at a usual place within the last eight hours", "not at two places at once", c->presence_bits);
    if (c->dormant_bits > 0) {
        snprintf(value, sizeof value, "not seen for %u days", (s->visit->start_s - time_s(s->visit->before_ns)) / S_PER_DAY);
        finding_why(f, "user.name", value, "comes more often", c->dormant_bits);
    }
    if (c->failure_bits > 0)
        finding_why(f, "event.outcome", "a burst of failed sign-ins before", "a typing error now and then", c->failure_bits);
}
