/* SPDX-License-Identifier: Apache-2.0
 * Checks a Redis each time a connection to it comes up: INFO, then the schema key. */
#include "store/redis_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "store/redis_facts.h"
#include "store/store_keys.h"

#define CONNECT_MS 2000
#define GRACE_MS 1000
#define HOLD_MIN_MS 200
#define HOLD_MAX_MS 5000
#define REASON_MAX 200

struct redis_server {
    struct loop *loop;
    struct redis_link *link;
    struct redis_server_options options;
    struct text key, reason;
    char told[REASON_MAX + 1]; /* the reason that was logged last; "" while all is well */
    char run_id[41];
    bool is_checked; /* the server behind the present connection may be used */
    bool is_open;    /* from now on failures are logged, not returned */
    int judgement;   /* of the last check: E_OK, E_IO, E_BAD */
    uint32_t hold_ms;
    uint64_t hold_until_ms;
    uint64_t losses;
};

static void set_reason(struct redis_server *s, struct span reason)
{
    text_clear(&s->reason);
    for (size_t i = 0; i < reason.size && i < REASON_MAX; i++)
        text_add_char(&s->reason, reason.at[i] < 0x20 || reason.at[i] > 0x7e ? ' ' : (char)reason.at[i]);
}

/* Logs why Redis is not used, unless that was the last thing said about it. */
static void tell(struct redis_server *s, const char *reason)
{
    if (!s->is_open || strcmp(s->told, reason) == 0)
        return;
    snprintf(s->told, sizeof s->told, "%s", reason);
    log_warn("Redis cannot be used, going on from memory server=%s reason=\"%s\"", redis_link_where(s->link), reason);
}

static void tell_well(struct redis_server *s)
{
    if (s->told[0])
        log_warn("Redis can be used again server=%s", redis_link_where(s->link));
    s->told[0] = 0;
}

/* The check has failed: another connection may find another server. */
static void refuse(struct redis_server *s)
{
    redis_link_drop(s->link, text_str(&s->reason));
}

/* E_OK when the answer to GET of the schema key allows us to go on; else the reason is set. */
static int judge_schema(struct redis_server *s, const struct redis_reply *reply)
{
    uint64_t version = 0;
    if (reply_kind(reply) == REPLY_NIL)
        return E_OK;
    if (reply_kind(reply) != REPLY_TEXT) {
        set_reason(s, reply_text(reply));
        return span_starts(reply_text(reply), SPAN("WRONGTYPE")) ? E_BAD : E_IO;
    }
    bool is_number = span_u64(reply_text(reply), &version);
    if (is_number && version <= STORE_SCHEMA)
        return E_OK;
    text_clear(&s->reason);
    if (!is_number)
        text_addf(&s->reason, "key %s:schema is not ours: choose another prefix", s->options.prefix);
    else
        text_addf(&s->reason, "schema version %" PRIu64 " was written by a newer casetap (this one knows %d)", version,
                  STORE_SCHEMA);
    return E_BAD;
}

static void on_schema(void *ctx, const struct redis_reply *reply)
{
    struct redis_server *s = ctx;
    if (!reply)
        return;
    s->judgement = judge_schema(s, reply);
    if (s->judgement != E_OK) {
        refuse(s);
        return;
    }
    if (reply_kind(reply) == REPLY_NIL) { /* empty: at first, or emptied since */
        char version[16];
        snprintf(version, sizeof version, "%d", STORE_SCHEMA);
        store_key_schema(&s->key, s->options.prefix);
        redis_link_send(s->link, (struct span[]){SPAN("SET"), text_span(&s->key), span_text(version)}, 3, NULL, NULL);
        s->options.on_forgotten(s->options.ctx);
    }
    s->is_checked = true;
    if (s->hold_ms == HOLD_MIN_MS)
        tell_well(s);
}

void redis_server_probe(struct redis_server *s)
{
    store_key_schema(&s->key, s->options.prefix);
    redis_link_send(s->link, (struct span[]){SPAN("GET"), text_span(&s->key)}, 2, on_schema, s);
}

static void note_server(struct redis_server *s, const struct redis_facts *facts)
{
    if (strcmp(s->run_id, facts->run_id) == 0)
        return;
    if (redis_facts_may_evict(facts))
        log_warn("Redis may throw baselines away when its memory runs short: set maxmemory-policy to noeviction "
                 "server=%s policy=%s", redis_link_where(s->link), facts->policy);
    if (s->run_id[0]) /* another server, or started again: perhaps from an older state */
        s->options.on_forgotten(s->options.ctx);
    memcpy(s->run_id, facts->run_id, sizeof s->run_id);
}

