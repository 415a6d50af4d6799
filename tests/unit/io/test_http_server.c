/* SPDX-License-Identifier: Apache-2.0
 * The HTTP server against clients made of bare sockets: routes, bounds, names, streams, slow and broken clients. */
#include "base/err.h"
#include "io/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

struct world {
    struct loop *loop;
    struct http_server *server;
    struct http_events *events[8];
    int n_events, n_gone;
};

static void on_hello(void *ctx, struct http_call *c)
{
    struct text out = {0}, q = {0};
    (void)ctx;
    text_addf(&out, "%s %s", http_call_method(c), http_call_query(c, "q", &q) ? "q=" : "");
    text_add(&out, text_span(&q));
    http_call_set(c, "X-Bad", "a\r\nX-Evil: 1");
    http_call_answer(c, 200, "text/plain", text_span(&out));
    text_fini(&out);
    text_fini(&q);
}

static void on_rest(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_call_answer(c, 200, "text/plain", http_call_rest(c));
}

static void on_echo(void *ctx, struct http_call *c)
{
    (void)ctx;
    http_call_answer(c, 200, "text/plain", http_call_body(c));
}

static void on_nothing(void *ctx, struct http_call *c)
{
    (void)ctx;
    (void)c;
}

static void on_gone(void *ctx, struct http_events *e)
{
    struct world *w = ctx;
    w->n_gone++;
    for (int i = 0; i < 8; i++)
        if (w->events[i] == e)
            w->events[i] = NULL;
}

static void on_events(void *ctx, struct http_call *c)
{
    struct world *w = ctx;
    struct http_events *e = http_call_events(c, on_gone, w);
    assert_non_null(e);
    w->events[w->n_events++] = e;
    http_events_send(e, "hello", SPAN("one\ntwo"));
}

static const struct http_route routes[] = {
    {"GET", "/hello", on_hello}, {"GET", "/files/*", on_rest},      {"GET", "/files/special", on_hello},
    {"POST", "/echo", on_echo},  {"GET", "/nothing", on_nothing}, {"GET", "/events", on_events},
};

static struct world *world_new(const struct http_server_options *o)
{
    struct world *w = calloc(1, sizeof *w);
    struct text why = {0};
    assert_non_null(w);
    w->loop = loop_new();
    assert_int_equal(http_server_new(w->loop, o, &w->server, &why), E_OK);
    assert_int_equal(http_server_add(w->server, routes, sizeof routes / sizeof *routes, w), E_OK);
    text_fini(&why);
    return w;
}

static void world_free(struct world *w)
{
    http_server_free(w->server);
    loop_free(w->loop);
    free(w);
}

static int dial(const struct world *w)
{
    const char *url = http_server_url(w->server);
    int fd;
    if (strncmp(url, "unix:", 5) == 0) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        snprintf(to.sun_path, sizeof to.sun_path, "%s", url + 5);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
        return fd;
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const char *words)
{
    assert_int_equal(send(fd, words, strlen(words), MSG_NOSIGNAL), strlen(words));
}

/* What came until 'needle' has, the other end closed, or 'turns' turns are over. */
static const char *hear(struct world *w, int fd, const char *needle, int turns)
{
    static char got[1 << 17];
    size_t size = 0;
    got[0] = 0;
    for (int i = 0; i < turns && !strstr(got, needle); i++) {
        loop_run_once(w->loop, 20);
        ssize_t n = recv(fd, got + size, sizeof got - 1 - size, MSG_DONTWAIT);
        if (n == 0)
            break;
        size += n > 0 ? (size_t)n : 0;
        got[size] = 0;
    }
    return got;
}

static void expect(struct world *w, const char *request, const char *status, const char *end)
{
    int fd = dial(w);
    say(fd, request);
    const char *got = hear(w, fd, end, 100);
    if (strncmp(got, status, strlen(status)) != 0 || !strstr(got, end))
        fail_msg("%s: got %s, want %s ... %s", request, got, status, end);
    close(fd);
    loop_run_once(w->loop, 5);
}

