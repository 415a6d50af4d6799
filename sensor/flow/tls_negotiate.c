/* SPDX-License-Identifier: Apache-2.0
 * The handshake of a TLS connection: its facts, and which keys come when (RFC 8446 sections 2 and 4, RFC 5246
 * section 7). */
#include "flow/tls_state.h"
#include "wire/tls_cert.h"
#include "wire/tls_fingerprint.h"
#include "wire/tls_hello.h"

/* Names come from the wire: what is no visible ASCII becomes '?'. */
static void keep_text(char *to, size_t room, struct span text)
{
    size_t n = text.size < room - 1 ? text.size : room - 1;
    for (size_t i = 0; i < n; i++)
        to[i] = text.at[i] > ' ' && text.at[i] < 0x7f ? (char)text.at[i] : '?';
    to[n] = 0;
}

static void keep_client_facts(struct tls_facts *f, const struct tls_client_hello *h)
{
    f->version = h->version;
    f->has_ech = h->has_ech;
    f->has_early_data = h->has_early_data;
    keep_text(f->server_name, sizeof f->server_name, h->sni);
    keep_text(f->alpn, sizeof f->alpn, h->alpn_first);
    tls_fingerprint_ja3(h, f->ja3);
    tls_fingerprint_ja4(h, TLS_OVER_TCP, f->ja4);
}

static void on_client_hello(struct tls_conn *t, struct span body)
{
    struct tls_client_hello h;
    if (!tls_client_hello_read(body, false, &h))
        return;
    bool is_first = !t->has_client;
    t->has_client = true;
    memcpy(t->client_random, h.random.at, sizeof t->client_random);
    t->offers_etm = h.has_encrypt_then_mac;
    t->session_id_size = (uint8_t)(h.session_id.size <= sizeof t->session_id ? h.session_id.size : 0);
    memcpy(t->session_id, h.session_id.size ? h.session_id.at : t->session_id, t->session_id_size);
    if (!is_first) /* after HelloRetryRequest, or a renegotiation: the first one told who this is */
        return;
    t->early = h.has_early_data ? TLS_EARLY_OFFERED : TLS_EARLY_NONE;
    keep_client_facts(&t->facts, &h);
}

bool tls_negotiate_ssl2(struct tls_conn *t, struct span message)
{
    struct tls_client_hello h;
    if (t->has_client || !tls_client_hello_read_ssl2(message, &h))
        return false;
    size_t pad = sizeof t->client_random - h.random.size;
    memset(t->client_random, 0, pad);
    memcpy(t->client_random + pad, h.random.at, h.random.size);
    t->has_client = true;
    t->facts.version = h.version;
    return true;
}

/* TLS 1.2 and before: the server takes up the session whose id the client named, or (with a ticket) goes on without a
 * certificate, which is seen at its ChangeCipherSpec. */
static bool is_same_session(const struct tls_conn *t, const struct tls_server_hello *h)
{
    return h->session_id.size > 0 && span_eq(h->session_id, span_of(t->session_id, t->session_id_size));
}

/* Empty: none was chosen. */
static void choose_alpn(struct tls_facts *f, struct span protocol)
{
    keep_text(f->alpn, sizeof f->alpn, protocol);
    f->is_alpn_chosen = true;
}

static void on_server_hello(struct tls_conn *t, struct span body)
{
    struct tls_server_hello h;
    if (!tls_server_hello_read(body, &h))
        return;
    if (h.is_retry) {
        t->early = t->early == TLS_EARLY_OFFERED ? TLS_EARLY_REJECTED : t->early; /* RFC 8446, 4.1.2 */
        return;
    }
    t->version = h.version;
    t->suite = tls_suite_find(h.cipher);
    t->compression = h.version < 0x0304 ? h.compression : 0;
    t->is_etm = t->offers_etm && h.has_encrypt_then_mac;
    memcpy(t->server_random, h.random.at, sizeof t->server_random);
    if (!t->has_server) {
        struct tls_facts *f = &t->facts;
        f->version = h.version;
        f->cipher = h.cipher;
        f->cipher_name = t->suite ? t->suite->name : NULL;
        f->is_resumed = h.version >= 0x0304 ? h.has_psk : is_same_session(t, &h);
        if (h.version < 0x0304)
            choose_alpn(f, h.alpn);
        tls_fingerprint_ja3s(&h, f->ja3s);
    }
    if (h.version < 0x0304 && h.session_id.size && h.session_id.size <= sizeof t->session_id) {
        t->session_id_size = (uint8_t)h.session_id.size; /* older key logs name the connection by it */
        memcpy(t->session_id, h.session_id.at, h.session_id.size);
    }
    t->has_server = true;
}

