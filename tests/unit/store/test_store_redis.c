/* SPDX-License-Identifier: Apache-2.0
 * Baselines in a real Redis: the same as in memory, nothing lost when it is killed, emptied, stopped or full, and one
 * clear line for everything that keeps it from being used. Skipped without redis-server. */
#include "store/store.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "support/redis_proc.h"

#define T0 1772400000u
#define WAIT_MS 200

static struct redis_proc redis;

static int setup(void **state)
{
    (void)state;
    return redis_proc_init(&redis) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    redis_proc_fini(&redis);
    return 0;
}

static char *cli(const char *arguments)
{
    static char out[65536];
    return redis_proc_cli(&redis, arguments, out, sizeof out);
}

static void start(const char *options)
{
    assert_true(redis_proc_start(&redis, options));
}

static struct store_redis_options options_of(const char *url)
{
    return (struct store_redis_options){.url = url, .wait_ms = WAIT_MS, .sync_ms = 1500, .max_credentials = 1000};
}

static struct store *open_with(struct store_redis_options options)
{
    struct store *s;
    struct text why = {0};
    if (store_redis_open(&s, &options, &why) != E_OK)
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return s;
}

static struct store *open_store(void)
{
    return open_with(options_of(redis.url));
}

static void refuse(const char *url, int code, const char *says)
{
    struct store *s = NULL;
    struct text why = {0};
    struct store_redis_options options = options_of(url);
    options.connect_ms = 300;
    int result = store_redis_open(&s, &options, &why);
    if (result != code || !strstr(text_str(&why), says))
        fail_msg("%s: %d \"%s\" is not %d and does not say \"%s\"", url, result, text_str(&why), code, says);
    assert_null(s);
    assert_null(strchr(text_str(&why), '\n'));
    assert_null(strstr(text_str(&why), "hunter2"));
    text_fini(&why);
}

static void sync_good(struct store *s)
{
    struct text why = {0};
    if (s->ops->sync(s, &why) != E_OK)
        fail_msg("%s", text_str(&why));
    text_fini(&why);
}

