/* SPDX-License-Identifier: Apache-2.0
 * Baselines in Redis behind a memory front. A credential that is not in the front is asked for once, with a deadline;
 * changes are written behind, about once a second, whole hashes in a pipeline. When Redis is away everything goes on
 * from the front, and what changed is written when it is back. The loop is the store's own: it turns only inside fetch,
 * tick and sync, so that these may be called from callbacks of another one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "store/merge.h"
#include "store/redis_hash.h"
#include "store/redis_server.h"
#include "store/store.h"
#include "store/store_keys.h"

#define MAP_SEED 0x63617365746170ULL
#define WAIT_MS 500
#define SYNC_MS 5000
#define FLUSH_MS 1000
#define ROOM_SEARCH 64 /* of the oldest entries, for one that may go */
#define ROOM_NEEDED 8  /* in the pipeline: one entry takes at most five commands */
#define TURN_MS 20
#define RETRY_TURNS 10
#define TICK_MS 10 /* a tick goes on writing, or connecting, at most about so long */

struct redis_counts {
    uint64_t fetches, hits, asked, news, unsure, merged;
    uint64_t written, refused, rewrites, evicted, lost, corrupt, foreign, losses, waiting;
};

static const struct counter_def redis_defs[] = {
    {"store_fetches", "fetches", "Baselines asked for."},
    {"store_hits", "fetches", "Answered from memory; when few, raise the number of credentials kept there."},
    {"store_asked", "questions", "Credentials asked of Redis."},
    {"store_new", "credentials", "Seen for the first time."},
    {"store_unsure", "credentials", "Could not be asked for because Redis was away: judged without a baseline."},
    {"store_merged", "credentials", "What was learned while Redis was away was added to the stored baseline."},
    {"store_written", "writes", "Baselines written to Redis."},
    {"store_refused", "commands", "Refused by Redis (out of memory, no permission, read-only); tried again."},
    {"store_rewrites", "credentials", "Written again because Redis was restarted or emptied."},
    {"store_evicted", "credentials", "Left memory to make room; they are in Redis."},
    {"store_lost", "credentials", "Left memory unwritten: Redis was away for long and memory was full."},
    {"store_corrupt", "credentials", "Had a field in Redis that is none of ours; kept aside under .corrupt."},
    {"store_foreign", "credentials", "Cannot be kept: something else stands under their key."},
    {"store_losses", "connections", "Redis went away while in use."},
    {"store_waiting", "credentials", "Changed and not yet written: now, not in sum."},
};
_Static_assert(sizeof(struct redis_counts) / sizeof(uint64_t) == sizeof redis_defs / sizeof redis_defs[0], "one each");

struct store_redis;

/* One credential in the front. The baseline comes first: put gets its address. */
struct entry {
    struct baseline b;
    struct store_redis *owner;
    struct entry *next;          /* in the queue of what is to be written */
    uint64_t fields, new_fields; /* that Redis has; that it will have when the write under way succeeds */
    uint32_t version, sent;      /* counts changes; the one that was sent last */
    bool is_queued;
    bool is_busy;    /* a write or a question of it is under way */
    bool is_unsure;  /* was never compared with what Redis has */
    bool is_foreign; /* cannot be written */
};

struct store_redis {
    struct store store;
    struct map *map; /* struct store_name to struct entry */
    uint32_t max;
    struct loop *loop;
    struct redis_server *server;
    struct redis_link *link; /* the server's */
    struct loop_event *flush_timer;
    struct entry *head, *tail; /* to be written, oldest change first */
    uint32_t queued, busy;     /* entries in the queue; entries with something under way */
    char prefix[STORE_PREFIX_MAX];
    int wait_ms, sync_ms;
    struct text key, other_key;
    struct redis_hash hash;
    bool is_flush_due;
    uint32_t flush_left; /* entries of the queue that the flush under way has yet to send */
    struct redis_counts counts;
};

/* The queue of what is to be written. */

static void count_waiting(struct store_redis *s)
{
    s->counts.waiting = (uint64_t)s->queued + s->busy;
}

