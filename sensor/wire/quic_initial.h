/* SPDX-License-Identifier: Apache-2.0
 * QUIC v1 and v2 (RFC 9000, 9001, 9369) as far as it is readable by everybody: Initial packets are protected by keys
 * that derive from a connection id in the clear. Out comes the ClientHello, and the server's answer. Bounded, no heap
 * after quic_opener_new: CRYPTO frames of several packets are put in order in a block. */
#ifndef WIRE_QUIC_INITIAL_H
#define WIRE_QUIC_INITIAL_H

#include "base/pool.h"
#include "wire/quic_crypto.h"

#define QUIC_V1 0x00000001u
#define QUIC_V2 0x6b3343cfu
#define QUIC_MAX_CID 20u
#define QUIC_MAX_HELLO 16384u /* CRYPTO bytes kept of one direction */
#define QUIC_BLOCK (QUIC_MAX_HELLO + QUIC_MAX_HELLO / 8)
#define QUIC_LOOK_DATAGRAMS 16u /* of a flow, each way, that are worth handing in before it is called finished */

struct quic_memory {
    struct quic_opener *opener;
    struct pool *blocks; /* of QUIC_BLOCK bytes */
    uint64_t refused;    /* hellos lost because the pool was used up */
};

/* Per flow; the members are the machine's own. Zeroed by quic_initial_init. */
struct quic_initial {
    uint32_t version; /* of the keys */
    uint8_t n_cid;    /* of the connection id the keys derive from, 0 = none yet (or empty: has_cid) */
    bool has_cid;
    bool is_done[2]; /* the hello of that direction was handed out: [0] client, [1] server */
    uint8_t cid[QUIC_MAX_CID];
    uint32_t size[2]; /* of the handshake message, header included; 0 = not known yet */
    uint8_t *block[2];
};

/* What one datagram held. Flags add up: a datagram may hold several packets. */
struct quic_facts {
    uint32_t version;        /* of its first long header; 0 = none, or version negotiation */
    bool is_long;            /* it begins with a long header */
    bool is_negotiation;     /* version negotiation: the server speaks none of the client's versions */
    bool is_retry;           /* Retry: the client begins again with another connection id */
    bool is_unknown_version; /* long header, a version whose Initial keys are not known here */
    bool is_bad;             /* malformed: nothing, or not all, was read */
    uint8_t opened, closed;  /* Initial packets that were opened, and that failed authentication */
    struct span
        client_hello; /* whole ClientHello, without its 4 byte header; valid until the next call for this flow */
    struct span server_hello;
};

/* Cheap look at the first datagram of a UDP flow: could it begin a QUIC connection (long header, known or reserved
 * version, connection ids that fit)? Of unknown versions only those of the IETF drafts and version negotiation are let
 * through. */
bool quic_initial_probe(struct span datagram);
void quic_initial_init(struct quic_initial *q);
/* Gives back what it holds. */
void quic_initial_fini(struct quic_initial *q, struct quic_memory *memory);
/* Reads the Initial packets of one datagram. The keys derive from the first Initial of the client, so its direction
 * must be handed in for the server's to open. */
void quic_initial_datagram(struct quic_initial *q, struct quic_memory *memory, struct span datagram, bool from_client,
                           struct quic_facts *facts);

#endif