static uint64_t count_of(const struct store *s, const char *name)
{
    struct counters c = s->ops->counters(s);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void tick_for(struct store *s, uint64_t ms)
{
    for (uint64_t end = now_ms() + ms; now_ms() < end; usleep(5000))
        s->ops->tick(s, 0);
}

/* As a live sensor would, until everything is written. */
static void settle(struct store *s)
{
    for (uint64_t end = now_ms() + 8000; now_ms() < end; usleep(5000)) {
        s->ops->tick(s, 0);
        if (count_of(s, "store_waiting") == 0)
            return;
    }
    fail_msg("%u credentials are still waiting", (unsigned)count_of(s, "store_waiting"));
}

static bool act(struct store *s, const char *name, uint32_t n)
{
    bool is_new;
    struct baseline *b = s->ops->fetch(s, span_text(name), &is_new);
    uint8_t bytes[4] = {203, 0, (uint8_t)(n % 5), 1};
    struct ipaddr ip = ipaddr_from4(bytes);
    struct place place = place_of(&ip, n % 2 ? "GB" : "DE", n);
    if (!b->first_ns)
        b->first_ns = (uint64_t)(T0 + n) * 1000000000;
    b->last_ns = (uint64_t)(T0 + n) * 1000000000 + 123456789;
    b->acts++;
    b->day = T0 / 86400;
    b->today_files = n % 3;
    if (n % 4 == 0)
        memset(&b->places[2], 0, sizeof b->places[2]); /* fields may go, too */
    moments_add(&b->files_day, n / 3.0);
    baseline_learn_place(b, &place, T0 + n);
    s->ops->put(s, b);
    s->ops->tick(s, b->last_ns);
    return is_new;
}

static void assert_acts(struct store *s, const char *name, uint32_t acts)
{
    bool is_new;
    struct baseline *b = s->ops->fetch(s, span_text(name), &is_new);
    assert_false(is_new);
    assert_false(s->is_unsure);
    if (b->acts != acts)
        fail_msg("%s has %u acts, not %u", name, b->acts, acts);
}

/* What another process reads. */
static void assert_stored(const char *name, uint32_t acts)
{
    struct store *s = open_store();
    assert_acts(s, name, acts);
    s->ops->free(s);
}

static void says_why_it_cannot_be_used(void **state)
{
    (void)state;
    char url[256];
    refuse(redis.url, E_IO, "No such file or directory");
    refuse("redis://127.0.0.1:1", E_IO, "cannot use Redis at redis://127.0.0.1:1/0: Connection refused");
    refuse("redis://nowhere.invalid", E_IO, "cannot use Redis at redis://nowhere.invalid:6379/0: ");
    refuse("redis//x", E_CONF, "unknown beginning");
    snprintf(url, sizeof url, "unix://%s", redis.folder);
    refuse(url, E_IO, "Connection refused");
    start("--requirepass hunter2");
    refuse(redis.url, E_IO, "NOAUTH");
    snprintf(url, sizeof url, "unix://:xhunter2@%s", redis.socket);
    refuse(url, E_IO, "WRONGPASS");
    snprintf(url, sizeof url, "unix://nobody:hunter2@%s", redis.socket);
    refuse(url, E_IO, "WRONGPASS");
    snprintf(url, sizeof url, "unix://:hunter2@%s", redis.socket);
    struct store *s = open_with(options_of(url));
    assert_true(act(s, "ann", 1));
    sync_good(s);
    s->ops->free(s);
    assert_non_null(strstr(cli("-a hunter2 --scan"), "casetap:{ann}:baseline"));
    snprintf(url, sizeof url, "unix://:hunter2@%s?db=99", redis.socket);
    refuse(url, E_IO, "DB index is out of range");
    cli("-a hunter2 set casetap:schema 2");
    snprintf(url, sizeof url, "unix://:hunter2@%s", redis.socket);
    refuse(url, E_BAD, "schema version 2 was written by a newer casetap (this one knows 1)");
    cli("-a hunter2 set casetap:schema hello");
    refuse(url, E_BAD, "casetap:schema is not ours");
    cli("-a hunter2 del casetap:schema");
    cli("-a hunter2 lpush casetap:schema x");
    refuse(url, E_BAD, "WRONGTYPE");
    cli("-a hunter2 del casetap:schema");
    cli("-a hunter2 replicaof 127.0.0.1 1");
    refuse(url, E_IO, "read-only replica");
    struct store_redis_options options = options_of(url);
    struct text why = {0};
    options.prefix = "a{b";
    assert_int_equal(store_redis_open(&s, &options, &why), E_CONF);
    assert_non_null(strstr(text_str(&why), "a{b"));
    text_fini(&why);
}

/* Something that listens on the socket and answers 'says' (or nothing) to whatever comes. */
static pid_t listen_instead(const char *says)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", redis.socket);
    unlink(redis.socket);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            char buffer[512];
            int peer = accept(fd, NULL, NULL);
            ssize_t n = read(peer, buffer, sizeof buffer);
            n = n > 0 && says[0] ? write(peer, says, strlen(says)) : 0;
            if (says[0] || n < 0)
                close(peer);
        }
    }
    close(fd);
    return pid;
}

static void says_why_something_else_cannot_be_used(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *says;
    } rows[] = {
        {"", "no answer within 300 ms of connecting"},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "Protocol error"},
        {"-ERR unknown command 'PING'\r\n", "ERR unknown command"},
        {"+PONG\r\n", ""},
        {"+PONG\r\n$30\r\nredis_version:5.0.14\r\nloading:0\r\n", "Redis 5.0 is too old: version 6 or newer is needed"},
        {"+PONG\r\n$8\r\nhello=hi\r\n", "does not say its version"},
        {"+PONG\r\n-NOPERM this user has no permissions\r\n", "NOPERM this user has no permissions"},
        {"-MISCONF \x1b[31mred\r\n", "MISCONF  [31mred"},
        {"*100000\r\n", ""},
        {"$99999999999999999999\r\n", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pid_t pid = listen_instead(rows[i].answer);
        refuse(redis.url, E_IO, rows[i].says);
        kill(pid, SIGKILL);
        unlink(redis.socket);
    }
}

