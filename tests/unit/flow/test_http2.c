/* SPDX-License-Identifier: Apache-2.0
 * Conversations of HTTP/2 become transactions, however the bytes are cut, with losses, and from one side alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/h2_build.h"

#define OPEN "C preface\nC settings 3=100 4=65535\nS settings 3=128\nS ack\nC ack\n"
#define GET(stream, path) "C headers " stream " e :method=GET :path=" path " :scheme=https :authority=h.example:8443\n"
#define OK(stream, size) "S headers " stream " - :status=200 content-length=" size "\n"

struct row {
    struct talk_row talk;
    const char *script;
    const char *body[2]; /* of the transaction told last; NULL: not checked */
};

/* number method target host status request response flags; a size is bytes, how it is known, c: complete, /missing
 * =declared ~decoded */
static struct row rows[] = {
    {{.name = "one exchange", "1 GET /a h.example 200 0oc 5oc\n", .speaks = CONN_HTTP2},
     OPEN GET("1", "/a") OK("1", "5") "S data 1 e hello\n", {"", "hello"}},
    {{.name = "the server speaks first", "1 GET /a h.example 200 0oc 5oc\n", .speaks = CONN_HTTP2},
     "S settings 3=128\nC preface\nC settings\n" GET("1", "/a") OK("1", "5") "S data 1 e hello\n", {"", "hello"}},
    {{.name = "the server speaks first, something else", "", .speaks = CONN_OTHER}, "S frame 6 0 8\nC text HELO\\n\n", {NULL, NULL}},
    {{.name = "the server speaks first, the client something else", "", .speaks = CONN_OTHER},
     "S settings 3=128\nC text GET / HTTP/1.1\\n\\n\n", {NULL, NULL}},
    {{.name = "request body", "1 POST /p h 201 11oc 0oc\n"},
     OPEN "C headers 1 - :method=POST :path=/p :authority=h content-length=11\nC data 1 - hello_\nC data 1 e world\n"
          "S headers 1 e :status=201\n", {"hello_world", ""}},
    {{.name = "interleaved", "2 GET /b h.example 200 0oc 4oc\n3 GET /c h.example 404 0oc 0oc\n1 GET /a h.example 200 0oc 30000oc\n"},
     OPEN GET("1", "/a") GET("3", "/b") GET("5", "/c") OK("1", "30000") "S data 1 - 10000\n" OK("3", "4")
         "S data 3 - 2\nS data 1 - 10000\nS data 3 e 2\nS headers 5 e :status=404\nS data 1 e 10000\n", {NULL, NULL}},
    {{.name = "padding is no body", "1 POST /p h 200 3oc 20oc\n"},
     OPEN "C headers 1 pw :method=POST :path=/p :authority=h\nC data 1 pe abc\nS headers 1 p :status=200\n"
          "S data 1 p 15\nS data 1 pe 5\n", {"abc", "01234567890123401234"}},
    {{.name = "a head in pieces", "1 GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa h 200 0oc 1oc\n"},
     OPEN "C headers 1 ecw :method=GET :path=/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa :authority=h user-agent=someone\n"
          "S headers 1 c :status=200 server=abcdefghijklmnopq x-y=z\nS data 1 e 1\n", {NULL, NULL}},
    {{.name = "interim answers and trailers", "1 POST /t h 200 3oc 4oc\n"},
     OPEN "C headers 1 - :method=POST :path=/t :authority=h expect=100-continue te=trailers\nS headers 1 - :status=100\n"
          "C data 1 - abc\nC headers 1 e x-sum=7\nS headers 1 - :status=103 link=x\n"
          "S headers 1 - :status=200\nS data 1 - 4\nS headers 1 e grpc-status=0\n", {NULL, NULL}},
    {{.name = "frames nobody needs", "1 GET /a h.example 200 0oc 5oc\n"},
     OPEN "C frame 2 3 5\nC frame 6 0 8\n" GET("1", "/a") "C window 0 100000\nC frame 11 1 30\nS frame 12 0 100\n"
          "C frame 16 0 9\nS frame 6 0 8\n" OK("1", "5") "C window 1 5\nS data 1 - 0\nS data 1 e hello\nS goaway 1\n",
     {NULL, "hello"}},
    {{.name = "reset by the client in a body, and what was under way", "1 GET /a h.example 200 0oc 500o=900 aborted\n"},
     OPEN GET("1", "/a") OK("1", "900") "S data 1 - 300\nC rst 1\nS data 1 - 200\n", {NULL, NULL}},
    {{.name = "reset too late", "1 GET /a h.example 200 0oc 500oc\n"},
     OPEN GET("1", "/a") OK("1", "500") "S data 1 - 300\nC rst 1\nS data 1 e 200\n", {NULL, NULL}},
    {{.name = "reset before an answer", "1 GET /a h.example 0 0oc 0u noresponse aborted\n2 GET /b h.example 200 0oc 1oc\n"},
     OPEN GET("1", "/a") "C rst 1\nS rst 1\n" GET("3", "/b") OK("3", "1") "S data 3 e x\n", {NULL, NULL}},
    {{.name = "reset by the server in a body", "1 GET /a h.example 200 0oc 300o=900 aborted\n"},
     OPEN GET("1", "/a") OK("1", "900") "S data 1 - 300\nS rst 1\nS data 1 e 600\n", {NULL, NULL}},
    {{.name = "answered early, the rest of the request is not sent", "1 POST /p h 413 4o 2oc\n"},
     OPEN "C headers 1 - :method=POST :path=/p :authority=h\nC data 1 - 4\nS headers 1 - :status=413\nS data 1 e no\n"
          "S rst 1\n", {NULL, NULL}},
    {{.name = "going away", "2 GET /b h.example 0 0oc 0u noresponse aborted\n1 GET /a h.example 200 0oc 2oc\n"},
     OPEN GET("1", "/a") GET("3", "/b") "S goaway 1\n" OK("1", "2") "S data 1 e ok\n", {NULL, NULL}},
    {{.name = "connect", "1 CONNECT t.example:443 t.example 200 0oc 0oc upgraded\n2 GET /b h.example 200 0oc 1oc\n"},
     OPEN "C headers 1 - :method=CONNECT :authority=t.example:443\nS headers 1 - :status=200\nC data 1 - 30\nS data 1 - 50\n"
         GET("3", "/b") "S headers 3 - :status=200\nS data 3 e x\nS data 1 e 5\n", {NULL, NULL}},
    {{.name = "connect refused", "1 CONNECT t:1 t 403 0o 0oc\n"},
     OPEN "C headers 1 - :method=CONNECT :authority=t:1\nS headers 1 e :status=403\nC rst 1\n", {NULL, NULL}},
    {{.name = "a web socket", "1 CONNECT /chat h 200 0oc 0oc upgraded\n"},
     OPEN "C headers 1 - :method=CONNECT :protocol=websocket :scheme=https :path=/chat :authority=h\n"
          "S headers 1 - :status=200\nC data 1 - 10\nS data 1 - 20\n", {NULL, NULL}},
    {{.name = "pushed", "1 GET /a h.example 200 0oc 1oc\n2 GET /s.css h 200 0oc 7oc pushed\n"},
     OPEN GET("1", "/a") "S push 1 2 :method=GET :path=/s.css :scheme=https :authority=h\n" OK("1", "1")
         "S data 1 e x\nS headers 2 - :status=200\nS data 2 e 7\n", {NULL, NULL}},
    {{.name = "length and bytes differ", "1 GET /a h.example 200 0oc 4oc=5 ambiguous\n"},
     OPEN GET("1", "/a") OK("1", "5") "S data 1 e 4\n", {NULL, NULL}},
    {{.name = "the length of what HEAD does not get", "1 HEAD /a h 200 0oc 0oc=5\n"},
     OPEN "C headers 1 e :method=HEAD :path=/a :authority=h\nS headers 1 e :status=200 content-length=5\n", {NULL, NULL}},
    {{.name = "not modified", "1 GET /a h.example 304 0oc 0oc=5\n"},
     OPEN GET("1", "/a") "S headers 1 e :status=304 content-length=5\n", {NULL, NULL}},
    {{.name = "the end comes early", "1 GET /a h.example 200 0oc 4o=9 aborted\n2 GET /b h.example 0 0oc 0u noresponse\n"},
     OPEN GET("1", "/a") GET("3", "/b") OK("1", "9") "S data 1 - 4\n", {NULL, NULL}},
    {{.name = "the server closes", "1 GET /a h.example 200 0oc 4o=9 aborted\n"},
     OPEN GET("1", "/a") OK("1", "9") "S data 1 - 4\nS fin\nC fin\n", {NULL, NULL}},
    {{.name = "host without authority", "1 GET /a old.example 200 0oc 0oc mark= 7\n"},
     OPEN "C headers 1 e :method=GET :path=/a :scheme=http host=old.example x-mark=7\nS headers 1 e :status=200\n", {NULL, NULL}},
    {{.name = "authority before host", "1 GET /a new.example 200 0oc 0oc\n"},
     OPEN "C headers 1 e :method=GET :path=/a :authority=new.example host=old.example\nS headers 1 e :status=200\n", {NULL, NULL}},
    {{.name = "a path before the method", "1 GET /a - 200 0oc 0oc\n"},
     OPEN "C headers 1 e :path=/a :method=GET\nS headers 1 e :status=200\n", {NULL, NULL}},
    {{.name = "nothing but a method", "1 GET - - 200 0oc 0oc\n"},
     OPEN "C headers 1 e :method=GET\nS headers 1 e :status=200\n", {NULL, NULL}},
    {{.name = "pseudo-header fields out of place", "1 GET - h 200 0oc 0oc ambiguous\n"},
     OPEN "C headers 1 e :method=GET :authority=h x=y :path=/a\nS headers 1 e :status=200\n", {NULL, NULL}},

