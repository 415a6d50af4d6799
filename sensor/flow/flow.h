/* SPDX-License-Identifier: Apache-2.0
 * One flow of the table: what is known of it, its stream, its connection. Inside of flow/ only. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "flow/classify.h"
#include "flow/conn.h"
#include "flow/tcp.h"

/* Innermost addresses, the smaller endpoint first, so that both directions have one key. Not the VLAN or the tunnel: a
 * SPAN port shows one packet tagged and untagged. */
struct flow_key {
    struct ipaddr ip[2];
    uint16_t port[2];
    uint8_t protocol, zero[3];
};

/* Both directions get the same key; true when the sender is ip[0]. */
bool flow_key_of(const struct dissected *d, struct flow_key *key);

/* What nDPI found, kept when its own state is given back. */
struct flow_names {
    char protocol[64], sni[256];
};

enum { FLOW_TIMER_FAST, FLOW_TIMER_SLOW, FLOW_TIMERS };

struct flow {
    struct flow_key key;
    struct flow_info info;
    uint64_t closed_ns;      /* 0 = open */
    uint64_t wait_ns;        /* when its stream is to be looked at; 0 = in no list */
    struct flow_crypt *crypt; /* NULL: not encrypted */
    struct conn *conn;       /* NULL before the first payload, after the end, and when it is not HTTP */
    uint8_t speaks;          /* enum conn_speaks */
    uint8_t first_is_client; /* key.ip[0] is the client */
    uint8_t ndpi_packets;
    uint8_t right_sums[2]; /* TCP checksums in a row of each direction, up to what is enough */
    uint8_t wait_list;  /* FLOW_TIMER_* */
    bool is_asking;     /* the client has spoken last */
    bool is_named;      /* what nDPI calls it was told */
    bool is_told;       /* closed, and all of it has been told */
    uint32_t idle_slot; /* UINT32_MAX = in none */
    struct flow_home *home;
    struct tcp_stream tcp;
    struct classify_flow *ndpi;         /* only while nDPI looks */
    struct flow_names *names;           /* after that */
    struct flow *idle_next, *idle_prev; /* of one slot of the idle wheel */
    struct flow *wait_next, *wait_prev; /* of a list of flows whose stream has a deadline */
};

_Static_assert(sizeof(struct flow) <= 1024, "an idle flow stays within 1 KiB");

#endif
