/* SPDX-License-Identifier: Apache-2.0
 * Conversations of OpenSSL with itself, read with nothing but the key log: what was said comes out, byte for byte, in
 * its order, however the bytes are cut and whenever the secrets come; what is lost is told by its size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "flow/tls_state.h"
#include "support/tls_talk.h"

#define N(array) (sizeof(array) / sizeof *(array))
#define LOST 0xee
#define SECOND UINT64_C(1000000000)

enum cut { CUT_NOT, CUT_ALL, CUT_RANDOM, CUTS };

struct hole {
    int from;
    size_t at, size; /* of the wire */
};

struct plan {
    enum cut cut;
    const struct hole *holes;
    size_t n_holes;
    size_t keys_at; /* chunk before which the secrets come */
    bool has_no_keys, is_swapped, has_no_fin, is_lazy, is_not_fed;
    const char *only; /* lines of the log that begin like this */
    uint32_t hold_mib, max_conns;
};

#define NEVER SIZE_MAX

struct bench {
    struct tls_conn_pool *pool;
    struct tls_keys *keys;
    struct tls_conn *conn;
    struct text out[2]; /* lost bytes are LOST */
    uint64_t lost[2], skipped[2];
    struct talk_record runs[TALK_MAX];
    size_t n_runs;
    unsigned fins[2], errors;
    uint64_t ns, now;
    struct tls_facts facts;
    enum tls_conn_state state;
    bool is_swapped, was_open, wants_none;
    unsigned seed;
    struct tls_conn_counts counts;
};

static void note(struct bench *b, int direction, size_t size, uint64_t ns)
{
    int from = direction ^ (int)b->is_swapped;
    struct talk_record *last = b->n_runs ? &b->runs[b->n_runs - 1] : NULL;
    b->errors += ns < b->ns || ns > b->now || b->fins[from] > 0;
    b->ns = ns;
    if (last && last->from == from)
        last->plain_size += size;
    else if (b->n_runs < TALK_MAX)
        b->runs[b->n_runs++] = (struct talk_record){.from = from, .plain_size = size};
}

static void on_data(void *ctx, int direction, struct span bytes, uint64_t ns)
{
    struct bench *b = ctx;
    b->errors += bytes.size == 0;
    note(b, direction, bytes.size, ns);
    text_add(&b->out[direction ^ (int)b->is_swapped], bytes);
}

static void fill(struct bench *b, int direction, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes && i < 1u << 22; i++)
        text_add_char(&b->out[direction ^ (int)b->is_swapped], (char)LOST);
}

static void on_gap(void *ctx, int direction, uint64_t bytes, uint64_t ns)
{
    struct bench *b = ctx;
    b->errors += bytes == 0;
    note(b, direction, bytes, ns);
    b->lost[direction ^ (int)b->is_swapped] += bytes;
    fill(b, direction, bytes);
}

static void on_fin(void *ctx, int direction, uint64_t ns)
{
    struct bench *b = ctx;
    b->errors += ns < b->ns || ns > b->now;
    b->ns = ns;
    b->fins[direction ^ (int)b->is_swapped]++;
}

static uint64_t skippable(void *ctx, int direction)
{
    const struct bench *b = ctx;
    return b->wants_none && direction != (int)b->is_swapped ? UINT64_MAX : 0; /* the server's */
}

static void on_skip(void *ctx, int direction, uint64_t bytes, uint64_t ns)
{
    struct bench *b = ctx;
    note(b, direction, bytes, ns);
    b->skipped[direction ^ (int)b->is_swapped] += bytes;
    fill(b, direction, bytes);
}

static void add_keys(struct tls_keys *keys, const struct talk *t, const char *only)
{
    struct tls_keylog_counts counts = {0};
    struct tls_keylog_entry entry;
    for (const char *line = text_str(&t->keylog); *line;) {
        size_t n = strcspn(line, "\n");
        bool is_wanted = !only || strncmp(line, only, strlen(only)) == 0 || (*only == '*' && strstr(line, only + 1));
        if (is_wanted && tls_keylog_line(span_of(line, n), &counts, &entry))
            tls_keys_add(keys, &entry, 1);
        line += n + (line[n] != 0);
    }
}

/* ---- feeding ---- */

static void feed_one(struct bench *b, int from, struct span bytes, uint64_t gap)
{
    b->now += 1000;
    int direction = from ^ (int)b->is_swapped;
    if (gap)
        tls_conn_gap(b->conn, direction, gap, b->now);
    else
        tls_conn_data(b->conn, direction, bytes, b->now);
}

static const struct hole *hole_at(const struct plan *plan, int from, size_t at)
{
    for (size_t i = 0; i < plan->n_holes; i++)
        if (plan->holes[i].from == from && at >= plan->holes[i].at && at < plan->holes[i].at + plan->holes[i].size)
            return &plan->holes[i];
    return NULL;
}

static size_t until_hole(const struct plan *plan, int from, size_t at)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < plan->n_holes; i++)
        if (plan->holes[i].from == from && plan->holes[i].at > at && plan->holes[i].at - at < least)
            least = plan->holes[i].at - at;
    return least;
}

static size_t cut_size(struct bench *b, enum cut cut, size_t left)
{
    if (cut == CUT_ALL)
        return 1;
    b->seed = b->seed * 1103515245 + 12345;
    size_t n = (b->seed >> 16) % (b->seed & 0x100 ? 40 : 3000) + 1;
    return cut == CUT_NOT || n > left ? left : n;
}

static void feed_chunk(struct bench *b, const struct talk *t, const struct talk_chunk *c, const struct plan *plan)
{
    for (size_t at = c->at, end = c->at + c->size; at < end;) {
        const struct hole *hole = hole_at(plan, c->from, at);
        size_t n = hole ? hole->at + hole->size - at : until_hole(plan, c->from, at);
        n = n < end - at ? n : end - at;
        if (!hole)
            n = cut_size(b, plan->cut, n);
        feed_one(b, c->from, span_of(t->wire[c->from].at + at, n), hole ? n : 0);
        at += n;
    }
}