    /* losses */
    {{.name = "bytes of a body", "1 GET /a h.example 200 0oc 3000oc/1000 gap\n"},
     OPEN GET("1", "/a") OK("1", "3000") "S data 1 - 1500\nhole 509 1000\nS data 1 e 1500\n", {NULL, NULL}},
    {{.name = "the end of a body", "1 GET /a h.example 200 0oc 1500oc/1000 gap\n2 GET /b h.example 200 0oc 2oc\n"},
     OPEN GET("1", "/a") OK("1", "1500") "S data 1 e 1500\nhole 509 1000\n" GET("3", "/b") OK("3", "2") "S data 3 e 2\n",
     {NULL, NULL}},
    {{.name = "padding and pad length", "1 GET /a h.example 200 0oc 1508uc/1508 gap\n"},
     OPEN GET("1", "/a") "S headers 1 - :status=200\nS data 1 pe 1500\nhole 9 1508\n", {NULL, NULL}},
    {{.name = "the head of a frame", "1 GET /a h.example 200 0oc 3000dc/500 gap\n2 GET /b h.example 200 0oc 2oc partial\n"},
     OPEN GET("1", "/a") "S headers 1 - :status=200 content-length=3000 server=abc\nS data 1 - 1500\nS data 1 - 1000\nhole 0 500\n"
         "S data 1 e 500\n" GET("3", "/b") "S headers 3 - :status=200 server=abc\nS data 3 e 2\n", {NULL, NULL}},
    {{.name = "the head of a frame, without a length", "1 GET /a h.example 200 0oc 3009uc/500 gap\n"},
     OPEN GET("1", "/a") "S headers 1 - :status=200\nS data 1 - 1500\nS data 1 - 1000\nhole 0 500\nS data 1 e 500\n",
     {NULL, NULL}},
    {{.name = "a whole answer but its end", "1 GET /a h.example 0 0oc 500uc noresponse gap\n"},
     OPEN GET("1", "/a") OK("1", "3000") "hole 0 12\nS data 1 - 1500\nskip\nS gap 1509\nS data 1 e 500\n", {NULL, NULL}},
    {{.name = "the head of an answer", "1 GET /a h.example 0 0oc 7oc noresponse gap\n2 GET /b h.example 200 0oc 2oc\n"},
     OPEN GET("1", "/a") OK("1", "7") "hole 10 1\nS data 1 e 7\n" GET("3", "/b") OK("3", "2") "S data 3 e 2\n",
     {NULL, NULL}},
    {{.name = "the head of a request", "1 - - - 200 0oc 7oc norequest gap\n2 GET /b - 200 0oc 2oc partial\n"},
     OPEN GET("1", "/a") "hole 10 1\n" OK("1", "7") "S data 1 e 7\n" GET("3", "/b") OK("3", "2") "S data 3 e 2\n",
     {NULL, NULL}},
    {{.name = "a whole request", "1 - - - 200 0u 7oc norequest gap\n2 GET /b - 200 0oc 2oc partial\n"},
     OPEN GET("1", "/a") "skip\nC gap 60\n" OK("1", "7") "S data 1 e 7\n" GET("3", "/b") OK("3", "2") "S data 3 e 2\n",
     {NULL, NULL}},
    {{.name = "fields that were told in what is lost", "1 - - - 200 0oc 1oc norequest gap\n2 GET /secret - 200 0oc 1oc partial\n"},
     OPEN "C headers 1 e :method=GET :path=/secret :authority=h.example\nhole 10 1\n" OK("1", "1") "S data 1 e 1\n"
          "C headers 3 e :method=GET :path=/secret :authority=h.example\nS headers 3 - :status=200\nS data 3 e 1\n",
     {NULL, NULL}},
    {{.name = "and told again", "1 - - - 200 0oc 1oc norequest gap\n2 GET /n h 200 0oc 1oc\n3 GET /n h 200 0oc 1oc\n"},
     OPEN GET("1", "/a") "hole 10 1\n" OK("1", "1") "S data 1 e 1\nC headers 3 e :method=GET :path=/n :authority=h\n"
          "S headers 3 - :status=200\nS data 3 e 1\nC headers 5 e :method=GET :path=/n :authority=h\n"
          "S headers 5 - :status=200\nS data 5 e 1\n", {NULL, NULL}},
    {{.name = "two bodies, and neither can be charged", "2 GET /b h.example 200 0oc 30uc gap\n"
                                                "1 GET /a h.example 200 0oc 20u aborted gap\n"},
     OPEN GET("1", "/a") GET("3", "/b") "S headers 1 - :status=200\nS headers 3 - :status=200\nS data 1 - 20\nS data 3 - 20\n"
          "S data 1 - 100\nhole 0 50\nS data 3 e 10\n", {NULL, NULL}},

