/* SPDX-License-Identifier: Apache-2.0
 * Wires the people floors together: memory of cases, identity, enrichment, the activity log, detectors, alerts. */
#include "run/analysis.h"

#include "base/err.h"
#include "base/hash.h"
#include "run/analysis_parts.h"
#include "run/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_CREDENTIALS_COUNTED 1048576u
#define MAX_ALERTS_COUNTED 262144u
#define MAX_LEGS 16384u
#define MAX_HELD 512u
#define MAX_TRANSFERS 32768u
#define MAX_SESSIONS_GOING_ON 32768u

static int severity_index(const struct alert *alert)
{
    return alert->risk < 40 ? 0 : alert->risk < 60 ? 1 : alert->risk < 80 ? 2 : 3;
}

static void count_alert(struct analysis *a, const struct alert *alert)
{
    bool is_new;
    uint8_t *last = map_touch(a->told, alert->id, &is_new);
    if (is_new)
        a->totals.alerts++;
    else {
        a->totals.updates++;
        a->totals.alerts_by_severity[*last]--;
    }
    *last = (uint8_t)severity_index(alert);
    a->totals.alerts_by_severity[*last]++;
}

static void on_alert(void *ctx, const struct alert *alert)
{
    struct analysis *a = ctx;
    if (a->feedback && feedback_log_silences(a->feedback, alert))
        return;
    count_alert(a, alert);
    if (a->is_live)
        ahead_flush(a->ahead); /* no alert outlives what it is about */
    if (a->alerts) {
        text_clear(&a->line);
        alert_json(alert, &a->line);
        (void)line_file_write(a->alerts, text_span(&a->line)); /* sticky: told by analysis_finish */
        if (a->is_live)
            (void)line_file_flush(a->alerts);
    }
    if (a->hooks.on_alert)
        a->hooks.on_alert(a->hooks.ctx, alert);
}

static void count_activity(struct analysis *a, const struct activity *act)
{
    if (act->action != ACTION_AMEND && act->action != ACTION_IDENTIFY)
        a->totals.activities++;
    if (act->action == ACTION_DOWNLOAD)
        a->totals.downloads++;
    struct span user = activity_get(act, STR_USER);
    if (user.size == 0 || span_starts(user, SPAN("session:")))
        return;
    uint8_t key[16];
    bool is_new;
    hash128(user, 0, key);
    map_touch(a->seen, key, &is_new);
    a->totals.credentials += is_new;
}

static void apply(struct analysis *a, const struct activity *act)
{
    count_activity(a, act);
    if (a->ahead || a->activities || a->journal) { /* appended before it is applied */
        text_clear(&a->line);
        activity_json(act, &a->line);
    }
    ahead_append(a->ahead, act, text_span(&a->line));
    if (a->activities)
        (void)line_file_write(a->activities, text_span(&a->line)); /* sticky: told by analysis_finish */
    if (a->journal)
        (void)line_file_write(a->journal, text_span(&a->line)); /* sticky: told when it is read */
    engine_activity(a->engine, act);
}

void analysis_recorded(struct analysis *a, const struct activity *act)
{
    analysis_take_up(a, act->done_ns);
    engine_session(a->engine, session_log_recorded(a->session_log, act));
    apply(a, act);
}

static void on_settled(void *ctx, struct activity *act)
{
    struct analysis *a = ctx;
    transfers_settle(a->transfers, act);
    if (act->action != ACTION_AMEND && act->action != ACTION_IDENTIFY && act->action != ACTION_CONNECTION)
        memory_wait(a->memory, act);
    enrich_activity(a->enrich, act);
    analysis_take_up(a, act->done_ns);
    engine_session(a->engine, session_log_act(a->session_log, act));
    apply(a, act);
}

static void on_session(void *ctx, const struct session_record *r)
{
    struct analysis *a = ctx;
    if (!a->sessions)
        return;
    text_clear(&a->line);
    session_record_json(r, &a->line);
    (void)line_file_write(a->sessions, text_span(&a->line)); /* sticky: told by analysis_finish */
}

static void on_session_event(void *ctx, enum session_event event, const uint8_t session[SESSION_HASH_SIZE],
                             const struct activity *by)
{
    struct analysis *a = ctx;
    session_log_event(a->session_log, event, session, by);
}

/* What was told before its case or customer was known, under the name its session has by now. */
static void complete(struct analysis *a, const struct activity *by)
{
    struct activity amend;
    struct session_facts session;
    while (customers_take(memory_customers(a->memory), by, &amend)) {
        bool is_unnamed = !amend.size[STR_USER] || span_starts(activity_get(&amend, STR_USER), SPAN("session:"));
        if (is_unnamed && identity_session(a->identity, amend.session, &session) && session.name.size)
            activity_set(&amend, STR_USER, session.name);
        activity_seal(&amend);
        on_settled(a, &amend);
    }
}

