/* SPDX-License-Identifier: Apache-2.0
 * What happens to one flow between its first packet and its end. Inside of flow/ only. */
#ifndef FLOW_FLOW_LIFE_H
#define FLOW_FLOW_LIFE_H

#include "base/pool.h"
#include "flow/flow_table.h"
#include "flow/timers.h"

#define FLOW_TCP 6
#define FLOW_UDP 17

/* What the flows of one table share. */
struct flow_home {
    struct tcp tcp;
    struct timers timers;
    struct conn_pool *conns;
    struct classify *classify;
    struct pool *names;
    struct flow_crypt_home *crypt; /* NULL: encrypted flows are not looked at */
    flow_other_fn *on_other, *on_named;
    flow_burst_fn *on_burst;
    void *ctx;
    uint64_t idle_ns, closed_ns;
    uint64_t key_wait_ns; /* a closed flow stays that long while its secrets may come */
};

/* What the stream calls, with the flow as its context. */
struct tcp_ops flow_life_ops(void);
/* Plaintext of the flow: as it stands in the stream, or decrypted. */
void flow_life_plain_data(struct flow *f, int dir, struct span bytes, uint64_t ns);
void flow_life_plain_gap(struct flow *f, int dir, uint64_t bytes, bool is_acked, uint64_t ns);
void flow_life_plain_fin(struct flow *f, int dir, uint64_t ns);
/* What can be said of a flow that is not HTTP, or not read. */
struct flow_other flow_life_other(const struct flow *f);
/* It is no HTTP, or nothing that can be read. */
void flow_life_is_other(struct flow *f, uint64_t ns);
/* Shows one packet to nDPI, as long as it wants more and the flow is granted more. */
void flow_life_classify(struct flow *f, const struct dissected *d, int dir, uint64_t now_ns);
/* Ends the stream, and unless secrets may still come for it, what reads it; once. The flow itself stays a while, so that
 * stragglers do not begin another. */
void flow_life_close(struct flow *f, uint64_t now_ns);
/* Of a closed flow: ends what reads it as of its end, and tells what there was; once. */
void flow_life_settle(struct flow *f);
/* When the flow is to go if no packet comes. */
uint64_t flow_life_deadline(const struct flow *f);

/* Of a counted SYN, and of what comes while a SYN-ACK waits for its ACK: sets info.rtt_us, the way from the tap to the client
 * and back. Not when the SYN-ACK was sent again: which one the ACK answers is not known (RFC 6298, 3). */
void flow_life_handshake(struct flow *f, const struct dissected *d, int direction, uint64_t now_ns);

#endif
