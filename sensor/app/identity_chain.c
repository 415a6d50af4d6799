/* SPDX-License-Identifier: Apache-2.0
 * Session values that replace each other. Where each answer sets a new value (encrypted cookie stores), a value names
 * one request, and the chain from Set-Cookie to the next request is the session; parallel requests make it a tree. */
#include "app/identity_parts.h"

#include "base/hash.h"
#include "base/times.h"

#define CHAIN_VALUES 512u                /* of one session: a chain without end costs no more */
#define KEEP_NS (86400 * NS_PER_S)       /* how long a replaced value is known */
#define IDLE_NS (30 * 86400 * NS_PER_S)  /* the same of one that nobody replaced and nobody used */
#define LATE_NS (30 * NS_PER_S)          /* requests under way carry the old value no longer than this */
#define HABITS 1024u
#define FRESH 16384u
#define ROTATES_AFTER 8u                 /* times that a value just set was replaced when it was used */
#define CHANGED_SHARE 2u                 /* and one use in so many */

bool chain_init(struct identity *id, uint32_t max_sessions)
{
    id->links = map_new(SESSION_HASH_SIZE, sizeof(struct link), max_sessions, 0);
    id->fresh = map_new(SESSION_HASH_SIZE, 1, max_sessions < FRESH ? max_sessions : FRESH, 0);
    id->habits = map_new(sizeof(uint64_t), sizeof(struct habit), HABITS, 0);
    return id->links && id->fresh && id->habits;
}

void chain_fini(struct identity *id)
{
    map_free(id->links);
    map_free(id->fresh);
    map_free(id->habits);
}

void chain_tell(struct identity *id, const struct activity *by, const uint8_t session[SESSION_HASH_SIZE],
                enum session_event event)
{
    if (id->watch)
        id->watch(id->watch_ctx, event, session, by);
}

void chain_resolve(const struct identity *id, const uint8_t value[SESSION_HASH_SIZE], uint8_t out[SESSION_HASH_SIZE])
{
    const struct link *l = map_size(id->links) ? map_find(id->links, value) : NULL;
    memmove(out, l ? l->session : value, SESSION_HASH_SIZE);
}

/* ---- who uses a value ---- */

/* The network in the upper half, the program in the lower. */
uint32_t chain_user(const struct activity *a)
{
    struct span agent = activity_get(a, STR_AGENT);
    uint8_t text[256];
    size_t n = 0;
    for (size_t i = 0; i < agent.size && n < sizeof text; i++)
        if (agent.at[i] < '0' || agent.at[i] > '9') /* a new version is no new program */
            text[n++] = agent.at[i];
    size_t net = ipaddr_is4(&a->source) ? 15 : 6; /* /24 and /48; IPv4 stands in the last four bytes */
    uint64_t where = hash64(span_of(a->source.bytes, net), 1), what = hash64(span_of(text, n), 2);
    return (uint32_t)(where << 16) | (uint32_t)(what & 0xffff) | 1;
}

static bool is_other_client(uint32_t a, uint32_t b)
{
    return (a & 0xffff) != (b & 0xffff);
}

/* A copy of the value: another program has it, or another network long after it was replaced. Two requests of one browser
 * that is moving from one network to another are neither. */
static bool is_foreign(uint32_t was, uint32_t is, bool is_late)
{
    return was && (is_other_client(was, is) || (is_late && was != is));
}

void chain_use(struct identity *id, const struct activity *a)
{
    struct link *l = map_size(id->links) ? map_find(id->links, a->session) : NULL;
    struct session *s = l ? NULL : map_find(id->sessions, a->session);
    bool is_new;
    if (l)
        l = map_touch(id->links, a->session, &is_new); /* used: others are forgotten before it */
    if (l && l->last_ns < a->time_ns)
        l->last_ns = a->time_ns;
    uint32_t *used_by = l ? &l->used_by : s ? &s->used_by : NULL;
    uint64_t replaced_ns = l ? l->replaced_ns : s ? s->replaced_ns : 0;
    if (!used_by || a->action == ACTION_AMEND || !(l || replaced_ns || (a->hints & HINT_ROTATES)))
        return;
    uint32_t user = chain_user(a);
    if (!*used_by)
        *used_by = user;
    if (!replaced_ns || a->time_ns <= replaced_ns + LATE_NS)
        return;
    id->counts.late_values++;
    chain_tell(id, a, l ? l->session : a->session,
               is_foreign(*used_by, user, true) ? SESSION_COPIED : SESSION_LATE);
}

/* ---- growing ---- */

static uint64_t first_half(const uint8_t hash[SESSION_HASH_SIZE])
{
    uint64_t half;
    memcpy(&half, hash, sizeof half);
    return half;
}

static struct habit *habit_of(struct identity *id, const struct activity *a)
{
    uint64_t key = hash64(activity_get(a, STR_HOST), hash64(activity_get(a, STR_APP), 0));
    bool is_new;
    return map_touch(id->habits, &key, &is_new);
}

/* Whether the values of this host change with every answer: its profile says so, or values that an answer had just set
 * were replaced at once, again and again. What a client brings along does not count: it may be made up. */
