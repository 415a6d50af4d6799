/* SPDX-License-Identifier: Apache-2.0
 * The connection: its two record readers, what waits, and the pool of all. */
#include "flow/tls_conn.h"

#include "flow/tls_state.h"

#include <stdlib.h>

#define MAX_COMPRESSED 128u       /* directions that TLS compresses at once: hardly anyone does (RFC 7525, 3.3) */
#define MAX_HELD 2048u /* items of one direction, 4 MB: beyond that only while half of the memory for all is free */
#define MAX_HELD_EARLY (256u * 1024) /* bytes that may come before the hello of the other side */

static const struct counter_def DEFS[] = {
    {"tls_connections", "connections", "that began like TLS"},
    {"tls_refused", "connections", "not looked into because too many were open; raise the limit"},
    {"tls_foreign", "connections", "that were something else after all"},
    {"tls_opened", "connections", "decrypted"},
    {"tls_no_keys", "connections", "that stay closed because no secret came in time; is the key feed complete?"},
    {"tls_bad_keys", "connections", "that stay closed because a record did not authenticate; wrong keys"},
    {"tls_unsupported", "connections", "that stay closed because of their cipher suite or version"},
    {"tls_missed", "connections", "that stay closed because the handshake was not seen, or too much was lost"},
    {"tls_waited", "connections", "whose secrets came late, or not at all"},
    {"tls_hold_full", "connections", "given up because there was no memory to wait for their secrets"},
    {"tls_records", "records", "decrypted and authenticated"},
    {"tls_records_skipped", "records", "not authenticated: nobody wanted to see all they held"},
    {"tls_records_lost", "records", "missing from the capture, in connections that are decrypted"},
    {"tls_records_failed", "records", "that did not authenticate; lost records before them, or tampering"},
    {"tls_resyncs", "times", "the sequence number was found again after a loss"},
    {"tls_messages_refused", "messages", "of a handshake not read for lack of memory"},
    {"tls_blocks_refused", "records", "not read for lack of memory"},
};

_Static_assert(sizeof DEFS / sizeof DEFS[0] * sizeof(uint64_t) == sizeof(struct tls_conn_counts),
               "one name for each counter");

static uint32_t or_else(uint32_t value, uint32_t usual)
{
    return value ? value : usual;
}

struct tls_conn_pool *tls_conn_pool_new(const struct tls_conn_limits *limits, const struct tls_conn_ops *ops,
                                        struct tls_keys *keys)
{
    struct tls_conn_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    uint32_t max = or_else(limits->max_conns, 65536);
    p->ops = *ops;
    p->limits = *limits;
    p->keys = keys;
    p->openers = tls_open_pool_new(or_else(limits->max_openers, 16384));
    p->conns = pool_new(sizeof(struct tls_conn), max);
    p->held = tls_hold_pool_new(or_else(limits->hold_mib, 64));
    p->records.blocks = pool_new(TLS_RECORD_BLOCK, max / 32 + 16);
    p->messages.small = pool_new(TLS_HANDSHAKE_SMALL, max / 16 + 16);
    p->messages.large = pool_new(TLS_HANDSHAKE_LARGE, max / 512 + 16);
    p->codings = coding_pool_new(&(struct coding_limits){.max_gzip = MAX_COMPRESSED, .max_brotli = 1});
    if (!p->codings || !p->openers || !p->conns || !p->held || !p->records.blocks || !p->messages.small || !p->messages.large) {
        tls_conn_pool_free(p);
        return NULL;
    }
    return p;
}

void tls_conn_pool_free(struct tls_conn_pool *p)
{
    if (!p)
        return;
    struct pool *pools[] = {p->conns, p->held, p->records.blocks, p->messages.small, p->messages.large};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        pool_free(pools[i]);
    tls_open_pool_free(p->openers);
    coding_pool_free(p->codings);
    explicit_bzero(p, sizeof *p); /* the plaintext read last */
    free(p);
}