static void queue_add(struct entry *e)
{
    struct store_redis *s = e->owner;
    if (e->is_queued || e->is_busy || e->is_foreign)
        return;
    e->is_queued = true;
    e->next = NULL;
    if (s->tail)
        s->tail->next = e;
    else
        s->head = e;
    s->tail = e;
    s->queued++;
    count_waiting(s);
}

static struct entry *queue_pop(struct store_redis *s)
{
    struct entry *e = s->head;
    s->head = e->next;
    if (!s->head)
        s->tail = NULL;
    e->is_queued = false;
    s->queued--;
    count_waiting(s);
    return e;
}

static void queue_remove(struct store_redis *s, const struct entry *gone)
{
    for (uint32_t n = s->queued; n > 0; n--) { /* once round: the others keep their order */
        struct entry *e = queue_pop(s);
        if (e != gone)
            queue_add(e);
    }
}

static void set_busy(struct entry *e, bool is_busy)
{
    ASSERT(e->is_busy != is_busy);
    e->is_busy = is_busy;
    e->owner->busy += is_busy ? 1u : UINT32_MAX;
    count_waiting(e->owner);
}

/* The server may have forgotten what it acknowledged: everything in the front is written again. */
static void on_forgotten(void *ctx)
{
    struct store_redis *s = ctx;
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    while (map_walk(s->map, &at, &key, &value)) {
        struct entry *e = value;
        bool was_there = e->fields != HASH_FIELDS_NONE && !e->is_unsure;
        if (!was_there && !e->version)
            continue;
        s->counts.rewrites += was_there && e->sent == e->version;
        e->fields = HASH_FIELDS_UNKNOWN;
        e->version++;
        queue_add(e);
    }
    s->is_flush_due = true;
}

/* Writing. */

/* The error an answer holds, be it to EXEC; NULL when there is none. */
static const struct redis_reply *error_of(const struct redis_reply *reply)
{
    if (reply_kind(reply) == REPLY_ERROR)
        return reply;
    for (size_t i = 0; i < reply_size(reply); i++)
        if (reply_kind(reply_item(reply, i)) == REPLY_ERROR)
            return reply_item(reply, i);
    return NULL;
}

static void on_written(void *ctx, const struct redis_reply *reply)
{
    struct entry *e = ctx;
    struct store_redis *s = e->owner;
    const struct redis_reply *error = reply ? error_of(reply) : NULL;
    set_busy(e, false);
    if (error) {
        s->counts.refused++;
        redis_server_hold(s->server, error);
    }
    if (!reply || error) {
        e->fields = HASH_FIELDS_UNKNOWN;
        queue_add(e);
        return;
    }
    s->counts.written++;
    redis_server_worked(s->server);
    e->fields = e->new_fields;
    if (e->version != e->sent)
        queue_add(e);
}

/* The answer to a command inside a transaction: only a refusal says something. */
static void on_part(void *ctx, const struct redis_reply *reply)
{
    struct store_redis *s = ctx;
    if (reply && reply_kind(reply) == REPLY_ERROR)
        redis_server_hold(s->server, reply);
}

static bool send_write(struct store_redis *s, struct entry *e)
{
    struct redis_hash *h = &s->hash;
    store_key_baseline(&s->key, s->prefix, baseline_name(&e->b));
    redis_hash_build(h, text_span(&s->key), &e->b);
    e->sent = e->version;
    e->new_fields = h->fields;
    if (e->fields == h->fields || e->fields == HASH_FIELDS_NONE)
        return redis_link_send(s->link, h->words, h->n, on_written, e) == E_OK;
    /* Fields may have gone: replace the hash, at once or not at all. */
    struct span multi = SPAN("MULTI"), exec = SPAN("EXEC");
    struct span del[] = {SPAN("DEL"), text_span(&s->key)};
    return redis_link_send(s->link, &multi, 1, on_part, s) == E_OK &&
           redis_link_send(s->link, del, 2, on_part, s) == E_OK &&
           redis_link_send(s->link, h->words, h->n, on_part, s) == E_OK &&
           redis_link_send(s->link, &exec, 1, on_written, e) == E_OK;
}

/* Reading. */