static void works_as_a_least_privileged_user(void **state)
{
    (void)state;
    char line[1024] = "", path[128], url[256], *end;
    FILE *acl = fopen("redis-schema/acl.conf", "r");
    assert_non_null(acl);
    while (fgets(line, sizeof line, acl) && strncmp(line, "user casetap ", 13) != 0)
        continue;
    fclose(acl);
    assert_non_null(end = strchr(line, '#'));
    snprintf(path, sizeof path, "%s/users.acl", redis.folder);
    acl = fopen(path, "w");
    fprintf(acl, "user default off\n%.*s>hunter2%s", (int)(end - line), line, end + 65);
    fclose(acl);
    char options[256];
    snprintf(options, sizeof options, "--aclfile %s", path);
    start(options);
    snprintf(url, sizeof url, "unix://casetap:hunter2@%s", redis.socket);
    struct store *s = open_with(options_of(url));
    for (uint32_t i = 0; i < 9; i++)
        act(s, "ann", i);
    tick_for(s, 1200);
    act(s, "ann", 12);
    act(s, "ann", 13);
    sync_good(s);
    assert_int_equal(count_of(s, "store_refused"), 0);
    s->ops->free(s);
    s = open_with(options_of(url));
    assert_acts(s, "ann", 11);
    struct store_redis_options other = options_of(url);
    struct store *none = NULL;
    struct text why = {0};
    other.prefix = "elsewhere";
    assert_int_equal(store_redis_open(&none, &other, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "NOPERM"));
    text_fini(&why);
    s->ops->free(s);
}

static void works_over_tcp(void **state)
{
    (void)state;
    char options[128], url[128];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    snprintf(options, sizeof options, "--bind 127.0.0.1 --port %d --requirepass hunter2", ntohs(address.sin_port));
    start(options);
    snprintf(url, sizeof url, "redis://default:hunter2@localhost:%d/2", ntohs(address.sin_port));
    struct store *s = open_with(options_of(url));
    act(s, "ann", 1);
    sync_good(s);
    s->ops->free(s);
    assert_non_null(strstr(cli("-a hunter2 -n 2 hget casetap:{ann}:baseline seen"), "acts=1"));
}

/* One that reads its data from disk is waited for as long as it takes to connect, no longer. */
static void waits_for_one_that_is_loading(void **state)
{
    (void)state;
    struct store_redis_options options = options_of(redis.url);
    start("--enable-debug-command yes");
    cli("debug populate 3000 x 200");
    cli("save");
    redis_proc_kill(&redis);
    start("--key-load-delay 300 --loading-process-events-interval-bytes 1024"); /* about a second */
    refuse(redis.url, E_IO, "LOADING");
    options.connect_ms = 8000;
    struct store *s = open_with(options);
    assert_true(act(s, "ann", 1));
    sync_good(s);
    s->ops->free(s);
}

/* A run with a front of 4 is bit for bit what a run in memory is, also when it is continued by another process. */
static void equals_memory(void **state)
{
    (void)state;
    struct store *memory, *s = NULL;
    struct text why = {0};
    struct store_redis_options options = options_of(redis.url);
    options.max_credentials = 4;
    start("");
    assert_int_equal(store_mem_open(&memory, NULL, 100, &why), E_OK);
    for (uint32_t i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, i % 3 ? "user %u" : "s\xc3\xb8n{%u}", i * 7 % 11);
        if (i % 100 == 0) {
            if (s) {
                sync_good(s);
                s->ops->free(s);
            }
            s = open_with(options);
        }
        assert_int_equal(act(memory, name, i), act(s, name, i));
        assert_false(s->is_unsure);
        bool is_new;
        struct baseline *left = memory->ops->fetch(memory, span_text(name), &is_new);
        assert_memory_equal(left, s->ops->fetch(s, span_text(name), &is_new), sizeof *left);
    }
    sync_good(s);
    assert_int_equal(count_of(s, "store_lost"), 0);
    assert_true(count_of(s, "store_evicted") > 50);
    assert_int_equal(count_of(s, "store_waiting"), 0);
    s->ops->free(s);
    memory->ops->free(memory);
    char *hash = cli("hgetall 'casetap:{user%201}:baseline'");
    assert_non_null(strstr(hash, "place:0\nGB AS"));
    assert_null(strstr(hash, "place:2\n")); /* the field went */
    assert_non_null(strstr(cli("--scan"), "casetap:{s%C3%B8n%7B0%7D}:baseline"));
    assert_string_equal(cli("get casetap:schema"), "1\n");
    text_fini(&why);
}

