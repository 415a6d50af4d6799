/* SPDX-License-Identifier: Apache-2.0
 * One act at a time: find who, where and with what; judge; tell; learn; keep. */
#include "detect/engine.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/times.h"
#include "detect/conduct.h"
#include "detect/det_stuffing.h"
#include "detect/engine_parts.h"
#include "detect/learn.h"
#include "detect/tally.h"
#include "sketch/bloom.h"

#define MAX_VISITS 131072u
#define MAX_LIVE 131072u
#define MAX_SESSIONS 131072u
#define MAX_SOURCES 16384u
#define MAX_NAMES 65536u
#define MAX_STORIES 4096u
#define MAX_PLACES 262144u
#define MAX_THINGS 1048576u
#define MAX_ADDRESSES 32768u
#define MAX_MARKS 16384u
#define MAX_UNNAMED 8192u   /* sessions that do not have a name yet */
#define FLEET_NAME "@fleet" /* a credential's own leading '@' is doubled */

static const char *const group_names[PEER_GROUPS] = {"@customers", "@staff", "@machines"};

static const struct counter_def count_defs[COUNT_N] = {
    {"detect_acts_judged", "acts", "acts of a credential that the detectors looked at"},
    {"detect_acts_unnamed", "acts", "acts without any credential: not judged"},
    {"detect_signins_failed", "acts", "failed sign-ins, judged by source"},
    {"detect_connections_ignored", "flows", "flows that are neither HTTP nor of a tool to work a computer from afar"},
    {"detect_remote_control", "flows", "begun by tools to work a computer from afar"},
    {"detect_amends_applied", "acts", "amendments added to what they complete"},
    {"detect_amends_lost", "acts", "amendments whose act is no longer remembered: raise memory if it grows"},
    {"detect_sessions_identified", "sessions", "sessions that got a name after they had acted"},
    {"detect_verdicts", "verdicts", "about alerts, by a person, that were applied to a baseline"},
    {"detect_visits", "visits", "visits: a credential from one prefix with one client, without a long pause"},
    {"detect_alerts", "alerts", "alerts raised"},
    {"detect_alert_updates", "lines", "further lines of alerts already raised"},
    {"detect_stories_evicted", "alerts", "open alerts dropped for room: later acts become alerts of their own"},
    {"detect_sessions_evicted", "sessions", "session values dropped for room: a theft of one is not seen"},
    {"detect_things_evicted", "things", "files, cases, customers and transfers forgotten for room: they may count twice in a day"},
    {"detect_sources_evicted", "sources", "sources and names of failed sign-ins dropped for room"},
    {"detect_remotes_evicted", "addresses", "forgotten for room: who works there, or that it is worked from afar"},
};

typedef const struct detector *detector_fn(void);

/* The order matters: the first rule that speaks names the story. */
static detector_fn *const detectors[] = {
    det_leaver,   det_service,        det_marked,         det_remote_control,
    det_machine,  det_session_theft, det_after_failures, det_download,
    det_new_location, det_burst,     det_breadth,        det_daily,
    det_upload_secrets,
};

static bool make_tables(struct engine *e, const struct engine_options *options)
{
    e->peers = peers_new(MAX_PLACES);
    e->sources = sources_new(&(struct sources_options){.max_sources = MAX_SOURCES,
                                                       .max_names = MAX_NAMES,
                                                       .window_s = e->rules.success_after_failures.window_s,
                                                       .share = e->rules.stuffing.share});
    e->sessions = sessions_new(MAX_SESSIONS);
    e->stories = stories_new(MAX_STORIES, options->on_alert, options->ctx);
    e->tally = tally_new(MAX_THINGS);
    e->agents = agents_new();
    e->alerts_a_day = options->alerts_a_day;
    e->budget = budget_new(options->alerts_a_day > 0 ? options->alerts_a_day : e->rules.budget.a_day);
    e->remotes = remotes_new(MAX_ADDRESSES, options->store);
    e->marks = marks_new(MAX_MARKS);
    e->visits = map_new(sizeof(struct visit_key), sizeof(struct visit), MAX_VISITS, 10);
    e->live = map_new(sizeof(uint64_t), sizeof(struct live), MAX_LIVE, 11);
    e->unnamed = map_new(sizeof(uint64_t), sizeof(struct baseline), MAX_UNNAMED, 12);
    return e->peers && e->sources && e->sessions && e->stories && e->tally && e->agents && e->remotes && e->marks && e->visits &&
           e->live && e->unnamed && e->budget;
}

