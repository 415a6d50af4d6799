/* SPDX-License-Identifier: Apache-2.0
 * Open stories in a capped map; each holds its alert as it stands. */
#include "detect/story.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"

#define RULES_A_STORY 12
#define FIRST_DOUBLING 4 /* files; fewer are no news */

struct story {
    struct alert alert;
    const struct rule *rules[RULES_A_STORY];
    uint32_t n_rules;
    uint64_t last_ns;
    double base_risk; /* of the rules that spoke */
    bool is_scored;   /* all of them from a probability */
    uint32_t next_files;
    int told_class; /* of the line before, -1 = none yet */
    uint64_t whose;
    unsigned paid;            /* 1 + channel; 0: of none */
    uint64_t network, client; /* it began with; 0: not known */
    bool is_due, is_nameless, is_quiet;
};

struct stories {
    struct map *map;
    story_emit_fn *emit;
    void *ctx;
    uint64_t told, updated;
};

void finding_why(struct finding *f, const char *field, const char *value, const char *usual, double bits)
{
    if (f->n_why == FINDING_WHY_MAX)
        return;
    struct why *w = &f->why[f->n_why++];
    snprintf(w->field, sizeof w->field, "%s", field);
    snprintf(w->value, sizeof w->value, "%s", value);
    snprintf(w->usual, sizeof w->usual, "%s", usual);
    w->bits = bits;
}

struct stories *stories_new(uint32_t max, story_emit_fn *emit, void *ctx)
{
    struct stories *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct stories){.emit = emit, .ctx = ctx};
    s->map = map_new(sizeof(struct story_key), sizeof(struct story), max, 4);
    if (!s->map) {
        free(s);
        return NULL;
    }
    return s;
}

void stories_free(struct stories *s)
{
    if (!s)
        return;
    map_free(s->map);
    free(s);
}

struct story *stories_find(struct stories *s, const struct story_key *key, uint64_t now_ns, uint64_t idle_ns)
{
    struct story *story = map_find(s->map, key);
    return story && story->last_ns + idle_ns >= now_ns ? story : NULL;
}

struct story *stories_open(struct stories *s, const struct story_key *key, const struct activity *a, uint64_t now_ns,
                           uint64_t idle_ns)
{
    struct story *story = stories_find(s, key, now_ns, idle_ns);
    bool is_new;
    if (story)
        return map_touch(s->map, key, &is_new);
    story = map_touch(s->map, key, &is_new);
    memset(story, 0, sizeof *story);
    story->alert.start_ns = a->time_ns;
    story->last_ns = now_ns;
    story->told_class = -1;
    story->next_files = FIRST_DOUBLING;
    return story;
}

bool story_has(const struct story *s, const struct rule *rule)
{
    for (uint32_t i = 0; i < s->n_rules; i++)
        if (s->rules[i] == rule)
            return true;
    return false;
}

/* The id says what began the story, so it is the same in every run over the same packets. */
static void set_id(struct story *s, const struct rule *rule, const struct activity *a)
{
    struct span user = activity_get(a, STR_USER);
    if (!user.size && ipaddr_is_zero(&a->source)) /* about an application, not a person */
        user = activity_get(a, a->size[STR_APP] ? STR_APP : STR_HOST);
    uint8_t text[16 + 16 + 8 + 256];
    size_t used = 0;
    memcpy(text, a->id, sizeof a->id);
    used += sizeof a->id;
    memcpy(text + used, a->source.bytes, 16);
    used += 16;
    for (unsigned i = 0; i < 8; i++)
        text[used++] = (uint8_t)(s->alert.start_ns >> (56 - 8 * i));
    used += (size_t)snprintf((char *)text + used, sizeof text - used, "%s %.*s", rule->id,
                             (int)(user.size < 200 ? user.size : 200), (const char *)user.at);
    hash128(span_of(text, used), 0, s->alert.id);
}

static void add_doubt(struct story *s, const struct activity *a)
{
    if (a->doubt > s->alert.doubt)
        s->alert.doubt = a->doubt;
}

