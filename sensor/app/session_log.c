/* SPDX-License-Identifier: Apache-2.0
 * A table of records in order of use. */
#include "app/session_log.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"

#include <math.h>
#include <stdlib.h>

#define AGENTS 256u
#define IDLE_NS (4 * 3600 * NS_PER_S)

/* What is kept of a session beside its record. */
struct track {
    struct session_record r;
    struct ipaddr asset_server[2]; /* both sides of a proxy show each part: the side that shows more counts */
    uint32_t assets[2];
    uint64_t last_ns; /* of all that was seen of it */
    bool is_again;    /* its record was told; what comes is of the next */
    uint8_t again;    /* enum session_begin of the next */
};

/* A User-Agent, by its hash, and its hash without numbers: a few browsers make most requests. */
struct agent {
    uint64_t full;
    uint32_t plain;
    bool is_used;
};

struct session_log {
    struct agent agents[AGENTS];
    struct map *tracks;   /* session id -> struct track */
    session_log_emit_fn *emit;
    void *ctx;
    uint8_t started[SESSION_HASH_SIZE]; /* the session that the activity 'by' began */
    uint8_t by[16];
    uint8_t ending[16]; /* the activity that ends its session, once it is noted */
    uint8_t why;        /* enum session_end */
    uint64_t now_ns;
    struct {
        uint64_t begun, told, room;
    } counts;
};

static const struct counter_def defs[] = {
    {"sessions_begun", "sessions", "records of sessions begun"},
    {"sessions_told", "sessions", "records of sessions told: ended, idle, or the input ended"},
    {"sessions_room", "sessions", "of these told early, because too many were going on at the same time"},
};

static void tell(struct session_log *log, struct track *t, enum session_end end, uint64_t end_ns)
{
    if (t->is_again || !t->r.acts)
        return;
    t->r.end = (uint8_t)end;
    t->r.end_ns = end_ns > t->r.start_ns ? end_ns : t->r.start_ns;
    t->r.assets = t->assets[0] > t->assets[1] ? t->assets[0] : t->assets[1];
    log->counts.told++;
    log->emit(log->ctx, &t->r);
}

static void on_evict(void *ctx, const void *key, void *value)
{
    struct session_log *log = ctx;
    struct track *t = value;
    (void)key;
    log->counts.room += t->r.acts > 0 && !t->is_again;
    tell(log, t, SESSION_END_ROOM, t->r.last_ns);
}

struct session_log *session_log_new(uint32_t max, session_log_emit_fn *emit, void *ctx)
{
    struct session_log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    log->tracks = map_new(SESSION_HASH_SIZE, sizeof(struct track), max, 0);
    if (!log->tracks) {
        free(log);
        return NULL;
    }
    log->emit = emit;
    log->ctx = ctx;
    map_on_evict(log->tracks, on_evict, log);
    return log;
}

void session_log_free(struct session_log *log)
{
    if (!log)
        return;
    map_free(log->tracks);
    free(log);
}

struct counters session_log_counters(const struct session_log *log)
{
    return (struct counters){defs, (const uint64_t *)&log->counts, sizeof defs / sizeof *defs};
}

static bool is_none(const uint8_t hash[SESSION_HASH_SIZE])
{
    static const uint8_t none[SESSION_HASH_SIZE];
    return memcmp(hash, none, SESSION_HASH_SIZE) == 0;
}

/* ---- beginning and end ---- */

static bool is_expired(const struct track *t, uint64_t now_ns)
{
    return t->r.until_s && t->r.until_s < UINT32_MAX && t->r.until_s * NS_PER_S < now_ns;
}

static void begin(struct session_log *log, struct track *t, const uint8_t session[SESSION_HASH_SIZE], uint8_t how,
                  uint64_t now_ns)
{
    *t = (struct track){.r = {.begin = how, .start_ns = now_ns, .last_ns = now_ns}, .last_ns = now_ns};
    memcpy(t->r.id, session, SESSION_HASH_SIZE);
    log->counts.begun++;
}

/* Ends the record; what the session does from here on is of another one. */
static void end(struct session_log *log, struct track *t, enum session_end why, uint64_t end_ns, enum session_begin next)
{
    tell(log, t, why, end_ns);
    t->is_again = true;
    t->again = (uint8_t)next;
}