int engine_new(const struct engine_options *options, struct engine **out, struct text *why)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        return E_NOMEM;
    int rc = engine_rules_load(options->rules_dir, options->own_dir, &e->detections, &e->rules, &e->ruleset, why);
    if (rc == E_OK && !make_tables(e, options)) {
        text_add_str(why, "no memory for the detection tables");
        rc = E_NOMEM;
    }
    if (rc != E_OK) {
        engine_free(e);
        return rc;
    }
    e->store = options->store;
    e->has_geo = options->has_geo;
    e->roster = options->roster;
    *out = e;
    return E_OK;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    peers_free(e->peers);
    sources_free(e->sources);
    sessions_free(e->sessions);
    stories_free(e->stories);
    tally_free(e->tally);
    agents_free(e->agents);
    budget_free(e->budget);
    remotes_free(e->remotes);
    marks_free(e->marks);
    map_free(e->visits);
    map_free(e->live);
    map_free(e->unnamed);
    ruleset_free(e->ruleset);
    detections_free(e->detections);
    free(e);
}

/* The fleet's own baseline is kept among the others, under a name no credential can have. */
void engine_fleet(struct engine *e)
{
    bool is_new;
    for (int i = 0; i < PEER_GROUPS; i++)
        e->groups[i] = *e->store->ops->fetch(e->store, span_text(group_names[i]), &is_new);
    const struct baseline *kept = e->store->ops->fetch(e->store, SPAN(FLEET_NAME), &is_new);
    e->fleet = *kept;
    e->has_fleet = true;
}

/* The first act begins it; a verdict may come before. */
static void fleet_begin(struct engine *e)
{
    if (!e->has_fleet)
        engine_fleet(e);
    if (e->fleet.first_ns == 0) {
        e->fleet.first_ns = e->now_ns;
        e->is_fleet_dirty = true;
    }
}

static void group_keep(struct engine *e, enum peer_group group)
{
    bool is_new;
    struct baseline *kept = e->store->ops->fetch(e->store, span_text(group_names[group]), &is_new);
    struct baseline copy = e->groups[group];
    memcpy(copy.name, kept->name, sizeof copy.name);
    *kept = copy;
    e->store->ops->put(e->store, kept);
}

static void fleet_keep(struct engine *e)
{
    bool is_new;
    if (!e->is_fleet_dirty)
        return;
    e->is_fleet_dirty = false;
    e->fleet.last_ns = e->now_ns;
    struct baseline *kept = e->store->ops->fetch(e->store, SPAN(FLEET_NAME), &is_new);
    struct span name = SPAN(FLEET_NAME);
    memcpy(kept, &e->fleet, sizeof *kept);
    memset(kept->name, 0, sizeof kept->name);
    memcpy(kept->name, name.at, name.size);
    e->store->ops->put(e->store, kept);
}

/* Sessions without a name do not go to the store: most get one soon, and then their deeds are charged to it. */
static struct baseline *fetch(struct engine *e, struct span user, uint64_t credential)
{
    bool is_new;
    if (engine_is_unnamed(user)) {
        struct baseline *b = map_touch(e->unnamed, &credential, &is_new);
        if (is_new)
            baseline_init(b, user);
        return b;
    }
    if (user.at[0] == '@') {
        char name[BASELINE_NAME_MAX] = "@";
        struct span cut = span_sub(user, 0, sizeof name - 1);
        memcpy(name + 1, cut.at, cut.size);
        return e->store->ops->fetch(e->store, span_of(name, 1 + cut.size), &is_new);
    }
    return e->store->ops->fetch(e->store, user, &is_new);
}