static void on_leg(void *ctx, const struct activity *candidate)
{
    struct analysis *a = ctx;
    struct activity copy; /* settling changes it, and the strings it sets need the tail */
    memcpy(&copy, candidate, activity_size(candidate));
    transfers_read(a->transfers, &copy);
    identity_resolve(a->identity, &copy, on_settled, a);
    memory_settle(a->memory, &copy);
    identity_settle(a->identity, &copy, on_settled, a);
    complete(a, &copy);
}

static int open_enrich(struct analysis *a, const struct settings *s, struct text *why)
{
    if (!(a->enrich = enrich_new()))
        return E_NOMEM;
    int rc = 0;
    for (size_t i = 0; i < s->geoips.n && rc == 0; i++)
        rc = enrich_add_geo(a->enrich, s->geoips.at[i], why);
    if (rc == 0 && s->geoips.n == 0)
        (void)enrich_find_geo(a->enrich); /* none is fine: the summary says so */
    for (size_t i = 0; i < s->lists.n && rc == 0; i++) {
        const char *equals = strchr(s->lists.at[i], '=');
        struct span class = span_of(s->lists.at[i], (size_t)(equals - s->lists.at[i]));
        enum network_class c = NETWORK_OWN;
        while (c < NETWORK_N && !span_eq(class, span_text(network_class_name(c))))
            c++;
        if (c == NETWORK_N) {
            text_addf(why, "--list: class '%.*s' is none of own, vpn, hosting, tor", (int)class.size, (const char *)class.at);
            return E_USAGE;
        }
        rc = enrich_add_list(a->enrich, equals + 1, c, why);
    }
    return rc;
}

static int open_store(struct analysis *a, const struct settings *s, struct text *why)
{
    if (s->redis)
        return store_redis_open(&a->store, &(struct store_redis_options){.url = s->redis,
                                                                         .max_credentials = (uint32_t)s->max_credentials}, why);
    return store_mem_open(&a->store, s->state, (uint32_t)s->max_credentials, why);
}

static bool on_ask(void *ctx, const uint8_t hash[SESSION_HASH_SIZE], uint64_t now_ns, struct text *line)
{
    struct analysis *a = ctx;
    return session_map_get(a->session_map, hash, now_ns, line);
}

static void on_keep(void *ctx, const uint8_t hash[SESSION_HASH_SIZE], struct span line, uint32_t ttl_s)
{
    struct analysis *a = ctx;
    session_map_put(a->session_map, hash, line, ttl_s);
}

static int open_session_map(struct analysis *a, const struct settings *s, struct text *why)
{
    if (!s->redis)
        return 0;
    int rc = session_map_open(&a->session_map, &(struct store_redis_options){.url = s->redis}, why);
    if (rc == 0)
        identity_share(a->identity, &(struct identity_share){on_ask, on_keep, a});
    return rc;
}

static int open_identity(struct analysis *a, const struct settings *s, struct text *why)
{
    a->identity = identity_new((uint32_t)s->max_sessions);
    a->legs = legs_new(MAX_LEGS, MAX_HELD, on_leg, a);
    a->memory = memory_new();
    a->transfers = transfers_new(MAX_TRANSFERS);
    a->session_log = session_log_new(MAX_SESSIONS_GOING_ON, on_session, a);
    a->seen = map_new(16, 1, MAX_CREDENTIALS_COUNTED, 0);
    a->told = map_new(16, 1, MAX_ALERTS_COUNTED, 0);
    if (!a->identity || !a->legs || !a->memory || !a->transfers || !a->session_log || !a->seen || !a->told)
        return E_NOMEM;
    identity_watch(a->identity, on_session_event, a);
    for (size_t i = 0; i < s->aliases.n; i++) {
        const char *text = s->aliases.at[i], *equals = strchr(text, '=');
        int rc = identity_alias(a->identity, span_of(text, (size_t)(equals - text)), span_text(equals + 1));
        if (rc) {
            text_addf(why, "--alias: '%s' cannot be used: %s", text, err_text(rc));
            return rc;
        }
    }
    for (size_t i = 0; i < s->customers.n; i++) {
        int rc = customers_read(memory_customers(a->memory), s->customers.at[i], why);
        if (rc)
            return rc;
    }
    if (s->state && !s->redis) {
        if (!(a->state = strdup(s->state)))
            return E_NOMEM;
        return state_load(a->state, a->identity, a->memory, why);
    }
    return 0;
}