static void loses_nothing_when_killed(void **state)
{
    (void)state;
    start("");
    struct store *s = open_store();
    act(s, "before", 1);
    act(s, "both", 1);
    sync_good(s);
    act(s, "waiting", 1);
    redis_proc_kill(&redis); /* nothing was saved: all it had is gone */
    tick_for(s, 50);
    act(s, "both", 2);
    assert_false(act(s, "during", 1)); /* nobody knows whether it is new */
    assert_true(s->is_unsure);
    struct text why = {0};
    uint64_t begin = now_ms();
    assert_int_equal(s->ops->sync(s, &why), E_IO);
    assert_in_range(now_ms() - begin, 1000, 4000);
    assert_non_null(strstr(text_str(&why), "3 of 4 baselines are not written: "));
    text_fini(&why);
    start("");
    settle(s);
    act(s, "after", 1);
    sync_good(s);
    assert_int_equal(count_of(s, "store_lost"), 0);
    assert_int_equal(count_of(s, "store_losses"), 1);
    assert_int_equal(count_of(s, "store_waiting"), 0);
    assert_stored("before", 1);
    assert_stored("both", 2);
    assert_stored("waiting", 1);
    assert_stored("during", 1);
    assert_stored("after", 1);
    s->ops->free(s);
}

static void restores_what_came_back_older(void **state)
{
    (void)state;
    start("");
    struct store *s = open_store();
    act(s, "ann", 1);
    sync_good(s);
    cli("save");
    act(s, "ann", 2);
    act(s, "bob", 1);
    sync_good(s);
    redis_proc_kill(&redis);
    start("");
    assert_non_null(strstr(cli("hget 'casetap:{ann}:baseline' seen"), "acts=1"));
    tick_for(s, 1500);
    settle(s);
    assert_int_equal(count_of(s, "store_rewrites"), 2);
    assert_stored("ann", 2);
    assert_stored("bob", 1);
    s->ops->free(s);
}

static void writes_again_what_changed_while_it_was_written(void **state)
{
    (void)state;
    struct store_redis_options options = options_of(redis.url);
    options.max_credentials = 2; /* two changes are more than half: written at once */
    start("");
    struct store *s = open_with(options);
    act(s, "ann", 1);
    act(s, "bob", 1);
    settle(s);
    act(s, "ann", 2);
    act(s, "bob", 2);
    act(s, "ann", 3);
    sync_good(s);
    assert_stored("ann", 3);
    assert_stored("bob", 2);
    s->ops->free(s);
}

static void merges_what_it_could_not_ask_for(void **state)
{
    (void)state;
    start("--appendonly yes --appendfsync always");
    struct store *s = open_store();
    for (uint32_t i = 0; i < 5; i++) {
        act(s, "old", i);
        act(s, "older", i);
    }
    sync_good(s);
    s->ops->free(s);
    s = open_store();
    redis_proc_kill(&redis);
    tick_for(s, 50);
    act(s, "old", 6);
    act(s, "old", 7);
    act(s, "older", 8);
    act(s, "new", 9);
    assert_true(s->is_unsure);
    start("--appendonly yes --appendfsync always");
    tick_for(s, 300);
    act(s, "older", 10); /* asked for again, and merged, when it is fetched */
    assert_false(s->is_unsure);
    sync_good(s);
    assert_acts(s, "old", 7);
    assert_int_equal(count_of(s, "store_merged"), 2);
    assert_int_equal(count_of(s, "store_unsure"), 3);
    assert_stored("old", 7);
    assert_stored("older", 7);
    assert_stored("new", 1);
    s->ops->free(s);
}

