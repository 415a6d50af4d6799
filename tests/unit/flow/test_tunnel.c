/* SPDX-License-Identifier: Apache-2.0
 * TLS and HTTP that begin inside of a connection: behind a PROXY preface, and in a tunnel that CONNECT opened. Each
 * conversation is cut into segments of several sizes; what is told must be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/times.h"
#include "flow/flow_table.h"
#include "support/packet_build.h"

#include <openssl/ssl.h>
#include <stdio.h>

static struct {
    char text[2048];
    size_t size;
} diary;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diary.size += (size_t)vsnprintf(diary.text + diary.size, sizeof diary.text - diary.size, format, args);
    va_end(args);
    assert_true(diary.size < sizeof diary.text);
}

static const char *named(const struct ipaddr *ip, char text[IPADDR_TEXT_MAX])
{
    return ipaddr_is_zero(ip) ? "-" : ipaddr_text(ip, text);
}

static void on_end(void *ctx, struct transaction *t)
{
    char ip[IPADDR_TEXT_MAX];
    (void)ctx;
    note("%u %.*s %.*s %u %s\n", t->number, (int)t->method.size, (const char *)t->method.at, (int)t->target.size,
         (const char *)t->target.at, t->status, named(&t->proxy_protocol_client, ip));
}

static void on_other(void *ctx, const struct flow_other *o)
{
    char ip[IPADDR_TEXT_MAX];
    (void)ctx;
    note("%s \"%s\" %s", o->tls ? "closed" : "other", o->server_name, named(&o->info->proxied, ip));
    if (o->closed)
        note(" %d/%d", (int)o->closed->bytes[0], (int)o->closed->bytes[1]);
    note("\n");
}

static void on_burst(void *ctx, const struct flow_other *o, uint64_t bytes, uint64_t from_ns, uint64_t to_ns)
{
    char ip[IPADDR_TEXT_MAX];
    (void)ctx, (void)from_ns, (void)to_ns;
    note("burst of %d \"%s\" %s\n", (int)bytes, o->server_name, named(&o->info->proxied, ip));
}

/* ---- segments ---- */

struct bench {
    struct packet_build build;
    struct flow_table *table;
    struct decap_counts decap;
    uint32_t seq[2], id;
    uint64_t ns;
};

static void send(struct bench *b, int dir, uint8_t flags, struct span bytes)
{
    struct dissected d;
    packet_build_payload(&b->build, bytes);
    packet_build_tcp(&b->build, &(struct packet_build_tcp){.src = dir ? 80 : 1000,
                                                           .dst = dir ? 1000 : 80,
                                                           .seq = b->seq[dir],
                                                           .ack = flags & DECAP_ACK ? b->seq[!dir] : 0,
                                                           .flags = flags});
    packet_build_ip(&b->build, &(struct packet_build_ip){.src = dir ? "10.0.0.2" : "10.9.0.1",
                                                         .dst = dir ? "10.9.0.1" : "10.0.0.2",
                                                         .protocol = 6,
                                                         .id = ++b->id});
    packet_build_ether(&b->build, 0x0800);
    b->ns += NS_PER_MS;
    struct packet p = packet_build_done(&b->build, 1, b->ns);
    assert_int_equal(decap_packet(&p, &d, &b->decap), 0);
    flow_table_packet(b->table, &p, &d, &b->decap);
    b->seq[dir] += (uint32_t)bytes.size + (flags & (DECAP_SYN | DECAP_FIN) ? 1 : 0);
}

/* The bytes of a ClientHello in its record, with a server name or without. */
static size_t hello(uint8_t *to, size_t room, const char *name)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    if (name)
        SSL_set_tlsext_host_name(ssl, name);
    assert_int_equal(SSL_connect(ssl), -1);
    int size = BIO_read(out, to, (int)room);
    assert_true(size > 50 && (size_t)size < room);
    SSL_free(ssl);
    SSL_CTX_free(context);
    return (size_t)size;
}

/* ---- conversations ---- */

#define V1 "PROXY TCP4 192.0.2.7 192.0.2.1 1000 80\r\n"
#define V2 "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\1\3\xe8\0\x50"
#define C(text) {0, {(const uint8_t *)(text), sizeof(text) - 1}, NULL, 0}
#define S(text) {1, {(const uint8_t *)(text), sizeof(text) - 1}, NULL, 0}
#define HELLO(name) {0, {NULL, 0}, name, 0}
#define BULK(records) {1, {NULL, 0}, NULL, records} /* of 16,384 bytes and their heads */
#define CONNECT C("CONNECT desk.example:443 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n")
#define GET C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