struct counters tls_conn_counters(const struct tls_conn_pool *p)
{
    struct tls_conn_pool *own = (struct tls_conn_pool *)(uintptr_t)p; /* these two are kept elsewhere */
    own->counts.messages_refused = p->messages.refused;
    own->counts.blocks_refused = p->records.refused;
    return (struct counters){DEFS, &p->counts.connections, sizeof DEFS / sizeof DEFS[0]};
}

struct counters tls_conn_open_counters(const struct tls_conn_pool *p)
{
    return tls_open_counters(p->openers);
}

/* ---- waiting ---- */

static void wait_begin(struct tls_conn *t, uint64_t ns)
{
    struct tls_conn_pool *p = t->pool;
    if (t->wait_ns)
        return;
    t->wait_ns = p->wait_last && p->wait_last->wait_ns > ns ? p->wait_last->wait_ns : ns ? ns : 1;
    t->wait_next = NULL;
    t->wait_prev = p->wait_last;
    *(p->wait_last ? &p->wait_last->wait_next : &p->wait_first) = t;
    p->wait_last = t;
    p->counts.waited++;
}

static void wait_end(struct tls_conn *t)
{
    struct tls_conn_pool *p = t->pool;
    if (!t->wait_ns)
        return;
    *(t->wait_prev ? &t->wait_prev->wait_next : &p->wait_first) = t->wait_next;
    *(t->wait_next ? &t->wait_next->wait_prev : &p->wait_last) = t->wait_prev;
    t->wait_ns = 0;
}

/* ---- the end ---- */

static void give_back(struct tls_conn *t)
{
    struct tls_conn_pool *p = t->pool;
    wait_end(t);
    for (int role = 0; role < 2; role++) {
        struct tls_side *s = &t->side[role];
        tls_record_fini(&s->reader, &p->records);
        tls_handshake_fini(&s->handshake, &p->messages);
        tls_opener_close(&s->opener);
        coding_free(p->codings, s->coding);
        s->coding = NULL;
        tls_hold_clear(&s->hold, p->held);
        s->block = TLS_NOT_BLOCKED;
    }
}

void tls_conn_close(struct tls_conn *t, enum tls_sight why)
{
    struct tls_conn_counts *c = &t->pool->counts;
    uint64_t *counts[TLS_SIGHTS] = {[TLS_NO_KEYS] = &c->no_keys, [TLS_BAD_KEYS] = &c->bad_keys,
                                    [TLS_CANNOT] = &c->unsupported, [TLS_MISSED] = &c->missed};
    if (t->state != TLS_CONN_GOING)
        return;
    t->state = TLS_CONN_CLOSED; /* its memory goes back when the call that found out returns: it may be in use */
    if (t->facts.sight == TLS_WAITING)
        t->facts.sight = (uint8_t)why;
    if (counts[why])
        *counts[why] += 1;
}

/* Of a connection that was open: what has come and is not told yet is not seen any more. */
static void tell_rest(struct tls_conn *t)
{
    if (t->facts.sight != TLS_OPEN)
        return;
    for (int role = 0; role < 2; role++) {
        struct tls_side *s = &t->side[role];
        uint64_t bytes = s->hold.bytes + tls_record_pending(&s->reader);
        if (bytes + s->lost)
            tls_decrypt_lose_rest(t, role, bytes, t->now_ns);
    }
}

static void settle(struct tls_conn *t)
{
    if (t->state == TLS_CONN_GOING)
        return;
    tell_rest(t);
    give_back(t);
}

/* ---- records ---- */

/* Early data: the server's answer tells the cipher, and its EncryptedExtensions whether it is taken. */
static bool is_answer_missing(const struct tls_conn *t)
{
    bool is_undecided = t->early == TLS_EARLY_OFFERED && t->side[TLS_SERVER].epoch != TLS_EPOCH_TRAFFIC;
    return !t->has_server || (tls_is_13(t) && is_undecided);
}