static void mark_foreign(struct entry *e, struct span error)
{
    struct store_redis *s = e->owner;
    if (e->is_queued)
        queue_remove(s, e);
    e->is_foreign = true;
    if (s->counts.foreign++ > 0)
        return;
    store_key_baseline(&s->key, s->prefix, baseline_name(&e->b));
    log_error("a key in Redis is not ours; that credential's baseline stays in memory key=\"%s\" reason=\"%.*s\"",
              text_str(&s->key), (int)error.size, (const char *)error.at);
}

/* What could not be read is kept aside before the next write replaces it. */
static void set_aside(struct entry *e, const char *field)
{
    struct store_redis *s = e->owner;
    store_key_baseline(&s->key, s->prefix, baseline_name(&e->b));
    store_key_corrupt(&s->other_key, s->prefix, baseline_name(&e->b));
    struct span words[] = {SPAN("RENAME"), text_span(&s->key), text_span(&s->other_key)};
    if (redis_link_send(s->link, words, 3, NULL, NULL) != E_OK)
        return;
    e->fields = HASH_FIELDS_NONE;
    e->version++; /* what could be read is written under the key again */
    if (s->counts.corrupt++ == 0)
        log_error("a baseline in Redis has a field that cannot be read; kept aside key=\"%s\" field=\"%s\"",
                  text_str(&s->other_key), field);
}

/* The stored baseline takes in what was learned without it. */
static void take_stored(struct entry *e, const struct redis_reply *hash)
{
    struct baseline stored;
    char bad[REDIS_HASH_BAD_MAX];
    bool is_changed = e->version > 0;
    e->is_unsure = false;
    baseline_init(&stored, baseline_name(&e->b));
    redis_hash_read(hash, &stored, &e->fields, bad);
    if (reply_size(hash) == 0)
        return;
    if (is_changed) {
        baseline_merge(&stored, &e->b);
        e->owner->counts.merged++;
    }
    e->b = stored;
    if (bad[0])
        set_aside(e, bad);
}

static void on_asked(void *ctx, const struct redis_reply *reply)
{
    struct entry *e = ctx;
    struct store_redis *s = e->owner;
    set_busy(e, false);
    if (reply && reply_kind(reply) == REPLY_LIST) {
        take_stored(e, reply);
        redis_server_worked(s->server);
    } else if (reply && span_starts(reply_text(reply), SPAN("WRONGTYPE"))) {
        e->is_unsure = false;
        mark_foreign(e, reply_text(reply));
    } else if (reply && reply_kind(reply) == REPLY_ERROR) {
        s->counts.refused++;
        redis_server_hold(s->server, reply);
    }
    if (e->version != e->sent)
        queue_add(e);
}

static bool send_ask(struct store_redis *s, struct entry *e)
{
    store_key_baseline(&s->key, s->prefix, baseline_name(&e->b));
    s->counts.asked++;
    return redis_link_send(s->link, (struct span[]){SPAN("HGETALL"), text_span(&s->key)}, 2, on_asked, e) == E_OK;
}

/* Sends what is to be written, as much as the pipeline takes. */
static void flush(struct store_redis *s)
{
    while (s->head && redis_server_is_writable(s->server) && redis_link_room(s->link) >= ROOM_NEEDED) {
        struct entry *e = queue_pop(s);
        s->flush_left -= s->flush_left > 0;
        if (!(e->is_unsure ? send_ask(s, e) : send_write(s, e))) {
            queue_add(e);
            return;
        }
        set_busy(e, true);
    }
}

static void on_flush_timer(void *ctx)
{
    struct store_redis *s = ctx;
    s->is_flush_due = true;
}

/* Fetching. */

/* One turn of the loop on the way to 'end'. Past it the connection is given up, so that the next ones need not wait as
 * well: false, and nothing is under way any more. */
static bool wait_turn(struct store_redis *s, uint64_t end)
{
    uint64_t now = loop_now_ms(s->loop);
    if (now < end) {
        loop_run_once(s->loop, (int)(end - now));
        return true;
    }
    char reason[48];
    snprintf(reason, sizeof reason, "no answer within %d ms", s->wait_ms);
    redis_link_drop(s->link, reason);
    return false;
}

/* Waits until nothing of 'e' is under way. */
static void wait_for(struct store_redis *s, const struct entry *e, uint64_t end)
{
    while (e->is_busy && wait_turn(s, end))
        continue;
}