/* Who is who: a file that need not be there. */
static int open_people(struct analysis *a, const char *rules_dir, struct text *why)
{
    struct text path = {0};
    struct people *people = NULL;
    text_addf(&path, "%s/people.yaml", rules_dir);
    bool is_there = access(text_str(&path), F_OK) == 0;
    int rc = is_there ? people_load(text_str(&path), &people, why) : 0;
    if (rc == 0 && is_there) {
        identity_people(a->identity, people);
        a->people = people;
    }
    text_fini(&path);
    return rc;
}

const struct detections *analysis_detections(const struct analysis *a)
{
    return engine_detections(a->engine);
}

void analysis_people(const struct analysis *a, size_t *names, size_t *patterns, size_t *services)
{
    *names = *patterns = *services = 0;
    if (a->people)
        people_count(a->people, names, patterns, services);
}

bool analysis_level(const struct analysis *a, enum channel c, struct level_interval *out)
{
    return budget_level(engine_levels(a->engine)->budget, c, out);
}

struct roster_totals analysis_roster(const struct analysis *a)
{
    return roster_totals(a->roster);
}

int analysis_keep(struct analysis *a, struct text *why)
{
    if (a->settings->redis) /* Redis holds credentials and sessions alone */
        return E_OK;
    int rc = store_mem_section(a->store, &(struct store_section){"rule-terms", rule_terms_save, rule_terms_load,
                                                                 engine_terms(a->engine)}, why);
    return rc ? rc : store_mem_section(a->store, &(struct store_section){"levels", levels_save, levels_load,
                                                                         engine_levels(a->engine)}, why);
}

static int open_engine(struct analysis *a, const struct settings *s, const char *rules_dir, struct text *why)
{
    bool has_geo = a->hooks.has_geo || enrich_has_country(a->enrich) || enrich_has_asn(a->enrich);
    int rc = engine_new(&(struct engine_options){.store = a->store, .rules_dir = rules_dir, .own_dir = s->detections,
                                                 .alerts_a_day = (double)s->budget,
                                                 .on_alert = on_alert, .ctx = a, .roster = a->roster, .has_geo = has_geo},
                        &a->engine, why);
    return rc ? rc : analysis_keep(a, why);
}

static int open_file(struct analysis *a, const char *dir, const char *name, struct line_file **out, struct text *why)
{
    struct text path = {0};
    text_addf(&path, "%s/%s", dir, name);
    int rc = a->hooks.is_again ? line_file_again(out, text_str(&path), why) : line_file_open(out, text_str(&path), !a->is_live, why);
    text_fini(&path);
    return rc;
}

int analysis_new(const struct settings *s, const char *rules_dir, bool is_live, const struct analysis_hooks *hooks,
                 struct analysis **out, struct text *why)
{
    struct analysis *a = calloc(1, sizeof *a);
    if (!a)
        return E_NOMEM;
    a->hooks = *hooks;
    a->is_live = is_live;
    a->settings = s;
    a->rules_dir = strdup(rules_dir);
    int rc = a->rules_dir ? open_enrich(a, s, why) : E_NOMEM;
    if (rc == 0)
        rc = open_store(a, s, why);
    if (rc == 0)
        rc = open_identity(a, s, why);
    if (rc == 0)
        rc = open_people(a, rules_dir, why);
    if (rc == 0)
        rc = open_session_map(a, s, why);
    if (rc == 0 && s->roster)
        rc = roster_load(s->roster, &a->roster, why);
    if (rc == 0)
        rc = open_engine(a, s, rules_dir, why);
    if (rc == 0)
        rc = ahead_open(&a->ahead, s, is_live && !hooks->is_again, why);
    if (rc == 0 && s->out && !(is_live && a->ahead)) /* of a run that never ends the log has them, in pieces */
        rc = open_file(a, s->out, "activities.ndjson", &a->activities, why);
    if (rc == 0 && s->out)
        rc = open_file(a, s->out, "alerts.ndjson", &a->alerts, why);
    if (rc == 0 && s->out && !hooks->is_recorded) /* part of what it says was never an activity */
        rc = open_file(a, s->out, "sessions.ndjson", &a->sessions, why);
    if (rc == 0)
        rc = analysis_open_feedback(a, s, why);
    if (rc) {
        analysis_free(a);
        return rc;
    }
    *out = a;
    return 0;
}

void analysis_candidate(struct analysis *a, const struct activity *candidate)
{
    struct activity copy; /* settling changes it, and the strings it sets need the tail */
    if (candidate->action != ACTION_NONE && !(candidate->flags & ACT_ENCRYPTED)) {
        legs_take(a->legs, candidate);
        return;
    }
    memcpy(&copy, candidate, activity_size(candidate));
    if (candidate->action == ACTION_NONE) {
        identity_fact(a->identity, &copy, on_settled, a);
        session_log_fact(a->session_log, &copy);
    } else { /* nothing in it settles who or what it was */
        on_settled(a, &copy);
    }
}