static bool is_rotating(struct identity *id, const struct activity *a, const uint8_t value[SESSION_HASH_SIZE],
                        bool is_replaced)
{
    struct habit *h = habit_of(id, a);
    bool is_ours = map_find(id->links, value) || map_find(id->fresh, value);
    if (is_replaced && is_ours && h->last != first_half(a->new_session)) {
        h->last = first_half(a->new_session);
        h->changed += h->changed < UINT32_MAX;
    } else if (!is_replaced && is_ours && a->outcome == OUTCOME_SUCCESS) {
        h->kept += h->kept < UINT32_MAX;
    }
    bool is_later = a->status >= 400 && map_find(id->links, value); /* of a session that was seen to do it, maybe elsewhere */
    return is_later || (a->hints & HINT_ROTATES) || (h->changed >= ROTATES_AFTER && h->changed >= h->kept / CHANGED_SHARE);
}

static bool drop_oldest(struct identity *id, struct session *s)
{
    const struct link *l = map_find(id->links, s->oldest);
    if (!l || hash_is_zero(l->newer)) { /* it was forgotten before its turn: begin anew with the newest */
        memcpy(s->oldest, s->newest, SESSION_HASH_SIZE);
        s->n_values = 1;
        return false;
    }
    uint8_t gone[SESSION_HASH_SIZE];
    memcpy(gone, s->oldest, sizeof gone);
    memcpy(s->oldest, l->newer, SESSION_HASH_SIZE);
    map_remove(id->links, gone);
    s->n_values--;
    id->counts.values_forgotten++;
    return true;
}

/* Replaced long ago, or one too many. */
static void forget_old(struct identity *id, struct session *s, uint64_t now_ns)
{
    while (s->n_values > 1) {
        const struct link *l = map_find(id->links, s->oldest);
        bool is_old = l && l->replaced_ns && l->replaced_ns + KEEP_NS < now_ns;
        if ((l && !is_old && s->n_values <= CHAIN_VALUES) || !drop_oldest(id, s))
            return;
    }
}

/* The values of other sessions that nobody has used for long, a few at a time. */
static void sweep(struct identity *id, uint64_t now_ns)
{
    const void *key;
    void *value;
    for (int i = 0; i < 2 && map_oldest(id->links, &key, &value); i++) {
        const struct link *l = value;
        uint8_t gone[SESSION_HASH_SIZE];
        if (l->last_ns + (l->replaced_ns ? KEEP_NS : IDLE_NS) >= now_ns)
            return;
        memcpy(gone, key, sizeof gone);
        map_remove(id->links, gone);
        id->counts.values_forgotten++;
    }
}

static void append(struct identity *id, struct session *s, const uint8_t value[SESSION_HASH_SIZE])
{
    struct link *before = s->n_values ? map_find(id->links, s->newest) : NULL;
    if (before)
        memcpy(before->newer, value, SESSION_HASH_SIZE);
    if (!s->n_values)
        memcpy(s->oldest, value, SESSION_HASH_SIZE);
    memcpy(s->newest, value, SESSION_HASH_SIZE);
    s->n_values++;
}

static void link_add(struct identity *id, const struct activity *a, struct session *s)
{
    bool is_new;
    append(id, s, a->new_session);
    sweep(id, a->time_ns);
    struct link *l = map_touch(id->links, a->new_session, &is_new);
    *l = (struct link){.last_ns = a->time_ns};
    memcpy(l->session, a->session, SESSION_HASH_SIZE);
    if (s->name.size)
        share_keep_value(id, a->new_session, l);
    forget_old(id, s, a->time_ns);
}

/* The value sent has a successor: its first, or one more. */
static void note_replaced(struct identity *id, const struct activity *a, const uint8_t value[SESSION_HASH_SIZE],
                          struct session *s)
{
    struct link *l = map_find(id->links, value);
    uint64_t *replaced_ns = l ? &l->replaced_ns : &s->replaced_ns;
    uint32_t *used_by = l ? &l->used_by : &s->used_by, user = chain_user(a);
    enum session_event event = SESSION_ROTATES;
    if (*replaced_ns) {
        bool is_copy = is_foreign(*used_by, user, a->time_ns > *replaced_ns + LATE_NS);
        id->counts.forks++;
        id->counts.foreign_forks += is_copy;
        event = is_copy ? SESSION_FORKS_FOREIGN : SESSION_FORKS;
    } else {
        *replaced_ns = a->time_ns;
        if (!*used_by)
            *used_by = user;
    }
    chain_tell(id, a, a->session, event);
}

/* The successor acted before it was known as one: what it did is the session's. False when it is another's. */
static bool take_over(struct identity *id, const struct activity *a, const struct name *n, identity_emit_fn *emit, void *ctx)
{
    const struct session *own = map_find(id->sessions, a->new_session);
    if (!own)
        return true;
    if (own->name.size)
        return n->size && span_eq(name_span(&own->name), name_span(n));
    if (own->unnamed && !n->size)
        return false; /* two sessions without a name stay two */
    if (n->size)
        session_bind(id, a, a->new_session, n, emit, ctx);
    return true;
}