static struct live *touch_live(struct engine *e, const struct baseline *b, uint64_t credential)
{
    bool is_new;
    struct live *live = map_touch(e->live, &credential, &is_new);
    for (size_t i = 0; i < BASELINE_PLACES && is_new; i++) /* the first time in this process */
        if (b->places[i].trust == TRUST_USUAL)
            peers_add_place(e->peers, b, &b->places[i]);
    for (size_t i = 0; i < BASELINE_CLIENTS && is_new; i++)
        if (b->clients[i].trust == TRUST_USUAL)
            peers_add_client(e->peers, b, &b->clients[i]);
    return live;
}

struct visit_key engine_visit_key(uint64_t credential, const struct place *place, const struct client *client)
{
    struct visit_key key = {
        .credential = credential, .agent = client->agent, .family = client->family, .is_v6 = place->is_v6};
    memcpy(key.prefix, place->prefix, sizeof key.prefix);
    return key;
}

/* What is known before anything is judged; the visit is still to be found. */
void engine_scene(struct engine *e, struct scene *s, const struct activity *a)
{
    struct span user = activity_get(a, STR_USER);
    *s = (struct scene){.rules = &e->rules,
                        .a = a,
                        .fleet = &e->fleet,
                        .peers = e->peers,
                        .sources = e->sources,
                        .stories = e->stories,
                        .tally = e->tally,
                        .sessions = e->sessions,
                        .remotes = e->remotes,
                        .marks = e->marks,
                        .roster = e->roster,
                        .person = roster_find(e->roster, user),
                        .now_ns = e->now_ns,
                        .now_s = time_s(e->now_ns),
                        .has_geo = e->has_geo};
    s->credential = hash64(user, 0);
    s->b = fetch(e, user, s->credential);
    s->live = touch_live(e, s->b, s->credential);
    s->is_young = learn_is_young(s->rules, s->fleet, s->now_ns);
    s->is_mature = learn_is_mature(s->rules, s->b, s->now_ns);
    s->source_class = roster_is_egress(e->roster, s->person, &a->source) ? NETWORK_OWN : a->source_class;
    s->is_declared_service = a->flags & ACT_SERVICE || (s->person && s->person->flags & ROSTER_SERVICE);
    s->is_machine = s->is_declared_service || (s->b->flags & BASELINE_MACHINE && !(s->b->flags & BASELINE_PERSON));
    enum peer_group group = conduct_group(s->b);
    s->peer = &e->groups[group];
    s->norms = &e->norms;
    s->budget = e->budget;
    bool is_act = a->action != ACTION_NONE && a->action != ACTION_CONNECTION; /* a person's word makes no day */
    if (is_act && s->b->day != time_day(s->now_ns)) {
        conduct_end_day(&s->live->today, s->b, &e->norms);
        learn_day(s->rules, s->b, &e->groups[group], time_day(s->now_ns));
        e->is_fleet_dirty = true;
        group_keep(e, group);
        s->b = fetch(e, user, s->credential);
    }
}

/* A visit from where an open story came from belongs to it, whatever it does. */
static void follow_story(struct engine *e, struct scene *s)
{
    struct visit *v = s->visit;
    if (!context_is_new(&v->context))
        return;
    struct story_key key = scene_story_key(s);
    const struct story *story = stories_find(e->stories, &key, e->now_ns, e->rules.learning.story_s * NS_PER_S);
    v->whose = story ? story_whose(story) : 0;
    if (!v->whose)
        v->whose = hash64(span_of(&key, sizeof key), e->now_ns) | 1;
    if (!story)
        return;
    v->story = key;
    learn_undo(s, false);
}

/* Finds the visit, or begins and judges one when there is none or its last act is long ago. */
static void set_visit(struct engine *e, struct scene *s, const struct place *place, const struct client *client)
{
    struct visit_key key = engine_visit_key(s->credential, place, client);
    s->visit = map_touch(e->visits, &key, &s->is_visit_new);
    if (!s->is_visit_new && s->now_s - s->visit->last_s <= e->rules.learning.visit_gap_s)
        return;
    s->is_visit_new = true;
    *s->visit = (struct visit){.place = *place, .client = *client, .start_s = s->now_s, .last_s = s->now_s, .before_ns = s->b->last_ns};
    learn_promote(s->rules, s->b, e->peers, s->now_s);
    if (!s->b->last_ns || s->now_s - time_s(s->b->last_ns) > e->rules.learning.visit_gap_s)
        s->live->absence = (uint8_t)absence_of(s->b->last_ns, s->now_ns);
    scene_judge_context(s);
    follow_story(e, s);
    e->counts[COUNT_VISITS]++;
}

