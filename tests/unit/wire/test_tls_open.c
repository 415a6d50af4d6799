/* SPDX-License-Identifier: Apache-2.0
 * OpenSSL talks to itself over memory, in every cipher suite and version it offers; what went over is opened with
 * nothing but the key log it wrote. What was sent comes out; what is skipped has the size of what would have come out;
 * a flipped bit is refused; lost records are found again; records take nothing from the heap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/text.h"
#include "wire/tls_keys.h"
#include "wire/tls_open.h"
#include "wire/tls_schedule.h"

#define N(array) (sizeof(array) / sizeof *(array))
#define RECORD_ROOM 20000u
#define BOUND 16u

enum { CLIENT, SERVER };

static uint64_t n_taken; /* by OpenSSL from the heap */

static void *count_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    n_taken++;
    return malloc(size);
}

static void *count_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    n_taken++;
    return realloc(memory, size);
}

static void count_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* One direction as it is read. 'whole' opens every record; 'lazy' skips every record; 'lossy' misses some. */
struct side {
    struct text wire; /* what was sent, as it came */
    size_t at;        /* what of it is read */
    struct tls_opener whole, lazy, lossy;
    bool is_protected, is_finished, has_missed_update;
    struct text plain; /* application data that came out */
    struct text sent;  /* and that went in */
    unsigned n_records, n_missed;
    unsigned n_lossy_found, n_lossy_denied;
};

struct talk {
    SSL_CTX *contexts[2];
    SSL *ends[2];
    struct side sides[2];
    struct tls_keys *keys;
    struct tls_open_pool *pool;
    uint8_t client_random[32], server_random[32];
    const struct tls_suite *suite;
    uint16_t version;
    bool is_etm, is_early, has_loss;
    unsigned n_updates;
};

static void on_keylog(const SSL *ssl, const char *line)
{
    struct talk *t = SSL_get_app_data(ssl);
    struct tls_keylog_counts counts = {0};
    struct tls_keylog_entry entry;
    if (tls_keylog_line(span_text(line), &counts, &entry))
        tls_keys_add(t->keys, &entry, 1);
    assert_int_equal(counts.garbage, 0);
}

static unsigned on_psk_client(SSL *ssl, const char *hint, char *name, unsigned name_size, unsigned char *key,
                              unsigned key_size)
{
    (void)ssl;
    (void)hint;
    (void)key_size;
    snprintf(name, name_size, "somebody");
    memset(key, 7, 16);
    return 16;
}

static unsigned on_psk_server(SSL *ssl, const char *name, unsigned char *key, unsigned key_size)
{
    (void)ssl;
    (void)name;
    (void)key_size;
    memset(key, 7, 16);
    return 16;
}

