/* SPDX-License-Identifier: Apache-2.0
 * Connections that say nothing for days and then go on: what can only be learnt at their start is still known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/times.h"
#include "flow/flow_table.h"
#include "support/packet_build.h"
#include "support/tls_talk.h"
#include "wire/tls_keylog.h"

#define DAYS 3u
#define DAY_S 86400u

struct bench {
    struct packet_build build;
    struct flow_table *table;
    struct conn_pool *conns;
    struct tls_keys *keys;
    struct decap_counts decap;
    uint32_t id;
    uint64_t ns;
    char told[4096];
    size_t n_told;
};

struct client {
    uint16_t port;
    uint32_t seq[2];
};

static void on_end(void *ctx, struct transaction *t)
{
    struct bench *b = ctx;
    char ip[IPADDR_TEXT_MAX] = "-";
    if (!ipaddr_is_zero(&t->proxy_protocol_client))
        ipaddr_text(&t->proxy_protocol_client, ip);
    b->n_told += (size_t)snprintf(b->told + b->n_told, sizeof b->told - b->n_told, "%.*s %u %s\n", (int)t->target.size,
                                  (const char *)t->target.at, t->status, ip);
    assert_true(b->n_told < sizeof b->told);
}

static void begin(struct bench *b, uint32_t max_openers)
{
    *b = (struct bench){.ns = 1700000000 * NS_PER_S};
    b->conns = conn_pool_new(&(struct conn_limits){.max_conns = 64, .max_active = 64},
                             &(struct conn_hooks){.on_end = on_end, .ctx = b});
    b->keys = tls_keys_new(NULL);
    struct tls_conn_limits tls = {.max_conns = 64, .max_openers = max_openers, .hold_mib = 1};
    b->table = flow_table_new(&(struct flow_limits){.max_flows = 100, .reorder_mib = 1, .fragment_mib = 1},
                              &(struct flow_parts){.conns = b->conns, .tls = &tls, .keys = b->keys});
    assert_non_null(b->table);
}

static void finish(struct bench *b)
{
    flow_table_flush(b->table, b->ns);
    flow_table_free(b->table);
    tls_keys_free(b->keys);
    conn_pool_free(b->conns);
}

static void send(struct bench *b, struct client *c, int dir, uint8_t flags, struct span bytes)
{
    struct dissected d;
    packet_build_payload(&b->build, bytes);
    packet_build_tcp(&b->build, &(struct packet_build_tcp){.src = dir ? 443 : c->port,
                                                           .dst = dir ? c->port : 443,
                                                           .seq = c->seq[dir],
                                                           .ack = flags & DECAP_ACK ? c->seq[!dir] : 0,
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
    c->seq[dir] += (uint32_t)bytes.size + (flags & (DECAP_SYN | DECAP_FIN) ? 1 : 0);
}

static void say(struct bench *b, struct client *c, int dir, struct span bytes)
{
    for (; bytes.size; bytes = span_from(bytes, 1000))
        send(b, c, dir, DECAP_ACK, span_sub(bytes, 0, 1000));
}

static struct client open_client(struct bench *b, uint16_t port)
{
    struct client c = {port, {100, 500}};
    send(b, &c, 0, DECAP_SYN, span_of(NULL, 0));
    send(b, &c, 1, DECAP_SYN | DECAP_ACK, span_of(NULL, 0));
    send(b, &c, 0, DECAP_ACK, span_of(NULL, 0));
    return c;
}

/* Nobody says anything; the table looks round each second. */
static void pass(struct bench *b, uint32_t seconds)
{
    for (uint32_t i = 0; i < seconds; i++)
        flow_table_tick(b->table, b->ns += NS_PER_S);
}

/* ---- TLS ---- */

static void talk_text(struct talk *t, int from, const char *text)
{
    char got[512];
    assert_int_equal(SSL_write(t->ends[from], text, (int)strlen(text)), (int)strlen(text));
    talk_carry(t, from);
    assert_int_equal(SSL_read(t->ends[!from], got, sizeof got), (int)strlen(text));
    talk_carry(t, !from);
}