    /* one side */
    {{.name = "the server's side", "1 - - - 200 0u 5oc norequest onesided\n2 - - - 404 0u 0oc norequest onesided\n", .blind = 1},
     "S settings 3=128\nS ack\n" OK("1", "5") "S data 1 e hello\nS headers 3 e :status=404\n", {NULL, NULL}},
    {{.name = "the client's side", "1 GET /a h.example 0 0oc 5040a/5040 noresponse onesided\n", .blind = 2},
     "C preface\nC settings\n" GET("1", "/a") "S acked 40\nS acked 5000\n", {NULL, NULL}},
    {{.name = "the client's side, two at once", "1 GET /a h.example 0 0oc 3000a/3000 noresponse onesided\n"
                                        "2 GET /b h.example 0 0oc 0u noresponse onesided\n", .blind = 2},
     "C preface\nC settings\n" GET("1", "/a") "C window 1 1000000\n" GET("3", "/b") "S acked 5000\nC window 1 3000\n"
     "C window 0 4000\n", {NULL, NULL}},

    /* joined later */
    {{.name = "midstream", "1 POST /p h 200 3oc 5oc midstream\n", .is_midstream = true, .speaks = CONN_HTTP2},
     "C headers 7 - :method=POST :path=/p :authority=h\nC data 7 e abc\nS headers 7 - :status=200\nS data 7 e hello\n",
     {"abc", "hello"}},
    {{.name = "midstream, the other way round", "1 POST /p h 200 3oc 5oc midstream\n", .is_midstream = true},
     "S headers 7 - :method=POST :path=/p :authority=h\nS data 7 e abc\nC headers 7 - :status=200\nC data 7 e hello\n",
     {"abc", "hello"}},
    {{.name = "midstream, nothing of it", "1 GET /x y 200 0oc 1oc midstream\n", .is_midstream = true, .speaks = CONN_HTTP1},
     "C frame 0 1 40\nC text something else\\nGET /x HTTP/1.1\\nHost: y\\n\\n\nS text HTTP/1.1 200 OK\\nContent-Length: 1\\n\\nx\n",
     {NULL, NULL}},
    {{.name = "expected", "1 GET /a h.example 200 0oc 5oc\n", .is_expected = true, .speaks = CONN_HTTP2},
     OPEN GET("1", "/a") OK("1", "5") "S data 1 e hello\n", {NULL, "hello"}},
    {{.name = "expected, joined in the middle", "1 GET /a - 200 0oc 9oc midstream partial\n", .is_expected = true, .is_midstream = true},
     "C headers 1 e :method=GET :path=/a :authority=h\nskip\nS data 1 - 3000\nhole 0 700\n"
     "C headers 3 e :method=GET :path=/a :authority=h\nS headers 3 - :status=200\nS data 3 e 9\n", {NULL, NULL}},
    {{.name = "expected, keys came late", "1 GET /a - 200 0oc 9oc partial\n", .is_expected = true},
     "C gap 300\nS gap 900\nC headers 1 e :method=GET :path=/a :authority=h\nskip\nS data 1 - 3000\nhole 0 700\n"
     "C headers 3 e :method=GET :path=/a :authority=h\nS headers 3 - :status=200\nS data 3 e 9\n", {NULL, NULL}},

