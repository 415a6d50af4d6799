/* SPDX-License-Identifier: Apache-2.0
 * Rules by action; groups in capped maps; findings into stories. */
#include "detect/ruleset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"

#define GROUPS_MAX 4096u   /* of one rule */
#define ALERTS_A_DAY 20u   /* of one rule; what is more goes into the count of its last line */
#define STORY_LEAST_S 3600u

enum count { COUNT_FIRED, COUNT_SUPPRESSED, COUNT_CAPPED, COUNT_GROUPS_EVICTED, COUNT_TERMS_EVICTED, COUNT_GAVE_UP, COUNT_N };

static const struct counter_def count_defs[COUNT_N] = {
    {"rules_fired", "times", "a rule of the language fired, told or not"},
    {"rules_suppressed", "times", "a rule fired again for a group within its pause"},
    {"rules_capped", "times", "a rule had told its 20 alerts of the day: only counted"},
    {"rules_groups_evicted", "groups", "groups of rules dropped for room: what they had counted is lost"},
    {"rules_terms_evicted", "terms", "values that new_term rules remembered dropped for room: they may be told as new again"},
    {"rules_matches_given_up", "matches", "regular expressions given up at their bound: taken as not matching"},
};

/* What each group has beside its type's state. */
struct group {
    uint32_t told_s, pause_s;
    uint32_t due_s; /* when it fires of silence */
    uint32_t spare; /* what comes after it is aligned */
};

/* What the group is, for what is told of silence; before the type's state, of types that wait for it. */
struct group_name {
    char values[RULE_FIELDS_MAX][64];
};

struct running {
    struct rule_def def;
    struct map *groups;
    uint64_t hash;
    uint32_t day, told_today;
};

struct ruleset {
    struct running *rules;
    size_t n;
    struct running **by_action[ACTION_N]; /* NULL-ended; those that ask what others said come last */
    struct rule_terms *terms;
    uint32_t due_s; /* no silence is told before */
    struct activity scratch;
    uint64_t counts[COUNT_N], gave_up_before;
};

static int index_actions(struct ruleset *r)
{
    for (unsigned action = 0; action < ACTION_N; action++) {
        size_t n = 0;
        r->by_action[action] = calloc(r->n + 1, sizeof *r->by_action[action]);
        if (!r->by_action[action])
            return E_NOMEM;
        for (int late = 0; late < 2; late++)
            for (size_t i = 0; i < r->n; i++)
                if (r->rules[i].def.is_late == late && r->rules[i].def.actions >> action & 1)
                    r->by_action[action][n++] = &r->rules[i];
    }
    return E_OK;
}

struct asked {
    const struct detections *d;
    struct text *why;
    int rc;
};

static void check_asked(void *ctx, struct span id, const struct yaml_node *at)
{
    struct asked *asked = ctx;
    for (size_t i = 0; i < detections_count(asked->d) && asked->rc == E_OK; i++)
        if (span_eq(span_text(detections_at(asked->d, i)->rule.id), id))
            return;
    if (asked->rc == E_OK)
        asked->rc = yaml_fail(at, asked->why, "rule.id: no detection has the id '%.*s'", (int)id.size, (const char *)id.at);
}

static int add(struct ruleset *r, const struct detections *d, const struct detection *one, const char *lists, struct text *why)
{
    struct running *running = &r->rules[r->n];
    struct asked asked = {d, why, E_OK};
    int rc = rule_def_load(one, lists, &running->def, why);
    if (rc)
        return rc;
    r->n++;
    rule_match_rules(running->def.match, check_asked, &asked);
    running->hash = hash64(span_text(one->rule.id), 31) | 1;
    size_t name_size = running->def.type->due ? sizeof(struct group_name) : 0;
    running->groups = map_new(sizeof(uint64_t), sizeof(struct group) + name_size + running->def.type->state_size, GROUPS_MAX, 22);
    return asked.rc ? asked.rc : running->groups ? E_OK : E_NOMEM;
}