static void talk_request(struct talk *t, const char *path)
{
    char text[128];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: desk.example\r\n\r\n", path);
    talk_text(t, TALK_CLIENT, text);
    talk_text(t, TALK_SERVER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void add_keys(struct bench *b, struct talk *t)
{
    struct tls_keylog_counts counts = {0};
    struct tls_keylog_entry entry;
    for (const char *line = text_str(&t->keylog); *line;) {
        size_t n = strcspn(line, "\n");
        if (tls_keylog_line(span_of(line, n), &counts, &entry))
            tls_keys_add(b->keys, &entry, b->ns);
        line += n + (line[n] != 0);
    }
}

/* Sends what has been said since 'from'. */
static size_t replay(struct bench *b, struct client *c, struct talk *t, size_t from)
{
    for (; from < t->n_chunks; from++) {
        const struct talk_chunk *chunk = &t->chunks[from];
        say(b, c, chunk->from, span_of(t->wire[chunk->from].at + chunk->at, chunk->size));
    }
    return from;
}

/* Two requests with days between them; the second of the first of 'n' connections is read or not. */
static void talk_for_days(struct bench *b, int version, uint32_t n)
{
    struct talk t;
    struct client first = {0};
    talk_init(&t, version);
    for (uint32_t i = n; i-- > 0;) {
        talk_begin(&t);
        assert_true(talk_shake(&t));
        talk_request(&t, "/one");
        add_keys(b, &t);
        struct client c = open_client(b, (uint16_t)(2000 + i));
        size_t at = replay(b, &c, &t, 0);
        if (i == 0) {
            pass(b, DAYS * DAY_S);
            talk_request(&t, "/two");
            replay(b, &c, &t, at);
        }
        first = c;
        talk_end(&t);
    }
    send(b, &first, 0, DECAP_ACK | DECAP_FIN, span_of(NULL, 0));
    talk_fini(&t);
}

static void keys_are_kept_for_days(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct bench b;
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(&b, 64);
        talk_for_days(&b, versions[i], 1);
        assert_int_equal(flow_table_size(b.table), 1);
        finish(&b);
        assert_string_equal(b.told, "/one 200 -\n/two 200 -\n");
    }
}

static void half_of_the_room_is_for_those_that_begin(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, 8); /* of four connections */
    talk_for_days(&b, TLS1_2_VERSION, 3);
    finish(&b);
    assert_string_equal(b.told, "/one 200 -\n/one 200 -\n/one 200 -\n");
    begin(&b, 8);
    talk_for_days(&b, TLS1_2_VERSION, 2);
    finish(&b);
    assert_string_equal(b.told, "/one 200 -\n/one 200 -\n/two 200 -\n");
}

/* ---- in the clear ---- */

#define SETTINGS "\0\0\0\4\0\0\0\0\0"
#define HEADERS(stream, size, block) "\0\0" size "\1\5\0\0\0" stream block /* the end of its stream, too */
#define BYTES(literal) span_of(literal, sizeof(literal) - 1)

/* The second request says its host and path by the places they took in the dynamic table (RFC 7541, 2.3.2). */
static void header_state_is_kept_for_days(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, 8);
    struct client c = open_client(&b, 2000);
    say(&b, &c, 0, BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" SETTINGS HEADERS("\1", "\016", "\x82\x86\x41\4desk\x44\4/one")));
    say(&b, &c, 1, BYTES(SETTINGS HEADERS("\1", "\1", "\x88")));
    pass(&b, DAYS * DAY_S);
    say(&b, &c, 0, BYTES(HEADERS("\3", "\4", "\x82\x86\xbf\xbe")));
    say(&b, &c, 1, BYTES(HEADERS("\3", "\1", "\x88")));
    finish(&b);
    assert_string_equal(b.told, "/one 200 -\n/one 200 -\n");
}

static void clients_behind_a_preface_are_known_for_days(void **state)
{
    struct bench b;
    (void)state;
    begin(&b, 8);
    struct client c = open_client(&b, 2000), plain = open_client(&b, 2001);
    say(&b, &c, 0, span_text("PROXY TCP4 192.0.2.7 192.0.2.1 1000 80\r\nGET /a HTTP/1.1\r\n\r\n"));
    say(&b, &c, 1, span_text("HTTP/1.1 204 No Content\r\n\r\n"));
    say(&b, &plain, 0, span_text("GET /b HTTP/1.1\r\n\r\n"));
    say(&b, &plain, 1, span_text("HTTP/1.1 204 No Content\r\n\r\n"));
    pass(&b, DAYS * DAY_S);
    assert_int_equal(flow_table_size(b.table), 1); /* the other has nothing to remember */
    say(&b, &c, 0, span_text("GET /c HTTP/1.1\r\n\r\n"));
    say(&b, &c, 1, span_text("HTTP/1.1 204 No Content\r\n\r\n"));
    pass(&b, 8 * DAY_S);
    assert_int_equal(flow_table_size(b.table), 0); /* not for ever */
    finish(&b);
    assert_string_equal(b.told, "/a 204 192.0.2.7\n/b 204 -\n/c 204 192.0.2.7\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_kept_for_days),
        cmocka_unit_test(half_of_the_room_is_for_those_that_begin),
        cmocka_unit_test(header_state_is_kept_for_days),
        cmocka_unit_test(clients_behind_a_preface_are_known_for_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