void analysis_settle(struct analysis *a)
{
    legs_release(a->legs, UINT64_MAX);
}

bool analysis_each_baseline(struct analysis *a, analysis_each_fn *fn, void *ctx)
{
    if (a->settings->redis)
        return false;
    store_mem_each(a->store, fn, ctx);
    return true;
}

void analysis_tick(struct analysis *a, uint64_t now_ns)
{
    legs_release(a->legs, now_ns);
    ahead_tick(a->ahead);
    analysis_take_up(a, now_ns);
    engine_tick(a->engine, now_ns);
    session_log_tick(a->session_log, now_ns);
    a->store->ops->tick(a->store, now_ns);
    if (a->session_map && session_map_tick(a->session_map))
        identity_share_all(a->identity);
}

void analysis_flush(struct analysis *a)
{
    ahead_flush(a->ahead);
    if (a->activities)
        (void)line_file_flush(a->activities); /* sticky: told by analysis_finish */
    if (a->sessions)
        (void)line_file_flush(a->sessions);
}

void analysis_reopen(struct analysis *a)
{
    struct line_file *fresh = NULL;
    struct text why = {0};
    if (a->alerts && open_file(a, a->settings->out, "alerts.ndjson", &fresh, &why) == 0) {
        (void)line_file_close(a->alerts, true, &why); /* each line of it was flushed */
        a->alerts = fresh;
    }
    text_fini(&why);
}

static int close_file(struct line_file **f, bool keep, struct text *why)
{
    struct line_file *file = *f;
    *f = NULL;
    return file ? line_file_close(file, keep, why) : 0;
}

int analysis_finish(struct analysis *a, bool keep, struct text *why)
{
    struct line_file **files[] = {&a->activities, &a->alerts, &a->sessions};
    int rc = 0;
    legs_release(a->legs, UINT64_MAX);
    session_log_finish(a->session_log);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int closed = close_file(files[i], keep && rc == 0, rc ? &(struct text){.max = 1} : why);
        rc = rc ? rc : closed;
    }
    int logged = ahead_close(a->ahead, keep && rc == 0, rc ? &(struct text){.max = 1} : why);
    a->ahead = NULL;
    rc = rc ? rc : logged;
    if (rc == 0 && keep)
        rc = a->store->ops->sync(a->store, why);
    if (rc == 0 && keep && a->session_map)
        rc = session_map_sync(a->session_map, why);
    if (rc == 0 && keep && a->state)
        rc = state_save(a->state, a->identity, a->memory, why);
    return rc;
}

void analysis_free(struct analysis *a)
{
    if (!a)
        return;
    struct text ignored = {0};
    (void)close_file(&a->activities, false, &ignored);
    (void)close_file(&a->alerts, false, &ignored);
    (void)close_file(&a->sessions, false, &ignored);
    (void)close_file(&a->journal, false, &ignored);
    (void)ahead_close(a->ahead, false, &ignored);
    if (a->journal_path)
        unlink(a->journal_path);
    free(a->journal_path);
    free(a->rules_dir);
    rebuild_free(a->rebuild);
    feedback_log_free(a->feedback);
    text_fini(&a->trouble);
    text_fini(&ignored);
    if (a->engine)
        engine_free(a->engine);
    if (a->store)
        a->store->ops->free(a->store);
    identity_free(a->identity);
    legs_free(a->legs);
    memory_free(a->memory);
    transfers_free(a->transfers);
    session_log_free(a->session_log);
    session_map_free(a->session_map);
    enrich_free(a->enrich);
    roster_free(a->roster);
    map_free(a->seen);
    map_free(a->told);
    text_fini(&a->line);
    free(a->state);
    free(a);
}

void analysis_totals(const struct analysis *a, struct analysis_totals *out)
{
    *out = a->totals;
}

void analysis_customers(const struct analysis *a, size_t *cases, size_t *domains)
{
    customers_named(memory_customers(a->memory), cases, domains);
}

const char *analysis_database(const struct analysis *a, size_t i)
{
    return enrich_source(a->enrich, i);
}

struct counters analysis_counters(const struct analysis *a, size_t i)
{
    switch (i) {
    case 0: return identity_counters(a->identity);
    case 1: return engine_counters(a->engine);
    case 2: return a->store->ops->counters(a->store);
    case 3: return memory_counters(a->memory);
    case 4: return transfers_counters(a->transfers);
    case 5: return legs_counters(a->legs);
    case 6: return session_log_counters(a->session_log);
    case 7: return customers_counters(memory_customers(a->memory));
    case 8: return engine_rule_counters(a->engine);
    case 9: return feedback_log_counters(a->feedback);
    case 10: return ahead_counters(a->ahead);
    case 11: return a->session_map ? session_map_counters(a->session_map) : (struct counters){0};
    default: return (struct counters){0};
    }
}
