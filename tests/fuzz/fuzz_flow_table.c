/* SPDX-License-Identifier: Apache-2.0
 * Any sequence of frames through decoder, table, stream and connection: size (16 bits), time (8 bits), the frame as raw
 * IP. Whatever comes, packets in are packets out. */
#include "base/assert.h"
#include "base/times.h"
#include "flow/flow_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_request(void *ctx, struct transaction *t, struct body_tap *tap)
{
    (void)ctx, (void)t, (void)tap; /* the way there is what counts */
}

static void on_end(void *ctx, struct transaction *t)
{
    (void)ctx; /* nothing to tell apart */
    ASSERT(t->request_body.missing <= t->request_body.bytes && t->response_body.missing <= t->response_body.bytes);
}

static uint64_t value(struct counters c, const char *name)
{
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    ASSERT(!"a counter of this name");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conn_pool *conns; /* making them takes long; each run ends all its flows and begins a day later */
    static struct flow_table *t;
    static uint64_t now;
    if (!t) {
        struct conn_hooks hooks = {.on_request = on_request, .on_response = on_request, .on_end = on_end};
        conns = conn_pool_new(&(struct conn_limits){.max_conns = 8, .max_active = 8}, &hooks);
        static const struct tls_conn_limits tls = {.max_conns = 8, .max_openers = 16, .hold_mib = 1};
        t = flow_table_new(&(struct flow_limits){.max_flows = 8, .reorder_mib = 1, .fragment_mib = 1},
                           &(struct flow_parts){.conns = conns, .tls = &tls});
    }
    ASSERT(conns && t);
    now += 86400 * NS_PER_S;
    struct decap_counts counts = {0};
    struct reader r = reader_of(span_of(data, size));
    while (r.left.size >= 3) {
        uint16_t length = reader_u16(&r);
        now += reader_u8(&r) * NS_PER_MS * 20;
        struct span frame = reader_span(&r, length < r.left.size ? length : r.left.size);
        struct packet p = {.time_ns = now,
                           .bytes = frame.at,
                           .caught = (uint32_t)frame.size,
                           .wire = (uint32_t)frame.size,
                           .link = 101};
        struct dissected d;
        if (decap_packet(&p, &d, &counts) == 0)
            flow_table_packet(t, &p, &d, &counts);
        flow_table_tick(t, now);
    }
    flow_table_flush(t, now);
    struct counters c = flow_table_counters(t);
    ASSERT(value(c, "flow_received") == value(c, "flow_bad_sum") + value(c, "flow_duplicates") +
                                            value(c, "flow_fragments") + value(c, "flow_undecodable") + value(c, "flow_other_ip") +
                                            value(c, "flow_tcp") + value(c, "flow_udp"));
    ASSERT(value(c, "flow_tcp") == value(c, "tcp_segments") + value(c, "flow_after_close"));
    ASSERT(value(c, "tcp_bytes_held") == 0 && flow_table_size(t) == 0);
    return 0;
}
