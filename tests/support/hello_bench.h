/* SPDX-License-Identifier: Apache-2.0
 * Reads the hellos of a capture: every TLS connection over TCP, every QUIC one, straight from the streams, so that a
 * test can hold what they say against what other tools say. */
#ifndef SUPPORT_HELLO_BENCH_H
#define SUPPORT_HELLO_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/err.h"
#include "capture/source.h"
#include "flow/ipfrag.h"
#include "flow/tcp.h"
#include "wire/dtls_hello.h"
#include "wire/quic_initial.h"
#include "wire/tls_cert.h"
#include "wire/tls_fingerprint.h"
#include "wire/tls_handshake.h"
#include "wire/tls_record.h"

#define MAX_FLOWS 16384u
#define MAX_FACTS 65536u

struct fact {
    struct endpoint client, server;
    char kind[8], value[300];
    bool has_odd; /* the hello has no signature algorithms: see is_known */
};

struct flow {
    struct endpoint end[2]; /* [0]: the client's */
    uint8_t protocol;
    bool is_over, is_secret[2], is_tls13;
    struct tcp_stream tcp;
    struct tls_record_reader reader[2];
    struct tls_handshake handshake[2];
    struct quic_initial quic;
};

struct bench {
    struct tcp tcp;
    struct tcp_counts tcp_counts;
    struct decap_counts decap;
    struct ipfrag *frags;
    struct ipfrag_counts frag_counts;
    struct tls_record_memory records;
    struct tls_handshake_memory messages;
    struct quic_memory quic;
    struct flow *flows[MAX_FLOWS];
    size_t n_flows;
};

static struct bench bench;
static struct fact facts[MAX_FACTS];
static size_t n_facts;

/* One fact of the connection whose client speaks in direction 'client'. */
static struct fact *tell(const struct flow *f, int client, const char *kind, struct span value)
{
    assert_true(n_facts < MAX_FACTS);
    struct fact *fact = &facts[n_facts++];
    *fact = (struct fact){.client = f->end[client], .server = f->end[!client]};
    snprintf(fact->kind, sizeof fact->kind, "%s", kind);
    snprintf(fact->value, sizeof fact->value, "%.*s", (int)value.size, (const char *)value.at);
    return fact;
}

static void tell_number(const struct flow *f, int client, const char *kind, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "0x%04x", value);
    tell(f, client, kind, span_text(text));
}

static void on_client_hello(const struct flow *f, int client, struct span body, enum tls_transport transport)
{
    struct tls_client_hello hello;
    char text[TLS_JA4_SIZE];
    if (!tls_client_hello_read(body, transport == TLS_OVER_DTLS, &hello))
        return;
    tls_fingerprint_ja3(&hello, text);
    tell(f, client, "JA3", span_text(text));
    tls_fingerprint_ja4(&hello, transport, text);
    tell(f, client, "JA4", span_text(text))->has_odd = !hello.signature_algorithms.size;
    tell(f, client, "sni", hello.sni);
    tell(f, client, "alpn", hello.alpn_first);
    tell_number(f, client, "legacy", hello.legacy_version);
}

static void on_server_hello(struct flow *f, int client, struct span body)
{
    struct tls_server_hello hello;
    char text[TLS_JA3_SIZE];
    if (!tls_server_hello_read(body, &hello))
        return;
    f->is_tls13 = hello.version == 0x0304 || hello.version >> 8 == 0x7f;
    tls_fingerprint_ja3s(&hello, text);
    tell(f, client, "JA3S", span_text(text));
    tell_number(f, client, "cipher", hello.cipher);
    tell_number(f, client, "version", hello.version);
    if (hello.alpn.size)
        tell(f, client, "s_alpn", hello.alpn);
}

static void on_certificate(const struct flow *f, int direction, struct span body)
{
    struct tls_cert cert;
    if (tls_cert_read(body, false, &cert) == E_OK && cert.name[0])
        tell(f, direction, "cert", span_text(cert.name)); /* .client is whose it is */
}

static void on_handshake(struct flow *f, int direction, struct span fragment)
{
    struct tls_handshake_out out;
    while (tls_handshake_step(&f->handshake[direction], &bench.messages, &fragment, &out) != TLS_HANDSHAKE_MORE) {
        if (out.type == TLS_CLIENT_HELLO && out.is_kept)
            on_client_hello(f, direction, out.body, TLS_OVER_TCP);
        else if (out.type == TLS_SERVER_HELLO && out.is_kept)
            on_server_hello(f, !direction, out.body);
        else if (out.type == TLS_CERTIFICATE && out.is_kept)
            on_certificate(f, direction, out.body);
    }
}