static void waits_no_longer_than_the_deadline(void **state)
{
    (void)state;
    start("");
    struct store *s = open_store();
    for (uint32_t i = 0; i < 3; i++)
        act(s, "stored", i);
    sync_good(s);
    s->ops->free(s);
    s = open_store();
    redis_proc_signal(&redis, SIGSTOP);
    uint64_t begin = now_ms();
    act(s, "stored", 5);
    assert_true(s->is_unsure);
    assert_in_range(now_ms() - begin, WAIT_MS - 20, WAIT_MS + 600);
    begin = now_ms();
    char name[16];
    for (uint32_t i = 0; i < 200; i++) { /* the next ones need not wait each */
        snprintf(name, sizeof name, "u%u", i);
        act(s, name, i);
    }
    assert_in_range(now_ms() - begin, 0, 3 * WAIT_MS + 2000);
    redis_proc_signal(&redis, SIGCONT);
    settle(s);
    assert_stored("stored", 4);
    assert_stored("u199", 1);
    assert_int_equal(count_of(s, "store_lost"), 0);
    begin = now_ms();
    pid_t sleeper = fork();
    if (sleeper == 0) {
        cli("debug sleep 1");
        _exit(0);
    }
    usleep(200000);
    begin = now_ms();
    act(s, "another", 1);
    assert_in_range(now_ms() - begin, 0, WAIT_MS + 600);
    settle(s);
    assert_stored("another", 1);
    s->ops->free(s);
}

static void restores_what_was_emptied(void **state)
{
    (void)state;
    start("--enable-debug-command yes");
    struct store *s = open_store();
    act(s, "idle", 1);
    act(s, "busy", 1);
    sync_good(s);
    cli("flushall");
    act(s, "busy", 2);
    settle(s);
    assert_true(count_of(s, "store_rewrites") >= 1);
    assert_stored("idle", 1);
    assert_stored("busy", 2);
    s->ops->free(s);
}

static void keeps_what_is_refused(void **state)
{
    (void)state;
    struct text why = {0};
    start("");
    struct store *s = open_store();
    for (uint32_t i = 0; i < 3; i++)
        act(s, "ann", i);
    sync_good(s);
    cli("config set maxmemory 1");
    act(s, "ann", 10);
    assert_true(act(s, "bob", 1)); /* asking works */
    assert_int_equal(s->ops->sync(s, &why), E_IO);
    if (!strstr(text_str(&why), "OOM"))
        fail_msg("%s", text_str(&why));
    assert_true(count_of(s, "store_refused") >= 1);
    assert_true(act(s, "carl", 1));
    cli("config set maxmemory 0");
    settle(s);
    assert_stored("ann", 4);
    assert_stored("bob", 1);
    assert_stored("carl", 1);
    s->ops->free(s);
    text_fini(&why);
}

static void survives_what_is_not_its_own(void **state)
{
    (void)state;
    bool is_new;
    start("");
    struct store *s = open_store();
    for (uint32_t i = 0; i < 3; i++) {
        act(s, "value", i);
        act(s, "field", i);
    }
    sync_good(s);
    s->ops->free(s);
    cli("hset 'casetap:{value}:baseline' files_day rubbish");
    cli("hset 'casetap:{field}:baseline' unheard_of 1");
    cli("set 'casetap:{foreign}:baseline' text");
    cli("hset 'casetap:{rubbish}:baseline' '' '' \"$(printf '\\001')\" x");
    s = open_store();
    assert_false(act(s, "value", 5));
    assert_false(act(s, "field", 5));
    assert_false(act(s, "rubbish", 5));
    assert_false(act(s, "foreign", 5));
    assert_false(act(s, "foreign", 6));
    assert_int_equal(s->ops->fetch(s, SPAN("foreign"), &is_new)->acts, 2);
    sync_good(s);
    assert_int_equal(count_of(s, "store_corrupt"), 3);
    assert_int_equal(count_of(s, "store_foreign"), 1);
    assert_int_equal(count_of(s, "store_waiting"), 0);
    s->ops->free(s);
    assert_string_equal(cli("get 'casetap:{foreign}:baseline'"), "text\n");
    assert_string_equal(cli("hget 'casetap:{value}:baseline.corrupt' files_day"), "rubbish\n");
    assert_string_equal(cli("hget 'casetap:{field}:baseline.corrupt' unheard_of"), "1\n");
    assert_stored("value", 4); /* what could be read went on */
    assert_stored("field", 4);
}