void chain_rotate(struct identity *id, const struct activity *a, const uint8_t value[SESSION_HASH_SIZE],
                  identity_emit_fn *emit, void *ctx)
{
    bool is_new, is_replaced = (a->flags & ACT_SESSION_NEW) && !hash_is_zero(a->new_session) &&
                               memcmp(a->new_session, value, SESSION_HASH_SIZE) != 0;
    bool is_good = !(a->flags & ACT_REFUSED) && a->outcome != OUTCOME_FAILURE && a->status < 400;
    if (hash_is_zero(value) || a->action == ACTION_AMEND || (!is_replaced && a->cred_kind != CRED_COOKIE))
        return;
    bool rotates = is_rotating(id, a, value, is_replaced);
    if (!is_replaced || (a->hints & HINT_LOGIN_PAGE) || !(is_good || rotates))
        return;
    struct session *s = map_find(id->sessions, a->session);
    if (!s || s->state == SESSION_ENDED || (!s->name.size && !rotates)) {
        map_touch(id->fresh, a->new_session, &is_new);
        return;
    }
    struct name n = s->name; /* binding may evict it */
    if (map_find(id->links, a->new_session) || !take_over(id, a, &n, emit, ctx) ||
        !(s = map_find(id->sessions, a->session)))
        return;
    note_replaced(id, a, value, s);
    link_add(id, a, s);
    s->until_s = a->until_s;
    id->counts.rotations++;
}

void chain_forget(struct identity *id, const uint8_t value[SESSION_HASH_SIZE])
{
    if (map_find(id->links, value))
        map_remove(id->links, value); /* its session finds the gap */
}

void chain_load(struct identity *id, const uint8_t value[SESSION_HASH_SIZE], const struct link *l)
{
    bool is_new;
    struct session *s = map_find(id->sessions, l->session);
    if (!s || map_find(id->links, value))
        return;
    append(id, s, value);
    struct link *to = map_touch(id->links, value, &is_new);
    *to = *l;
    memset(to->newer, 0, sizeof to->newer);
}

/* ---- remember-me ---- */

void chain_bind_remember(struct identity *id, const struct activity *a, const struct name *n, identity_emit_fn *emit, void *ctx)
{
    session_touch(id, a->new_remember, a->time_ns)->until_s = a->remember_until_s;
    session_bind(id, a, a->new_remember, n, emit, ctx);
}

/* Whether the answer began a session rather than went on with one. */
static bool is_begin(const struct identity *id, const struct activity *a)
{
    const struct session *s = map_find(id->sessions, a->session);
    bool is_alone = memcmp(a->session, a->remember, SESSION_HASH_SIZE) == 0;
    return is_alone || !s || s->state == SESSION_ENDED || (s->until_s && a->time_ns > s->until_s * NS_PER_S);
}

static void begin_remembered(struct identity *id, struct activity *a, identity_emit_fn *emit, void *ctx)
{
    const struct session *r = map_find(id->sessions, a->remember);
    struct name n = {0};
    bool is_known = map_find(id->sessions, a->new_session) != NULL;
    if (r)
        n = r->name;
    memcpy(a->session, a->new_session, SESSION_HASH_SIZE);
    a->flags &= ~ACT_SESSION_NEW;
    struct session *s = session_touch(id, a->session, a->time_ns);
    if (is_known && s->start == SESSION_START_REMEMBERED)
        return;
    s->start = SESSION_START_REMEMBERED;
    s->until_s = a->until_s;
    id->counts.remembered++;
    chain_tell(id, a, a->session, SESSION_STARTS_REMEMBERED);
    if (n.size && !s->name.size)
        session_bind(id, a, a->session, &n, emit, ctx);
}

/* The amendment of an act that began a session is that session's, too. */
static void follow_begin(const struct identity *id, struct activity *a)
{
    const struct session *s = map_find(id->sessions, a->new_session);
    if (s && s->start == SESSION_START_REMEMBERED && memcmp(a->session, a->remember, SESSION_HASH_SIZE) == 0)
        memcpy(a->session, a->new_session, SESSION_HASH_SIZE);
}

void chain_remember(struct identity *id, struct activity *a, identity_emit_fn *emit, void *ctx)
{
    bool is_good = !(a->flags & ACT_REFUSED) && a->outcome != OUTCOME_FAILURE && a->status < 400;
    bool is_renewed = !hash_is_zero(a->new_remember);
    if (a->action == ACTION_AMEND && !hash_is_zero(a->remember))
        follow_begin(id, a);
    if (!is_good || a->action == ACTION_AMEND || (hash_is_zero(a->remember) && !is_renewed))
        return;
    if ((a->flags & ACT_SESSION_NEW) && !hash_is_zero(a->remember) && !hash_is_zero(a->new_session) && is_begin(id, a))
        begin_remembered(id, a, emit, ctx);
    const struct session *s = map_find(id->sessions, a->session), *r = map_find(id->sessions, a->remember);
    struct name n = s && s->name.size ? s->name : r ? r->name : (struct name){0};
    if (is_renewed && n.size)
        chain_bind_remember(id, a, &n, emit, ctx);
}