static void on_encrypted_extensions(struct tls_conn *t, struct span body)
{
    struct tls_encrypted_extensions got;
    tls_encrypted_extensions_read(body, &got);
    if (t->early == TLS_EARLY_OFFERED)
        t->early = got.has_early_data ? TLS_EARLY_ACCEPTED : TLS_EARLY_REJECTED;
    choose_alpn(&t->facts, got.alpn);
}

static void on_certificate(struct tls_conn *t, int role, struct span body)
{
    struct tls_cert cert;
    struct tls_facts *f = &t->facts;
    if (tls_cert_read(body, t->version >= 0x0304, &cert))
        return;
    if (role == TLS_CLIENT)
        keep_text(f->client_subject, sizeof f->client_subject, span_text(cert.subject));
    else
        keep_text(f->server_subject, sizeof f->server_subject, span_text(cert.subject));
}

static void enter(struct tls_conn *t, struct tls_side *s, enum tls_epoch epoch)
{
    tls_opener_close(&s->opener);
    coding_free(t->pool->codings, s->coding);
    s->coding = NULL;
    s->epoch = (uint8_t)epoch;
    s->is_trying = false;
}

static void on_message(struct tls_conn *t, int role, const struct tls_handshake_out *m)
{
    struct tls_side *s = &t->side[role];
    bool is_13 = tls_is_13(t);
    switch (m->type) {
    case TLS_CLIENT_HELLO:
        if (role == TLS_CLIENT && m->is_kept)
            on_client_hello(t, m->body);
        break;
    case TLS_SERVER_HELLO:
        if (role == TLS_SERVER && m->is_kept)
            on_server_hello(t, m->body);
        break;
    case TLS_ENCRYPTED_EXTENSIONS:
        if (role == TLS_SERVER && is_13 && m->is_kept)
            on_encrypted_extensions(t, m->body);
        break;
    case TLS_CERTIFICATE:
        if (m->is_kept)
            on_certificate(t, role, m->body);
        break;
    case TLS_END_OF_EARLY_DATA:
        if (role == TLS_CLIENT && s->epoch == TLS_EPOCH_EARLY)
            enter(t, s, TLS_EPOCH_HANDSHAKE);
        break;
    case TLS_FINISHED:
        if (is_13 && s->epoch == TLS_EPOCH_HANDSHAKE)
            enter(t, s, TLS_EPOCH_TRAFFIC);
        break;
    case TLS_KEY_UPDATE:
        if (is_13 && s->epoch == TLS_EPOCH_TRAFFIC && tls_opener_is_open(&s->opener))
            tls_opener_update(&s->opener);
        break;
    default: break;
    }
}

static bool is_hello_of(const struct tls_handshake_out *m, int role)
{
    struct tls_client_hello client;
    struct tls_server_hello server;
    if (!m->is_kept)
        return false;
    return role == TLS_CLIENT
               ? m->type == TLS_CLIENT_HELLO && tls_client_hello_read(m->body, false, &client) && !client.is_bad
               : m->type == TLS_SERVER_HELLO && tls_server_hello_read(m->body, &server) && !server.is_bad;
}

/* A ClientHello from the flow's server: the flow was joined midstream, and its first packet was an answer. */
static int settle_roles(struct tls_conn *t, int role, const struct tls_handshake_out *m)
{
    if (t->has_client || t->has_server || !is_hello_of(m, !role))
        return role;
    struct tls_side side = t->side[0];
    t->side[0] = t->side[1];
    t->side[1] = side;
    t->is_swapped = !t->is_swapped;
    return !role;
}

void tls_negotiate_feed(struct tls_conn *t, int role, struct span fragment)
{
    struct tls_handshake_out m;
    while (t->state == TLS_CONN_GOING &&
           tls_handshake_step(&t->side[role].handshake, &t->pool->messages, &fragment, &m) == TLS_HANDSHAKE_MESSAGE) {
        role = settle_roles(t, role, &m);
        on_message(t, role, &m);
    }
}

void tls_negotiate_change(struct tls_conn *t, int role)
{
    struct tls_side *s = &t->side[role];
    if (tls_is_13(t))
        return; /* only there for middleboxes (RFC 8446, D.4) */
    if (!t->has_server && t->facts.version >= 0x0304)
        return; /* the same, of a client that has sent early data or a second hello */
    if (role == TLS_SERVER && s->epoch == TLS_EPOCH_PLAIN && t->side[TLS_CLIENT].epoch == TLS_EPOCH_PLAIN)
        t->facts.is_resumed = true; /* only then does the server finish first (RFC 5246, 7.3) */
    tls_handshake_gap(&s->handshake, &t->pool->messages);
    enter(t, s, TLS_EPOCH_TRAFFIC);
}
