/* SPDX-License-Identifier: Apache-2.0
 * A table of what waits to be written, and a connection of its own beside that of the baselines. */
#include "store/session_map.h"

#include "base/err.h"
#include "base/map.h"
#include "base/times.h"
#include "store/redis_server.h"
#include "store/store_keys.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_WAITING 16384u
#define ASKS_PER_S 1000u
#define WAIT_MS 500
#define SYNC_MS 5000
#define FLUSH_MS 1000
#define TURN_MS 20
#define ROOM_LEFT 4u /* in the pipeline, for questions */

struct waiting {
    struct session_map *owner;
    uint8_t hash[16];
    uint32_t ttl_s;
    uint16_t size;
    bool is_sent, is_changed; /* changed: since it was sent */
    char line[SESSION_MAP_LINE_MAX];
};

struct session_map {
    struct map *waiting; /* hash -> struct waiting: nothing makes room, so that answers find their entry */
    struct loop *loop;
    struct redis_server *server;
    struct redis_link *link; /* the server's */
    struct loop_event *timer;
    struct text key;
    struct text *answer; /* of the question under way */
    bool is_asking, is_flush_due, is_forgotten;
    char prefix[STORE_PREFIX_MAX];
    int wait_ms, sync_ms;
    uint64_t second;
    uint32_t asked; /* in this second of packet time */
    struct {
        uint64_t written, refused, dropped, asked, found, not_asked;
    } counts;
};

static const struct counter_def defs[] = {
    {"session_map_written", "values", "session values written to Redis with their credential"},
    {"session_map_refused", "commands", "refused by Redis; tried again"},
    {"session_map_dropped", "values", "not written: too many waited, Redis was away or too slow"},
    {"session_map_asked", "questions", "session values not known here that Redis was asked for"},
    {"session_map_found", "values", "of these known there"},
    {"session_map_not_asked", "values", "unknown values not asked for: Redis away, or too many in one second"},
};

struct counters session_map_counters(const struct session_map *m)
{
    return (struct counters){defs, (const uint64_t *)&m->counts, sizeof defs / sizeof *defs};
}

static void on_forgotten(void *ctx)
{
    struct session_map *m = ctx;
    m->is_forgotten = true;
}

static void on_timer(void *ctx)
{
    struct session_map *m = ctx;
    m->is_flush_due = true;
}

/* ---- writing ---- */

void session_map_put(struct session_map *m, const uint8_t hash[16], struct span line, uint32_t ttl_s)
{
    bool is_new;
    if (line.size > SESSION_MAP_LINE_MAX || (!map_find(m->waiting, hash) && map_size(m->waiting) == MAX_WAITING)) {
        m->counts.dropped++;
        return;
    }
    struct waiting *w = map_touch(m->waiting, hash, &is_new);
    w->owner = m;
    memcpy(w->hash, hash, sizeof w->hash);
    memcpy(w->line, line.at, line.size);
    w->size = (uint16_t)line.size;
    w->ttl_s = ttl_s ? ttl_s : 1;
    w->is_changed = true;
}

static void on_written(void *ctx, const struct redis_reply *reply)
{
    struct waiting *w = ctx;
    struct session_map *m = w->owner;
    w->is_sent = false;
    if (!reply || reply_kind(reply) == REPLY_ERROR) {
        w->is_changed = true;
        if (reply) {
            m->counts.refused++;
            redis_server_hold(m->server, reply);
        }
        return;
    }
    m->counts.written++;
    redis_server_worked(m->server);
    if (!w->is_changed) {
        uint8_t gone[sizeof w->hash];
        memcpy(gone, w->hash, sizeof gone);
        map_remove(m->waiting, gone);
    }
}

static bool send(struct session_map *m, struct waiting *w)
{
    char ttl[16];
    snprintf(ttl, sizeof ttl, "%u", w->ttl_s);
    store_key_session(&m->key, m->prefix, w->hash);
    struct span words[] = {SPAN("SET"), text_span(&m->key), span_of(w->line, w->size), SPAN("EX"), span_text(ttl)};
    if (redis_link_send(m->link, words, 5, on_written, w) != E_OK)
        return false;
    w->is_sent = true;
    w->is_changed = false;
    return true;
}

static void flush(struct session_map *m)
{
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(m->waiting, &at, &key, &value);) {
        struct waiting *w = value;
        if (!redis_server_is_writable(m->server) || redis_link_room(m->link) <= ROOM_LEFT)
            return;
        if (w->is_changed && !w->is_sent && !send(m, w))
            return;
    }
}

bool session_map_tick(struct session_map *m)
{
    bool is_forgotten = m->is_forgotten;
    loop_run_once(m->loop, 0);
    if (m->is_flush_due && map_size(m->waiting) && redis_server_is_writable(m->server))
        redis_server_probe(m->server);
    if (m->is_flush_due || map_size(m->waiting) > MAX_WAITING / 2)
        flush(m);
    m->is_flush_due = false;
    m->is_forgotten = false;
    return is_forgotten;
}