/* The keys of the next record, by its type and what the handshake said so far. */
static enum tls_block begin_encrypted(struct tls_conn *t, int role, const struct tls_record_head *head)
{
    struct tls_side *s = &t->side[role];
    bool is_data = head->type == TLS_APPLICATION_DATA;
    if (s->epoch == TLS_EPOCH_PLAIN && !is_data)
        return TLS_NOT_BLOCKED; /* in the clear */
    if (s->epoch == TLS_EPOCH_PLAIN && role == TLS_CLIENT && t->has_client && is_answer_missing(t))
        return TLS_BLOCKED_BY_HELLO;
    bool is_13 = tls_is_13(t);
    if (is_13 && !is_data)
        return TLS_NOT_BLOCKED;
    if (s->epoch == TLS_EPOCH_PLAIN) {
        if (t->early == TLS_EARLY_OFFERED && role == TLS_CLIENT) /* EncryptedExtensions could not be read: a guess */
            t->early = t->facts.is_resumed ? TLS_EARLY_ACCEPTED : TLS_EARLY_REJECTED;
        bool is_early = is_13 && role == TLS_CLIENT && t->early == TLS_EARLY_ACCEPTED;
        if (!is_13 && t->has_server)
            s->is_lossy = s->has_missed_change = true;
        s->epoch = is_early ? TLS_EPOCH_EARLY : is_13 ? TLS_EPOCH_HANDSHAKE : TLS_EPOCH_TRAFFIC;
    }
    s->is_encrypted = true;
    return tls_decrypt_unlock(t, role);
}

/* Decides what is wanted of the record whose header has come. */
static void on_head(struct tls_conn *t, int role, const struct tls_record_head *head, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    s->head = *head;
    s->is_encrypted = s->is_lazy = false;
    s->block = (uint8_t)begin_encrypted(t, role, head);
    if (s->block == TLS_BLOCKED_BY_KEYS)
        wait_begin(t, ns);
    if (s->block || t->state != TLS_CONN_GOING || !s->is_encrypted)
        return;
    size_t tail = tls_lazy_tail(t, role, head);
    if (tail != SIZE_MAX) {
        s->is_lazy = true;
        tls_record_want(&s->reader, 0, tail);
    }
}

static void on_body(struct tls_conn *t, int role, const struct tls_record_out *out, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    if (s->is_lazy)
        tls_decrypt_skip(t, role, &out->head, out->data.size ? out->data : out->tail, out->missing, ns);
    else if (s->is_encrypted)
        tls_decrypt_record(t, role, &out->head, out->data, ns);
    else if (out->head.type == TLS_HANDSHAKE)
        tls_negotiate_feed(t, role, out->data);
    else if (out->head.type == TLS_CHANGE_CIPHER_SPEC)
        tls_negotiate_change(t, role);
}

static void on_measured(struct tls_conn *t, int role, const struct tls_record_out *out, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    if (s->is_lazy && !out->is_cut && (!out->missing || tls_opener_tail_size(&s->opener) == 0))
        tls_decrypt_skip(t, role, &out->head, span_of(NULL, 0), out->missing, ns);
    else if (s->is_encrypted)
        tls_decrypt_lose(t, role, &out->head, out->is_cut ? out->head.length - out->missing : out->head.length, ns);
    else
        tls_handshake_gap(&s->handshake, &t->pool->messages);
}

static void on_lost(struct tls_conn *t, int role)
{
    struct tls_side *s = &t->side[role];
    tls_handshake_gap(&s->handshake, &t->pool->messages);
    s->is_lossy = true;
}

/* Nothing but the first bytes was taken: they can be handed on. */
static bool is_untouched(const struct tls_side *s)
{
    return !s->reader.count && !s->is_lossy && !s->has_gap;
}

static void on_foreign(struct tls_conn *t, int role, const struct tls_record_out *out)
{
    if (!is_untouched(&t->side[0]) || !is_untouched(&t->side[1])) {
        t->side[role].lost += out->size;
        tls_conn_close(t, TLS_MISSED);
        return;
    }
    t->state = TLS_CONN_FOREIGN;
    t->pool->counts.foreign++;
}