static void test_routes(void **state)
{
    struct world *w = world_new(&(struct http_server_options){.address = "127.0.0.1:0"});
    (void)state;
    expect(w, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200", "GET ");
    expect(w, "GET /hello?a=1&q=x%20y+z HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", "HTTP/1.1 200", "q=x y z");
    expect(w, "GET /files/a%2Fb%20c HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200", "\r\n\r\na/b c");
    expect(w, "GET /files/special HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200", "\r\n\r\nGET ");
    expect(w, "GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404", "not found");
    expect(w, "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 405", "Allow: GET");
    expect(w, "BREW /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 501", "\r\n\r\n");
    expect(w, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 500", "no answer");
    expect(w, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.1 200", "\r\n\r\nabcde");
    expect(w, "\r\n\x01\x02garbage\r\n\r\n", "", "");
    world_free(w);
}

static void test_headers_and_head(void **state)
{
    struct world *w = world_new(&(struct http_server_options){.address = "127.0.0.1:0"});
    (void)state;
    int fd = dial(w);
    say(fd, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const char *got = hear(w, fd, "\r\n\r\n", 100);
    assert_non_null(strstr(got, "Content-Length: 4\r\n"));
    assert_non_null(strstr(got, "X-Content-Type-Options: nosniff\r\n"));
    assert_null(strstr(got, "X-Evil"));
    assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
    say(fd, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"); /* the connection is kept */
    assert_non_null(strstr(hear(w, fd, "GET ", 100), "HTTP/1.1 200"));
    close(fd);
    world_free(w);
}

/* A page of another site whose name points here gets nothing. */
static void test_names(void **state)
{
    struct world *w = world_new(&(struct http_server_options){.address = "127.0.0.1:0", .name = "desk.example"});
    (void)state;
    expect(w, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 421", "another name");
    expect(w, "GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 421", "another name");
    expect(w, "GET /hello HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", "HTTP/1.1 421", "another name");
    expect(w, "GET /hello HTTP/1.1\r\nHost: DESK.example:443\r\n\r\n", "HTTP/1.1 200", "GET ");
    expect(w, "GET /hello HTTP/1.1\r\nHost: [::1]:9\r\n\r\n", "HTTP/1.1 200", "GET ");
    world_free(w);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *address;
        bool is_anywhere;
        int rc;
    } rows[] = {{"0.0.0.0:0", false, E_USAGE},  {"0.0.0.0:0", true, E_OK},  {"10.1.2.3:80", false, E_USAGE},
                {"nonsense", false, E_USAGE},   {"127.0.0.1:70000", false, E_USAGE}, {"0", false, E_OK},
                {"[::1]:0", false, E_OK},       {"localhost:0", false, E_OK}, {"192.0.2.1:0", true, E_IO},
                {"unix:/nowhere/at/all", false, E_IO}};
    struct loop *l = loop_new();
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_server *s;
        struct text why = {0};
        int rc = http_server_new(l, &(struct http_server_options){.address = rows[i].address, .is_anywhere = rows[i].is_anywhere}, &s, &why);
        if (rc != rows[i].rc)
            fail_msg("%s: %d (%s), want %d", rows[i].address, rc, text_str(&why), rows[i].rc);
        assert_int_equal(rc != E_OK, why.size > 0);
        http_server_free(s);
        text_fini(&why);
    }
    loop_free(l);
}

static void test_unix(void **state)
{
    struct stat st;
    struct world *w = world_new(&(struct http_server_options){.address = "unix:http_server_test.sock"});
    (void)state;
    assert_int_equal(stat("http_server_test.sock", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    expect(w, "GET /hello HTTP/1.1\r\nHost: whatever\r\n\r\n", "HTTP/1.1 200", "GET ");
    world_free(w);
    assert_int_equal(stat("http_server_test.sock", &st), -1);
}

static void test_big_requests(void **state)
{
    struct world *w = world_new(&(struct http_server_options){.address = "127.0.0.1:0", .body_max = 1000});
    struct text big = {0};
    (void)state;
    text_add_str(&big, "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: ");
    for (int i = 0; i < 20000; i++)
        text_add_char(&big, 'x');
    text_add_str(&big, "\r\n\r\n");
    expect(w, text_str(&big), "HTTP/1.1 400", "\r\n\r\n");
    expect(w, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413", "\r\n\r\n");
    text_fini(&big);
    world_free(w);
}

/* Who sends nothing is closed; meanwhile others wait, and come in then. */
static void test_patience_and_room(void **state)
{
    struct world *w = world_new(&(struct http_server_options){.address = "127.0.0.1:0", .connections = 3, .patience_ms = 700});
    int idle[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        idle[i] = dial(w);
        say(idle[i], "GET /hel");
        loop_run_once(w->loop, 20);
    }
    int late = dial(w);
    say(late, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_string_equal(hear(w, late, "200", 10), "");
    assert_non_null(strstr(hear(w, late, "GET ", 200), "HTTP/1.1 200"));
    struct counters n = http_server_counters(w->server);
    assert_int_equal(n.values[2], 1);  /* waits */
    assert_true(n.values[3] >= 3);     /* slow */
    for (int i = 0; i < 3; i++) {
        assert_string_equal(hear(w, idle[i], "x", 3), "");
        close(idle[i]);
    }
    close(late);
    world_free(w);
}

static void test_streams(void **state)
{
    struct world *w = world_new(&(struct http_server_options){.address = "127.0.0.1:0"});
    (void)state;
    int fd = dial(w);
    say(fd, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const char *got = hear(w, fd, "two\n\n", 100);
    assert_non_null(strstr(got, "text/event-stream"));
    assert_non_null(strstr(got, "event: hello\ndata: one\ndata: two\n\n"));
    http_events_send(w->events[0], "alert", SPAN("{}"));
    assert_non_null(strstr(hear(w, fd, "{}", 100), "event: alert\ndata: {}\n\n"));
    /* the client goes: found out by writing */
    close(fd);
    for (int i = 0; i < 20 && w->events[0]; i++) {
        http_events_send(w->events[0], "alert", SPAN("{}"));
        loop_run_once(w->loop, 10);
    }
    assert_int_equal(w->n_gone, 1);
    /* one that stays ends with the server */
    fd = dial(w);
    say(fd, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(w, fd, "two", 100);
    assert_non_null(w->events[1]);
    world_free(w);
    close(fd);
}

static void test_slow_reader(void **state)
{
    struct world *w = world_new(&(struct http_server_options){.address = "127.0.0.1:0", .backlog_max = 65536});
    static uint8_t block[32768];
    (void)state;
    memset(block, 'x', sizeof block);
    int slow = dial(w), quick = dial(w);
    say(slow, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(w, slow, "two", 100);
    say(quick, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(w, quick, "two", 100);
    for (int i = 0; i < 2000 && w->events[0]; i++) { /* the kernel's buffers fill first */
        http_events_send(w->events[0], "block", span_of(block, sizeof block));
        loop_run_once(w->loop, 1);
    }
    assert_null(w->events[0]);
    assert_non_null(w->events[1]);
    assert_int_equal(w->n_gone, 1);
    assert_int_equal(http_server_counters(w->server).values[5], 1);
    http_events_send(w->events[1], "still", SPAN("here"));
    assert_non_null(strstr(hear(w, quick, "here", 100), "event: still\ndata: here\n\n"));
    close(slow);
    close(quick);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routes),       cmocka_unit_test(test_headers_and_head),
        cmocka_unit_test(test_names),        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_unix),         cmocka_unit_test(test_big_requests),
        cmocka_unit_test(test_patience_and_room), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_slow_reader),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