static bool is_change(const struct activity *a)
{
    return a->action == ACTION_PASSWORD_CHANGE || a->action == ACTION_FACTOR_CHANGE || a->action == ACTION_TOKEN_CREATE;
}

static void note_route(struct scene *s)
{
    struct span route = activity_get(s->a, STR_ROUTE);
    size_t words = sizeof s->b->routes / sizeof s->b->routes[0];
    s->is_route_new = route.size && s->is_machine && !bloom_has(s->b->routes, words, learn_hash(route));
}

static void note_presence(struct engine *e, const struct scene *s, const struct place *place, const struct client *client)
{
    struct visit_key key = engine_visit_key(s->credential, place, client);
    remotes_present(e->remotes, &s->a->source, s->credential, activity_get(s->a, STR_USER), &key, s->now_s);
}

static bool has_session(const uint8_t hash[SESSION_HASH_SIZE])
{
    static const uint8_t none[SESSION_HASH_SIZE];
    return memcmp(hash, none, sizeof none) != 0;
}

static void touch_session(struct engine *e, struct scene *s)
{
    if (!has_session(s->a->session))
        return;
    s->session = sessions_touch(e->sessions, s->a->session);
    s->session->credential = s->credential;
}

static struct story *open_story(struct engine *e, const struct story_key *key, uint32_t idle_s)
{
    return key->who ? stories_find(e->stories, key, e->now_ns, idle_s * NS_PER_S) : NULL;
}

/* The open stories of this act: counts it there, and a line goes out if one is due. */
void engine_tell(struct engine *e, struct scene *s)
{
    static const struct story_count nothing;
    const struct baseline *b = s->b;
    struct story *story = open_story(e, &s->visit->story, e->rules.learning.story_s);
    if (story) {
        story_add(story, s->a, s->is_counted ? &nothing : &s->count, s->now_ns);
        stories_tell(e->stories, story);
    }
    story = b->today_alerted ? open_story(e, &s->live->volume, e->rules.learning.volume_story_s) : NULL;
    if (story) {
        struct story_totals today = {b->today_files, b->today_cases, b->today_customers, b->today_bytes};
        story_total(story, s->a, &today, s->now_ns);
        stories_tell(e->stories, story);
    }
}

static void judge(struct scene *s)
{
    for (size_t i = 0; i < sizeof detectors / sizeof detectors[0]; i++) {
        const struct detector *d = detectors[i]();
        if (s->rules->head[d->which])
            d->judge(s);
    }
}

static struct stuffing_question stuffing_question(const struct engine *e, const struct activity *a)
{
    return (struct stuffing_question){&e->rules, e->stories, e->sources, a, e->now_ns, e->has_geo};
}

/* An amendment that tells only whose case it was: nothing has happened since. */
static bool is_hindsight(const struct activity *a)
{
    return a->action == ACTION_AMEND && !(a->flags & (ACT_HAS_BODY | ACT_COMPLETE));
}

/* The rules of the language: about every act, also one that no credential is charged with (s is NULL). */
static void ask_rules(struct engine *e, const struct activity *a, struct scene *s)
{
    ruleset_act(e->ruleset, &(struct rule_view){a, s, e->now_ns}, e->stories);
}