static void on_event(struct tls_conn *t, int role, enum tls_record_event event, const struct tls_record_out *out,
                     uint64_t ns)
{
    switch (event) {
    case TLS_RECORD_HEAD: on_head(t, role, &out->head, ns); break;
    case TLS_RECORD_BODY: on_body(t, role, out, ns); break;
    case TLS_RECORD_MEASURED: on_measured(t, role, out, ns); break;
    case TLS_RECORD_LOST: on_lost(t, role); break;
    case TLS_RECORD_FOUND: t->side[role].lost += out->size; break;
    case TLS_RECORD_SSL2:
        t->facts.version = out->version;
        if (role != TLS_CLIENT || !out->data.size || !tls_negotiate_ssl2(t, out->data))
            tls_conn_close(t, TLS_CANNOT);
        break;
    case TLS_RECORD_FOREIGN: on_foreign(t, role, out); break;
    case TLS_RECORD_MORE: break;
    }
}

/* The other side waited for what was just read here: it goes first, an answer must not be told before its question. */
static bool must_yield(const struct tls_conn *t, int role)
{
    return t->side[!role].block == TLS_BLOCKED_BY_HELLO && !is_answer_missing(t);
}

/* Steps through the input until it is used up, or something must be waited for: then the rest stays in *in. */
static void take(struct tls_conn *t, int direction, struct tls_record_input *in)
{
    struct tls_record_out out;
    for (;;) {
        int role = direction ^ (int)t->is_swapped; /* anew each time: a hello may tell that it was the other one */
        struct tls_side *s = &t->side[role];
        if (t->state != TLS_CONN_GOING || s->block || must_yield(t, role))
            return;
        enum tls_record_event event = tls_record_step(&s->reader, &t->pool->records, in, &out);
        if (event == TLS_RECORD_MORE)
            return;
        on_event(t, role, event, &out, in->now_ns);
    }
}

static bool waits_for_keys(const struct tls_conn *t)
{
    return t->side[0].block == TLS_BLOCKED_BY_KEYS || t->side[1].block == TLS_BLOCKED_BY_KEYS;
}

static void give_up_waiting(struct tls_conn *t)
{
    tls_conn_close(t, waits_for_keys(t) && t->facts.sight == TLS_WAITING ? TLS_NO_KEYS : TLS_MISSED);
    settle(t);
}

static void finish(struct tls_conn *t, int direction, uint64_t ns)
{
    struct tls_record_input none = {.now_ns = ns};
    if (t->side[direction ^ (int)t->is_swapped].is_finished)
        return; /* told twice: once while it waited */
    tls_record_finish(&t->side[direction ^ (int)t->is_swapped].reader);
    take(t, direction, &none);
    int role = direction ^ (int)t->is_swapped;
    struct tls_side *s = &t->side[role];
    if (t->state != TLS_CONN_GOING)
        return;
    if (s->block || must_yield(t, role)) { /* once more, behind what is waited for */
        if (!tls_hold_fin(&s->hold, t->pool->held, t->order++, ns))
            give_up_waiting(t);
        return;
    }
    uint64_t rest = tls_record_pending(&s->reader);
    if (rest + s->lost && t->facts.sight == TLS_OPEN)
        tls_decrypt_lose_rest(t, role, rest, ns);
    tls_record_fini(&s->reader, &t->pool->records);
    tls_opener_close(&s->opener);
    coding_free(t->pool->codings, s->coding);
    s->coding = NULL;
    s->is_finished = true;
    t->pool->ops.fin(t->ctx, direction, ns);
}

/* ---- what waits ---- */

static void take_held(struct tls_conn *t, int role)
{
    struct tls_side *s = &t->side[role];
    struct tls_hold_item *item = s->hold.first;
    int direction = tls_direction(t, role);
    if (s->is_finished) { /* nothing comes after the end */
        tls_hold_drop(&s->hold, t->pool->held);
        return;
    }
    if (item->is_fin) {
        uint64_t ns = item->ns;
        tls_hold_drop(&s->hold, t->pool->held);
        finish(t, direction, ns);
        return;
    }
    struct tls_record_input in = {.bytes = span_of(item->data + item->from, item->size - item->from),
                                  .gap = item->gap,
                                  .now_ns = item->ns};
    take(t, direction, &in);
    s->hold.bytes -= item->size - item->from - in.bytes.size + item->gap - in.gap;
    item->from = item->size - (uint32_t)in.bytes.size;
    item->gap = in.gap;
    if (item->from == item->size && !item->gap && t->state == TLS_CONN_GOING)
        tls_hold_drop(&s->hold, t->pool->held);
}