static void drops_the_oldest_when_memory_is_full_and_redis_away(void **state)
{
    (void)state;
    char name[16];
    struct store_redis_options options = options_of(redis.url);
    options.max_credentials = 8;
    start("");
    struct store *s = open_with(options);
    redis_proc_kill(&redis);
    tick_for(s, 50);
    for (uint32_t i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "u%u", i);
        act(s, name, i);
    }
    assert_int_equal(count_of(s, "store_lost"), 12);
    start("");
    settle(s);
    s->ops->free(s);
    assert_stored("u19", 1);
    assert_stored("u12", 1);
    assert_string_equal(cli("exists 'casetap:{u11}:baseline'"), "0\n");
}

/* More changes than the pipeline takes, with a front too small for all: nobody is taken for unknown. */
static void asks_through_a_full_pipeline(void **state)
{
    (void)state;
    char name[16];
    uint32_t random = 3;
    struct store_redis_options options = options_of(redis.url);
    options.max_credentials = 1100;
    options.wait_ms = 5000; /* of a machine that is busy with other things */
    start("");
    struct store *s = open_with(options);
    for (uint32_t i = 0; i < 12000; i++) {
        random = random * 1664525u + 1013904223u;
        snprintf(name, sizeof name, "u%u", (random >> 10) % 2500);
        act(s, name, i);
        assert_false(s->is_unsure);
    }
    sync_good(s);
    assert_int_equal(count_of(s, "store_losses"), 0);
    assert_true(count_of(s, "store_evicted") > 1000);
    s->ops->free(s);
}

/* Many changes with the server killed again and again: what is stored at the end is what happened. */
static void counts_every_act_through_many_kills(void **state)
{
    (void)state;
    static const char *const options = "--appendonly yes --appendfsync always";
    uint32_t acts[40] = {0};
    uint32_t random = 7;
    char name[16];
    struct store_redis_options small = options_of(redis.url);
    small.max_credentials = 42; /* more than half of them waiting makes it write at once, not once a second */
    start(options);
    struct store *s = open_with(small);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 400; i++) {
            random = random * 1664525u + 1013904223u;
            uint32_t who = (random >> 10) % 40;
            snprintf(name, sizeof name, "u%u", who);
            act(s, name, random >> 20);
            acts[who]++;
            if (i == (int)(random >> 24) + 100)
                redis_proc_kill(&redis);
            if (i % 50 == 0)
                usleep(random >> 17);
        }
        redis_proc_kill(&redis);
        start(options);
        sync_good(s);
    }
    assert_int_equal(count_of(s, "store_lost"), 0);
    assert_true(count_of(s, "store_written") > 100);
    assert_true(count_of(s, "store_losses") >= 8);
    s->ops->free(s);
    s = open_store();
    for (uint32_t who = 0; who < 40; who++) {
        snprintf(name, sizeof name, "u%u", who);
        if (acts[who])
            assert_acts(s, name, acts[who]);
    }
    s->ops->free(s);
}

int main(void)
{
    if (!redis_proc_is_installed()) {
        fprintf(stderr, "skipped: redis-server is not installed\n");
        return 77;
    }
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_why_it_cannot_be_used, setup, teardown),
        cmocka_unit_test_setup_teardown(says_why_something_else_cannot_be_used, setup, teardown),
        cmocka_unit_test_setup_teardown(works_as_a_least_privileged_user, setup, teardown),
        cmocka_unit_test_setup_teardown(works_over_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_one_that_is_loading, setup, teardown),
        cmocka_unit_test_setup_teardown(equals_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(loses_nothing_when_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(restores_what_came_back_older, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_again_what_changed_while_it_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(merges_what_it_could_not_ask_for, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_no_longer_than_the_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(restores_what_was_emptied, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_what_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_what_is_not_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(drops_the_oldest_when_memory_is_full_and_redis_away, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_through_a_full_pipeline, setup, teardown),
        cmocka_unit_test_setup_teardown(counts_every_act_through_many_kills, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
