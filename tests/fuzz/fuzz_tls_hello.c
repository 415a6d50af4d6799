/* SPDX-License-Identifier: Apache-2.0
 * Handshake messages, hellos, fingerprints and certificates under any bytes: messages do not depend on the cut, every
 * span lies inside of its message, every text ends. Input: one byte of settings (TLS 1.3, DTLS), then handshake
 * records; 0xfe is a lost one. */
#include "base/hash.h"
#include "wire/dtls_hello.h"
#include "wire/tls_cert.h"
#include "wire/tls_fingerprint.h"
#include "wire/tls_handshake.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

static void inside(struct span part, struct span of)
{
    CHECK(part.size == 0 || (part.at >= of.at && part.at + part.size <= of.at + of.size));
}

static void check_lists(const struct tls_client_hello *h)
{
    struct tls_extension e;
    struct span rest = h->extensions, part;
    uint16_t value;
    while (tls_extension_next(&rest, &e))
        inside(e.data, h->extensions);
    for (rest = h->alpn; tls_protocol_next(&rest, &part);)
        inside(part, h->alpn);
    for (rest = h->key_shares; tls_key_share_next(&rest, &value, &part);)
        inside(part, h->key_shares);
}

static uint64_t on_client(struct span body, bool is_dtls, uint64_t digest)
{
    struct tls_client_hello h;
    char ja3[TLS_JA3_SIZE], ja4[TLS_JA4_SIZE];
    if (!tls_client_hello_read(body, is_dtls, &h))
        return digest;
    const struct span parts[] = {h.random,       h.session_id,    h.cookie, h.ciphers,
                                 h.versions,     h.groups,        h.sni,    h.signature_algorithms,
                                 h.compressions, h.point_formats, h.alpn,   h.alpn_first,
                                 h.key_shares,   h.extensions};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        inside(parts[i], body);
    check_lists(&h);
    tls_fingerprint_ja3(&h, ja3);
    tls_fingerprint_ja4(&h, is_dtls ? TLS_OVER_DTLS : TLS_OVER_TCP, ja4);
    CHECK(strlen(ja3) == TLS_JA3_SIZE - 1 && strlen(ja4) == TLS_JA4_SIZE - 1);
    return hash64(span_text(ja4), hash64(span_text(ja3), digest));
}

static uint64_t on_server(struct span body, uint64_t digest)
{
    struct tls_server_hello h;
    char ja3s[TLS_JA3_SIZE];
    if (!tls_server_hello_read(body, &h))
        return digest;
    inside(h.session_id, body);
    inside(h.extensions, body);
    inside(h.alpn, body);
    (void)tls_version_name(h.version);
    tls_fingerprint_ja3s(&h, ja3s);
    return hash64(span_text(ja3s), digest);
}

static uint64_t on_certificate(struct span body, bool is_tls13, uint64_t digest)
{
    struct tls_cert cert;
    int error = tls_cert_read(body, is_tls13, &cert);
    CHECK(memchr(cert.name, 0, sizeof cert.name) && memchr(cert.subject, 0, sizeof cert.subject));
    CHECK(memchr(cert.issuer, 0, sizeof cert.issuer));
    for (const char *c = cert.subject; *c; c++)
        CHECK((uint8_t)*c >= 0x20);
    return hash64(span_text(cert.subject), digest) + (uint64_t)error;
}

static uint64_t on_message(const struct tls_handshake_out *out, uint8_t settings, uint64_t digest)
{
    struct tls_encrypted_extensions extensions;
    CHECK(out->body.size <= out->length && out->body.size <= TLS_HANDSHAKE_LARGE);
    digest = hash64(out->body, digest + out->type + out->length);
    if (!out->is_kept)
        return digest;
    switch (out->type) {
    case TLS_CLIENT_HELLO: return on_client(out->body, settings & 2, digest);
    case TLS_SERVER_HELLO: return on_server(out->body, digest);
    case TLS_CERTIFICATE: return on_certificate(out->body, settings & 1, digest);
    case TLS_ENCRYPTED_EXTENSIONS:
        tls_encrypted_extensions_read(out->body, &extensions);
        inside(extensions.alpn, out->body);
        return digest + extensions.record_size_limit;
    default: return digest;
    }
}

static uint64_t feed(struct tls_handshake *h, struct tls_handshake_memory *memory, struct span bytes, size_t piece,
                     uint8_t settings, uint64_t digest)
{
    while (bytes.size) {
        struct span part = span_sub(bytes, 0, piece);
        uint8_t *copy = malloc(part.size);
        memcpy(copy, part.at, part.size);
        struct span rest = span_of(copy, part.size);
        struct tls_handshake_out out;
        while (tls_handshake_step(h, memory, &rest, &out) != TLS_HANDSHAKE_MORE)
            digest = on_message(&out, settings, digest);
        CHECK(rest.size == 0);
        free(copy);
        bytes = span_from(bytes, part.size);
    }
    return digest;
}

static uint64_t run(struct tls_handshake_memory *memory, uint8_t settings, struct span in, size_t piece)
{
    struct tls_handshake h;
    uint64_t digest = 0;
    tls_handshake_init(&h);
    while (in.size) {
        size_t lost = span_find_byte(in, 0xfe, 0);
        digest = feed(&h, memory, span_sub(in, 0, lost), piece, settings, digest);
        if (lost != SIZE_MAX)
            digest += tls_handshake_gap(&h, memory);
        in = span_from(in, lost == SIZE_MAX ? in.size : lost + 1);
    }
    tls_handshake_fini(&h, memory);
    CHECK(pool_used(memory->small) == 0 && pool_used(memory->large) == 0);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_handshake_memory memory;
    if (!memory.small) {
        memory.small = pool_new(TLS_HANDSHAKE_SMALL, 1);
        memory.large = pool_new(TLS_HANDSHAKE_LARGE, 1);
    }
    if (size < 1)
        return 0;
    struct span in = span_of(data + 1, size - 1);
    uint64_t whole = run(&memory, data[0], in, SIZE_MAX);
    CHECK(run(&memory, data[0], in, 1) == whole);
    CHECK(run(&memory, data[0], in, 37) == whole);
    CHECK(memory.refused == 0);
    (void)tls_handshake_is_hello(in); /* only that it stays inside */
    uint8_t type;
    struct span body;
    if (dtls_hello_find(in, &type, &body))
        inside(body, in);
    return 0;
}