/* Judges, tells, learns, keeps. */
static void finish(struct engine *e, struct scene *s)
{
    const struct rule *after_failures = e->rules.head[SCORED_SUCCESS_AFTER_FAILURES];
    bool had_failures = scene_has_context(s, after_failures);
    scene_score(s);
    judge(s);
    scene_raise(s);
    ask_rules(e, s->a, s);
    if (!had_failures && scene_has_context(s, after_failures)) {
        struct stuffing_question q = stuffing_question(e, s->a);
        det_stuffing_success(&q);
    }
    if (!is_hindsight(s->a)) {
        s->visit->acts++;
        s->visit->last_s = s->now_s;
    }
    if (s->is_visit_new && !s->visit->is_alerted && !engine_is_unnamed(baseline_name(s->b))) {
        learn_visit(s, &e->fleet, e->peers);
        e->is_fleet_dirty = true;
    }
    learn_act(s);
    engine_tell(e, s);
    if (!engine_is_unnamed(baseline_name(s->b)))
        e->store->ops->put(e->store, s->b);
    fleet_keep(e);
}

static void act(struct engine *e, const struct activity *a)
{
    struct scene s;
    struct place place = place_of(&a->source, a->country, a->asn);
    struct client client = agents_client(e->agents, a);
    e->counts[COUNT_ACTS]++;
    tally_fetch_open(e->tally, a);
    engine_scene(e, &s, a);
    set_visit(e, &s, &place, &client);
    tally_fetch_case(e->tally, &s);
    s.facts = e->facts;
    s.is_login = a->action == ACTION_LOGIN && a->outcome == OUTCOME_SUCCESS;
    s.visit->has_change = s.visit->has_change || is_change(a);
    if (s.is_login)
        sources_succeed(e->sources, &a->source, s.now_s);
    note_route(&s);
    note_presence(e, &s, &place, &client);
    touch_session(e, &s);
    uint32_t org = s.b->org;
    tally_act(e->tally, &s, &e->groups[conduct_group(s.b)]);
    if (org == 0 && s.b->org != 0)
        scene_meet_peers(&s);
    conduct_note(&s, e->tally);
    finish(e, &s);
}

static bool is_failed_signin(const struct activity *a)
{
    return a->outcome == OUTCOME_FAILURE &&
           (a->action == ACTION_LOGIN || (a->cred_kind == CRED_BASIC && a->status == 401));
}

static void failed_signin(struct engine *e, const struct activity *a)
{
    struct stuffing_question q = stuffing_question(e, a);
    struct source *source = sources_fail(e->sources, &a->source, activity_get(a, STR_USER), time_s(e->now_ns));
    e->counts[COUNT_FAILURES]++;
    det_stuffing_failure(&q, source);
}

/* The visit has gone on under the name that the amendment carries, if its session got one meanwhile. */
static void amend(struct engine *e, const struct activity *a)
{
    struct tally_open *open = tally_find(e->tally, a->amends);
    struct visit_key key = open ? open->visit : (struct visit_key){0};
    struct span user = activity_get(a, STR_USER);
    if (user.size)
        key.credential = hash64(user, 0);
    struct visit *v = open ? map_find(e->visits, &key) : NULL;
    if (!open && (a->outcome == OUTCOME_FAILURE || a->flags & ACT_REFUSED))
        return; /* what failed was not counted */
    if (!v) {
        e->counts[COUNT_AMENDS_LOST]++;
        return;
    }
    struct scene s;
    e->counts[COUNT_AMENDS]++;
    memcpy(&e->scratch, a, activity_size(a));
    if (!user.size)
        activity_set(&e->scratch, STR_USER, tally_holder(e->tally, open));
    engine_scene(e, &s, &e->scratch);
    s.visit = v;
    tally_amend(e->tally, &s, open);
    finish(e, &s);
}