int ruleset_new(const struct detections *d, const char *dir, struct ruleset **out, struct text *why)
{
    struct ruleset *r = calloc(1, sizeof *r);
    struct text lists = {0};
    if (!r)
        return E_NOMEM;
    text_addf(&lists, "%s/lists", dir);
    r->due_s = UINT32_MAX;
    r->rules = calloc(detections_count(d) + 1, sizeof *r->rules);
    r->terms = rule_terms_new();
    int rc = r->rules && r->terms ? E_OK : E_NOMEM;
    for (size_t i = 0; i < detections_count(d) && rc == E_OK; i++) {
        const struct detection *one = detections_at(d, i);
        if (rule_type_of(one->type) && (one->is_enabled || one->is_own))
            rc = add(r, d, one, text_str(&lists), why); /* also what is switched off is checked */
        if (rc == E_OK && r->n && !one->is_enabled && r->rules[r->n - 1].def.detection == one) {
            struct running *last = &r->rules[--r->n];
            map_free(last->groups);
            rule_def_fini(&last->def);
            *last = (struct running){0};
        }
    }
    rc = rc ? rc : index_actions(r);
    text_fini(&lists);
    if (rc)
        ruleset_free(r);
    else
        *out = r;
    return rc;
}

void ruleset_free(struct ruleset *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++) {
        rule_def_fini(&r->rules[i].def);
        if (r->rules[i].groups)
            map_free(r->rules[i].groups);
    }
    for (unsigned action = 0; action < ACTION_N; action++)
        free(r->by_action[action]);
    free(r->rules);
    rule_terms_free(r->terms);
    free(r);
}

static uint64_t ruleset_gave_up(const struct ruleset *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += rule_match_gave_up(r->rules[i].def.match);
    return n;
}

static bool is_same_tree(const struct yaml_node *a, const struct yaml_node *b)
{
    for (; a && b; a = a->next, b = b->next) {
        if (a->kind != b->kind || !a->key != !b->key || (a->key && strcmp(a->key, b->key) != 0))
            return false;
        if (a->kind == YAML_SCALAR ? strcmp(a->scalar, b->scalar) != 0 : !is_same_tree(a->child, b->child))
            return false;
    }
    return !a && !b;
}

static struct running *same_rule(struct ruleset *r, const struct running *as)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->rules[i].hash == as->hash && is_same_tree(r->rules[i].def.detection->root->child, as->def.detection->root->child))
            return &r->rules[i];
    return NULL;
}

void ruleset_adopt(struct ruleset *r, struct ruleset *was)
{
    for (size_t i = 0; i < r->n; i++) {
        struct running *now = &r->rules[i], *before = same_rule(was, now);
        if (!before)
            continue;
        struct map *empty = now->groups;
        now->groups = before->groups;
        before->groups = empty;
        now->day = before->day;
        now->told_today = before->told_today;
    }
    struct rule_terms *terms = r->terms;
    r->terms = was->terms;
    was->terms = terms;
    memcpy(r->counts, was->counts, sizeof r->counts);
    r->gave_up_before = was->gave_up_before + ruleset_gave_up(was);
    r->due_s = 0; /* found out at the next act: a rule that waits for silence may have come or gone */
}

size_t ruleset_count(const struct ruleset *r)
{
    return r->n;
}

struct rule_terms *ruleset_terms(struct ruleset *r)
{
    return r->terms;
}

/* The hash of a first field of a group, as most rules about an act begin with the same one. */
struct first_hash {
    bool is_known;
    unsigned field;
    uint64_t hash;
};

#define FIRST_HASHES 8u

static uint64_t first_hash(struct first_hash *memo, unsigned field, const struct rule_view *v)
{
    struct first_hash *m = &memo[field % FIRST_HASHES];
    if (rule_field_kind(field) != FIELD_TEXT) /* numbers and words of the scene change while rules speak */
        return rule_field_hash(field, v, 1);
    if (!m->is_known || m->field != field)
        *m = (struct first_hash){true, field, rule_field_hash(field, v, 1)};
    return m->hash;
}

/* 0 when a field of the group is not there. */
static uint64_t group_of(const struct rule_def *def, const struct rule_view *v, struct first_hash *memo)
{
    uint64_t hash = def->n_group ? first_hash(memo, def->group[0], v) : 1;
    for (unsigned i = 1; i < def->n_group && hash; i++)
        hash = rule_field_hash(def->group[i], v, hash);
    return hash;
}

