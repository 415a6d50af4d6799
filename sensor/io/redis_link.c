/* SPDX-License-Identifier: Apache-2.0
 * The Redis connection on hiredis' asynchronous half, driven by io/loop. Keeps to the calls that hiredis 0.14 and 1.x
 * both have: deadlines and reconnecting are done here. */
#include "io/redis_link.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "base/assert.h"
#include "base/err.h"
#include "io/redis_url.h"

#define CONNECT_MS 2000
#define ANSWER_MS 5000
#define MAX_WAITING 512
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000
#define MAX_WORDS 1023
#define WATCH_MS 50

enum link_state { LINK_PAUSE, LINK_CONNECTING, LINK_UP };

struct link_counts {
    uint64_t connects, failures, losses, timeouts, sent, answered, unanswered, full;
};

static const struct counter_def link_defs[] = {
    {"redis_link_connects", "connections", "Connected and signed in; more than one means that Redis went away."},
    {"redis_link_failures", "attempts", "Could not connect or sign in; see the log for the reason."},
    {"redis_link_losses", "connections", "Went while up: restarted, killed, or given up because it did not answer."},
    {"redis_link_timeouts", "connections", "Given up because an answer was overdue: Redis is overloaded or stopped."},
    {"redis_link_sent", "commands", "Sent."},
    {"redis_link_answered", "commands", "Answered, errors included."},
    {"redis_link_unanswered", "commands", "The connection went before the answer; senders repeat them."},
    {"redis_link_full", "commands", "Refused because too many were waiting; senders try again later."},
};
_Static_assert(sizeof(struct link_counts) / sizeof(uint64_t) == sizeof link_defs / sizeof link_defs[0], "one each");

/* A command on its way. Answers come in order, so these form a queue in a ring of max_waiting. */
struct sent {
    redis_link_done_fn *done;
    void *ctx;
};

struct redis_link {
    struct loop *loop;
    struct redis_link_options options; /* url is not kept */
    struct redis_url url;
    redisAsyncContext *redis; /* NULL in a pause */
    struct loop_event *pause, *watch;
    enum link_state state;
    uint32_t pause_ms;
    uint64_t up_since_ms;
    int quiet_ms; /* how long nothing was heard although something is owed, as far as the loop had turns to listen */
    struct sent *sent;
    uint32_t first, waiting;
    unsigned to_sign_in; /* answers that are still owed before the link is up */
    char reason[256];
    struct link_counts counts;
};

/* One connection's place in the loop; hiredis frees it through its cleanup hook. */
struct link_socket {
    redisAsyncContext *redis;
    struct loop_event *event;
};

/* Some versions of hiredis write with write(2): a peer that went must be an error code, not the end of the process, and
 * the process-wide handling of SIGPIPE is not ours to change. */
static void socket_write(redisAsyncContext *redis)
{
    sigset_t pipe_set, old_set, pending;
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_set, &old_set);
    redisAsyncHandleWrite(redis);
    if (!was_pending) {
        struct timespec none = {0};
        while (sigtimedwait(&pipe_set, NULL, &none) < 0 && errno == EINTR)
            continue;
    }
    pthread_sigmask(SIG_SETMASK, &old_set, NULL);
}

static void on_socket(void *ctx, bool is_read, bool is_write)
{
    struct link_socket *socket = ctx;
    if (is_read)
        redisAsyncHandleRead(socket->redis); /* may free socket */
    else if (is_write)
        socket_write(socket->redis); /* may free socket */
}

static void socket_add_read(void *ctx)
{
    loop_fd_read(((struct link_socket *)ctx)->event, true);
}

static void socket_del_read(void *ctx)
{
    loop_fd_read(((struct link_socket *)ctx)->event, false);
}

static void socket_add_write(void *ctx)
{
    loop_fd_write(((struct link_socket *)ctx)->event, true);
}

static void socket_del_write(void *ctx)
{
    loop_fd_write(((struct link_socket *)ctx)->event, false);
}

static void socket_cleanup(void *ctx)
{
    struct link_socket *socket = ctx;
    loop_remove(socket->event);
    free(socket);
}