/* The record of the session as of now: ended before if its time was over. */
static struct track *track_of(struct session_log *log, const uint8_t session[SESSION_HASH_SIZE], uint64_t now_ns)
{
    bool is_new;
    struct track *t = map_touch(log->tracks, session, &is_new);
    if (is_new)
        begin(log, t, session, SESSION_BEGIN_UNSEEN, now_ns);
    else if (!t->is_again && is_expired(t, now_ns))
        end(log, t, SESSION_END_EXPIRED, t->r.last_ns, SESSION_BEGIN_AFTER_END);
    else if (!t->is_again && t->last_ns + IDLE_NS < now_ns)
        end(log, t, SESSION_END_IDLE, t->r.last_ns, SESSION_BEGIN_RESUMED);
    if (t->is_again)
        begin(log, t, session, t->again, now_ns);
    if (t->last_ns < now_ns)
        t->last_ns = now_ns;
    return t;
}

static void on_start(struct session_log *log, const uint8_t session[SESSION_HASH_SIZE], const struct activity *by,
                     enum session_begin how)
{
    struct track *t = map_find(log->tracks, session);
    if (t && t->r.acts && !t->is_again) /* the application keeps the value at a login: a session begins all the same */
        end(log, t, SESSION_END_LOGIN, by->time_ns, how);
    bool is_new;
    t = map_touch(log->tracks, session, &is_new);
    begin(log, t, session, (uint8_t)how, by->time_ns);
    t->r.until_s = by->until_s;
    memcpy(log->started, session, SESSION_HASH_SIZE);
    memcpy(log->by, by->id, sizeof log->by);
}

void session_log_event(struct session_log *log, enum session_event event, const uint8_t session[SESSION_HASH_SIZE],
                       const struct activity *by)
{
    struct track *t = map_find(log->tracks, session);
    if (event == SESSION_STARTS_LOGIN || event == SESSION_STARTS_REMEMBERED) {
        on_start(log, session, by, event == SESSION_STARTS_LOGIN ? SESSION_BEGIN_LOGIN : SESSION_BEGIN_REMEMBERED);
        return;
    }
    if (event == SESSION_ENDS_LOGOUT || event == SESSION_ENDS_REMOVED) { /* the act that does it belongs to the session */
        log->why = event == SESSION_ENDS_LOGOUT ? SESSION_END_LOGOUT : SESSION_END_REMOVED;
        memcpy(log->ending, by->id, sizeof log->ending);
        return;
    }
    if (!t || t->is_again)
        return;
    switch (event) {
    case SESSION_ROTATES:
    case SESSION_FORKS:
    case SESSION_FORKS_FOREIGN:
        t->r.values++;
        t->r.forks += event != SESSION_ROTATES;
        t->r.foreign_forks += event == SESSION_FORKS_FOREIGN;
        t->r.until_s = by->until_s;
        break;
    case SESSION_LATE: t->r.late++; break;
    case SESSION_COPIED: t->r.copied++; break;
    case SESSION_ENDS_LOGIN: end(log, t, SESSION_END_LOGIN, by->time_ns, SESSION_BEGIN_AFTER_END); break;
    default: break;
    }
}

/* ---- acts ---- */

static uint32_t plain_hash(struct span agent)
{
    uint8_t text[256];
    size_t n = 0;
    for (size_t i = 0; i < agent.size && n < sizeof text; i++)
        if (agent.at[i] < '0' || agent.at[i] > '9')
            text[n++] = agent.at[i];
    return (uint32_t)hash64(span_of(text, n), 0);
}

static uint32_t agent_hash(struct session_log *log, const struct activity *a)
{
    struct span text = activity_get(a, STR_AGENT);
    uint64_t full = hash64(text, 0);
    struct agent *agent = &log->agents[full % AGENTS];
    if (!agent->is_used || agent->full != full)
        *agent = (struct agent){full, plain_hash(text), true};
    return agent->plain;
}

static bool same_network(const struct ipaddr *a, const struct ipaddr *b)
{
    return ipaddr_is4(a) == ipaddr_is4(b) && memcmp(a->bytes, b->bytes, ipaddr_is4(a) ? 15 : 6) == 0;
}

static void copy_text(char *to, size_t size, struct span from)
{
    size_t n = from.size < size ? from.size : size - 1;
    while (n && n < from.size && (from.at[n] & 0xc0) == 0x80)
        n--; /* not inside a character */
    if (n)
        memcpy(to, from.at, n);
    to[n] = 0;
}