static void on_info(void *ctx, const struct redis_reply *reply)
{
    struct redis_server *s = ctx;
    struct redis_facts facts;
    if (!reply)
        return;
    text_clear(&s->reason);
    s->judgement = E_IO;
    if (reply_kind(reply) == REPLY_ERROR)
        set_reason(s, reply_text(reply));
    else if (redis_facts_parse(reply_text(reply), &facts) != E_OK)
        text_add_str(&s->reason, "it does not say its version: is it a Redis?");
    else
        s->judgement = redis_facts_judge(&facts, &s->reason);
    if (s->judgement != E_OK) {
        refuse(s);
        return;
    }
    note_server(s, &facts);
    redis_server_probe(s);
}

static void on_up(void *ctx)
{
    struct redis_server *s = ctx;
    s->is_checked = false;
    redis_link_send(s->link, (struct span[]){SPAN("INFO")}, 1, on_info, s);
}

static void on_down(void *ctx)
{
    struct redis_server *s = ctx;
    s->losses += s->is_open && s->is_checked;
    s->is_checked = false;
    tell(s, redis_link_reason(s->link));
}

static bool is_loading(const char *reason)
{
    return strncmp(reason, "LOADING", 7) == 0 || strstr(reason, "loading its data");
}

/* Turns the loop until the server is usable or it is certain that it is not. */
static int wait_open(struct redis_server *s, int connect_ms, struct text *why)
{
    uint64_t end = loop_now_ms(s->loop) + (uint64_t)connect_ms + GRACE_MS;
    while (!s->is_checked && loop_now_ms(s->loop) < end) {
        bool is_over = !redis_link_is_up(s->link) && !redis_link_is_connecting(s->link);
        if (is_over && !is_loading(redis_link_reason(s->link)))
            break;
        loop_run_once(s->loop, 20);
    }
    if (s->is_checked)
        return E_OK;
    const char *reason = redis_link_reason(s->link);
    text_addf(why, "cannot use Redis at %s: %s", redis_link_where(s->link), reason[0] ? reason : "no answer");
    return s->judgement == E_BAD ? E_BAD : E_IO;
}

int redis_server_open(struct loop *loop, const struct redis_server_options *options, struct redis_server **out,
                      struct text *why)
{
    *out = NULL;
    struct redis_server *s = calloc(1, sizeof *s);
    if (!s) {
        text_add_str(why, "out of memory for the Redis connection");
        return E_NOMEM;
    }
    s->loop = loop;
    s->options = *options;
    s->options.url = NULL;
    s->hold_ms = HOLD_MIN_MS;
    s->judgement = E_IO;
    int connect_ms = options->connect_ms > 0 ? options->connect_ms : CONNECT_MS;
    struct redis_link_options link = {.url = options->url, .connect_ms = connect_ms, .on_up = on_up, .on_down = on_down,
                                      .ctx = s};
    int result = redis_link_new(loop, &link, &s->link, why);
    if (result == E_OK)
        result = wait_open(s, connect_ms, why);
    if (result != E_OK) {
        redis_server_free(s);
        return result;
    }
    s->is_open = true;
    *out = s;
    return E_OK;
}

void redis_server_free(struct redis_server *s)
{
    if (!s)
        return;
    redis_link_free(s->link);
    text_fini(&s->key);
    text_fini(&s->reason);
    free(s);
}

struct redis_link *redis_server_link(struct redis_server *s)
{
    return s->link;
}

bool redis_server_is_usable(const struct redis_server *s)
{
    return s->is_checked && redis_link_is_up(s->link);
}

bool redis_server_is_writable(const struct redis_server *s)
{
    return redis_server_is_usable(s) && loop_now_ms(s->loop) >= s->hold_until_ms;
}

bool redis_server_is_settling(const struct redis_server *s)
{
    return redis_link_is_connecting(s->link) || (redis_link_is_up(s->link) && !s->is_checked);
}

const char *redis_server_reason(const struct redis_server *s)
{
    return redis_link_is_up(s->link) ? text_str(&s->reason) : redis_link_reason(s->link);
}

uint64_t redis_server_losses(const struct redis_server *s)
{
    return s->losses;
}

void redis_server_hold(struct redis_server *s, const struct redis_reply *error)
{
    bool is_held = loop_now_ms(s->loop) < s->hold_until_ms;
    if (is_held && span_starts(reply_text(error), SPAN("EXECABORT")))
        return; /* the command before it said why */
    set_reason(s, reply_text(error));
    tell(s, text_str(&s->reason));
    if (is_held)
        return; /* others of the same pipeline */
    s->hold_until_ms = loop_now_ms(s->loop) + s->hold_ms;
    s->hold_ms = s->hold_ms * 2 < HOLD_MAX_MS ? s->hold_ms * 2 : HOLD_MAX_MS;
}

void redis_server_worked(struct redis_server *s)
{
    if (s->hold_ms == HOLD_MIN_MS)
        return;
    s->hold_ms = HOLD_MIN_MS;
    text_clear(&s->reason);
    tell_well(s);
}