static void on_record(struct flow *f, int direction, enum tls_record_event event, const struct tls_record_out *out)
{
    struct tls_record_reader *r = &f->reader[direction];
    if (event == TLS_RECORD_HEAD && out->head.type != TLS_HANDSHAKE)
        tls_record_want(r, 0, 0);
    else if (event == TLS_RECORD_BODY && f->is_secret[direction] && !tls_handshake_is_hello(out->data))
        return;
    else if (event == TLS_RECORD_BODY)
        on_handshake(f, direction, out->data);
    else if (event == TLS_RECORD_MEASURED && out->head.type == TLS_CHANGE_CIPHER_SPEC)
        f->is_secret[direction] = true;
    else if (event == TLS_RECORD_MEASURED || event == TLS_RECORD_LOST)
        tls_handshake_gap(&f->handshake[direction], &bench.messages);
}

static void pump(struct flow *f, int direction, struct tls_record_input *input)
{
    struct tls_record_out out;
    enum tls_record_event event;
    while ((event = tls_record_step(&f->reader[direction], &bench.records, input, &out)) != TLS_RECORD_MORE)
        if (event == TLS_RECORD_SSL2)
            tell_number(f, direction, "legacy", out.version);
        else
            on_record(f, direction, event, &out);
}

static void on_data(void *ctx, int direction, struct span bytes, uint64_t ns)
{
    struct flow *f = ctx;
    struct tls_record_reader *r = &f->reader[direction];
    enum tls_probe probe = tls_record_probe(bytes);
    if (r->state == TLS_RECORD_AT_OFF && (probe == TLS_PROBE_CLIENT || probe == TLS_PROBE_SERVER))
        tls_record_init(r); /* STARTTLS, CONNECT */
    struct tls_record_input input = {.bytes = bytes, .now_ns = ns};
    pump(f, direction, &input);
}

static void on_gap(void *ctx, int direction, uint64_t bytes, bool is_acked, uint64_t ns)
{
    (void)is_acked;
    struct tls_record_input input = {.gap = bytes, .now_ns = ns};
    pump(ctx, direction, &input);
}

static void on_fin(void *ctx, int direction, uint64_t ns)
{
    (void)ctx, (void)direction, (void)ns;
}

static bool is_end(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && ipaddr_eq(&a->ip, &b->ip);
}

static struct flow *find(const struct dissected *d, int *direction)
{
    for (size_t i = bench.n_flows; i-- > 0;) {
        struct flow *f = bench.flows[i];
        for (*direction = 0; *direction < 2; ++*direction)
            if (f->protocol == d->protocol && is_end(&f->end[*direction], &d->src) &&
                is_end(&f->end[!*direction], &d->dst))
                return f;
    }
    return NULL;
}

static struct flow *make(const struct dissected *d, int *direction)
{
    bool is_syn = d->protocol == 6 && d->tcp_flags & DECAP_SYN;
    bool from_server = is_syn ? d->tcp_flags & DECAP_ACK : d->protocol == 6 && d->src.port < d->dst.port;
    assert_true(bench.n_flows < MAX_FLOWS);
    struct flow *f = calloc(1, sizeof *f);
    assert_non_null(f);
    bench.flows[bench.n_flows++] = f;
    *direction = from_server;
    f->end[*direction] = d->src;
    f->end[!*direction] = d->dst;
    f->protocol = d->protocol;
    return f;
}

static void on_tcp(const struct dissected *d, uint64_t ns)
{
    int direction;
    struct flow *f = find(d, &direction);
    if (f && !f->is_over && f->tcp.deadline_ns && f->tcp.deadline_ns <= ns)
        f->is_over = tcp_expire(&bench.tcp, &f->tcp, f, ns) != TCP_GOING;
    if (f && f->is_over && tcp_goes_on(&f->tcp, direction, d))
        f = NULL;
    if (f && tcp_begins_anew(&f->tcp, direction, d)) {
        if (!f->is_over)
            tcp_flush(&bench.tcp, &f->tcp, f, ns);
        f->is_over = true;
        f = NULL;
    }
    if (!f)
        f = make(d, &direction);
    if (f->is_over)
        return;
    enum tcp_result result = tcp_feed(&bench.tcp, &f->tcp, f, direction, d, ns);
    f->is_over = result == TCP_OVER;
    if (result == TCP_LOST) {
        tcp_flush(&bench.tcp, &f->tcp, f, ns);
        f->is_over = true;
        f = make(d, &direction);
        (void)tcp_feed(&bench.tcp, &f->tcp, f, direction, d, ns); /* a new stream takes it */
    }
}