static void count_used(struct bench *b)
{
    const struct tls_conn_pool *p = b->pool;
    b->errors += pool_used(p->conns) || pool_used(p->held) || pool_used(p->records.blocks) ||
                 pool_used(p->messages.small) || pool_used(p->messages.large) || p->wait_first || p->wait_last;
}

/* Reads a conversation as planned; what came of it is in the bench. */
static void read_talk(struct bench *b, const struct talk *t, const struct plan *plan)
{
    static const struct tls_conn_ops ops = {on_data, on_gap, on_fin, skippable, on_skip};
    *b = (struct bench){.now = SECOND, .seed = 7, .is_swapped = plan->is_swapped, .wants_none = plan->is_lazy};
    b->out[0].max = b->out[1].max = 16u << 20;
    b->keys = tls_keys_new(NULL);
    b->pool = tls_conn_pool_new(&(struct tls_conn_limits){.max_conns = plan->max_conns ? plan->max_conns : 64,
                                                          .max_openers = 3,
                                                          .hold_mib = plan->hold_mib ? plan->hold_mib : 16,
                                                          .wait_ns = 10 * SECOND,
                                                          .is_fed = !plan->is_not_fed},
                                &ops, b->keys);
    b->conn = tls_conn_new(b->pool, b);
    for (size_t i = 0; i < t->n_chunks; i++) {
        if (i == plan->keys_at)
            add_keys(b->keys, t, plan->only);
        if (i >= plan->keys_at)
            tls_conn_pool_poll(b->pool, b->now);
        else
            b->errors += b->out[0].size || b->out[1].size; /* nothing before its time */
        feed_chunk(b, t, &t->chunks[i], plan);
    }
    for (int from = 0; from < 2 && !plan->has_no_fin; from++)
        tls_conn_fin(b->conn, from ^ (int)b->is_swapped, b->now += 1000);
    if (plan->keys_at != NEVER && plan->keys_at >= t->n_chunks) {
        add_keys(b->keys, t, plan->only);
        tls_conn_pool_poll(b->pool, b->now += 1000);
    }
    tls_conn_finish(b->conn, b->now += 1000);
    b->facts = *tls_conn_facts(b->conn);
    b->state = tls_conn_state(b->conn);
    b->was_open = tls_conn_is_open(b->conn);
    tls_conn_free(b->conn);
    (void)tls_conn_counters(b->pool);
    b->counts = b->pool->counts;
    count_used(b);
    tls_conn_pool_free(b->pool);
    tls_keys_free(b->keys);
}

static void bench_fini(struct bench *b)
{
    text_fini(&b->out[0]);
    text_fini(&b->out[1]);
}

/* Every byte is the one that was sent, or told to be lost or skipped. */
static void check_bytes(const struct bench *b, const struct talk *t)
{
    assert_int_equal(b->errors, 0);
    for (int from = 0; from < 2; from++) {
        assert_int_equal(b->out[from].size, t->plain[from].size);
        size_t covered = 0;
        for (size_t i = 0; i < b->out[from].size; i++) {
            bool is_same = b->out[from].at[i] == t->plain[from].at[i];
            covered += !is_same;
            assert_true(is_same || (uint8_t)b->out[from].at[i] == LOST);
        }
        assert_true(covered <= b->lost[from] + b->skipped[from]);
    }
}

/* Who said how much, in which order. */
static void check_order(const struct bench *b, const struct talk *t)
{
    size_t run = 0;
    for (size_t i = 0; i < t->n_records;) {
        size_t size = 0, from = (size_t)t->records[i].from;
        for (; i < t->n_records && (size_t)t->records[i].from == from; i++)
            size += t->records[i].plain_size;
        assert_true(run < b->n_runs);
        assert_int_equal(b->runs[run].from, from);
        assert_int_equal(b->runs[run].plain_size, size);
        run++;
    }
    assert_int_equal(run, b->n_runs);
}

static void check_all_out(const struct bench *b, const struct talk *t)
{
    check_bytes(b, t);
    check_order(b, t);
    assert_int_equal(b->lost[0] + b->lost[1], 0);
    assert_int_equal(b->fins[0] + b->fins[1], 2);
    assert_int_equal(b->facts.sight, TLS_OPEN);
    assert_int_equal(b->counts.opened, 1);
    assert_string_equal(b->facts.server_name, "desk.example.org");
}

static void check_nothing_out(const struct bench *b, enum tls_sight why)
{
    assert_int_equal(b->errors, 0);
    assert_int_equal(b->out[0].size + b->out[1].size, 0);
    assert_int_equal(b->facts.sight, why);
    assert_false(b->was_open);
}

/* In every way of cutting, with secrets before and after. */
static void read_all_ways(const struct talk *t)
{
    struct bench b;
    size_t keys_at[] = {0, 2, t->n_chunks / 2, t->n_chunks};
    for (size_t k = 0; k < N(keys_at); k++)
        for (int cut = 0; cut < CUTS; cut++)
            for (int is_swapped = 0; is_swapped < 2; is_swapped++) {
                if (cut == CUT_ALL && t->wire[0].size + t->wire[1].size > 60000)
                    continue;
                if (cut == CUT_ALL && (keys_at[k] > 2 || is_swapped != (int)(keys_at[k] > 0)))
                    continue; /* a byte a block is more than is held */
                read_talk(&b, t, &(struct plan){.cut = (enum cut)cut, .keys_at = keys_at[k], .is_swapped = is_swapped});
                check_all_out(&b, t);
                bench_fini(&b);
            }
}