    /* Upgrade: h2c */
    {{.name = "upgraded", "1 GET /u h 200 0oc 5oc\n2 GET /b h.example 200 0oc 1oc\n", .speaks = CONN_HTTP2},
     "C text GET /u HTTP/1.1\\nHost: h\\nConnection: Upgrade, HTTP2-Settings\\nUpgrade: h2c\\nHTTP2-Settings: AAMAAABkAAQAAP__\\n"
     "\\n\nS text HTTP/1.1 101 Switching Protocols\\nConnection: Upgrade\\nUpgrade: h2c\\n\\n\nS settings 3=128\nmerge\n"
     "C preface\nC settings\n" OK("1", "5") "S data 1 e hello\n" GET("3", "/b") OK("3", "1") "S data 3 e x\n", {NULL, NULL}},
    {{.name = "not upgraded", "1 GET /u h 200 0oc 1oc\n", .speaks = CONN_HTTP1},
     "C text GET /u HTTP/1.1\\nHost: h\\nUpgrade: h2c\\n\\n\nS text HTTP/1.1 200 OK\\nContent-Length: 1\\n\\nx\n", {NULL, "x"}},
    {{.name = "upgraded to something else", "1 GET /u h 101 0oc 0oc upgraded\n"},
     "C text GET /u HTTP/1.1\\nHost: h\\nUpgrade: h2c, websocket\\n\\n\n"
     "S text HTTP/1.1 101 Switching Protocols\\nUpgrade: websocket\\n\\n\n", {NULL, NULL}},
};