/* Charges what a visit did without a name to the credential it has turned out to be, and judges it as its visit. */
static void identify_visit(struct engine *e, const struct activity *a, const struct face *face, uint64_t was)
{
    struct visit_key key = engine_visit_key(was, &face->place, &face->client);
    const struct visit *found = map_find(e->visits, &key);
    struct scene s;
    if (!found)
        return;
    struct visit old = *found;
    map_remove(e->visits, &key);
    memcpy(&e->scratch, a, activity_size(a));
    e->scratch.source = face->ip;
    engine_scene(e, &s, &e->scratch);
    set_visit(e, &s, &old.place, &old.client);
    s.visit->start_s = old.start_s < s.visit->start_s ? old.start_s : s.visit->start_s;
    s.visit->totals.files += old.totals.files;
    s.visit->totals.cases += old.totals.cases;
    s.visit->totals.customers += old.totals.customers;
    s.visit->totals.bytes += old.totals.bytes;
    s.b->files += old.totals.files;
    s.b->today_files += old.totals.files;
    s.b->today_cases += old.totals.cases;
    s.b->today_customers += old.totals.customers;
    s.b->today_bytes += old.totals.bytes;
    s.takes_file = s.is_file = old.totals.files > 0;
    s.is_case = old.totals.cases > 0;
    s.is_customer = old.totals.customers > 0;
    struct story *story = old.story.who ? stories_find(e->stories, &old.story, e->now_ns, UINT64_MAX / 2) : NULL;
    if (story) {
        s.visit->story = old.story;
        story_rename(story, &e->scratch);
        learn_undo(&s, true);
    }
    finish(e, &s);
}

static void identify(struct engine *e, const struct activity *a)
{
    uint64_t is = hash64(activity_get(a, STR_USER), 0);
    struct session *session = has_session(a->session) ? sessions_find(e->sessions, a->session) : NULL;
    if (!session || session->credential == is)
        return;
    uint64_t was = session->credential;
    struct session copy = *session;
    session->credential = is;
    e->counts[COUNT_IDENTIFIED]++;
    for (uint32_t i = 0; i < copy.n_faces; i++)
        identify_visit(e, a, &copy.faces[i], was);
    map_remove(e->unnamed, &was);
}

static void count_tables(struct engine *e)
{
    e->counts[COUNT_ALERTS] = stories_told(e->stories);
    e->counts[COUNT_UPDATES] = stories_updated(e->stories);
    e->counts[COUNT_STORIES_EVICTED] = stories_evicted(e->stories);
    e->counts[COUNT_SESSIONS_EVICTED] = sessions_evicted(e->sessions);
    e->counts[COUNT_THINGS_EVICTED] = tally_evicted(e->tally);
    e->counts[COUNT_REMOTES_EVICTED] = remotes_evicted(e->remotes);
    e->counts[COUNT_SOURCES_EVICTED] = sources_evicted(e->sources);
}

/* Whether a credential is charged with it as an act. */
static bool is_judged(const struct activity *a)
{
    return a->action != ACTION_AMEND && a->action != ACTION_CONNECTION && a->action != ACTION_IDENTIFY && a->size[STR_USER] &&
           a->outcome != OUTCOME_FAILURE && !(a->flags & ACT_REFUSED) && !is_failed_signin(a);
}

void engine_activity(struct engine *e, const struct activity *a)
{
    if (a->done_ns > e->now_ns)
        e->now_ns = a->done_ns;
    fleet_begin(e);
    ruleset_tick(e->ruleset, e->now_ns, e->stories);
    if (!is_judged(a))
        ask_rules(e, a, NULL);
    if (a->action == ACTION_AMEND)
        amend(e, a);
    else if (a->action == ACTION_CONNECTION)
        engine_connection(e, a);
    else if (is_failed_signin(a))
        failed_signin(e, a);
    else if (a->size[STR_USER] == 0)
        e->counts[COUNT_UNNAMED]++;
    else if (a->action == ACTION_IDENTIFY)
        identify(e, a);
    else if (is_judged(a))
        act(e, a);
    count_tables(e);
    e->facts = NULL;
}

void engine_session(struct engine *e, const struct session_record *facts)
{
    e->facts = facts;
}

uint64_t engine_since(const struct engine *e)
{
    return e->has_fleet ? e->fleet.first_ns : 0;
}

void engine_tick(struct engine *e, uint64_t now_ns)
{
    if (now_ns > e->now_ns)
        e->now_ns = now_ns;
    ruleset_tick(e->ruleset, e->now_ns, e->stories);
}

struct counters engine_rule_counters(const struct engine *e)
{
    return ruleset_counters(e->ruleset);
}

const struct detections *engine_detections(const struct engine *e)
{
    return e->detections;
}

struct counters engine_counters(const struct engine *e)
{
    return (struct counters){count_defs, e->counts, COUNT_N};
}