static void on_udp(const struct dissected *d)
{
    int direction;
    struct quic_facts quic;
    uint8_t type;
    struct span body;
    bool is_dtls = dtls_hello_find(d->payload, &type, &body);
    struct flow *f = find(d, &direction);
    if (!f && !is_dtls && !quic_initial_probe(d->payload))
        return;
    if (!f)
        f = make(d, &direction);
    if (is_dtls && type == TLS_CLIENT_HELLO)
        on_client_hello(f, direction, body, TLS_OVER_DTLS);
    else if (is_dtls)
        on_server_hello(f, !direction, body);
    if (is_dtls)
        return;
    quic_initial_datagram(&f->quic, &bench.quic, d->payload, direction == 0, &quic);
    if (quic.client_hello.at)
        on_client_hello(f, 0, quic.client_hello, TLS_OVER_QUIC);
    if (quic.server_hello.at)
        on_server_hello(f, 0, quic.server_hello);
}

static void on_packet(const struct packet *p)
{
    struct dissected d = {0};
    struct span whole;
    if (decap_packet(p, &d, &bench.decap) != E_OK)
        return;
    if (d.is_fragment && (!ipfrag_feed(bench.frags, &d, p->time_ns, &whole) || decap_ip(whole, &d, &bench.decap)))
        return;
    if (d.protocol == 6)
        on_tcp(&d, p->time_ns);
    else if (d.protocol == 17)
        on_udp(&d);
}

static void finish(uint64_t ns)
{
    for (size_t i = 0; i < bench.n_flows; i++) {
        struct flow *f = bench.flows[i];
        if (f->protocol == 6 && !f->is_over)
            tcp_flush(&bench.tcp, &f->tcp, f, ns);
        quic_initial_fini(&f->quic, &bench.quic);
        for (int d = 0; d < 2; d++) {
            struct tls_record_input input = {.now_ns = ns};
            tls_record_finish(&f->reader[d]);
            pump(f, d, &input);
            tls_record_fini(&f->reader[d], &bench.records);
            tls_handshake_fini(&f->handshake[d], &bench.messages);
        }
        free(f);
    }
    bench.n_flows = 0;
    assert_int_equal(pool_used(bench.records.blocks), 0);
    assert_int_equal(pool_used(bench.messages.small) + pool_used(bench.messages.large), 0);
    assert_int_equal(pool_used(bench.quic.blocks), 0);
}

/* All facts of one capture into 'facts'. */
static void read_capture(const char *path)
{
    struct source *source = NULL;
    struct text why = {0};
    struct packet p;
    uint64_t ns = 0;
    n_facts = 0;
    if (source_open_files(&source, &path, 1, NULL, &why) == E_OK) {
        while (source_next(source, &p) == 1) {
            ns = p.time_ns;
            on_packet(&p);
        }
        source_close(source);
    }
    text_fini(&why);
    finish(ns);
}

static void open_bench(void)
{
    const struct tcp_ops ops = {on_data, on_gap, on_fin, NULL};
    assert_true(tcp_init(&bench.tcp, 32, &ops, &bench.tcp_counts));
    bench.frags = ipfrag_new(8, &bench.frag_counts);
    bench.records.blocks = pool_new(TLS_RECORD_BLOCK, 4096);
    bench.messages.small = pool_new(TLS_HANDSHAKE_SMALL, 4096);
    bench.messages.large = pool_new(TLS_HANDSHAKE_LARGE, 1024);
    bench.quic.blocks = pool_new(QUIC_BLOCK, 1024);
    bench.quic.opener = quic_opener_new();
    assert_non_null(bench.frags);
    assert_non_null(bench.quic.opener);
}

static void close_bench(void)
{
    tcp_fini(&bench.tcp);
    ipfrag_free(bench.frags);
    pool_free(bench.records.blocks);
    pool_free(bench.messages.small);
    pool_free(bench.messages.large);
    pool_free(bench.quic.blocks);
    quic_opener_free(bench.quic.opener);
}

#endif