/* Asks Redis for 'e' and waits. Afterwards e->is_unsure tells whether that failed. */
static void ask(struct store_redis *s, struct entry *e)
{
    uint64_t end = loop_now_ms(s->loop) + (uint64_t)s->wait_ms;
    loop_run_once(s->loop, 0);
    wait_for(s, e, end); /* a flush may have asked already */
    while (redis_server_is_usable(s->server) && redis_link_room(s->link) < ROOM_NEEDED && wait_turn(s, end))
        continue;
    if (e->is_unsure && redis_server_is_usable(s->server) && send_ask(s, e))
        set_busy(e, true);
    wait_for(s, e, end);
}

static bool may_go(const struct entry *e)
{
    return !e->is_queued && !e->is_busy && e->version == e->sent;
}

/* Removes the least recently used entry that is written; false when there is none among the oldest. */
static bool evict_written(struct store_redis *s)
{
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    for (int i = 0; i < ROOM_SEARCH && map_walk(s->map, &at, &key, &value); i++) {
        if (!may_go(value))
            continue;
        struct store_name name = *(const struct store_name *)key;
        map_remove(s->map, &name);
        s->counts.evicted++;
        return true;
    }
    return false;
}

static void make_room(struct store_redis *s)
{
    const void *key;
    void *value;
    if (map_size(s->map) < s->max || evict_written(s))
        return;
    flush(s);
    if (!map_oldest(s->map, &key, &value))
        return;
    struct entry *e = value;
    wait_for(s, e, loop_now_ms(s->loop) + (uint64_t)s->wait_ms);
    if (evict_written(s))
        return;
    if (!e->is_foreign && s->counts.lost++ == 0)
        log_error("memory for baselines is full and Redis is away: unwritten ones are lost max=%u", s->max);
    if (e->is_queued)
        queue_remove(s, e);
    struct store_name name = *(const struct store_name *)key;
    map_remove(s->map, &name);
}

static struct baseline *redis_fetch(struct store *store, struct span credential, bool *is_new)
{
    struct store_redis *s = (struct store_redis *)store;
    struct store_name name = store_name_of(credential);
    bool is_miss = !map_find(s->map, &name);
    if (is_miss)
        make_room(s);
    bool is_made;
    struct entry *e = map_touch(s->map, &name, &is_made);
    if (is_made) {
        baseline_init(&e->b, store_name_span(&name));
        e->owner = s;
        e->is_unsure = true;
    }
    if (e->is_unsure)
        ask(s, e);
    *is_new = is_miss && !e->is_unsure && !e->is_foreign && e->fields == HASH_FIELDS_NONE && !e->version;
    store->is_unsure = e->is_unsure;
    s->counts.fetches++;
    s->counts.hits += !is_miss;
    s->counts.news += *is_new;
    s->counts.unsure += is_miss && e->is_unsure;
    return &e->b;
}

static void redis_put(struct store *store, struct baseline *b)
{
    struct entry *e = (struct entry *)b;
    (void)store;
    e->version++;
    queue_add(e);
}

/* Goes on with the flush under way as long as the answers keep pace, for a moment. */
static void flush_on(struct store_redis *s)
{
    uint64_t end = loop_now_ms(s->loop) + TICK_MS;
    while (s->flush_left && loop_now_ms(s->loop) < end) {
        uint64_t written = s->counts.written;
        flush(s);
        if (!s->head)
            s->flush_left = 0;
        if (!s->flush_left || !redis_server_is_writable(s->server))
            return;
        loop_run_once(s->loop, 1);
        if (s->counts.written == written)
            return;
    }
}

static void redis_tick(struct store *store, uint64_t now_ns)
{
    struct store_redis *s = (struct store_redis *)store;
    (void)now_ns; /* when something is written has no part in what is decided */
    loop_run_once(s->loop, 0);
    /* Connecting takes a few turns, and a live sensor comes by only now and then. */
    for (int i = 0; i < TICK_MS && redis_server_is_settling(s->server); i++)
        loop_run_once(s->loop, 1);
    if (s->is_flush_due && s->head && redis_server_is_writable(s->server))
        redis_server_probe(s->server);
    if (s->is_flush_due || s->queued > s->max / 2)
        s->flush_left = s->queued;
    s->is_flush_due = false;
    flush_on(s);
    s->counts.losses = redis_server_losses(s->server);
}