/* Whether the group may speak now; then it is silent for its pause, which doubles as long as it keeps firing. */
static bool may_tell(const struct rule_def *def, struct group *g, uint32_t now_s)
{
    if (g->told_s && now_s - g->told_s < g->pause_s)
        return false;
    bool is_going_on = g->told_s && now_s - g->told_s < 2 * g->pause_s;
    g->pause_s = !is_going_on || !def->exponential_s         ? def->realert_s
                 : 2 * (uint64_t)g->pause_s > def->exponential_s ? def->exponential_s
                                                                 : 2 * g->pause_s;
    g->told_s = now_s;
    return true;
}

/* The day's cap of one rule. Everything that is told by a rule of the language passes here. */
static bool has_budget(struct running *rule, uint32_t day)
{
    if (rule->day < day) { /* silence may be told of a day that is over */
        rule->day = day;
        rule->told_today = 0;
    }
    return rule->told_today++ < ALERTS_A_DAY;
}

static void fill(const struct running *rule, const struct rule_view *v, const struct rule_reason *why, struct finding *f)
{
    const struct rule_def *def = &rule->def;
    *f = (struct finding){.rule = def->head, .family = STORY_RULE, .risk = def->head->risk};
    finding_why(f, why->field, why->value, def->usual ? def->usual : why->usual, def->bits);
    for (unsigned i = 0; v && i < def->n_group; i++) {
        char value[ALERT_TEXT];
        const char *name = rule_field_name(def->group[i]);
        rule_field_text(def->group[i], v, value, sizeof value);
        if (strcmp(name, "user.name") != 0 && strcmp(name, why->field) != 0 && value[0])
            finding_why(f, name, value, "", 0);
    }
}

/* A story of its own, if no open one of the credential takes it. */
static void tell(struct running *rule, uint64_t group, const struct finding *f, const struct rule_view *v,
                 struct stories *stories)
{
    if (v->s && scene_join(v->s, f))
        return;
    struct story_key key = {group | 1, rule->hash, STORY_RULE, 0};
    uint32_t idle_s = rule->def.realert_s > STORY_LEAST_S ? rule->def.realert_s : STORY_LEAST_S;
    struct story *story = stories_open(stories, &key, v->a, v->now_ns, (idle_s + 1) * NS_PER_S);
    bool is_update = story_has(story, f->rule);
    story_join(story, f, v->a);
    if (is_update)
        story_mark(story);
    story_add(story, v->a,
              &(struct story_count){.is_file = v->s && v->s->is_file, .is_case = v->s && v->s->is_case,
                                    .is_customer = v->s && v->s->is_customer},
              v->now_ns);
    stories_tell(stories, story);
}

static void fire(struct ruleset *r, struct running *rule, struct group *g, uint64_t group, const struct rule_reason *why,
                 const struct rule_view *v, struct stories *stories)
{
    struct finding f;
    r->counts[COUNT_FIRED]++;
    if (!may_tell(&rule->def, g, time_s(v->now_ns))) {
        r->counts[COUNT_SUPPRESSED]++;
        return;
    }
    fill(rule, v, why, &f);
    if (v->s)
        scene_speak(v->s, f.rule);
    if (rule->def.is_silent) {
        if (v->s)
            (void)scene_join(v->s, &f); /* it adds to what others have told, and tells nothing by itself */
    } else if (has_budget(rule, time_day(v->now_ns))) {
        tell(rule, group, &f, v, stories);
    } else {
        r->counts[COUNT_CAPPED]++;
    }
}

static struct group_name *name_of(struct group *g)
{
    return (struct group_name *)(g + 1);
}

static void *state_of(const struct running *rule, struct group *g)
{
    return rule->def.type->due ? (void *)(name_of(g) + 1) : (void *)(g + 1);
}

static void set_names(const struct rule_def *def, struct group *g, const struct rule_view *v)
{
    struct group_name *name = name_of(g);
    for (unsigned i = 0; i < def->n_group; i++)
        rule_field_text(def->group[i], v, name->values[i], sizeof name->values[i]);
}