static bool is_as_said(const struct row *r, const struct talk *k, size_t piece)
{
    bool is_right = strcmp(k->text, r->talk.expected) == 0 && !k->open && !k->errors &&
                    (!r->talk.speaks || k->speaks == r->talk.speaks);
    for (int half = 0; half < 2; half++)
        is_right = is_right && (!r->body[half] || strcmp(r->body[half], k->body[half]) == 0);
    if (!is_right)
        fprintf(stderr, "%s, in pieces of %zu (%u open, %u errors, speaks %d):\n%swanted:\n%sbodies [%s] [%s]\n", r->talk.name,
                piece, k->open, k->errors, (int)k->speaks, k->text, r->talk.expected, k->body[0], k->body[1]);
    return is_right;
}

static void conversations_come_out_the_same_however_they_are_cut(void **state)
{
    (void)state;
    static const size_t pieces[] = {SIZE_MAX, 1, 2, 3, 5, 8, 9, 10, 11, 24, 100, 1000};
    static struct h2_build b;
    static struct talk k;
    unsigned wrong = 0;
    struct conn_pool *pool = talk_pool(&k);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        h2_build(&b, &rows[i].talk, rows[i].script);
        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
            talk_play_in(pool, &k, &rows[i].talk, pieces[p]);
            wrong += !is_as_said(&rows[i], &k, pieces[p]);
        }
    }
    conn_pool_free(pool);
    assert_int_equal(wrong, 0);
}