int session_map_sync(struct session_map *m, struct text *why)
{
    uint64_t end = loop_now_ms(m->loop) + (uint64_t)m->sync_ms, written = m->counts.written;
    while (map_size(m->waiting) && loop_now_ms(m->loop) < end) {
        redis_link_retry(m->link);
        flush(m);
        loop_run_once(m->loop, TURN_MS);
        if (m->counts.written != written)
            end = loop_now_ms(m->loop) + (uint64_t)m->sync_ms;
        written = m->counts.written;
    }
    if (!map_size(m->waiting))
        return E_OK;
    text_addf(why, "Redis at %s: %u session values are not written: %s", redis_link_where(m->link), map_size(m->waiting),
              redis_server_reason(m->server));
    return E_IO;
}

/* ---- reading ---- */

static void on_answer(void *ctx, const struct redis_reply *reply)
{
    struct session_map *m = ctx;
    m->is_asking = false;
    if (reply && reply_kind(reply) == REPLY_TEXT && reply_text(reply).size <= SESSION_MAP_LINE_MAX)
        text_add(m->answer, reply_text(reply));
}

static bool may_ask(struct session_map *m, uint64_t now_ns)
{
    if (now_ns / NS_PER_S != m->second) {
        m->second = now_ns / NS_PER_S;
        m->asked = 0;
    }
    loop_run_once(m->loop, 0);
    return m->asked < ASKS_PER_S && redis_server_is_usable(m->server) && redis_link_room(m->link);
}

bool session_map_get(struct session_map *m, const uint8_t hash[16], uint64_t now_ns, struct text *line)
{
    size_t before = line->size;
    store_key_session(&m->key, m->prefix, hash);
    struct span words[] = {SPAN("GET"), text_span(&m->key)};
    if (!may_ask(m, now_ns) || redis_link_send(m->link, words, 2, on_answer, m) != E_OK) {
        m->counts.not_asked++;
        return false;
    }
    m->asked++;
    m->counts.asked++;
    m->is_asking = true;
    m->answer = line;
    uint64_t end = loop_now_ms(m->loop) + (uint64_t)m->wait_ms;
    while (m->is_asking) {
        uint64_t now = loop_now_ms(m->loop);
        if (now >= end) /* the answer callback comes at once, with nothing */
            redis_link_drop(m->link, "no answer to a question for a session value");
        else
            loop_run_once(m->loop, (int)(end - now));
    }
    m->counts.found += line->size > before;
    return line->size > before;
}

/* ---- opening ---- */

static int start(struct session_map *m, const struct store_redis_options *options, struct text *why)
{
    m->waiting = map_new(16, sizeof(struct waiting), MAX_WAITING, 0);
    m->loop = loop_new();
    if (m->loop)
        m->timer = loop_timer(m->loop, on_timer, m);
    if (!m->waiting || !m->loop || !m->timer) {
        text_add_str(why, "out of memory for session values");
        return E_NOMEM;
    }
    struct redis_server_options server = {.url = options->url, .prefix = m->prefix, .connect_ms = options->connect_ms,
                                          .on_forgotten = on_forgotten, .ctx = m};
    int rc = redis_server_open(m->loop, &server, &m->server, why);
    if (rc == E_OK) {
        m->link = redis_server_link(m->server);
        m->is_forgotten = false; /* at the start there is nothing to put again */
        loop_timer_every(m->timer, FLUSH_MS);
    }
    return rc;
}

int session_map_open(struct session_map **out, const struct store_redis_options *options, struct text *why)
{
    const char *prefix = options->prefix ? options->prefix : STORE_PREFIX;
    *out = NULL;
    if (!store_prefix_is_good(prefix)) {
        text_addf(why, "Redis key prefix \"%s\" cannot be used", prefix);
        return E_CONF;
    }
    struct session_map *m = calloc(1, sizeof *m);
    if (!m)
        return E_NOMEM;
    m->wait_ms = options->wait_ms > 0 ? options->wait_ms : WAIT_MS;
    m->sync_ms = options->sync_ms > 0 ? options->sync_ms : SYNC_MS;
    snprintf(m->prefix, sizeof m->prefix, "%s", prefix);
    int rc = start(m, options, why);
    if (rc != E_OK) {
        session_map_free(m);
        return rc;
    }
    *out = m;
    return E_OK;
}

void session_map_free(struct session_map *m)
{
    if (!m)
        return;
    redis_server_free(m->server); /* tells what is under way, so before the table */
    loop_remove(m->timer);
    loop_free(m->loop);
    map_free(m->waiting);
    text_fini(&m->key);
    free(m);
}