static void chat(struct talk *t)
{
    static const size_t sizes[] = {1, 100, 16384, 16385, 3000};
    for (size_t i = 0; i < N(sizes); i++)
        for (int from = 0; from < 2; from++)
            assert_true(talk_say(t, from, sizes[i]));
}

static void chat_shortly(struct talk *t)
{
    for (size_t i = 0; i < 4; i++)
        for (int from = 0; from < 2; from++)
            assert_true(talk_say(t, from, 200 + 37 * i));
}

/* ---- tests ---- */

static void suites(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *cipher;
        bool has_no_etm;
    } rows[] = {
        {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", false},
        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", false},
        {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", false},
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", false},
        {TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384", false},
        {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", false},
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256", false},
        {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256", true},
        {TLS1_2_VERSION, "AES128-SHA", true},
        {TLS1_1_VERSION, "AES256-SHA", false},
        {TLS1_VERSION, "ECDHE-RSA-AES128-SHA", true},
    };
    for (size_t i = 0; i < N(rows); i++)
        for (int is_short = 0; is_short < 2; is_short++) {
            struct talk t;
            talk_init(&t, rows[i].version);
            if (rows[i].version == TLS1_3_VERSION)
                SSL_CTX_set_ciphersuites(t.contexts[0], rows[i].cipher);
            else
                SSL_CTX_set_cipher_list(t.contexts[0], rows[i].cipher);
            if (rows[i].has_no_etm)
                SSL_CTX_set_options(t.contexts[0], SSL_OP_NO_ENCRYPT_THEN_MAC);
            talk_begin(&t);
            assert_true(talk_shake(&t));
            (is_short ? chat_shortly : chat)(&t);
            read_all_ways(&t);
            talk_end(&t);
            talk_fini(&t);
        }
}

static void retry(void **state)
{
    (void)state;
    struct talk t;
    talk_init(&t, TLS1_3_VERSION);
    SSL_CTX_set1_groups_list(t.contexts[0], "X25519:P-256");
    SSL_CTX_set1_groups_list(t.contexts[1], "P-256");
    talk_begin(&t);
    assert_true(talk_shake(&t));
    chat_shortly(&t);
    read_all_ways(&t);
    talk_end(&t);
    talk_fini(&t);
}

static void resumption(void **state)
{
    (void)state;
    static const struct {
        int version;
        long options;
    } rows[] = {{TLS1_2_VERSION, SSL_OP_NO_TICKET}, {TLS1_2_VERSION, 0}, {TLS1_3_VERSION, 0}};
    for (size_t i = 0; i < N(rows); i++) {
        struct talk t;
        talk_init(&t, rows[i].version);
        for (int end = 0; end < 2; end++)
            SSL_CTX_set_options(t.contexts[end], (uint64_t)rows[i].options);
        for (int round = 0; round < 2; round++) {
            talk_begin(&t);
            assert_true(talk_shake(&t));
            chat_shortly(&t);
            assert_int_equal(SSL_session_reused(t.ends[0]), round);
            read_all_ways(&t);
            struct bench b;
            read_talk(&b, &t, &(struct plan){0});
            assert_int_equal(b.facts.is_resumed, round);
            bench_fini(&b);
            talk_end(&t);
        }
        talk_fini(&t);
    }
}

/* The client's first words go with its hello. */
static void say_early(struct talk *t, size_t size, bool is_accepted)
{
    uint8_t *bytes = malloc(size), got[20000];
    size_t n;
    memset(bytes, 'e', size);
    size_t at = t->wire[0].size;
    assert_int_equal(SSL_write_early_data(t->ends[0], bytes, size, &n), 1);
    talk_carry(t, 0);
    while (at < t->wire[0].size && (uint8_t)t->wire[0].at[at] != 23)
        at += 5 + ((size_t)(uint8_t)t->wire[0].at[at + 3] << 8 | (uint8_t)t->wire[0].at[at + 4]);
    if (is_accepted) {
        talk_note(t, 0, at, size);
        text_add(&t->plain[0], span_of(bytes, size));
    }
    int rc = SSL_read_early_data(t->ends[1], got, sizeof got, &n);
    if (is_accepted) {
        assert_int_equal(rc, SSL_READ_EARLY_DATA_SUCCESS);
        assert_int_equal(n, size);
    } else {
        assert_int_not_equal(rc, SSL_READ_EARLY_DATA_SUCCESS);
    }
    /* the answer to what was said early comes before the handshake is over */
    if (is_accepted) {
        size_t from = t->wire[1].size, before = t->plain[1].size;
        assert_int_equal(SSL_write_early_data(t->ends[1], "soon", 4, &n), 1);
        text_add(&t->plain[1], span_of("soon", 4));
        talk_carry(t, 1);
        size_t last = from;
        while (from < t->wire[1].size) {
            last = from;
            from += 5 + ((size_t)(uint8_t)t->wire[1].at[from + 3] << 8 | (uint8_t)t->wire[1].at[from + 4]);
        }
        t->records[t->n_records++] = (struct talk_record){1, last, from - last, before, 4};
    } else {
        talk_carry(t, 1);
    }
    SSL_do_handshake(t->ends[0]); /* ends the early data */
    talk_carry(t, 0);
    if (is_accepted)
        while (SSL_read_early_data(t->ends[1], got, sizeof got, &n) == SSL_READ_EARLY_DATA_SUCCESS) {}
    free(bytes);
}

static void early_data(void **state)
{
    (void)state;
    enum { ACCEPTED, REFUSED, RETRIED, ROWS };
    for (int row = 0; row < ROWS; row++) {
        struct talk t;
        struct bench b;
        talk_init(&t, TLS1_3_VERSION);
        SSL_CTX_set_options(t.contexts[1], SSL_OP_NO_ANTI_REPLAY);
        talk_begin(&t);
        assert_true(talk_shake(&t));
        chat_shortly(&t);
        talk_end(&t);
        if (row == REFUSED)
            SSL_CTX_set_max_early_data(t.contexts[1], 0);
        if (row == RETRIED) {
            SSL_CTX_set1_groups_list(t.contexts[0], "X25519:P-256");
            SSL_CTX_set1_groups_list(t.contexts[1], "P-256");
        }
        talk_begin(&t);
        say_early(&t, 700, row == ACCEPTED);
        assert_true(talk_shake(&t));
        {
            char c;
            SSL_read(t.ends[0], &c, 0);
        }
        if (row == ACCEPTED) {
            char got[4];
            assert_int_equal(SSL_read(t.ends[0], got, 4), 4);
        }
        chat_shortly(&t);
        read_all_ways(&t);
        read_talk(&b, &t, &(struct plan){0});
        assert_true(b.facts.has_early_data && b.facts.is_resumed);
        bench_fini(&b);
        /* the answers of the server and what the client says after it, though the early secret is not in the log */
        if (row == ACCEPTED) {
            read_talk(&b, &t, &(struct plan){.only = "*_TRAFFIC_SECRET "});
            bench_fini(&b);
        }
        talk_end(&t);
        talk_fini(&t);
    }
}

static void key_update(void **state)
{
    (void)state;
    struct talk t;
    talk_init(&t, TLS1_3_VERSION);
    talk_begin(&t);
    assert_true(talk_shake(&t));
    for (int i = 0; i < 8; i++) {
        chat_shortly(&t);
        SSL_key_update(t.ends[i & 1], i & 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
    }
    chat_shortly(&t);
    read_all_ways(&t);
    talk_end(&t);
    talk_fini(&t);
}

static int accept_all(int is_ok, X509_STORE_CTX *store)
{
    (void)is_ok;
    (void)store;
    return 1;
}

static int choose_first(SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in,
                        unsigned in_size, void *ctx)
{
    (void)ssl;
    (void)in_size;
    (void)ctx;
    *out = in + 1;
    *size = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void renegotiation(void **state)
{
    (void)state;
    static const char *const ciphers[] = {"ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"};
    for (size_t i = 0; i < N(ciphers); i++) {
        struct talk t;
        talk_init(&t, TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(t.contexts[0], ciphers[i]);
        talk_begin(&t);
        assert_true(talk_shake(&t));
        for (int round = 0; round < 3; round++) {
            chat_shortly(&t);
            char c;
            assert_int_equal(round == 1 ? SSL_renegotiate_abbreviated(t.ends[0]) : SSL_renegotiate(t.ends[0]), 1);
            for (int step = 0; step < 4; step++) {
                SSL_do_handshake(t.ends[0]);
                talk_carry(&t, 0);
                SSL_read(t.ends[1], &c, 1);
                talk_carry(&t, 1);
            }
            assert_false(SSL_renegotiate_pending(t.ends[0]));
        }
        chat_shortly(&t);
        read_all_ways(&t);
        talk_end(&t);
        talk_fini(&t);
    }
}

static void facts(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < N(versions); i++) {
        struct talk t;
        struct bench b;
        talk_init(&t, versions[i]);
        talk_certify(t.contexts[0], "agent.test");
        SSL_CTX_set_verify(t.contexts[1], SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_all);
        SSL_CTX_set_alpn_protos(t.contexts[0], (const unsigned char *)"\x02h2\x08http/1.1", 12);
        SSL_CTX_set_alpn_select_cb(t.contexts[1], choose_first, NULL);
        talk_begin(&t);
        assert_true(talk_shake(&t));
        chat_shortly(&t);
        read_all_ways(&t);
        read_talk(&b, &t, &(struct plan){0});
        assert_string_equal(b.facts.client_subject, "CN=agent.test");
        assert_string_equal(b.facts.server_subject, "CN=a.test");
        assert_string_equal(b.facts.alpn, "h2");
        assert_true(b.facts.is_alpn_chosen);
        assert_int_equal(b.facts.version, versions[i]);
        bench_fini(&b);
        /* what the handshake shows is told without keys too */
        read_talk(&b, &t, &(struct plan){.keys_at = NEVER});
        check_nothing_out(&b, TLS_NO_KEYS);
        assert_string_equal(b.facts.server_subject, versions[i] == TLS1_2_VERSION ? "CN=a.test" : "");
        assert_int_equal(b.facts.version, versions[i]);
        assert_int_equal(strlen(b.facts.ja3), 32);
        assert_int_equal(strlen(b.facts.ja3s), 32);
        bench_fini(&b);
        talk_end(&t);
        talk_fini(&t);
    }
}

static void talk_simple(struct talk *t, int version)
{
    talk_init(t, version);
    talk_begin(t);
    assert_true(talk_shake(t));
    chat_shortly(t);
}

static void talk_over(struct talk *t)
{
    talk_end(t);
    talk_fini(t);
}

static const int both_versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void wrong_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(both_versions); i++) {
        struct talk t;
        struct bench b;
        talk_simple(&t, both_versions[i]);
        for (char *at = t.keylog.at; (at = strchr(at, '\n')); at++)
            at[-1] = at[-1] == '0' ? '1' : '0'; /* the last digit of each secret */
        size_t keys_at[] = {0, t.n_chunks};
        for (size_t k = 0; k < N(keys_at); k++) {
            read_talk(&b, &t, &(struct plan){.keys_at = keys_at[k]});
            check_nothing_out(&b, TLS_BAD_KEYS);
            assert_int_equal(b.counts.bad_keys, 1);
            bench_fini(&b);
        }
        talk_over(&t);
    }
}

/* The log of a server that writes down what protects the content only. */
static void content_keys_only(void **state)
{
    (void)state;
    struct talk t;
    struct bench b;
    talk_simple(&t, TLS1_3_VERSION);
    size_t keys_at[] = {0, t.n_chunks};
    for (size_t k = 0; k < N(keys_at); k++) {
        read_talk(&b, &t, &(struct plan){.keys_at = keys_at[k], .only = "*_TRAFFIC_SECRET_0 "});
        check_all_out(&b, &t);
        bench_fini(&b);
    }
    /* and one that has all but these */
    read_talk(&b, &t, &(struct plan){.only = "*_HANDSHAKE_TRAFFIC"});
    check_nothing_out(&b, TLS_NO_KEYS);
    bench_fini(&b);
    /* of one side: the other waits for it in vain */
    read_talk(&b, &t, &(struct plan){.only = "CLIENT_"});
    check_nothing_out(&b, TLS_NO_KEYS);
    bench_fini(&b);
    talk_over(&t);
}

static void no_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(both_versions); i++) {
        struct talk t;
        struct bench b;
        talk_simple(&t, both_versions[i]);
        for (int cut = 0; cut < CUTS; cut++) {
            read_talk(&b, &t, &(struct plan){.keys_at = NEVER, .cut = (enum cut)cut});
            check_nothing_out(&b, TLS_NO_KEYS);
            assert_int_equal(b.counts.no_keys, 1);
            assert_int_equal(b.counts.waited, 1);
            bench_fini(&b);
        }
        /* without a feed nobody waits */
        read_talk(&b, &t, &(struct plan){.keys_at = NEVER, .is_not_fed = true});
        check_nothing_out(&b, TLS_NO_KEYS);
        assert_int_equal(b.counts.waited, 0);
        assert_int_equal(b.state, TLS_CONN_CLOSED);
        bench_fini(&b);
        talk_over(&t);
    }
}

static struct tls_conn_pool *pool_of(struct bench *b, struct tls_conn_limits limits)
{
    static const struct tls_conn_ops ops = {on_data, on_gap, on_fin, skippable, on_skip};
    *b = (struct bench){.now = SECOND};
    b->keys = tls_keys_new(NULL);
    limits.wait_ns = 10 * SECOND;
    limits.is_fed = true;
    return b->pool = tls_conn_pool_new(&limits, &ops, b->keys);
}

/* By packet time: who waits longest goes first; its memory is back at once. */
static void waiting_ends(void **state)
{
    (void)state;
    struct talk t;
    struct bench b;
    talk_simple(&t, TLS1_3_VERSION);
    struct tls_conn_pool *p = pool_of(&b, (struct tls_conn_limits){.max_conns = 4, .max_openers = 4, .hold_mib = 1});
    struct tls_conn *conns[3];
    for (size_t c = 0; c < 3; c++) {
        b.now = (c + 1) * SECOND;
        b.conn = conns[c] = tls_conn_new(p, &b);
        for (size_t i = 0; i < t.n_chunks; i++)
            feed_chunk(&b, &t, &t.chunks[i], &(struct plan){0});
        assert_int_equal(tls_conn_state(conns[c]), TLS_CONN_GOING);
    }
    assert_true(pool_used(p->held) > 0);
    for (size_t c = 0; c < 3; c++) {
        tls_conn_pool_poll(p, (c + 11) * SECOND - SECOND / 2);
        assert_int_equal(tls_conn_state(conns[c]), TLS_CONN_GOING);
        tls_conn_pool_poll(p, (c + 11) * SECOND + SECOND / 2);
        assert_int_equal(tls_conn_state(conns[c]), TLS_CONN_CLOSED);
        assert_int_equal(tls_conn_facts(conns[c])->sight, TLS_NO_KEYS);
    }
    assert_int_equal(pool_used(p->held), 0);
    assert_int_equal(p->counts.no_keys, 3);
    for (size_t c = 0; c < 3; c++)
        tls_conn_free(conns[c]);
    assert_int_equal(pool_used(p->conns), 0);
    assert_int_equal(b.out[0].size + b.out[1].size, 0);
    tls_conn_pool_free(p);
    tls_keys_free(b.keys);
    talk_over(&t);
}

/* More waits than there is room for; another connection is not disturbed by it. */
static void hold_used_up(void **state)
{
    (void)state;
    struct talk t;
    struct bench b;
    talk_init(&t, TLS1_3_VERSION);
    talk_begin(&t);
    assert_true(talk_shake(&t));
    for (int i = 0; i < 80; i++)
        assert_true(talk_say(&t, TALK_SERVER, 16384));
    read_talk(&b, &t, &(struct plan){.keys_at = t.n_chunks, .hold_mib = 1});
    check_nothing_out(&b, TLS_NO_KEYS);
    assert_int_equal(b.counts.hold_full, 1);
    bench_fini(&b);
    read_talk(&b, &t, &(struct plan){.keys_at = t.n_chunks, .hold_mib = 4});
    check_all_out(&b, &t);
    bench_fini(&b);
    talk_over(&t);
}

static void too_many(void **state)
{
    (void)state;
    struct bench b;
    struct tls_conn_pool *p = pool_of(&b, (struct tls_conn_limits){.max_conns = 1, .max_openers = 2, .hold_mib = 1});
    struct tls_conn *one = tls_conn_new(p, &b);
    assert_non_null(one);
    assert_null(tls_conn_new(p, &b));
    assert_int_equal(p->counts.refused, 1);
    tls_conn_free(one);
    one = tls_conn_new(p, &b);
    assert_non_null(one);
    tls_conn_free(one);
    tls_conn_pool_free(p);
    tls_keys_free(b.keys);
}

/* ---- loss ---- */

/* Reads with holes; every byte that is lost is told, and no other. */
static void read_holes(const struct talk *t, const struct hole *holes, size_t n, bool is_ordered, uint64_t lost)
{
    size_t keys_at[] = {0, t->n_chunks};
    for (int cut = 0; cut < CUTS; cut++)
        for (size_t k = 0; k < N(keys_at); k++) {
            struct bench b;
            if (cut == CUT_ALL && (k > 0 || t->wire[1].size > 60000))
                continue;
            read_talk(&b, t,
                      &(struct plan){.holes = holes, .n_holes = n, .cut = (enum cut)cut, .keys_at = keys_at[k]});
            check_bytes(&b, t);
            if (is_ordered)
                check_order(&b, t);
            assert_int_equal(b.lost[0] + b.lost[1], lost);
            bench_fini(&b);
        }
}

static uint64_t plain_of(const struct talk *t, size_t first, size_t last)
{
    uint64_t n = 0;
    for (size_t i = first; i <= last; i++)
        n += t->records[i].plain_size;
    return n;
}

static void gaps(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *cipher;
    } rows[] = {{TLS1_3_VERSION, NULL},
                {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"},
                {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305"}};
    for (size_t i = 0; i < N(rows); i++) {
        struct talk t;
        talk_init(&t, rows[i].version);
        if (rows[i].cipher)
            SSL_CTX_set_cipher_list(t.contexts[0], rows[i].cipher);
        talk_begin(&t);
        assert_true(talk_shake(&t));
        assert_true(talk_say(&t, TALK_CLIENT, 300));
        for (int n = 0; n < 12; n++)
            assert_true(talk_say(&t, TALK_SERVER, 900 + 10 * (size_t)n));
        assert_true(talk_say(&t, TALK_CLIENT, 300));
        assert_true(talk_say(&t, TALK_SERVER, 300));
        const struct talk_record *r = t.records;
        assert_int_equal(t.n_records, 15);
        const struct {
            struct hole hole;
            size_t first, last; /* records that are lost */
        } cases[] = {
            {{1, r[4].at + 100, 50}, 4, 4},                                       /* in a record */
            {{1, r[4].at + 5, r[4].size - 5}, 4, 4},                              /* but its header */
            {{1, r[4].at, r[4].size}, 4, 4},                                      /* whole */
            {{1, r[4].at, 3 * r[4].size + 60}, 4, 7},                             /* three */
            {{1, r[4].at + 100, r[4].size}, 4, 5},                                /* over a boundary */
            {{1, r[4].at + 100, r[4].size - 98}, 4, 5},                           /* into a header */
            {{1, r[4].at + 2, 20}, 4, 4},                                         /* of a header */
            {{1, r[4].at + 100, r[7].at - r[4].at}, 4, 7},                        /* over several */
            {{1, r[1].at, r[1].size}, 1, 1},                                      /* the first that says something */
            {{1, r[12].at + r[12].size - 1, 1}, 12, 12},                          /* the last byte */
            {{0, r[0].at, r[0].size}, 0, 0},                                      /* of the client */
            {{1, r[3].at, r[12].at + r[12].size - r[3].at}, 3, 12},               /* many */
            {{1, r[14].at + 20, r[14].size - 20}, 14, 14},                        /* the end of the last */
            {{1, r[14].at, r[14].size}, 14, 14},                                  /* all of the last */
        };
        for (size_t c = 0; c < N(cases); c++)
            /* what is missing is known when the next record of that side comes: after the last, when the other has spoken */
            read_holes(&t, &cases[c].hole, 1, cases[c].hole.from == TALK_SERVER && cases[c].last < 12,
                       plain_of(&t, cases[c].first, cases[c].last));
        const struct hole two[] = {{1, r[3].at + 10, 20}, {1, r[6].at, r[6].size + 2}};
        read_holes(&t, two, 2, true, r[3].plain_size + r[6].plain_size + r[7].plain_size);
        talk_over(&t);
    }
}

/* The end of the handshake is not in the capture: what comes after is. */
static void gap_over_finished(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(both_versions); i++)
        for (int from = 0; from < 2; from++) {
            struct talk t;
            struct bench b;
            talk_init(&t, both_versions[i]);
            SSL_CTX_set_num_tickets(t.contexts[1], 0); /* else it is the last of them that is lost */
            talk_begin(&t);
            assert_true(talk_shake(&t));
            size_t first = t.wire[from].size;
            for (int n = 0; n < 3; n++)
                for (int end = 0; end < 2; end++)
                    assert_true(talk_say(&t, end, 400));
            for (size_t over = 0; over < 2; over++) { /* over into the record behind it */
                const struct hole hole = {from, first - 60, 60 + over};
                read_talk(&b, &t, &(struct plan){.holes = &hole, .n_holes = 1});
                assert_int_equal(b.errors, 0);
                uint64_t lost = over ? 400 : 0;
                /* the size of a record whose header is gone is not exact where the hole began in another kind */
                assert_true(b.out[!from].size == t.plain[!from].size);
                assert_memory_equal(b.out[!from].at, t.plain[!from].at, t.plain[!from].size);
                assert_true(b.out[from].size >= t.plain[from].size - lost);
                assert_memory_equal(b.out[from].at + b.out[from].size - 800,
                                    t.plain[from].at + t.plain[from].size - 800, 800);
                if (!over) {
                    assert_int_equal(b.out[from].size, t.plain[from].size);
                    assert_int_equal(b.lost[from], 0);
                } else {
                    assert_true(b.lost[from] > 0 && b.lost[from] < 500);
                }
                bench_fini(&b);
            }
            talk_over(&t);
        }
}

/* A KeyUpdate that is not in the capture. */
static void gap_over_key_update(void **state)
{
    (void)state;
    struct talk t;
    struct bench b;
    talk_simple(&t, TLS1_3_VERSION);
    size_t before = t.wire[1].size;
    SSL_key_update(t.ends[1], SSL_KEY_UPDATE_NOT_REQUESTED);
    chat_shortly(&t);
    const struct hole hole = {1, before, 27};
    read_talk(&b, &t, &(struct plan){.holes = &hole, .n_holes = 1});
    assert_int_equal(b.errors, 0);
    assert_int_equal(b.out[0].size, t.plain[0].size);
    size_t rest = t.plain[1].size / 2;
    assert_memory_equal(b.out[1].at + b.out[1].size - rest, t.plain[1].at + t.plain[1].size - rest, rest);
    assert_true(b.lost[1] <= 27);
    bench_fini(&b);
    talk_over(&t);
}

/* A flipped bit costs its record. */
static void tampering(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(both_versions); i++) {
        struct talk t;
        struct bench b;
        talk_simple(&t, both_versions[i]);
        const struct talk_record *r = &t.records[3];
        t.wire[r->from].at[r->at + 30] ^= 4;
        read_talk(&b, &t, &(struct plan){0});
        check_bytes(&b, &t);
        assert_int_equal(b.lost[r->from], r->plain_size);
        assert_int_equal(b.counts.records_failed, 1);
        bench_fini(&b);
        talk_over(&t);
    }
}

/* What nobody wants is counted, exactly, and not read. */
static void lazily(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *cipher;
        size_t padding;
    } rows[] = {{TLS1_3_VERSION, NULL, 0},
                {TLS1_3_VERSION, NULL, 64},
                {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", 0},
                {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", 0},
                {TLS1_2_VERSION, "AES128-SHA", 0}};
    for (size_t i = 0; i < N(rows); i++) {
        struct talk t;
        struct bench b;
        talk_init(&t, rows[i].version);
        if (rows[i].cipher)
            SSL_CTX_set_cipher_list(t.contexts[0], rows[i].cipher);
        SSL_CTX_set_block_padding(t.contexts[1], rows[i].padding);
        talk_begin(&t);
        assert_true(talk_shake(&t));
        chat_shortly(&t);
        for (int n = 0; n < 6; n++) {
            if (n == 3 && rows[i].version == TLS1_3_VERSION)
                SSL_key_update(t.ends[1], SSL_KEY_UPDATE_NOT_REQUESTED);
            assert_true(talk_say(&t, TALK_SERVER, 20000));
        }
        assert_true(talk_say(&t, TALK_CLIENT, 200));
        for (int cut = 0; cut < CUTS; cut += 2) {
            read_talk(&b, &t, &(struct plan){.is_lazy = true, .cut = (enum cut)cut});
            check_bytes(&b, &t);
            assert_true(i == N(rows) - 1 ? !b.skipped[1] : b.skipped[1] > 100000); /* CBC is read */
            assert_int_equal(b.lost[1], 0);
            bench_fini(&b);
        }
        /* of a hole it is told that it is one, be the record wanted or not */
        const struct talk_record *r = &t.records[10];
        const struct hole hole = {1, r->at + 5000, 100};
        read_talk(&b, &t, &(struct plan){.is_lazy = true, .holes = &hole, .n_holes = 1});
        assert_int_equal(b.errors, 0);
        bool is_read = rows[i].padding || rows[i].cipher == rows[N(rows) - 1].cipher;
        assert_true(is_read ? b.lost[1] >= r->plain_size && b.lost[1] <= r->plain_size + 64 : b.lost[1] == 100);
        bench_fini(&b);
        talk_over(&t);
    }
}

/* ---- no TLS ---- */

static void foreign(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct {
            int direction;
            const char *bytes;
            size_t size;
        } said[4];
        const char *first[2];
        size_t first_size[2];
    } rows[] = {
        {"at once", {{0, "\x16\x03GET ", 6}}, {"", ""}, {0, 0}},
        {"byte by byte", {{0, "\x16", 1}, {0, "\x03", 1}, {0, "\x01", 1}, {0, "\xff\xff\xff", 3}},
         {"\x16\x03\x01", ""}, {3, 0}},
        {"of both", {{0, "\x16", 1}, {1, "\x17\x03", 2}, {0, "X", 1}}, {"\x16", "\x17\x03"}, {1, 2}},
    };
    for (size_t i = 0; i < N(rows); i++) {
        struct bench b;
        struct tls_conn_pool *p = pool_of(&b, (struct tls_conn_limits){.max_conns = 4, .max_openers = 4, .hold_mib = 1});
        struct tls_conn *c = tls_conn_new(p, &b);
        for (size_t n = 0; n < 4 && rows[i].said[n].bytes; n++) {
            assert_int_equal(tls_conn_state(c), TLS_CONN_GOING);
            tls_conn_data(c, rows[i].said[n].direction, span_of(rows[i].said[n].bytes, rows[i].said[n].size), SECOND);
        }
        assert_int_equal(tls_conn_state(c), TLS_CONN_FOREIGN);
        for (int d = 0; d < 2; d++)
            assert_true(span_eq(tls_conn_first(c, d), span_of(rows[i].first[d], rows[i].first_size[d])));
        assert_int_equal(p->counts.foreign, 1);
        tls_conn_free(c);
        tls_conn_pool_free(p);
        tls_keys_free(b.keys);
    }
}

/* What was lost in between cannot be handed on: then it is no plain connection, but a TLS one that was missed. */
static void foreign_after_gap(void **state)
{
    (void)state;
    struct bench b;
    struct tls_conn_pool *p = pool_of(&b, (struct tls_conn_limits){.max_conns = 4, .max_openers = 4, .hold_mib = 1});
    struct tls_conn *c = tls_conn_new(p, &b);
    static char junk[65536];
    memset(junk, 'x', sizeof junk);
    tls_conn_data(c, 0, SPAN("\x16\x03\x01"), SECOND);
    tls_conn_gap(c, 0, 100, SECOND);
    for (int i = 0; i < 100; i++)
        tls_conn_data(c, 0, span_of(junk, sizeof junk), SECOND);
    assert_int_equal(tls_conn_state(c), TLS_CONN_CLOSED);
    assert_int_equal(tls_conn_facts(c)->sight, TLS_MISSED);
    tls_conn_free(c);
    tls_conn_pool_free(p);
    tls_keys_free(b.keys);
}

/* The server answers with an alert; the facts of the client stay. */
static void half_handshake(void **state)
{
    (void)state;
    struct talk t;
    struct bench b;
    talk_init(&t, TLS1_2_VERSION);
    SSL_CTX_set_min_proto_version(t.contexts[1], TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(t.contexts[1], TLS1_3_VERSION);
    talk_begin(&t);
    assert_false(talk_shake(&t));
    read_talk(&b, &t, &(struct plan){0});
    check_nothing_out(&b, TLS_MISSED);
    assert_string_equal(b.facts.server_name, "desk.example.org");
    assert_int_equal(b.facts.version, TLS1_2_VERSION);
    assert_int_equal(b.counts.missed, 1);
    bench_fini(&b);
    talk_over(&t);
}

/* Joined midstream, or one direction only: no more than that is known. */
static void partly_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(both_versions); i++)
        for (int from = 0; from < 2; from++) {
            struct talk t;
            struct bench b;
            talk_simple(&t, both_versions[i]);
            struct talk all = t;
            t.n_chunks = 0;
            for (size_t c = 0; c < all.n_chunks; c++)
                if (all.chunks[c].from == from)
                    t.chunks[t.n_chunks++] = all.chunks[c];
            read_talk(&b, &t, &(struct plan){0});
            check_nothing_out(&b, TLS_MISSED);
            bench_fini(&b);
            t.n_chunks = 0;
            for (size_t c = 5; c < all.n_chunks; c++)
                t.chunks[t.n_chunks++] = all.chunks[c];
            read_talk(&b, &t, &(struct plan){0});
            check_nothing_out(&b, TLS_MISSED);
            bench_fini(&b);
            talk_over(&t);
        }
}

/* ---- seeds of the fuzz target ---- */

static void put(FILE *f, int order, const char *bytes, size_t size, bool has_bytes)
{
    fputc(order, f);
    fputc((int)(size >> 8), f);
    fputc((int)(size & 255), f);
    if (has_bytes)
        fwrite(bytes, 1, size, f);
}

static void write_seed(const struct talk *t, const char *folder, const char *name, bool is_late, bool has_hole)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f)
        return;
    fputc((int)(t->keylog.size >> 8), f);
    fputc((int)(t->keylog.size & 255), f);
    fwrite(t->keylog.at, 1, t->keylog.size, f);
    if (!is_late)
        put(f, 6, NULL, 0, false);
    for (size_t i = 0; i < t->n_chunks; i++) {
        const struct talk_chunk *c = &t->chunks[i];
        bool is_hole = has_hole && i == t->n_chunks - 3;
        put(f, c->from + (is_hole ? 2 : 0), t->wire[c->from].at + c->at, c->size, !is_hole);
    }
    for (int order = 4; order <= (is_late ? 10 : 5); order++) /* both ends; secrets, time, a look */
        if (order != 7 && order != 9)
            put(f, order, NULL, 0, false);
    fclose(f);
}