/* The side whose oldest item may go on, or -1. Without secrets for one side the other waits too: an answer must not be
 * told before its question. */
static int next_held(const struct tls_conn *t)
{
    int role = -1;
    if (waits_for_keys(t))
        return -1;
    for (int i = 0; i < 2; i++) {
        const struct tls_hold_item *item = t->side[i].hold.first;
        if (item && !t->side[i].block && (role < 0 || item->order < t->side[role].hold.first->order))
            role = i;
    }
    return role;
}

/* Tries again what was blocked, and goes on with what was held. */
static void go_on(struct tls_conn *t)
{
    for (;;) {
        for (int role = 0; role < 2; role++) {
            struct tls_side *s = &t->side[role];
            if (s->block && t->state == TLS_CONN_GOING) {
                struct tls_record_head head = s->head;
                struct tls_record_input none = {.now_ns = head.begin_ns};
                on_head(t, role, &head, head.begin_ns);
                take(t, tls_direction(t, role), &none); /* the reader may hold all of the record */
            }
        }
        int role = t->state == TLS_CONN_GOING ? next_held(t) : -1;
        if (role < 0)
            break;
        take_held(t, role);
    }
    if (!waits_for_keys(t))
        wait_end(t);
    settle(t);
}

static bool must_wait(const struct tls_conn *t, int role)
{
    return t->side[role].block || t->side[role].hold.first || waits_for_keys(t);
}


/* After a direct step: the other side may have waited for just this. */
static void after(struct tls_conn *t)
{
    if (t->state == TLS_CONN_GOING && (t->side[0].block == TLS_BLOCKED_BY_HELLO || t->side[1].block == TLS_BLOCKED_BY_HELLO))
        go_on(t);
    settle(t);
}

static bool may_hold(const struct tls_conn *t, const struct tls_hold *h)
{
    const struct pool *held = t->pool->held;
    if (!waits_for_keys(t) && h->bytes >= MAX_HELD_EARLY)
        return false;
    return h->items < MAX_HELD || pool_used(held) < pool_max(held) / 2;
}

static void hold_rest(struct tls_conn *t, int role, const struct tls_record_input *in)
{
    struct tls_hold *h = &t->side[role].hold;
    bool is_kept = may_hold(t, h) && tls_hold_bytes(h, t->pool->held, in->bytes, t->order++, in->now_ns);
    if (is_kept && in->gap)
        is_kept = tls_hold_gap(h, t->pool->held, in->gap, t->order++, in->now_ns);
    if (!is_kept) {
        t->side[role].lost += in->bytes.size + in->gap;
        t->pool->counts.hold_full++;
        give_up_waiting(t);
    }
}

static void feed(struct tls_conn *t, int direction, struct tls_record_input in)
{
    int role = direction ^ (int)t->is_swapped;
    if (t->state != TLS_CONN_GOING || t->side[role].is_finished)
        return;
    t->now_ns = in.now_ns;
    if (!must_wait(t, role))
        take(t, direction, &in);
    role = direction ^ (int)t->is_swapped;
    if (t->state == TLS_CONN_GOING && (in.bytes.size || in.gap))
        hold_rest(t, role, &in);
    else
        t->side[role].lost += in.bytes.size + in.gap;
    after(t);
}

/* ---- from the stream ---- */

bool tls_conn_may_begin(struct span bytes)
{
    return tls_record_probe(bytes) != TLS_PROBE_NO;
}

struct tls_conn *tls_conn_new(struct tls_conn_pool *p, void *ctx)
{
    struct tls_conn *t = pool_take(p->conns);
    if (!t) {
        p->counts.refused++;
        return NULL;
    }
    *t = (struct tls_conn){.pool = p, .ctx = ctx};
    for (int role = 0; role < 2; role++) {
        tls_record_init(&t->side[role].reader);
        tls_handshake_init(&t->side[role].handshake);
    }
    p->counts.connections++;
    return t;
}