/* ---- what the rows above cannot say ---- */

struct live {
    struct h2_build build;
    struct talk_row row;
    struct talk talk;
    struct conn_pool *pool;
    struct flow_info info;
    struct conn *conn;
    uint64_t now_ns;
};

static struct live *live_new(uint32_t max_conns, uint32_t max_active)
{
    struct live *l = calloc(1, sizeof *l);
    struct conn_hooks hooks = talk_hooks(&l->talk);
    l->pool = conn_pool_new(&(struct conn_limits){max_conns, max_active}, &hooks);
    l->build.row = &l->row;
    l->row.is_many = true;
    l->talk.row = &l->row;
    l->info = (struct flow_info){.hash = 1, .saw = {true, true}};
    l->conn = conn_new(l->pool, &l->info);
    l->now_ns = 1000;
    return l;
}

static void live_end(struct live *l)
{
    conn_end(l->conn, l->now_ns);
    assert_int_equal(l->talk.open, 0);
    assert_int_equal(l->talk.errors, 0);
}

static void live_free(struct live *l)
{
    for (int dir = 0; dir < 2; dir++)
        if (l->build.deflater[dir])
            nghttp2_hd_deflate_del(l->build.deflater[dir]);
    conn_pool_free(l->pool);
    free(l);
}

/* Lines as in h2_build.h, said at once. */
static void say(struct live *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct live *l, const char *format, ...)
{
    char text[4000], *rest = text, *line;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    while ((line = strsep(&rest, "\n"))) {
        l->build.used = l->build.n = 0;
        if (*line)
            h2_line(&l->build, line);
        for (size_t i = 0; i < l->build.n; i++)
            conn_data(l->conn, l->row.steps[i].direction, span_of(l->row.steps[i].bytes, l->row.steps[i].size), ++l->now_ns);
    }
}

