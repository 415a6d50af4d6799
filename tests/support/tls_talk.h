/* SPDX-License-Identifier: Apache-2.0
 * Two ends of OpenSSL that talk over memory, and a record of what went over the wire, in its order, with what was said
 * inside it. For the tests of TLS connections; who includes this links libssl. */
#ifndef SUPPORT_TLS_TALK_H
#define SUPPORT_TLS_TALK_H

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/text.h"

/* OpenSSL 3.2 and later compress certificates where both ends can (RFC 8879); the sensor does not read those. */
#ifdef SSL_OP_NO_TX_CERTIFICATE_COMPRESSION
#define TALK_PLAIN_CERTIFICATES SSL_OP_NO_TX_CERTIFICATE_COMPRESSION
#else
#define TALK_PLAIN_CERTIFICATES 0
#endif

enum { TALK_CLIENT, TALK_SERVER };

#define TALK_MAX 4096

struct talk_chunk { /* of the wire */
    int from;
    size_t at, size;
};

struct talk_record { /* one that holds application data */
    int from;
    size_t at, size; /* on the wire, header included */
    size_t plain_at, plain_size;
};

struct talk {
    SSL_CTX *contexts[2];
    SSL *ends[2];
    SSL_SESSION *session; /* of the last connection */
    struct text wire[2], plain[2], keylog;
    struct talk_chunk chunks[TALK_MAX];
    struct talk_record records[TALK_MAX];
    size_t n_chunks, n_records;
    unsigned seed;
};

static inline void talk_keylog(const SSL *ssl, const char *line)
{
    struct talk *t = SSL_get_app_data(ssl);
    text_add_str(&t->keylog, line);
    text_add_char(&t->keylog, '\n');
}

static inline void talk_certify(SSL_CTX *context, const char *name)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -1000);
    X509_gmtime_adj(X509_getm_notAfter(x), 100000);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_sign(x, key, EVP_sha256());
    SSL_CTX_use_certificate(context, x);
    SSL_CTX_use_PrivateKey(context, key);
    X509_free(x);
    EVP_PKEY_free(key);
}

static inline SSL_CTX *talk_context(int end, int version)
{
    SSL_CTX *context = SSL_CTX_new(end == TALK_CLIENT ? TLS_client_method() : TLS_server_method());
    SSL_CTX_set_options(context, TALK_PLAIN_CERTIFICATES);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_CLIENT_RENEGOTIATION |
                                     SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
    if (end == TALK_SERVER) {
        SSL_CTX_set_keylog_callback(context, talk_keylog);
        SSL_CTX_set_session_id_context(context, (const unsigned char *)"test", 4);
        SSL_CTX_set_max_early_data(context, 16384);
        SSL_CTX_set_recv_max_early_data(context, 16384);
        talk_certify(context, "a.test");
    }
    return context;
}

static inline void talk_init(struct talk *t, int version)
{
    memset(t, 0, sizeof *t);
    for (int i = 0; i < 2; i++) {
        t->contexts[i] = talk_context(i, version);
        t->wire[i].max = t->plain[i].max = 8u << 20;
    }
}

static inline void talk_begin(struct talk *t)
{
    for (int i = 0; i < 2; i++) {
        t->ends[i] = SSL_new(t->contexts[i]);
        SSL_set_app_data(t->ends[i], t);
        SSL_set_bio(t->ends[i], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    }
    SSL_set_connect_state(t->ends[TALK_CLIENT]);
    SSL_set_accept_state(t->ends[TALK_SERVER]);
    SSL_set_tlsext_host_name(t->ends[TALK_CLIENT], "desk.example.org");
    if (t->session)
        SSL_set_session(t->ends[TALK_CLIENT], t->session);
}

/* The connection is over; what was recorded of it goes too. Its session is kept for the next. */
static inline void talk_end(struct talk *t)
{
    SSL_SESSION_free(t->session);
    t->session = SSL_get1_session(t->ends[TALK_CLIENT]);
    for (int i = 0; i < 2; i++) {
        SSL_shutdown(t->ends[i]); /* else its session may not be used again */
        SSL_free(t->ends[i]);
        text_clear(&t->wire[i]);
        text_clear(&t->plain[i]);
    }
    text_clear(&t->keylog);
    t->n_chunks = t->n_records = 0;
}

static inline void talk_fini(struct talk *t)
{
    SSL_SESSION_free(t->session);
    for (int i = 0; i < 2; i++) {
        SSL_CTX_free(t->contexts[i]);
        text_fini(&t->wire[i]);
        text_fini(&t->plain[i]);
    }
    text_fini(&t->keylog);
}

/* Carries over what one end has written, and writes it down. */
static inline size_t talk_carry(struct talk *t, int from)
{
    static char buffer[65536];
    size_t total = 0;
    int n;
    while ((n = BIO_read(SSL_get_wbio(t->ends[from]), buffer, sizeof buffer)) > 0) {
        if (t->n_chunks < TALK_MAX)
            t->chunks[t->n_chunks++] = (struct talk_chunk){from, t->wire[from].size, (size_t)n};
        text_add(&t->wire[from], span_of(buffer, (size_t)n));
        BIO_write(SSL_get_rbio(t->ends[!from]), buffer, n);
        total += (size_t)n;
    }
    return total;
}

static inline bool talk_shake(struct talk *t)
{
    for (int i = 0; i < 20; i++) {
        int done = 0;
        for (int end = 0; end < 2; end++) {
            done += SSL_do_handshake(t->ends[end]) == 1;
            talk_carry(t, end);
        }
        if (done == 2)
            return true;
    }
    return false;
}

/* Writes down which records hold 'size' bytes of plaintext, from 'at' on the wire. */
static inline void talk_note(struct talk *t, int from, size_t at, size_t size)
{
    const uint8_t *wire = (const uint8_t *)t->wire[from].at;
    for (size_t left = size; left && at + 5 <= t->wire[from].size && t->n_records < TALK_MAX;) {
        size_t whole = 5 + (size_t)(wire[at + 3] << 8 | wire[at + 4]), n = left < 16384 ? left : 16384;
        bool is_other = SSL_version(t->ends[from]) == TLS1_3_VERSION && whole < n + 22; /* KeyUpdate goes first */
        if (wire[at] == 23 && !is_other) {
            t->records[t->n_records++] = (struct talk_record){from, at, whole, t->plain[from].size + size - left, n};
            left -= n;
        }
        at += whole;
    }
}

/* One end says 'size' bytes; false when the other does not get them. */
static inline bool talk_say(struct talk *t, int from, size_t size)
{
    uint8_t *bytes = calloc(1, size), *got = calloc(1, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((t->seed = t->seed * 1103515245 + 12345) >> 16);
    size_t at = t->wire[from].size, have = 0;
    bool is_ok = SSL_write(t->ends[from], bytes, (int)size) == (int)size;
    talk_carry(t, from);
    talk_note(t, from, at, size);
    while (is_ok && have < size) {
        int n = SSL_read(t->ends[!from], got + have, (int)(size - have));
        is_ok = n > 0;
        have += is_ok ? (size_t)n : 0;
    }
    talk_carry(t, !from); /* KeyUpdate and tickets */
    is_ok = is_ok && memcmp(bytes, got, size) == 0;
    text_add(&t->plain[from], span_of(bytes, size));
    free(bytes);
    free(got);
    return is_ok;
}

#endif