static void set_last(struct story *s, const struct activity *a)
{
    add_doubt(s, a);
    memcpy(&s->alert.last, a, activity_size(a));
    if (s->is_nameless)
        activity_set(&s->alert.last, STR_USER, SPAN(""));
    s->alert.time_ns = a->time_ns;
}

/* What a field is about: all of source.* is the place, all of user_agent.* the client, each other field itself. */
static bool is_about_same(const char *a, const char *b)
{
    static const char *const groups[] = {"source.", "user_agent."};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (span_starts(span_text(a), span_text(groups[i])))
            return span_starts(span_text(b), span_text(groups[i]));
    return strcmp(a, b) == 0;
}

/* Two rules may speak about one thing; it is charged once, as the stronger of them has it. */
static void add_why(struct alert *alert, const struct why *w)
{
    double charged = 0;
    for (unsigned i = 0; i < alert->n_why; i++) {
        if (strcmp(alert->why[i].field, w->field) == 0 && strcmp(alert->why[i].value, w->value) == 0)
            return;
        if (is_about_same(alert->why[i].field, w->field))
            charged += alert->why[i].bits;
    }
    if (alert->n_why == ALERT_WHY_MAX)
        return;
    struct why *added = &alert->why[alert->n_why++];
    *added = *w;
    added->bits = fmax(0, w->bits - charged);
    alert->bits += added->bits;
}

static void set_risk(struct story *s)
{
    double risk = s->base_risk;
    if (!s->is_scored)
        risk += 5.0 * (s->n_rules > 1 ? s->n_rules - 1 : 0) + fmin(15, 3 * log2(1 + s->alert.n_files)) +
                fmin(10, 2 * log2(1 + s->alert.n_customers));
    s->alert.risk = (uint8_t)fmin(100, fmax(s->alert.risk, floor(risk)));
    int class = s->alert.risk < 40 ? 0 : s->alert.risk < 60 ? 1 : s->alert.risk < 80 ? 2 : 3;
    if (s->told_class >= 0 && class > s->told_class)
        s->is_due = true;
}

void story_join(struct story *s, const struct finding *f, const struct activity *a)
{
    s->is_scored = f->is_scored && (s->n_rules == 0 || s->is_scored);
    if (s->n_rules == 0) {
        s->alert.rule = f->rule;
        set_id(s, f->rule, a);
    } else if (!story_has(s, f->rule) && s->n_rules < RULES_A_STORY) {
        struct why w = {.field = "rule.id", .bits = 0};
        snprintf(w.value, sizeof w.value, "%s %s", f->rule->id, f->rule->name);
        add_why(&s->alert, &w);
    }
    if (!story_has(s, f->rule)) {
        if (s->n_rules < RULES_A_STORY)
            s->rules[s->n_rules++] = f->rule;
        s->is_due = true;
    }
    for (uint32_t i = 0; i < f->n_why; i++)
        add_why(&s->alert, &f->why[i]);
    s->base_risk = fmax(s->base_risk, f->risk + fmin(20, 2 * f->over_bits));
    set_last(s, a);
    set_risk(s);
}

static void note(struct story *s, const struct activity *a, uint64_t now_ns)
{
    add_doubt(s, a);
    alert_relate_ip(&s->alert, &a->source);
    if (activity_get(a, STR_CUSTOMER).size)
        alert_relate_customer(&s->alert, activity_get(a, STR_CUSTOMER));
    if (s->alert.n_files >= s->next_files) {
        while (s->next_files <= s->alert.n_files)
            s->next_files *= 2;
        s->is_due = s->is_due || s->told_class >= 0;
    }
    s->last_ns = now_ns;
    set_risk(s);
    if (s->is_due)
        set_last(s, a);
}

static bool is_act(const struct activity *a)
{
    return a->action != ACTION_AMEND && a->action != ACTION_IDENTIFY;
}