static uint64_t counter(const struct live *l, const char *name)
{
    struct counters c = conn_counters(l->pool);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

static unsigned lines_with(const struct live *l, const char *what)
{
    unsigned n = 0;
    for (const char *at = l->talk.text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void more_streams_than_are_followed(void **state)
{
    (void)state;
    struct live *l = live_new(4, 300);
    say(l, "C preface\nC settings\nS settings 3=1000");
    for (unsigned i = 0; i < 300; i++)
        say(l, "C headers %u e :method=GET :path=/%u :authority=h", 2 * i + 1, i);
    assert_int_equal(l->talk.open, 256);
    assert_int_equal(counter(l, "http2_streams_untracked"), 44);
    for (unsigned i = 0; i < 300; i++)
        say(l, "S headers %u - :status=200\nS data %u e 10", 2 * i + 1, 2 * i + 1);
    assert_int_equal(lines_with(l, " h 200 0oc 10oc\n"), 256);
    assert_int_equal(lines_with(l, "- - - 200 0u 10oc norequest cut\n"), 44); /* told as what they are: not followed */
    live_end(l);
    live_free(l);
}

/* Reset streams are told, each of them, in bounded memory. */
static void rapid_resets(void **state)
{
    (void)state;
    struct live *l = live_new(4, 300);
    say(l, "C preface\nC settings");
    for (unsigned i = 0; i < 1000; i++) {
        say(l, "C headers %u e :method=GET :path=/ :authority=h\nC rst %u", 2 * i + 1, 2 * i + 1);
        assert_true(l->talk.open <= 256);
        assert_false(conn_is_asked(l->conn));
    }
    assert_int_equal(counter(l, "http2_resets_early"), 1000);
    assert_int_equal(counter(l, "http2_rapid"), 1);
    live_end(l);
    assert_int_equal(lines_with(l, "noresponse aborted"), 1000);
    assert_int_equal(counter(l, "conn_transactions"), 1000);
    live_free(l);
}

static void what_was_reset_ends_when_nothing_comes(void **state)
{
    (void)state;
    struct live *l = live_new(4, 300);
    say(l, "C preface\nC settings\nC headers 1 e :method=GET :path=/a :authority=h\nS headers 1 - :status=200\nS data 1 - 50\n"
           "C rst 1\nS data 1 - 20");
    l->now_ns += 900000000;
    say(l, "S data 1 - 5");
    l->now_ns += 900000000;
    say(l, "S frame 6 0 8");
    assert_string_equal(l->talk.text, "");
    l->now_ns += 200000000;
    say(l, "S frame 6 0 8");
    assert_string_equal(l->talk.text, "1 GET /a h 200 0oc 75o aborted\n");
    say(l, "S data 1 e 5"); /* nobody's any more */
    assert_int_equal(counter(l, "http2_bytes_unowned"), 5);
    live_end(l);
    assert_int_equal(lines_with(l, "\n"), 1);
    live_free(l);
}

struct seen {
    char text[4000];
    uint32_t stream;
    unsigned major, minor;
};

static void see_request(void *ctx, struct transaction *t, struct body_tap *tap)
{
    struct seen *s = ctx;
    size_t at = 0;
    (void)tap; /* nobody wants the body */
    for (uint16_t i = 0; i < t->request_fields.n; i++) {
        const struct field *f = &t->request_fields.list[i];
        at += (size_t)snprintf(s->text + at, sizeof s->text - at, "%.*s: %.*s\n", (int)f->name.size,
                               (const char *)f->name.at, (int)f->value.size, (const char *)f->value.at);
    }
    s->stream = t->stream_id;
    s->major = t->version_major;
    s->minor = t->version_minor;
}

static void fields_are_those_of_http1(void **state)
{
    (void)state;
    struct seen s = {0};
    struct conn_hooks hooks = {.ctx = &s, .on_request = see_request};
    struct conn_pool *pool = conn_pool_new(&(struct conn_limits){4, 16}, &hooks);
    struct flow_info info = {.saw = {true, true}};
    static struct h2_build b;
    static struct talk_row row;
    struct conn *c = conn_new(pool, &info);
    h2_build(&b, &row, "C preface\nC headers 5 e :method=GET :path=/a :authority=h:81 accept=*/* cookie=a=1 x-y=z cookie=b=2;_c=3 "
                       "cookie=d=4 :late=1\n");
    for (struct talk_step *step = row.steps; step->kind; step++)
        conn_data(c, step->direction, span_of(step->bytes, step->size), 1);
    conn_end(c, 2);
    assert_string_equal(s.text, "host: h:81\naccept: */*\nx-y: z\ncookie: a=1; b=2; c=3; d=4\n");
    assert_int_equal(s.stream, 5);
    assert_int_equal(s.major, 2);
    assert_int_equal(s.minor, 0);
    static char many[4000]; /* behind more fields than are kept: the cookie, and whose */
    size_t at = (size_t)snprintf(many, sizeof many, "C preface\nC headers 1 e :method=GET :path=/b :authority=h");
    for (int i = 0; i < 140; i++)
        at += (size_t)snprintf(many + at, sizeof many - at, " x%d=y", i);
    snprintf(many + at, sizeof many - at, " authorization=z cookie=a=1\n");
    c = conn_new(pool, &info);
    h2_build(&b, &row, many);
    for (struct talk_step *step = row.steps; step->kind; step++)
        conn_data(c, step->direction, span_of(step->bytes, step->size), 1);
    conn_end(c, 2);
    conn_pool_free(pool);
    assert_non_null(strstr(s.text, "host: h\nx0: y\n"));
    assert_non_null(strstr(s.text, "x124: y\nauthorization: z\ncookie: a=1\n"));
}

/* Memory for HTTP/2 is used up: the connection is something else then, and counted. */
static void connections_have_an_end(void **state)
{
    (void)state;
    struct live *l = live_new(20, 300);
    struct conn *more[19];
    for (unsigned i = 0; i < 19; i++) {
        more[i] = conn_new(l->pool, &l->info);
        conn_data(more[i], CONN_CLIENT, SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 1);
        assert_int_equal(conn_speaks(more[i]), i < 16 ? CONN_HTTP2 : CONN_OTHER);
    }
    assert_int_equal(counter(l, "http2_refused"), 3);
    for (unsigned i = 0; i < 19; i++)
        conn_end(more[i], 2);
    say(l, "C preface");
    assert_int_equal(conn_speaks(l->conn), CONN_HTTP2);
    live_end(l);
    live_free(l);
}

/* No block for another transaction: the oldest stream of another connection makes room, or it is not followed. */
static void transactions_have_an_end(void **state)
{
    (void)state;
    struct live *l = live_new(4, 10);
    struct conn *other = l->conn;
    say(l, "C preface\nC settings");
    for (unsigned i = 0; i < 6; i++)
        say(l, "C headers %u e :method=GET :path=/%u :authority=h", 2 * i + 1, i);
    nghttp2_hd_deflate_del(l->build.deflater[0]);
    l->build.deflater[0] = NULL;
    l->conn = conn_new(l->pool, &l->info);
    say(l, "C preface\nC settings");
    for (unsigned i = 0; i < 12; i++)
        say(l, "C headers %u e :method=GET :path=/n%u :authority=h", 2 * i + 1, i);
    assert_int_equal(lines_with(l, "noresponse cut\n"), 6); /* all of the other's */
    assert_int_equal(counter(l, "http2_streams_untracked"), 2);
    conn_end(other, l->now_ns);
    live_end(l);
    live_free(l);
}

static void what_nobody_wants_may_be_skipped(void **state)
{
    (void)state;
    static const size_t pieces[] = {SIZE_MAX, 1, 7, 64, 1000};
    static struct h2_build b;
    static struct talk k;
    unsigned wrong = 0;
    struct conn_pool *pool = talk_pool(&k);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct row row = rows[i];
        row.talk.skips = true;
        row.body[0] = row.body[1] = NULL;
        h2_build(&b, &row.talk, row.script);
        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
            talk_play_in(pool, &k, &row.talk, pieces[p]);
            wrong += !is_as_said(&row, &k, pieces[p]);
        }
    }
    conn_pool_free(pool);
    assert_int_equal(wrong, 0);
}

static void the_rest_of_a_frame_is_skippable_without_a_tap(void **state)
{
    (void)state;
    static struct h2_build b;
    static struct talk k;
    static const struct flow_info info = {.hash = 1, .saw = {true, true}};
    struct talk_row row = {.name = "", .skips = true};
    for (int has_tap = 0; has_tap < 2; has_tap++) {
        struct conn_pool *pool = talk_pool(&k);
        k = (struct talk){.row = &row};
        row.skips = !has_tap;
        h2_build(&b, &row, OPEN GET("1", "/a") OK("1", "5000") "S data 1 - 3000\nS data 1 e 2000\n");
        struct conn *c = conn_new(pool, &info);
        uint64_t at = 0;
        for (const struct talk_step *s = row.steps; s->kind != TALK_END; s++)
            for (size_t i = 0; i < s->size; i++) {
                conn_data(c, s->direction, span_of(s->bytes + i, 1), at++);
                if (s->direction != CONN_SERVER || s->size < 2000)
                    continue;
                uint64_t left = i >= 8 ? s->size - 1 - i : 0; /* behind the head of the frame */
                assert_int_equal(conn_skippable(c, CONN_SERVER), has_tap ? 0 : left);
            }
        conn_end(c, at);
        conn_pool_free(pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_wants_may_be_skipped),
        cmocka_unit_test(the_rest_of_a_frame_is_skippable_without_a_tap),
        cmocka_unit_test(conversations_come_out_the_same_however_they_are_cut),
        cmocka_unit_test(more_streams_than_are_followed),
        cmocka_unit_test(rapid_resets),
        cmocka_unit_test(what_was_reset_ends_when_nothing_comes),
        cmocka_unit_test(fields_are_those_of_http1),
        cmocka_unit_test(connections_have_an_end),
        cmocka_unit_test(transactions_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