static struct session_context *context_of(struct session_record *r, const struct activity *a, uint32_t agent)
{
    struct span ja4 = activity_get(a, STR_JA4);
    struct session_context *oldest = &r->contexts[1];
    for (uint8_t i = 0; i < r->n_contexts; i++) {
        struct session_context *c = &r->contexts[i];
        bool is_tls = !ja4.size || !c->ja4[0] || span_eq(span_text(c->ja4), ja4);
        if (same_network(&c->ip, &a->source) && c->family == a->client_family && c->agent == agent && is_tls)
            return c;
        if (i > 0 && c->last_ns < oldest->last_ns)
            oldest = c;
    }
    struct session_context *c = r->n_contexts < SESSION_CONTEXTS ? &r->contexts[r->n_contexts++] : oldest;
    if (c->count)
        r->n_more_contexts += r->n_more_contexts < UINT8_MAX;
    *c = (struct session_context){.first_ns = a->time_ns, .agent = agent, .family = a->client_family};
    return c;
}

static void note_context(struct session_log *log, struct session_record *r, const struct activity *a)
{
    if (ipaddr_is_zero(&a->source))
        return;
    struct session_context *c = context_of(r, a, agent_hash(log, a));
    c->ip = a->source;
    c->asn = a->asn;
    memcpy(c->country, a->country, sizeof c->country);
    copy_text(c->client, sizeof c->client, activity_get(a, STR_CLIENT));
    if (a->size[STR_JA4])
        copy_text(c->ja4, sizeof c->ja4, activity_get(a, STR_JA4));
    if (c->last_ns < a->time_ns)
        c->last_ns = a->time_ns;
    c->count++;
}

static void note_manner(struct session_record *r, const struct activity *a)
{
    r->api += (a->hints & HINT_INTERFACE) != 0;
    r->pages += (a->hints & HINT_PAGE) != 0;
    r->referer_own += (a->hints & HINT_REFERER_OWN) != 0;
    r->referer_other += (a->hints & HINT_REFERER_OTHER) != 0;
    r->referer_none += (a->hints & HINT_REFERER_NONE) != 0;
}

static void note_rhythm(struct session_record *r, const struct activity *a)
{
    if (r->acts) {
        double s = a->time_ns > r->last_ns ? (double)(a->time_ns - r->last_ns) / (double)NS_PER_S : 0;
        double before = s - r->interval_mean_s;
        r->intervals++;
        r->interval_mean_s += before / r->intervals;
        r->interval_m2 += before * (s - r->interval_mean_s);
    }
    if (r->last_ns < a->time_ns)
        r->last_ns = a->time_ns;
}

static void note_act(struct session_log *log, struct session_record *r, const struct activity *a)
{
    note_rhythm(r, a);
    r->acts++;
    r->failures += a->outcome == OUTCOME_FAILURE;
    r->actions[a->action]++;
    if (r->n_order < SESSION_ORDER && (!r->n_order || r->order[r->n_order - 1] != a->action))
        r->order[r->n_order++] = a->action;
    if (a->cred_kind != CRED_NONE)
        r->cred_kind = a->cred_kind;
    if (a->until_s)
        r->until_s = a->until_s;
    if (!r->app_size) {
        copy_text(r->app, sizeof r->app, activity_get(a, STR_APP));
        r->app_size = (uint16_t)strlen(r->app);
    }
    note_context(log, r, a);
    note_manner(r, a);
}

static void note_name(struct session_record *r, const struct activity *a)
{
    struct span user = activity_get(a, STR_USER);
    if (!user.size || (r->user_size && span_starts(user, SPAN("session:"))))
        return;
    size_t n = user.size < sizeof r->user ? user.size : sizeof r->user;
    memcpy(r->user, user.at, n);
    r->user_size = (uint16_t)n;
}

static bool is_addition(const struct activity *a)
{
    return a->action == ACTION_IDENTIFY || a->action == ACTION_AMEND;
}

/* An amendment is of the record its act is in, also once that has ended. */
static const struct session_record *note_addition(struct session_log *log, const struct activity *a)
{
    struct track *known = map_find(log->tracks, a->session);
    if (known && !known->is_again)
        note_name(&known->r, a);
    return known && a->action == ACTION_AMEND ? &known->r : NULL;
}

static void fill_so_far(const struct session_record *r, struct session_so_far *s)
{
    *s = (struct session_so_far){.start_ns = r->start_ns, .begin = r->begin, .assets = r->assets, .values = r->values,
                                 .forks = r->forks, .foreign_forks = r->foreign_forks, .late = r->late, .copied = r->copied};
    memcpy(s->id, r->id, sizeof s->id);
}

