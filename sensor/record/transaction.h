/* SPDX-License-Identifier: Apache-2.0
 * What was said: one HTTP request and its response (or one half of it), as the wire showed it. Built by flow/, read by
 * app/ and by the transaction log. It knows nothing of people. All spans borrow the connection's memory and live until
 * the hook that got the transaction returns. */
#ifndef RECORD_TRANSACTION_H
#define RECORD_TRANSACTION_H

#include "base/fields.h"
#include "base/ipaddr.h"
#include "base/json.h"
#include "record/tls_facts.h"

/* How a size is known. */
enum size_known {
    SIZE_UNKNOWN,      /* nothing tells */
    SIZE_OBSERVED,     /* counted on the wire to its end by its framing (missing bytes are in 'missing') */
    SIZE_DECLARED,     /* the end was not seen; the head said how long */
    SIZE_RANGE,        /* from Content-Range */
    SIZE_ACKNOWLEDGED, /* server side not on the tap: from the client's ACK numbers */
    SIZE_REFRAMED,     /* as observed, but that framing is missing too: a few bytes too many for each chunk lost whole */
};

struct body_measure {
    uint64_t bytes;    /* after de-chunking, before content decoding; includes 'missing' */
    uint64_t missing;  /* of these, bytes the capture lacks */
    uint64_t declared; /* Content-Length, when has_declared */
    uint64_t decoded;  /* after content decoding, when has_decoded */
    enum size_known known;
    bool has_declared, has_decoded, is_complete; /* complete: the end of its framing was reached */
};

enum tunnel_kind {
    TUNNEL_NONE, TUNNEL_GRE, TUNNEL_ERSPAN, TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_IPIP, TUNNEL_MPLS, TUNNEL_PPPOE,
    TUNNEL_GTP,
};

/* Bits of transaction.flags; each has a name in transaction_flag_name(). */
#define TXN_NO_REQUEST 0x0001u      /* the request head was not seen */
#define TXN_NO_RESPONSE 0x0002u     /* no response head was seen */
#define TXN_ABORTED 0x0004u         /* the connection ended before the body's framing did */
#define TXN_GAP 0x0008u             /* bytes of it are missing from the capture */
#define TXN_CUT 0x0010u             /* a head or list was larger than its cap */
#define TXN_AMBIGUOUS 0x0020u       /* conflicting framing (RFC 9112, 6.3 and 11.2), or an answer out of order or without a head */
#define TXN_ONE_SIDED 0x0040u       /* only one direction of the connection is on the tap */
#define TXN_MIDSTREAM 0x0080u       /* the connection was joined after its beginning */
#define TXN_UPGRADED 0x0100u        /* 101, or 2xx to CONNECT: what follows is not HTTP/1 */
#define TXN_PUSHED 0x0200u          /* HTTP/2: the server promised it, nobody asked */
#define TXN_PARTIAL 0x0400u         /* HTTP/2: fields of its heads are not known, as heads before them were not seen */

/* A TLS or QUIC connection nobody could look into: one transaction of its own kind, told when it ends. A burst is what
 * the server sends between two turns of the client; the large ones look like downloads. */
#define CLOSED_DOWNLOAD_BYTES 65536u
struct closed_flow {
    uint64_t bytes[2];      /* of the client, of the server: TCP or UDP payload without duplicates */
    uint64_t missing[2];    /* of these, bytes the capture lacks */
    uint64_t first_byte_ns; /* from the client's first byte to the server's; 0 = not seen */
    uint32_t bursts;        /* all; only those with bytes */
    uint32_t downloads;     /* of at least CLOSED_DOWNLOAD_BYTES */
    uint64_t download_bytes, largest; /* of the latter; of the largest burst */
};

struct transaction {
    /* where it stands in the stream of records: (completion time, flow_hash, number) is its order */
    uint64_t flow_hash;
    uint32_t number;    /* of the flow, from 1 */
    uint32_t stream_id; /* HTTP/2; 0 = none */

    /* innermost addresses of the connection itself, and what was around them */
    struct endpoint client, server;
    bool is_ip6;      /* of IPv6 packets: an IPv4-mapped address (RFC 4291, 2.5.5.2) is written as such */
    uint16_t vlan[2]; /* outer, inner; 0 = none */
    enum tunnel_kind tunnel;
    uint32_t rtt_us;  /* of its handshake, between the tap and the client: SYN-ACK to ACK; 0 = not seen or not sure */
    struct ipaddr proxy_protocol_client; /* PROXY v1/v2 source, zero when there was none */
    const struct tls_facts *tls; /* of the connection around it; NULL: none */

    /* packet times in ns; 0 = not seen */
    uint64_t request_ns;      /* first byte of the request */
    uint64_t request_end_ns;
    uint64_t response_ns;     /* first byte of the response (final, not 1xx) */
    uint64_t end_ns;          /* last byte of either, or when it was given up */

    /* request */
    struct span method, target, host; /* host: of the absolute target, else Host, without port, as it was written */
    uint8_t version_major, version_minor;
    struct fields request_fields;
    struct body_measure request_body;

    /* response */
    uint16_t status; /* 0 = none */
    struct fields response_fields;
    struct body_measure response_body;

    uint32_t flags;
    uint64_t flow_seen, flow_lost; /* payload bytes of the connection so far, both directions: on the tap; sent, but not */
    const struct closed_flow *closed; /* then there is no request and no response; NULL: HTTP */

    void *note; /* the application side's own, from on_request to on_end */
};

/* 128-bit content id: addresses, ports, times and number. */
void transaction_id(const struct transaction *t, uint8_t id[16]);
/* One line of the transaction log (ECS names), newline included. Query values that are secrets by name or format become ***.
 * 'forwarded' is the client a trusted proxy named, or NULL. */
void transaction_json(const struct transaction *t, const struct ipaddr *forwarded, struct text *out);
const char *size_known_name(enum size_known known);
const char *tunnel_name(enum tunnel_kind kind);
/* Name of one flag bit ("gap"), or NULL. */
const char *transaction_flag_name(uint32_t bit);
/* Copies 'target' into out with the values of secret-looking query arguments (token, key, signature, password, code,
 * session, ... and anything of 24 and more characters of a mixed alphabet) replaced by ***. */
void target_mask(struct span target, struct text *out);

#endif