static bool socket_attach(struct loop *loop, redisAsyncContext *redis)
{
    struct link_socket *socket = calloc(1, sizeof *socket);
    if (!socket)
        return false;
    socket->redis = redis;
    socket->event = loop_fd(loop, redis->c.fd, on_socket, socket);
    if (!socket->event) {
        free(socket);
        return false;
    }
    redis->ev.data = socket;
    redis->ev.addRead = socket_add_read;
    redis->ev.delRead = socket_del_read;
    redis->ev.addWrite = socket_add_write;
    redis->ev.delWrite = socket_del_write;
    redis->ev.cleanup = socket_cleanup;
    loop_fd_read(socket->event, true);
    loop_fd_write(socket->event, true);
    return true;
}

static void link_set_reason(struct redis_link *link, const char *reason)
{
    snprintf(link->reason, sizeof link->reason, "%s", reason);
    for (char *c = link->reason; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

/* Every command on its way is told that no answer will come. */
static void link_forget_sent(struct redis_link *link)
{
    while (link->waiting) {
        struct sent sent = link->sent[link->first];
        link->first = (link->first + 1) % link->options.max_waiting;
        link->waiting--;
        link->counts.unanswered++;
        if (sent.done)
            sent.done(sent.ctx, NULL);
    }
}

/* The connection is no more (hiredis frees it, or the caller does): tell everybody, and begin the pause. */
static void link_lost(struct redis_link *link, const char *reason)
{
    bool was_up = link->state == LINK_UP;
    link->redis = NULL;
    link->state = LINK_PAUSE;
    link_set_reason(link, reason);
    if (was_up)
        link->counts.losses++;
    else
        link->counts.failures++;
    /* Only a connection that lasted shows that it is worth coming back soon. */
    if (was_up && loop_now_ms(link->loop) - link->up_since_ms >= PAUSE_MAX_MS)
        link->pause_ms = PAUSE_MIN_MS;
    link_forget_sent(link);
    loop_timer_stop(link->watch);
    loop_timer_once(link->pause, link->pause_ms);
    link->pause_ms = link->pause_ms * 2 < PAUSE_MAX_MS ? link->pause_ms * 2 : PAUSE_MAX_MS;
    if (was_up && link->options.on_down)
        link->options.on_down(link->options.ctx);
}

void redis_link_drop(struct redis_link *link, const char *reason)
{
    redisAsyncContext *redis = link->redis;
    if (!redis)
        return;
    redis->data = NULL; /* what hiredis still says about it is of no interest */
    link_lost(link, reason);
    redisAsyncFree(redis);
}

static void on_redis_connect(const redisAsyncContext *redis, int status)
{
    struct redis_link *link = redis->data;
    if (link && link->redis == redis && status != REDIS_OK)
        link_lost(link, redis->c.errstr[0] ? redis->c.errstr : "cannot connect");
}

static void on_redis_disconnect(const redisAsyncContext *redis, int status)
{
    struct redis_link *link = redis->data;
    (void)status;
    if (link && link->redis == redis)
        link_lost(link, redis->errstr && redis->errstr[0] ? redis->errstr : "connection closed");
}

/* Every answer of a connection comes here. */
static void on_redis_reply(redisAsyncContext *redis, void *answer, void *privdata)
{
    struct redis_link *link = redis->data;
    (void)privdata;
    if (!link || link->redis != redis)
        return; /* a connection that was given up */
    if (!answer) {
        /* The connection broke. Its reason is known already; on_redis_disconnect may come or not. */
        link_lost(link, redis->errstr && redis->errstr[0] ? redis->errstr : "connection closed");
        return;
    }
    ASSERT(link->waiting > 0);
    struct sent sent = link->sent[link->first];
    link->first = (link->first + 1) % link->options.max_waiting;
    link->waiting--;
    link->counts.answered++;
    link->quiet_ms = 0;
    if (sent.done)
        sent.done(sent.ctx, answer);
}

static int link_send(struct redis_link *link, const struct span *words, unsigned n, redis_link_done_fn *done, void *ctx)
{
    ASSERT(n >= 1 && n <= MAX_WORDS);
    if (link->waiting == link->options.max_waiting) {
        link->counts.full++;
        return E_LIMIT;
    }
    const char *at[MAX_WORDS];
    size_t size[MAX_WORDS];
    for (unsigned i = 0; i < n; i++) {
        at[i] = words[i].size ? (const char *)words[i].at : "";
        size[i] = words[i].size;
    }
    if (redisAsyncCommandArgv(link->redis, on_redis_reply, NULL, (int)n, at, size) != REDIS_OK)
        return E_STATE; /* it is about to be closed */
    uint32_t place = (link->first + link->waiting) % link->options.max_waiting;
    link->sent[place] = (struct sent){done, ctx};
    if (link->waiting++ == 0)
        link->quiet_ms = 0;
    link->counts.sent++;
    return E_OK;
}

static void on_signed_in(void *ctx, const struct redis_reply *reply)
{
    struct redis_link *link = ctx;
    if (!reply)
        return;
    if (reply_kind(reply) == REPLY_ERROR) {
        struct span text = span_sub(reply_text(reply), 0, sizeof link->reason - 1);
        char reason[sizeof link->reason];
        snprintf(reason, sizeof reason, "%.*s", (int)text.size, (const char *)text.at);
        redis_link_drop(link, reason);
        return;
    }
    if (--link->to_sign_in)
        return;
    link->state = LINK_UP;
    link->up_since_ms = loop_now_ms(link->loop);
    link->reason[0] = 0;
    link->counts.connects++;
    if (link->options.on_up)
        link->options.on_up(link->options.ctx);
}

/* Queues what has to come before anything else. PING last: it is what an old or foreign server may refuse. */
static void link_sign_in(struct redis_link *link)
{
    const struct redis_url *url = &link->url;
    link->to_sign_in = 1u + (url->password[0] != 0) + (url->db != 0);
    if (url->password[0]) {
        struct span words[3] = {SPAN("AUTH"), span_text(url->user), span_text(url->password)};
        if (!url->user[0])
            words[1] = words[2];
        link_send(link, words, url->user[0] ? 3 : 2, on_signed_in, link);
    }
    if (url->db) {
        char db[16];
        snprintf(db, sizeof db, "%u", url->db);
        link_send(link, (struct span[]){SPAN("SELECT"), span_text(db)}, 2, on_signed_in, link);
    }
    link_send(link, (struct span[]){SPAN("PING")}, 1, on_signed_in, link);
}

static void link_connect(struct redis_link *link)
{
    const struct redis_url *url = &link->url;
    loop_timer_stop(link->pause);
    redisAsyncContext *redis =
        url->path[0] ? redisAsyncConnectUnix(url->path) : redisAsyncConnect(url->host, url->port);
    if (!redis || redis->err || !socket_attach(link->loop, redis)) {
        char reason[sizeof link->reason];
        snprintf(reason, sizeof reason, "%s", redis && redis->err ? redis->c.errstr : "out of memory");
        if (redis)
            redisAsyncFree(redis);
        link_lost(link, reason);
        return;
    }
    link->redis = redis;
    link->state = LINK_CONNECTING;
    link->quiet_ms = 0;
    redis->data = link;
    redisAsyncSetConnectCallback(redis, on_redis_connect);
    redisAsyncSetDisconnectCallback(redis, on_redis_disconnect);
    loop_timer_every(link->watch, WATCH_MS);
    link_sign_in(link);
}

static void on_pause_over(void *ctx)
{
    struct redis_link *link = ctx;
    if (link->state == LINK_PAUSE)
        link_connect(link);
}

/* A deadline counts the watch's calls, not the clock: a loop that had no turn for a while has not listened either, and
 * finds the answer waiting. */
static void on_watch(void *ctx)
{
    struct redis_link *link = ctx;
    bool is_connecting = link->state == LINK_CONNECTING;
    int limit = is_connecting ? link->options.connect_ms : link->options.answer_ms;
    char reason[64];
    if (link->waiting == 0)
        return;
    link->quiet_ms += WATCH_MS;
    if (link->quiet_ms < limit)
        return;
    snprintf(reason, sizeof reason, "no answer within %d ms%s", limit, is_connecting ? " of connecting" : "");
    link->counts.timeouts++;
    redis_link_drop(link, reason);
}

int redis_link_new(struct loop *loop, const struct redis_link_options *options, struct redis_link **out,
                   struct text *why)
{
    *out = NULL;
    struct redis_link *link = calloc(1, sizeof *link);
    if (!link)
        return E_NOMEM;
    link->loop = loop;
    link->options = *options;
    link->options.url = NULL;
    link->options.connect_ms = options->connect_ms > 0 ? options->connect_ms : CONNECT_MS;
    link->options.answer_ms = options->answer_ms > 0 ? options->answer_ms : ANSWER_MS;
    link->options.max_waiting = options->max_waiting > 3 ? options->max_waiting : MAX_WAITING;
    link->pause_ms = PAUSE_MIN_MS;
    int result = redis_url_parse(options->url, &link->url, why);
    if (result == E_OK) {
        link->sent = calloc(link->options.max_waiting, sizeof *link->sent);
        link->pause = loop_timer(loop, on_pause_over, link);
        link->watch = loop_timer(loop, on_watch, link);
        if (!link->sent || !link->pause || !link->watch)
            result = E_NOMEM;
    }
    if (result != E_OK) {
        redis_link_free(link);
        return result;
    }
    link_connect(link);
    *out = link;
    return E_OK;
}

void redis_link_free(struct redis_link *link)
{
    if (!link)
        return;
    link->options.on_down = NULL;
    redis_link_drop(link, "closed");
    loop_remove(link->pause);
    loop_remove(link->watch);
    redis_url_wipe(&link->url);
    free(link->sent);
    free(link);
}

bool redis_link_is_up(const struct redis_link *link)
{
    return link->state == LINK_UP;
}

bool redis_link_is_connecting(const struct redis_link *link)
{
    return link->state == LINK_CONNECTING;
}

const char *redis_link_reason(const struct redis_link *link)
{
    return link->reason;
}

const char *redis_link_where(const struct redis_link *link)
{
    return link->url.where;
}

int redis_link_send(struct redis_link *link, const struct span *words, unsigned n, redis_link_done_fn *done, void *ctx)
{
    if (link->state != LINK_UP)
        return E_STATE;
    return link_send(link, words, n, done, ctx);
}

uint32_t redis_link_room(const struct redis_link *link)
{
    return link->state == LINK_UP ? link->options.max_waiting - link->waiting : 0;
}

uint32_t redis_link_waiting(const struct redis_link *link)
{
    return link->waiting;
}

void redis_link_retry(struct redis_link *link)
{
    if (link->state == LINK_PAUSE)
        link_connect(link);
}

struct counters redis_link_counters(const struct redis_link *link)
{
    return (struct counters){link_defs, (const uint64_t *)&link->counts, sizeof link_defs / sizeof link_defs[0]};
}

static const redisReply *reply_of(const struct redis_reply *reply)
{
    return (const redisReply *)(const void *)reply;
}

enum reply_kind reply_kind(const struct redis_reply *reply)
{
    switch (reply_of(reply)->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return REPLY_TEXT;
    case REDIS_REPLY_ERROR:
        return REPLY_ERROR;
    case REDIS_REPLY_INTEGER:
        return REPLY_NUMBER;
    case REDIS_REPLY_ARRAY:
        return REPLY_LIST;
    default:
        return REPLY_NIL;
    }
}

struct span reply_text(const struct redis_reply *reply)
{
    enum reply_kind kind = reply_kind(reply);
    if (kind != REPLY_TEXT && kind != REPLY_ERROR)
        return span_of(NULL, 0);
    return span_of(reply_of(reply)->str, reply_of(reply)->len);
}

int64_t reply_number(const struct redis_reply *reply)
{
    return reply_kind(reply) == REPLY_NUMBER ? reply_of(reply)->integer : 0;
}

size_t reply_size(const struct redis_reply *reply)
{
    return reply_kind(reply) == REPLY_LIST ? reply_of(reply)->elements : 0;
}

const struct redis_reply *reply_item(const struct redis_reply *reply, size_t index)
{
    ASSERT(index < reply_size(reply));
    return (const struct redis_reply *)(const void *)reply_of(reply)->element[index];
}