/* When silence would be told is known from the acts alone. */
static void expect(struct ruleset *r, const struct running *rule, struct group *g)
{
    const struct rule_def *def = &rule->def;
    g->due_s = def->type->due(&def->params, state_of(rule, g));
    r->due_s = g->due_s < r->due_s ? g->due_s : r->due_s;
}

static void feed(struct ruleset *r, struct running *rule, const struct rule_view *v, struct first_hash *memo,
                 struct stories *stories)
{
    const struct rule_def *def = &rule->def;
    struct rule_reason why;
    bool is_new;
    if ((def->has_condition || !def->type->sees_all) && !rule_match(def->match, v))
        return;
    uint64_t group = group_of(def, v, memo);
    if (group == 0)
        return;
    uint64_t evicted = map_evicted(rule->groups);
    struct group *g = map_touch(rule->groups, &group, &is_new);
    r->counts[COUNT_GROUPS_EVICTED] += map_evicted(rule->groups) - evicted;
    struct rule_event e = {&def->params, def->match, v, r->terms, rule->hash, group, time_s(v->now_ns)};
    bool is_fired = def->type->feed(&e, state_of(rule, g), &why);
    if (def->type->due && is_new)
        set_names(def, g, v);
    if (def->type->due)
        expect(r, rule, g);
    if (is_fired)
        fire(r, rule, g, group, &why, v, stories);
}

void ruleset_act(struct ruleset *r, const struct rule_view *v, struct stories *stories)
{
    struct first_hash memo[FIRST_HASHES] = {{0}};
    for (struct running **rule = r->by_action[v->a->action]; *rule; rule++)
        feed(r, *rule, v, memo, stories);
}

/* What did not happen has no act: one is made up, of what the group is and of nobody else, at the moment it was due. */
static void tell_quiet(struct ruleset *r, struct running *rule, struct group *g, uint64_t group, struct stories *stories)
{
    struct activity *a = &r->scratch;
    struct rule_reason why;
    uint32_t at_s = g->due_s;
    activity_init(a);
    a->tail_used = 0;
    a->time_ns = a->done_ns = at_s * NS_PER_S;
    for (unsigned i = 0; i < rule->def.n_group; i++)
        rule_field_put(rule->def.group[i], name_of(g)->values[i], a);
    activity_seal(a);
    rule->def.type->quiet(&rule->def.params, state_of(rule, g), at_s, &why);
    g->due_s = rule->def.type->due(&rule->def.params, state_of(rule, g));
    fire(r, rule, g, group, &why, &(struct rule_view){a, NULL, a->time_ns}, stories);
}

/* The earliest of all groups that wait; g is NULL when there is none. */
struct waiting {
    struct running *rule;
    struct group *g;
    uint64_t group;
};

static struct waiting earliest(struct ruleset *r)
{
    struct waiting first = {0};
    for (size_t i = 0; i < r->n; i++) {
        uint32_t at = UINT32_MAX;
        const void *key;
        void *value;
        while (r->rules[i].def.type->due && map_walk(r->rules[i].groups, &at, &key, &value)) {
            struct group *g = value;
            if (g->due_s != UINT32_MAX && (!first.g || g->due_s < first.g->due_s))
                first = (struct waiting){&r->rules[i], g, *(const uint64_t *)key};
        }
    }
    return first;
}

void ruleset_tick(struct ruleset *r, uint64_t now_ns, struct stories *stories)
{
    uint32_t now_s = time_s(now_ns);
    while (r->due_s <= now_s) {
        struct waiting w = earliest(r);
        r->due_s = w.g ? w.g->due_s : UINT32_MAX;
        if (r->due_s <= now_s)
            tell_quiet(r, w.rule, w.g, w.group, stories);
    }
}

struct counters ruleset_counters(struct ruleset *r)
{
    r->counts[COUNT_TERMS_EVICTED] = rule_terms_evicted(r->terms);
    r->counts[COUNT_GAVE_UP] = r->gave_up_before + ruleset_gave_up(r);
    return (struct counters){count_defs, r->counts, COUNT_N};
}