static int redis_sync(struct store *store, struct text *why)
{
    struct store_redis *s = (struct store_redis *)store;
    uint64_t end = loop_now_ms(s->loop) + (uint64_t)s->sync_ms;
    uint64_t written = s->counts.written;
    for (int turn = 0; s->queued + s->busy && loop_now_ms(s->loop) < end; turn++) {
        if (turn % RETRY_TURNS == 0)
            redis_link_retry(s->link); /* we wait anyway: no pause between attempts */
        flush(s);
        loop_run_once(s->loop, TURN_MS);
        if (s->counts.written != written)
            end = loop_now_ms(s->loop) + (uint64_t)s->sync_ms;
        written = s->counts.written;
    }
    s->counts.losses = redis_server_losses(s->server);
    if (!(s->queued + s->busy))
        return E_OK;
    const char *reason = redis_server_reason(s->server);
    text_addf(why, "Redis at %s: %u of %u baselines are not written: %s", redis_link_where(s->link),
              s->queued + s->busy, map_size(s->map), reason[0] ? reason : "it is too slow");
    return E_IO;
}

static struct counters redis_counters(const struct store *store)
{
    const struct store_redis *s = (const struct store_redis *)store;
    return (struct counters){redis_defs, (const uint64_t *)&s->counts, sizeof redis_defs / sizeof redis_defs[0]};
}

static void redis_free(struct store *store)
{
    struct store_redis *s = (struct store_redis *)store;
    redis_server_free(s->server); /* tells what is under way, so before the map */
    loop_remove(s->flush_timer);
    loop_free(s->loop);
    map_free(s->map);
    text_fini(&s->key);
    text_fini(&s->other_key);
    free(s);
}

static const struct store_ops redis_ops = {redis_fetch, redis_put, redis_tick, redis_sync, redis_counters, redis_free};

static int redis_start(struct store_redis *s, const struct store_redis_options *options, struct text *why)
{
    s->map = map_new(sizeof(struct store_name), sizeof(struct entry), s->max, MAP_SEED);
    s->loop = loop_new();
    if (s->loop)
        s->flush_timer = loop_timer(s->loop, on_flush_timer, s);
    if (!s->map || !s->loop || !s->flush_timer) {
        text_add_str(why, "out of memory for baselines");
        return E_NOMEM;
    }
    struct redis_server_options server = {.url = options->url, .prefix = s->prefix, .connect_ms = options->connect_ms,
                                          .on_forgotten = on_forgotten, .ctx = s};
    int result = redis_server_open(s->loop, &server, &s->server, why);
    if (result != E_OK)
        return result;
    s->link = redis_server_link(s->server);
    loop_timer_every(s->flush_timer, FLUSH_MS);
    return E_OK;
}

int store_redis_open(struct store **out, const struct store_redis_options *options, struct text *why)
{
    const char *prefix = options->prefix ? options->prefix : STORE_PREFIX;
    *out = NULL;
    if (!store_prefix_is_good(prefix)) {
        text_addf(why, "Redis key prefix \"%s\": expected 1 to %d of A-Z a-z 0-9 . _ - :", prefix,
                  STORE_PREFIX_MAX - 1);
        return E_CONF;
    }
    struct store_redis *s = calloc(1, sizeof *s);
    if (!s) {
        text_add_str(why, "out of memory for baselines");
        return E_NOMEM;
    }
    s->store.ops = &redis_ops;
    s->max = options->max_credentials ? options->max_credentials : 1;
    s->wait_ms = options->wait_ms > 0 ? options->wait_ms : WAIT_MS;
    s->sync_ms = options->sync_ms > 0 ? options->sync_ms : SYNC_MS;
    snprintf(s->prefix, sizeof s->prefix, "%s", prefix);
    int result = redis_start(s, options, why);
    if (result != E_OK) {
        redis_free(&s->store);
        return result;
    }
    *out = &s->store;
    return E_OK;
}