static const struct row {
    const char *name, *told;
    struct step {
        int dir;
        struct span bytes;
        const char *hello;
        unsigned records;
    } steps[8];
} ROWS[] = {
    {"TLS", "closed \"a.example\" - N/0\n", {HELLO("a.example")}},
    {"TLS behind PROXY v1", "closed \"a.example\" 192.0.2.7 N/0\n", {C(V1), HELLO("a.example")}},
    {"TLS behind PROXY v2", "closed \"a.example\" 192.0.2.7 N/0\n", {C(V2), HELLO("a.example")}},
    {"a download behind PROXY v2",
     "burst of 81945 \"a.example\" 192.0.2.7\nclosed \"a.example\" 192.0.2.7 N/81945\n",
     {C(V2), HELLO("a.example"), BULK(5)}},
    {"HTTP behind PROXY v1", "1 GET /a 200 192.0.2.7\n", {C(V1), GET}},
    {"HTTP that begins like a preface", "1 PROPFIND /a 200 -\n",
     {C("PROPFIND /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"TLS in a tunnel", "1 CONNECT desk.example:443 200 -\nclosed \"a.example\" - N/0\n", {CONNECT, HELLO("a.example")}},
    {"TLS without a name in a tunnel", "1 CONNECT desk.example:443 200 -\nclosed \"desk.example\" - N/0\n",
     {CONNECT, HELLO("")}},
    {"a download in a tunnel, behind PROXY v1",
     "1 CONNECT desk.example:443 200 192.0.2.7\nburst of 81945 \"desk.example\" 192.0.2.7\n"
     "closed \"desk.example\" 192.0.2.7 N/81945\n",
     {C(V1), CONNECT, HELLO(""), BULK(5)}},
    {"HTTP in a tunnel", "1 CONNECT desk.example:443 200 -\n2 GET /a 200 -\n", {CONNECT, GET}},
    {"a tunnel in a tunnel, behind PROXY v1",
     "1 CONNECT desk.example:443 200 192.0.2.7\n2 CONNECT desk.example:443 200 192.0.2.7\n3 GET /a 200 192.0.2.7\n",
     {C(V1), CONNECT, CONNECT, GET}},
    {"something else in a tunnel", "1 CONNECT desk.example:443 200 -\nother \"desk.example\" -\n",
     {CONNECT, C("SSH-2.0-x\r\n"), S("SSH-2.0-y\r\n")}},
    {"a tunnel nobody uses", "1 CONNECT desk.example:443 200 -\nother \"desk.example\" -\n", {CONNECT}},
    {"no tunnel", "1 CONNECT desk.example:443 403 -\n2 GET /a 200 -\n",
     {C("CONNECT desk.example:443 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), GET}},
};

static void say(struct bench *b, int dir, struct span bytes, size_t piece)
{
    while (bytes.size) {
        struct span part = span_sub(bytes, 0, piece);
        send(b, dir, DECAP_ACK, part);
        bytes = span_from(bytes, part.size);
    }
}

/* What the client said of its own is written as N: hellos differ in size. */
static void play(const struct row *row, struct conn_pool *conns, size_t piece, char *told, size_t room)
{
    static uint8_t record[5 + 16384] = {23, 3, 3, 0x40, 0};
    struct bench b = {.seq = {100, 500}, .ns = 1700000000 * NS_PER_S};
    diary.size = 0;
    diary.text[0] = 0;
    b.table = flow_table_new(&(struct flow_limits){.max_flows = 100, .reorder_mib = 1, .fragment_mib = 1},
                             &(struct flow_parts){.conns = conns,
                                                  .tls = &(struct tls_conn_limits){.max_conns = 4, .hold_mib = 1},
                                                  .on_other = on_other,
                                                  .on_burst = on_burst});
    assert_non_null(b.table);
    send(&b, 0, DECAP_SYN, span_of(NULL, 0));
    send(&b, 1, DECAP_SYN | DECAP_ACK, span_of(NULL, 0));
    size_t said = 0;
    for (const struct step *s = row->steps; s < row->steps + 8; s++) {
        uint8_t bytes[2048];
        size_t size = s->hello ? hello(bytes, sizeof bytes, s->hello[0] ? s->hello : NULL) : 0;
        said += size;
        say(&b, s->dir, s->hello ? span_of(bytes, size) : s->bytes, piece);
        for (unsigned i = 0; i < s->records; i++)
            say(&b, s->dir, span_of(record, sizeof record), piece < 1000 ? 1000 : 1460);
    }
    send(&b, 0, DECAP_FIN | DECAP_ACK, span_of(NULL, 0));
    send(&b, 1, DECAP_FIN | DECAP_ACK, span_of(NULL, 0));
    flow_table_flush(b.table, b.ns);
    flow_table_free(b.table);
    char number[24];
    snprintf(number, sizeof number, " %zu/", said);
    char *at = strstr(diary.text, number);
    size_t before = at ? (size_t)(at - diary.text) : diary.size;
    snprintf(told, room, "%.*s%s%s", (int)before, diary.text, at ? " N/" : "", at ? at + strlen(number) : "");
}

static void what_is_inside_is_told_however_it_is_cut(void **state)
{
    static const size_t pieces[] = {2000, 1, 7, 41, 45};
    struct conn_pool *conns =
        conn_pool_new(&(struct conn_limits){.max_conns = 4, .max_active = 4}, &(struct conn_hooks){.on_end = on_end});
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            char told[2048];
            play(&ROWS[i], conns, pieces[k], told, sizeof told);
            if (strcmp(told, ROWS[i].told) != 0)
                print_error("\"%s\" in pieces of %zu:\n", ROWS[i].name, pieces[k]);
            assert_string_equal(told, ROWS[i].told);
        }
    conn_pool_free(conns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_inside_is_told_however_it_is_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