void story_add(struct story *s, const struct activity *a, const struct story_count *count, uint64_t now_ns)
{
    if (count->is_case && s->alert.n_cases == 0 && s->told_class >= 0)
        s->is_due = true; /* from here on somebody's data is concerned */
    s->alert.n_acts += is_act(a);
    s->alert.n_files += count->is_file;
    s->alert.n_cases += count->is_case;
    s->alert.n_customers += count->is_customer;
    s->alert.n_bytes += count->bytes;
    note(s, a, now_ns);
}

void story_total(struct story *s, const struct activity *a, const struct story_totals *totals, uint64_t now_ns)
{
    s->alert.n_acts += is_act(a);
    s->alert.n_files = totals->files;
    s->alert.n_cases = totals->cases;
    s->alert.n_customers = totals->customers;
    s->alert.n_bytes = totals->bytes;
    note(s, a, now_ns);
}

void story_more(struct story *s, const struct story_totals *more, uint32_t acts)
{
    s->alert.n_acts += acts;
    s->alert.n_files += more->files;
    s->alert.n_cases += more->cases;
    s->alert.n_customers += more->customers;
    s->alert.n_bytes += more->bytes;
}

void story_rename(struct story *s, const struct activity *identify)
{
    struct span old = activity_get(&s->alert.last, STR_USER);
    alert_relate_user(&s->alert, old);
    alert_relate_user(&s->alert, activity_get(identify, STR_USER));
    activity_set(&s->alert.last, STR_USER, activity_get(identify, STR_USER));
    s->alert.time_ns = identify->time_ns;
    s->is_due = true;
}

void story_raise(struct story *s, double risk)
{
    if (risk <= s->base_risk)
        return;
    s->base_risk = risk;
    set_risk(s);
}

struct alert *story_alert(struct story *s)
{
    return &s->alert;
}

void story_set_whose(struct story *s, uint64_t whose)
{
    s->whose = whose;
}

uint64_t story_whose(const struct story *s)
{
    return s->whose;
}

void story_set_paid(struct story *s, unsigned channel)
{
    s->paid = channel + 1;
}

bool story_is_paid(const struct story *s, unsigned channel)
{
    return s->paid == channel + 1;
}

void story_set_face(struct story *s, uint64_t network, uint64_t client)
{
    s->network = network;
    s->client = client;
}

bool story_is_of_others(const struct story *s, uint64_t network, uint64_t client)
{
    return s->network && s->network != network && s->client != client;
}

void story_set_nameless(struct story *s, bool is_nameless)
{
    s->is_nameless = is_nameless;
}

void story_mark(struct story *s)
{
    s->is_due = true;
}

void story_quiet(struct story *s)
{
    s->is_quiet = true;
}

void stories_tell(struct stories *s, struct story *story)
{
    if (!story->is_due || story->n_rules == 0)
        return;
    story->is_due = false;
    if (story->is_quiet)
        return;
    story->told_class = story->alert.risk < 40 ? 0 : story->alert.risk < 60 ? 1 : story->alert.risk < 80 ? 2 : 3;
    if (s->emit)
        s->emit(s->ctx, &story->alert);
    *(story->alert.update++ ? &s->updated : &s->told) += 1;
}

void stories_adopt(struct stories *s, void *ctx)
{
    s->ctx = ctx;
}

void stories_rename(struct stories *s, const struct rule *(*now)(void *ctx, const struct rule *was), void *ctx)
{
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    while (map_walk(s->map, &at, &key, &value)) {
        struct story *story = value;
        if (story->alert.rule)
            story->alert.rule = now(ctx, story->alert.rule);
        for (uint32_t i = 0; i < story->n_rules; i++)
            story->rules[i] = now(ctx, story->rules[i]);
    }
}

uint64_t stories_told(const struct stories *s)
{
    return s->told;
}

uint64_t stories_updated(const struct stories *s)
{
    return s->updated;
}

uint64_t stories_evicted(const struct stories *s)
{
    return map_evicted(s->map);
}