const struct session_record *session_log_act(struct session_log *log, struct activity *a)
{
    if (a->done_ns > log->now_ns)
        log->now_ns = a->done_ns;
    bool is_start = a->action != ACTION_IDENTIFY && memcmp(a->id, log->by, sizeof log->by) == 0 && !is_none(log->started);
    const uint8_t *session = is_start ? log->started : a->session;
    if (is_none(session) || (a->flags & ACT_ENCRYPTED))
        return NULL;
    if (is_addition(a))
        return note_addition(log, a);
    struct track *t = track_of(log, session, a->time_ns);
    note_act(log, &t->r, a);
    note_name(&t->r, a);
    t->r.assets = t->assets[0] > t->assets[1] ? t->assets[0] : t->assets[1];
    memset(log->started, 0, sizeof log->started);
    if (!is_none(log->ending) && memcmp(log->ending, a->id, sizeof log->ending) == 0) {
        end(log, t, (enum session_end)log->why, a->time_ns, SESSION_BEGIN_AFTER_END);
        memset(log->ending, 0, sizeof log->ending);
    }
    fill_so_far(&t->r, &a->so_far);
    return &t->r;
}

const struct session_record *session_log_recorded(struct session_log *log, const struct activity *a)
{
    const struct session_so_far *s = &a->so_far;
    if (a->done_ns > log->now_ns)
        log->now_ns = a->done_ns;
    const uint8_t *session = s->start_ns ? s->id : a->session;
    if (is_none(session) || (a->flags & ACT_ENCRYPTED))
        return NULL;
    if (is_addition(a))
        return note_addition(log, a);
    struct track *t;
    if (s->start_ns) {
        bool is_new;
        t = map_touch(log->tracks, session, &is_new);
        if (is_new || t->r.start_ns != s->start_ns || t->r.begin != s->begin)
            begin(log, t, session, s->begin, s->start_ns);
        t->last_ns = t->last_ns < a->time_ns ? a->time_ns : t->last_ns;
    } else { /* an older log does not say: by the pauses alone */
        t = track_of(log, session, a->time_ns);
    }
    note_act(log, &t->r, a);
    note_name(&t->r, a);
    t->r.assets = s->assets;
    t->r.values = s->values;
    t->r.forks = s->forks;
    t->r.foreign_forks = s->foreign_forks;
    t->r.late = s->late;
    t->r.copied = s->copied;
    return &t->r;
}

void session_log_fact(struct session_log *log, const struct activity *fact)
{
    struct track *t = fact->assets ? map_find(log->tracks, fact->session) : NULL;
    if (!t || t->is_again)
        return;
    unsigned side = 0;
    while (side < 2 && t->assets[side] && !ipaddr_eq(&t->asset_server[side], &fact->server.ip))
        side++;
    if (side == 2)
        return;
    t->asset_server[side] = fact->server.ip;
    t->assets[side] += fact->assets;
}

/* ---- time ---- */

void session_log_tick(struct session_log *log, uint64_t now_ns)
{
    const void *key;
    void *value;
    if (now_ns > log->now_ns)
        log->now_ns = now_ns;
    while (map_oldest(log->tracks, &key, &value)) {
        struct track *t = value;
        uint8_t gone[SESSION_HASH_SIZE];
        if (t->last_ns + IDLE_NS >= log->now_ns)
            return;
        memcpy(gone, key, sizeof gone);
        tell(log, t, is_expired(t, log->now_ns) ? SESSION_END_EXPIRED : SESSION_END_IDLE, t->r.last_ns);
        map_remove(log->tracks, gone);
    }
}

static int by_start(const void *a, const void *b)
{
    const struct track *const *x = a, *const *y = b;
    if ((*x)->r.start_ns != (*y)->r.start_ns)
        return (*x)->r.start_ns < (*y)->r.start_ns ? -1 : 1;
    return memcmp((*x)->r.id, (*y)->r.id, SESSION_HASH_SIZE);
}

void session_log_finish(struct session_log *log)
{
    uint32_t n = 0, max = map_size(log->tracks);
    struct track **all = calloc(max ? max : 1, sizeof(struct track *));
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; all && n < max && map_walk(log->tracks, &at, &key, &value);)
        all[n++] = value;
    if (all)
        qsort(all, n, sizeof *all, by_start);
    for (uint32_t i = 0; i < n; i++)
        tell(log, all[i], is_expired(all[i], log->now_ns) ? SESSION_END_EXPIRED : SESSION_END_OPEN, all[i]->r.last_ns);
    free(all);
}