void tls_conn_data(struct tls_conn *t, int direction, struct span bytes, uint64_t ns)
{
    struct tls_side *s = &t->side[direction ^ (int)t->is_swapped];
    bool is_start = s->reader.state == TLS_RECORD_AT_START && s->n_first + bytes.size <= sizeof s->first;
    if (t->state != TLS_CONN_GOING)
        return;
    feed(t, direction, (struct tls_record_input){.bytes = bytes, .now_ns = ns});
    if (is_start && t->state == TLS_CONN_GOING && s->reader.state == TLS_RECORD_AT_START) {
        memcpy(s->first + s->n_first, bytes.at, bytes.size);
        s->n_first = (uint8_t)(s->n_first + bytes.size);
    }
}

void tls_conn_gap(struct tls_conn *t, int direction, uint64_t bytes, uint64_t ns)
{
    t->side[direction ^ (int)t->is_swapped].has_gap = true;
    feed(t, direction, (struct tls_record_input){.gap = bytes, .now_ns = ns});
}

void tls_conn_fin(struct tls_conn *t, int direction, uint64_t ns)
{
    int role = direction ^ (int)t->is_swapped;
    if (t->state != TLS_CONN_GOING || t->side[role].is_finished)
        return;
    t->now_ns = ns;
    if (!must_wait(t, role))
        finish(t, direction, ns);
    else if (!tls_hold_fin(&t->side[role].hold, t->pool->held, t->order++, ns))
        give_up_waiting(t);
    after(t);
}

void tls_conn_finish(struct tls_conn *t, uint64_t now_ns)
{
    if (waits_for_keys(t))
        tls_conn_pool_poll(t->pool, now_ns);
    if (t->state != TLS_CONN_GOING)
        return;
    bool has_failed = t->side[0].failures || t->side[1].failures;
    t->now_ns = now_ns;
    if (t->facts.sight == TLS_WAITING)
        tls_conn_close(t, waits_for_keys(t) ? TLS_NO_KEYS : has_failed ? TLS_BAD_KEYS : TLS_MISSED);
    tell_rest(t);
    give_back(t);
}

void tls_conn_free(struct tls_conn *t)
{
    give_back(t);
    pool_give(t->pool->conns, t);
}

void tls_conn_pool_poll(struct tls_conn_pool *p, uint64_t now_ns)
{
    uint64_t generation = p->keys ? tls_keys_generation(p->keys) : 0;
    if (generation != p->generation) {
        p->generation = generation;
        for (struct tls_conn *t = p->wait_first, *next; t; t = next) {
            next = t->wait_next;
            t->now_ns = now_ns;
            go_on(t);
        }
    }
    while (p->wait_first && p->wait_first->wait_ns + p->limits.wait_ns <= now_ns) {
        p->wait_first->now_ns = now_ns;
        give_up_waiting(p->wait_first);
    }
}

enum tls_conn_state tls_conn_state(const struct tls_conn *t)
{
    return (enum tls_conn_state)t->state;
}

struct span tls_conn_first(const struct tls_conn *t, int direction)
{
    const struct tls_side *s = &t->side[direction ^ (int)t->is_swapped];
    return span_of(s->first, s->n_first);
}

const struct tls_facts *tls_conn_facts(const struct tls_conn *t)
{
    return &t->facts;
}

bool tls_conn_is_waiting(const struct tls_conn *t)
{
    return t->state == TLS_CONN_GOING && t->wait_ns > 0;
}

bool tls_conn_is_open(const struct tls_conn *t)
{
    return t->facts.sight == TLS_OPEN;
}

bool tls_conn_may_idle(const struct tls_conn *t)
{
    const struct tls_conn_pool *p = t->pool;
    return t->state == TLS_CONN_GOING && tls_conn_is_open(t) && pool_used(p->conns) <= pool_max(p->conns) / 2 &&
           tls_open_has_room(p->openers);
}