static void write_seeds(const char *folder)
{
    static const struct {
        int version;
        const char *cipher;
    } rows[] = {{TLS1_3_VERSION, NULL}, {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305"}, {TLS1_2_VERSION, "AES128-SHA"}};
    for (size_t i = 0; i < N(rows); i++)
        for (int kind = 0; kind < 4; kind++) {
            struct talk t;
            char name[64];
            snprintf(name, sizeof name, "talk-%zu-%d", i, kind);
            talk_init(&t, rows[i].version);
            if (rows[i].cipher)
                SSL_CTX_set_cipher_list(t.contexts[0], rows[i].cipher);
            talk_begin(&t);
            assert_true(talk_shake(&t));
            for (int n = 0; n < 3; n++)
                for (int from = 0; from < 2; from++)
                    talk_say(&t, from, 30 + 600 * (size_t)(n == 2 && from));
            if (kind & 2 && rows[i].version == TLS1_3_VERSION)
                SSL_key_update(t.ends[1], SSL_KEY_UPDATE_REQUESTED);
            talk_say(&t, 1, 600);
            talk_say(&t, 0, 60);
            write_seed(&t, folder, name, kind & 1, kind & 2);
            talk_over(&t);
        }
}

int main(void)
{
    if (getenv("WRITE_SEEDS")) { /* of tests/fuzz/fuzz_tls_conn.c, into this folder */
        write_seeds(getenv("WRITE_SEEDS"));
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suites),
        cmocka_unit_test(retry),
        cmocka_unit_test(resumption),
        cmocka_unit_test(early_data),
        cmocka_unit_test(key_update),
        cmocka_unit_test(renegotiation),
        cmocka_unit_test(facts),
        cmocka_unit_test(wrong_keys),
        cmocka_unit_test(content_keys_only),
        cmocka_unit_test(no_keys),
        cmocka_unit_test(waiting_ends),
        cmocka_unit_test(hold_used_up),
        cmocka_unit_test(too_many),
        cmocka_unit_test(gaps),
        cmocka_unit_test(gap_over_finished),
        cmocka_unit_test(gap_over_key_update),
        cmocka_unit_test(tampering),
        cmocka_unit_test(lazily),
        cmocka_unit_test(foreign),
        cmocka_unit_test(foreign_after_gap),
        cmocka_unit_test(half_handshake),
        cmocka_unit_test(partly_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