static void add_certificate(SSL_CTX *context, EVP_PKEY *key)
{
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -1000);
    X509_gmtime_adj(X509_getm_notAfter(x), 100000);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"a.test", -1, -1,
                               0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_sign(x, key, EVP_sha256());
    assert_int_equal(SSL_CTX_use_certificate(context, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(x);
}

static EVP_PKEY *keys[2];

static SSL_CTX *context_new(int end, uint16_t version)
{
    SSL_CTX *context = SSL_CTX_new(end == CLIENT ? TLS_client_method() : TLS_server_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_keylog_callback(context, on_keylog);
    SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
    SSL_CTX_set_dh_auto(context, 1);
    if (version != TLS1_3_VERSION) {
        SSL_CTX_set_psk_client_callback(context, on_psk_client);
        SSL_CTX_set_psk_server_callback(context, on_psk_server);
    }
    SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
    if (end == SERVER) {
        SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
        SSL_CTX_set_max_early_data(context, 16384);
        SSL_CTX_set_recv_max_early_data(context, 16384);
        for (size_t i = 0; i < N(keys); i++)
            add_certificate(context, keys[i]);
    }
    return context;
}

static void talk_init(struct talk *t, uint16_t version)
{
    memset(t, 0, sizeof *t);
    t->version = version;
    t->keys = tls_keys_new(NULL);
    t->pool = tls_open_pool_new(64);
    for (int i = 0; i < 2; i++)
        t->contexts[i] = context_new(i, version);
}

static void talk_begin(struct talk *t)
{
    for (int i = 0; i < 2; i++) {
        t->ends[i] = SSL_new(t->contexts[i]);
        SSL_set_app_data(t->ends[i], t);
        SSL_set_bio(t->ends[i], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    }
    SSL_set_connect_state(t->ends[CLIENT]);
    SSL_set_accept_state(t->ends[SERVER]);
}

static void talk_end(struct talk *t)
{
    for (int i = 0; i < 2; i++) {
        struct side *s = &t->sides[i];
        tls_opener_close(&s->whole);
        tls_opener_close(&s->lazy);
        tls_opener_close(&s->lossy);
        text_fini(&s->wire);
        text_fini(&s->plain);
        text_fini(&s->sent);
        *s = (struct side){0};
        SSL_shutdown(t->ends[i]); /* else its session may not be used again */
        SSL_free(t->ends[i]);
        t->ends[i] = NULL;
    }
    t->n_updates = 0;
}

static void talk_fini(struct talk *t)
{
    for (int i = 0; i < 2; i++)
        SSL_CTX_free(t->contexts[i]);
    tls_keys_free(t->keys);
    tls_open_pool_free(t->pool);
}

/* Carries over what one end has written, and keeps a copy. */
static size_t carry(struct talk *t, int from)
{
    char buffer[8192];
    size_t total = 0;
    int n;
    while ((n = BIO_read(SSL_get_wbio(t->ends[from]), buffer, sizeof buffer)) > 0) {
        text_add(&t->sides[from].wire, span_of(buffer, (size_t)n));
        assert_int_equal(BIO_write(SSL_get_rbio(t->ends[!from]), buffer, n), n);
        total += (size_t)n;
    }
    return total;
}

static bool shake_hands(struct talk *t)
{
    for (int i = 0; i < 20; i++) {
        int done = 0;
        for (int end = 0; end < 2; end++) {
            done += SSL_do_handshake(t->ends[end]) == 1;
            carry(t, end);
        }
        if (done == 2)
            return true;
    }
    return false;
}

/* One end says 'size' bytes that depend on 'seed'; the other must get them. */
static void say(struct talk *t, int from, size_t size, unsigned seed)
{
    uint8_t *bytes = calloc(1, size), *got = calloc(1, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
    assert_int_equal(SSL_write(t->ends[from], bytes, (int)size), (int)size);
    carry(t, from);
    for (size_t at = 0; at < size;) {
        int n = SSL_read(t->ends[!from], got + at, (int)(size - at));
        assert_true(n > 0);
        at += (size_t)n;
    }
    carry(t, !from); /* KeyUpdate and tickets */
    assert_memory_equal(bytes, got, size);
    text_add(&t->sides[from].sent, span_of(bytes, size));
    free(bytes);
    free(got);
}

static void open_12(struct talk *t, int end)
{
    struct side *s = &t->sides[end];
    const struct tls_opener_params params = {
        .suite = t->suite,
        .version = t->version,
        .is_etm = t->is_etm,
        .is_server = end == SERVER,
        .master = tls_keys_find(t->keys, t->client_random, TLS_SECRET_MASTER),
        .client_random = span_of(t->client_random, 32),
        .server_random = span_of(t->server_random, 32),
    };
    struct tls_opener *openers[] = {&s->whole, &s->lazy, &s->lossy};
    for (size_t i = 0; i < N(openers); i++)
        assert_int_equal(tls_opener_init_12(openers[i], t->pool, &params), 0);
    s->is_protected = true;
}

static void open_13(struct talk *t, int end, enum tls_secret label)
{
    struct side *s = &t->sides[end];
    struct span secret = tls_keys_find(t->keys, t->client_random, label);
    struct tls_opener *openers[] = {&s->whole, &s->lazy, &s->lossy};
    for (size_t i = 0; i < N(openers); i++)
        assert_int_equal(tls_opener_init_13(openers[i], t->pool, t->suite, secret), 0);
    s->is_protected = true;
}

/* Handshake messages that came out of a record of TLS 1.3: the keys change with some. */
static void follow_handshake(struct talk *t, int end, struct span messages)
{
    struct side *s = &t->sides[end];
    struct reader r = reader_of(messages);
    while (r.left.size >= 4) {
        uint8_t type = reader_u8(&r);
        reader_skip(&r, reader_u24(&r));
        if (t->version != TLS1_3_VERSION)
            continue;
        if (type == SSL3_MT_FINISHED) {
            open_13(t, end, end == CLIENT ? TLS_SECRET_CLIENT_TRAFFIC : TLS_SECRET_SERVER_TRAFFIC);
            s->is_finished = true;
        } else if (type == SSL3_MT_END_OF_EARLY_DATA) {
            open_13(t, end, TLS_SECRET_CLIENT_HANDSHAKE);
        } else if (type == SSL3_MT_KEY_UPDATE) {
            tls_opener_update(&s->whole);
            tls_opener_update(&s->lazy);
            if (!t->has_loss)
                tls_opener_update(&s->lossy);
            t->n_updates++;
        }
    }
}

static bool is_stream(const struct talk *t)
{
    return tls_suite_shape(t->suite)->mode == TLS_MODE_STREAM;
}

/* Before a record is opened: parts of it read alone, and a flipped bit. */
static void try_record(struct talk *t, struct side *s, const struct tls_record *record, struct span fragment,
                       struct span plain)
{
    static uint8_t out[RECORD_ROOM], forged[RECORD_ROOM];
    struct span part;
    for (size_t i = 0; i < 8 && plain.size; i++) {
        size_t from = i * 977 % plain.size, size = i * 13 % (plain.size - from) + 1;
        struct span head = span_sub(fragment, 0, tls_opener_head_size(&s->whole, from + size));
        assert_int_equal(tls_opener_peek(&s->whole, record, head, from, size, out, &part), 0);
        assert_int_equal(part.size, size);
        assert_memory_equal(part.at, plain.at + from, size);
    }
    memcpy(forged, fragment.at, fragment.size);
    for (size_t i = 0; i < 3; i++) {
        size_t at = (i * 7919 + 3 * s->n_records) % fragment.size;
        struct tls_opened opened;
        forged[at] ^= (uint8_t)(1u << i);
        int rc = tls_opener_open(&s->whole, record, span_of(forged, fragment.size), out, &opened);
        forged[at] ^= (uint8_t)(1u << i);
        /* the last padding byte but for its length is nobody's in SSL 3.0 only; all others are covered */
        assert_int_equal(rc, E_DENIED);
    }
    (void)t;
}

static void skip_record(struct side *s, const struct tls_record *record, struct span fragment,
                        const struct tls_opened *opened)
{
    struct tls_skipped skipped, before;
    size_t tail = tls_opener_tail_size(&s->lazy);
    uint64_t seq = s->lazy.seq;
    if (opened->type == 23 && s->n_records % 2) /* all of it is allowed, and finds long padding */
        tail = SIZE_MAX;
    struct span end = tail >= fragment.size ? fragment : span_from(fragment, fragment.size - tail);
    int can = tls_opener_measure(&s->lazy, record, end, &before);
    assert_int_equal(can, tls_suite_shape(s->lazy.suite)->mode == TLS_MODE_STREAM ? E_STATE : 0);
    assert_int_equal(s->lazy.seq, seq);
    if (can == 0 && s->n_records % 3) {
        tls_opener_pass(&s->lazy, end);
        skipped = before;
    } else {
        assert_int_equal(tls_opener_skip(&s->lazy, record, end, &skipped), 0);
    }
    assert_int_equal(s->lazy.seq, seq + 1);
    assert_true(can || (skipped.min == before.min && skipped.max == before.max && skipped.type == before.type));
    assert_true(skipped.min <= opened->data.size && opened->data.size <= skipped.max);
    if (skipped.is_exact) {
        assert_int_equal(skipped.max, opened->data.size);
        assert_int_equal(skipped.type, opened->type);
    } else {
        assert_true(s->lazy.version == TLS1_3_VERSION && tail != SIZE_MAX);
    }
}

/* The lossy reader misses two records of five. */
static void lose_record(struct talk *t, struct side *s, const struct tls_record *record, struct span fragment,
                        const struct tls_opened *opened)
{
    static uint8_t out[RECORD_ROOM];
    struct tls_opened again;
    bool is_update = opened->type == 22 && s->is_finished && opened->data.at[0] == SSL3_MT_KEY_UPDATE;
    if (t->has_loss && (is_update || (opened->type == 23 && s->n_records % 5 >= 3))) {
        s->n_missed++;
        s->has_missed_update |= is_update;
        return;
    }
    int rc = s->n_missed ? tls_opener_resync(&s->lossy, record, fragment, BOUND, out, &again)
                         : tls_opener_open(&s->lossy, record, fragment, out, &again);
    if (rc != 0 && s->n_missed) {
        s->n_lossy_denied++;
        s->n_missed = t->is_etm ? 0 : s->n_missed + 1; /* its MAC has told its number */
        s->n_lossy_found += t->is_etm;
        return;
    }
    assert_int_equal(rc, 0);
    assert_true(s->has_missed_update ? again.lost >= 1 && again.lost <= s->n_missed : again.lost == s->n_missed);
    s->n_lossy_found += s->n_missed > 0;
    s->n_missed = 0;
    s->has_missed_update = false;
    assert_true(again.type == opened->type && again.data.size == opened->data.size);
    assert_memory_equal(again.data.at, opened->data.at, again.data.size);
}

static void read_record(struct talk *t, int end, const struct tls_record *record, struct span fragment)
{
    static uint8_t out[RECORD_ROOM];
    struct side *s = &t->sides[end];
    struct tls_opened opened;
    uint64_t before = n_taken;
    assert_int_equal(tls_opener_open(&s->whole, record, fragment, out, &opened), 0);
    if (!is_stream(t)) {
        s->whole.seq--;
        if (record->version > 0x0301 ||
            tls_suite_shape(t->suite)->mode != TLS_MODE_CBC) { /* else it has moved its IV */
            try_record(t, s, record, fragment, opened.data);
            assert_int_equal(tls_opener_open(&s->whole, record, fragment, out, &opened), 0);
        } else {
            s->whole.seq++;
        }
    }
    skip_record(s, record, fragment, &opened);
    lose_record(t, s, record, fragment, &opened);
    if (tls_suite_shape(t->suite)->mode != TLS_MODE_CCM) /* OpenSSL makes a note when a tag of CCM is wrong */
        assert_int_equal(n_taken, before);
    s->n_records++;
    if (opened.type == 23)
        text_add(&s->plain, opened.data);
    if (opened.type == 22)
        follow_handshake(t, end, opened.data);
}

/* Reads all that went one way so far. */
static void read_side(struct talk *t, int end)
{
    struct side *s = &t->sides[end];
    struct reader r = reader_of(span_from(text_span(&s->wire), s->at));
    while (r.left.size) {
        struct tls_record record = {.type = reader_u8(&r), .version = reader_u16(&r), .length = reader_u16(&r)};
        struct span fragment = reader_span(&r, record.length);
        assert_false(r.is_bad);
        if (t->version == TLS1_3_VERSION && record.type == 20)
            continue;
        if (s->is_protected) {
            read_record(t, end, &record, fragment);
        } else if (record.type == 20) {
            open_12(t, end);
        } else if (t->version == TLS1_3_VERSION && record.type == 22) {
            open_13(t, end,
                    end == SERVER ? TLS_SECRET_SERVER_HANDSHAKE
                    : t->is_early ? TLS_SECRET_CLIENT_EARLY
                                  : TLS_SECRET_CLIENT_HANDSHAKE);
        }
    }
    s->at = s->wire.size;
}

static void read_all(struct talk *t)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ends[CLIENT]);
    t->suite = tls_suite_find((uint16_t)SSL_CIPHER_get_protocol_id(cipher));
    assert_non_null(t->suite);
    SSL_get_client_random(t->ends[CLIENT], t->client_random, 32);
    SSL_get_server_random(t->ends[CLIENT], t->server_random, 32);
    for (int end = 0; end < 2; end++) {
        read_side(t, end);
        assert_true(span_eq(text_span(&t->sides[end].plain), text_span(&t->sides[end].sent)));
    }
}

static void chat(struct talk *t)
{
    static const size_t sizes[] = {1, 15, 16, 17, 100, 255, 256, 4000, 16383, 16384, 16385, 40000};
    for (unsigned i = 0; i < N(sizes); i++)
        for (int end = 0; end < 2; end++)
            say(t, end, sizes[i], i * 2 + (unsigned)end + 1);
}

static void check_loss(const struct talk *t)
{
    bool needs_two = tls_suite_shape(t->suite)->mode == TLS_MODE_CBC && t->version == TLS1_VERSION;
    for (int end = 0; end < 2; end++) {
        const struct side *s = &t->sides[end];
        if (is_stream(t))
            assert_int_equal(s->n_lossy_found, 0);
        else
            assert_true(s->n_lossy_found >= 2 && (needs_two || s->n_lossy_denied == 0));
    }
}

/* One connection in each suite and version; how many there were. */
static unsigned all_suites(uint16_t version, bool is_etm, bool has_loss)
{
    struct talk t;
    talk_init(&t, version);
    t.has_loss = has_loss;
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(t.contexts[CLIENT]);
    STACK_OF(SSL_CIPHER) *list = sk_SSL_CIPHER_dup(ciphers);
    unsigned n = 0;
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(list, i);
        bool is_13 = SSL_CIPHER_get_protocol_id(cipher) >> 8 == 0x13;
        if (is_13 != (version == TLS1_3_VERSION))
            continue;
        t.is_etm = is_etm && SSL_CIPHER_get_cipher_nid(cipher) && !SSL_CIPHER_is_aead(cipher);
        talk_begin(&t);
        char name[128];
        snprintf(name, sizeof name, "%s:@SECLEVEL=0", SSL_CIPHER_get_name(cipher));
        if (is_13)
            SSL_set_ciphersuites(t.ends[CLIENT], SSL_CIPHER_get_name(cipher));
        else
            SSL_set_cipher_list(t.ends[CLIENT], name);
        if (!is_etm)
            SSL_set_options(t.ends[CLIENT], SSL_OP_NO_ENCRYPT_THEN_MAC);
        if (shake_hands(&t)) { /* suites of a later version, and those that want other certificates, do not */
            chat(&t);
            read_all(&t);
            if (has_loss)
                check_loss(&t);
            n++;
        }
        talk_end(&t);
    }
    sk_SSL_CIPHER_free(list);
    talk_fini(&t);
    return n;
}

static void test_all_suites(void **state)
{
    (void)state;
    static const struct {
        uint16_t version;
        bool is_etm, has_loss;
        unsigned least;
    } rows[] = {
        {TLS1_VERSION, false, false, 8},   {TLS1_VERSION, true, true, 8},      {TLS1_1_VERSION, false, true, 8},
        {TLS1_1_VERSION, true, false, 8},  {TLS1_2_VERSION, false, false, 60}, {TLS1_2_VERSION, true, true, 60},
        {TLS1_3_VERSION, false, false, 3}, {TLS1_3_VERSION, false, true, 3},
    };
    for (size_t i = 0; i < N(rows); i++) {
        unsigned n = all_suites(rows[i].version, rows[i].is_etm, rows[i].has_loss);
        print_message("version %04x, encrypt-then-MAC %d, loss %d: %u suites\n", rows[i].version, rows[i].is_etm,
                      rows[i].has_loss, n);
        assert_true(n >= rows[i].least);
    }
}

static void test_ccm_13(void **state)
{
    (void)state;
    static const char *const names[] = {"TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"};
    for (size_t i = 0; i < N(names); i++) {
        struct talk t;
        talk_init(&t, TLS1_3_VERSION);
        t.has_loss = true;
        for (int end = 0; end < 2; end++)
            assert_int_equal(SSL_CTX_set_ciphersuites(t.contexts[end], names[i]), 1);
        talk_begin(&t);
        assert_true(shake_hands(&t));
        chat(&t);
        read_all(&t);
        check_loss(&t);
        talk_end(&t);
        talk_fini(&t);
    }
}

static void test_padding_13(void **state)
{
    (void)state;
    static const size_t blocks[] = {16, 64, 512, 5000};
    for (size_t i = 0; i < N(blocks); i++) {
        struct talk t;
        talk_init(&t, TLS1_3_VERSION);
        for (int end = 0; end < 2; end++)
            SSL_CTX_set_block_padding(t.contexts[end], blocks[i]);
        talk_begin(&t);
        assert_true(shake_hands(&t));
        chat(&t);
        read_all(&t);
        talk_end(&t);
        talk_fini(&t);
    }
}

static void test_key_update(void **state)
{
    (void)state;
    for (int has_loss = 0; has_loss < 2; has_loss++) {
        struct talk t;
        talk_init(&t, TLS1_3_VERSION);
        t.has_loss = has_loss;
        talk_begin(&t);
        assert_true(shake_hands(&t));
        for (unsigned i = 0; i < 40; i++) {
            if (i % 4 ==
                1) /* before each fourth, in turns; the lossy reader never sees one: it finds the new keys itself */
                SSL_key_update(t.ends[i / 4 % 2], i % 8 == 1 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
            for (int end = 0; end < 2; end++)
                say(&t, end, 50 + i, i);
            read_all(&t);
        }
        assert_true(t.n_updates >= 10);
        talk_end(&t);
        talk_fini(&t);
    }
}

/* The key log has the master secret (the traffic secrets) again under the new random. */
static void test_resumption(void **state)
{
    (void)state;
    static const uint16_t versions[] = {TLS1_VERSION, TLS1_2_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < N(versions); i++) {
        struct talk t;
        talk_init(&t, versions[i]);
        t.is_etm = versions[i] == TLS1_VERSION;
        if (i == 1) /* by session id, without tickets */
            for (int end = 0; end < 2; end++)
                SSL_CTX_set_options(t.contexts[end], SSL_OP_NO_TICKET);
        SSL_SESSION *session = NULL;
        for (int round = 0; round < 3; round++) {
            talk_begin(&t);
            if (session)
                SSL_set_session(t.ends[CLIENT], session);
            assert_true(shake_hands(&t));
            chat(&t);
            read_all(&t);
            assert_int_equal(SSL_session_reused(t.ends[CLIENT]), round > 0);
            SSL_SESSION_free(session);
            session = SSL_get1_session(t.ends[CLIENT]);
            talk_end(&t);
        }
        SSL_SESSION_free(session);
        talk_fini(&t);
    }
}

static void test_early_data(void **state)
{
    (void)state;
    struct talk t;
    SSL_SESSION *session = NULL;
    talk_init(&t, TLS1_3_VERSION);
    for (int round = 0; round < 2; round++) {
        talk_begin(&t);
        if (round == 1) {
            static const uint8_t early[] = "GET /early HTTP/1.1\r\n\r\n";
            uint8_t got[64];
            size_t n;
            SSL_set_session(t.ends[CLIENT], session);
            assert_int_equal(SSL_write_early_data(t.ends[CLIENT], early, sizeof early, &n), 1);
            carry(&t, CLIENT);
            assert_int_equal(SSL_read_early_data(t.ends[SERVER], got, sizeof got, &n), SSL_READ_EARLY_DATA_SUCCESS);
            assert_int_equal(n, sizeof early);
            carry(&t, SERVER);
            text_add(&t.sides[CLIENT].sent, span_of(early, sizeof early));
            t.is_early = true;
            SSL_do_handshake(t.ends[CLIENT]); /* ends the early data */
            carry(&t, CLIENT);
            assert_int_equal(SSL_read_early_data(t.ends[SERVER], got, sizeof got, &n), SSL_READ_EARLY_DATA_FINISH);
        }
        assert_true(shake_hands(&t));
        chat(&t);
        read_all(&t);
        SSL_SESSION_free(session);
        session = SSL_get1_session(t.ends[CLIENT]);
        talk_end(&t);
    }
    SSL_SESSION_free(session);
    talk_fini(&t);
}

/* What libssl does not make any more is sealed here: stream and CBC with the MAC inside, and TLS 1.3 as of draft 20. */
struct seal {
    uint16_t suite, version;
    const char *cipher; /* of the legacy provider */
};

static const uint8_t seal_secret[48] = {9, 8, 7};

static size_t seal_record(const struct seal *row, EVP_CIPHER_CTX *context, uint64_t seq, uint8_t *plain, size_t size,
                          uint8_t *out)
{
    const struct tls_suite *suite = tls_suite_find(row->suite);
    const struct tls_cipher_shape *shape = tls_suite_shape(suite);
    struct tls_record_keys k;
    struct tls_hmac h;
    uint8_t head[13] = {0};
    size_t n = 8, mac = tls_hash_size((enum tls_hash)suite->mac);
    struct span secret = span_of(seal_secret, 48), random = span_of(seal_secret, 32);
    tls_schedule_12(suite, row->version, secret, random, random, true, &k);
    (row->version == 0x0300 ? tls_hmac_init_ssl3 : tls_hmac_init)(&h, (enum tls_hash)suite->mac, span_of(k.mac, mac));
    head[7] = (uint8_t)seq;
    head[n++] = 23;
    if (row->version > 0x0300) {
        head[n++] = (uint8_t)(row->version >> 8);
        head[n++] = (uint8_t)row->version;
    }
    head[n++] = (uint8_t)(size >> 8);
    head[n++] = (uint8_t)size;
    tls_hmac_of(&h, (struct span[]){span_of(head, n), span_of(plain, size)}, 2, plain + size);
    size += mac;
    size_t block = shape->block_size, iv = 0;
    if (block > 1) { /* padding, its length in each byte */
        uint8_t padding = (uint8_t)(block - 1 - size % block);
        memset(plain + size, padding, padding + 1u);
        size += padding + 1u;
    }
    int got = 0;
    if (block > 1 && row->version > 0x0301) {
        iv = block;
        memset(out, 0x5a, iv);
        EVP_EncryptInit_ex2(context, NULL, NULL, out, NULL);
    }
    if (row->cipher)
        assert_int_equal(EVP_EncryptUpdate(context, out + iv, &got, plain, (int)size), 1);
    else
        memcpy(out, plain, size);
    return iv + size;
}

static void test_old_suites(void **state)
{
    (void)state;
    static const struct seal rows[] = {
        {0x0005, 0x0303, "RC4"},          {0x0004, 0x0300, "RC4"},          {0x0003, 0x0301, "RC4"},
        {0x000a, 0x0303, "DES-EDE3-CBC"}, {0x000a, 0x0300, "DES-EDE3-CBC"}, {0x0009, 0x0301, "DES-CBC"},
        {0x0006, 0x0302, "RC2-CBC"},      {0x0006, 0x0300, "RC2-CBC"},      {0x0096, 0x0302, "SEED-CBC"},
        {0x0002, 0x0300, NULL},           {0x003b, 0x0303, NULL},           {0x002f, 0x0300, "AES-128-CBC"},
    };
    static uint8_t plain[1200], sealed[1300], out[1300], saved[1200];
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *providers[] = {OSSL_PROVIDER_load(library, "default"), OSSL_PROVIDER_load(library, "legacy")};
    struct tls_open_pool *pool = tls_open_pool_new(4);
    struct span secret = span_of(seal_secret, 48), random = span_of(seal_secret, 32);
    for (size_t i = 0; i < N(rows); i++) {
        const struct tls_suite *suite = tls_suite_find(rows[i].suite);
        struct tls_opener o = {0}, lazy = {0};
        bool is_etm = rows[i].version == 0x0300; /* which knows nothing of it */
        const struct tls_opener_params params = {suite, rows[i].version, is_etm, true, secret, random, random};
        assert_int_equal(tls_opener_init_12(&lazy, pool, &params), 0);
        assert_int_equal(tls_opener_init_12(&o, pool, &params), 0);
        struct tls_record_keys k;
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        EVP_CIPHER *cipher = rows[i].cipher ? EVP_CIPHER_fetch(library, rows[i].cipher, NULL) : NULL;
        tls_schedule_12(suite, rows[i].version, secret, random, random, true, &k);
        assert_true(!rows[i].cipher || EVP_EncryptInit_ex2(context, cipher, k.key, k.iv, NULL) == 1);
        EVP_CIPHER_CTX_set_padding(context, 0);
        for (uint8_t seq = 0; seq < 20; seq++) {
            size_t size = seq * 53u;
            memset(plain, seq, sizeof plain);
            memcpy(saved, plain, sizeof plain);
            struct tls_record record = {23, rows[i].version, 0};
            record.length = seal_record(&rows[i], context, seq, plain, size, sealed);
            struct tls_opened opened;
            struct tls_skipped skipped;
            assert_int_equal(tls_opener_open(&o, &record, span_of(sealed, record.length), out, &opened), 0);
            assert_int_equal(opened.data.size, size);
            assert_memory_equal(opened.data.at, saved, size);
            assert_int_equal(tls_opener_skip(&lazy, &record, span_of(sealed, record.length), &skipped), 0);
            assert_true(skipped.is_exact && skipped.max == size);
        }
        sealed[5] ^= 1; /* again: another sequence number, and a flipped bit */
        struct tls_record record = {23, rows[i].version, 700};
        struct tls_opened opened;
        assert_true(tls_opener_open(&o, &record, span_of(sealed, 700), out, &opened) < 0);
        EVP_CIPHER_free(cipher);
        EVP_CIPHER_CTX_free(context);
        tls_opener_close(&o);
        tls_opener_close(&lazy);
    }
    tls_open_pool_free(pool);
    for (size_t i = 0; i < N(providers); i++)
        OSSL_PROVIDER_unload(providers[i]);
    OSSL_LIB_CTX_free(library);
}

static void test_draft_20(void **state)
{
    (void)state;
    static const uint8_t inner[] = {'h', 'e', 'l', 'l', 'o', 23};
    uint8_t sealed[sizeof inner + 16], out[sizeof sealed];
    const struct tls_suite *suite = tls_suite_find(0x1301);
    struct tls_record_keys k;
    struct tls_opened opened;
    struct tls_opener o = {0};
    struct tls_open_pool *pool = tls_open_pool_new(1);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n;
    tls_schedule_13(suite, span_of(seal_secret, 32), &k);
    assert_int_equal(EVP_EncryptInit_ex2(context, EVP_aes_128_gcm(), k.key, k.iv, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, sealed, &n, inner, sizeof inner), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, sealed + n, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, sealed + sizeof inner), 1);
    const struct tls_record record = {23, 0x0301, sizeof sealed};
    assert_int_equal(tls_opener_init_13(&o, pool, suite, span_of(seal_secret, 32)), 0);
    tls_opener_set_draft(&o, 0x0304);
    assert_int_equal(tls_opener_open(&o, &record, span_of(sealed, sizeof sealed), out, &opened), E_DENIED);
    tls_opener_set_draft(&o, 0x7f19);
    assert_int_equal(tls_opener_open(&o, &record, span_of(sealed, sizeof sealed), out, &opened), E_DENIED);
    tls_opener_set_draft(&o, 0x7f14);
    assert_int_equal(tls_opener_open(&o, &record, span_of(sealed, sizeof sealed), out, &opened), 0);
    assert_true(opened.type == 23 && span_eq(opened.data, SPAN("hello")));
    tls_opener_close(&o);
    tls_open_pool_free(pool);
    EVP_CIPHER_CTX_free(context);
}

/* Keys of another connection open nothing, and nothing comes out. */
static void test_wrong_keys(void **state)
{
    (void)state;
    static uint8_t out[64], fragment[64];
    struct tls_open_pool *pool = tls_open_pool_new(4);
    static const uint8_t secret[48] = {1};
    static const uint16_t suites[] = {0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0xc02f,
                                      0xcca8, 0x002f, 0xc09c, 0x0002, 0x0005};
    for (size_t i = 0; i < N(suites); i++) {
        struct tls_opener o = {0};
        struct tls_opened opened;
        const struct tls_suite *suite = tls_suite_find(suites[i]);
        const struct tls_record record = {23, 0x0303, sizeof fragment};
        const struct tls_opener_params params = {.suite = suite,
                                                 .version = 0x0303,
                                                 .master = span_of(secret, 48),
                                                 .client_random = span_of(secret, 32),
                                                 .server_random = span_of(secret, 32)};
        if (suite->is_tls13)
            assert_int_equal(
                tls_opener_init_13(&o, pool, suite, span_of(secret, tls_hash_size((enum tls_hash)suite->prf))), 0);
        else
            assert_int_equal(tls_opener_init_12(&o, pool, &params), 0);
        assert_int_equal(tls_opener_open(&o, &record, span_of(fragment, sizeof fragment), out, &opened), E_DENIED);
        assert_int_equal(tls_opener_resync(&o, &record, span_of(fragment, sizeof fragment), BOUND, out, &opened),
                         E_DENIED);
        const struct tls_record small = {23, 0x0303, 3};
        assert_int_equal(tls_opener_resync(&o, &small, span_of(fragment, 4), BOUND, out, &opened), E_BAD);
        tls_opener_close(&o);
    }
    tls_open_pool_free(pool);
}

static void test_pool(void **state)
{
    (void)state;
    static const uint8_t secret[48] = {1};
    struct tls_open_pool *pool = tls_open_pool_new(3);
    const struct tls_suite *aes = tls_suite_find(0x1301), *chacha = tls_suite_find(0x1303);
    struct tls_opener o[4] = {0};
    assert_true(tls_open_can(pool, aes));
    assert_false(tls_open_can(pool, tls_suite_find(0xc07a))); /* CAMELLIA with GCM: OpenSSL has it not */
    assert_int_equal(tls_opener_init_13(&o[0], pool, tls_suite_find(0xc02f), span_of(secret, 32)), E_BAD);
    assert_int_equal(tls_opener_init_13(&o[0], pool, aes, span_of(secret, 48)), E_BAD);
    for (int i = 0; i < 3; i++)
        assert_int_equal(tls_opener_init_13(&o[i], pool, aes, span_of(secret, 32)), 0);
    assert_int_equal(tls_opener_init_13(&o[3], pool, aes, span_of(secret, 32)), E_LIMIT);
    for (int round = 0; round < 3; round++) { /* a free slot changes its cipher, or is used again as it is */
        tls_opener_close(&o[1]);
        uint64_t before = n_taken;
        assert_int_equal(tls_opener_init_13(&o[1], pool, round ? chacha : aes, span_of(secret, 32)), 0);
        assert_int_equal(n_taken > before, round == 1);
    }
    for (int i = 0; i < 4; i++)
        tls_opener_close(&o[i]);
    tls_open_pool_free(pool);
    tls_open_pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_suites), cmocka_unit_test(test_ccm_13),     cmocka_unit_test(test_padding_13),
        cmocka_unit_test(test_key_update), cmocka_unit_test(test_resumption), cmocka_unit_test(test_early_data),
        cmocka_unit_test(test_old_suites), cmocka_unit_test(test_draft_20),   cmocka_unit_test(test_wrong_keys),
        cmocka_unit_test(test_pool),
    };
    if (CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) != 1)
        return 1;
    keys[0] = EVP_RSA_gen(2048);
    keys[1] = EVP_EC_gen("P-256");
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < N(keys); i++)
        EVP_PKEY_free(keys[i]);
    return rc;
}
