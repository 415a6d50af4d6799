/* SPDX-License-Identifier: Apache-2.0
 * The transaction's id, its names, and its line in the transaction log. */
#include "record/transaction.h"

#include "base/hash.h"

static uint8_t *put_be(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint8_t *put_endpoint(uint8_t *at, const struct endpoint *e)
{
    memcpy(at, e->ip.bytes, sizeof e->ip.bytes);
    return put_be(at + sizeof e->ip.bytes, e->port, 2);
}

void transaction_id(const struct transaction *t, uint8_t id[16])
{
    uint8_t bytes[2 * 18 + 5 * 8 + 4], *at = bytes;
    at = put_endpoint(at, &t->client);
    at = put_endpoint(at, &t->server);
    at = put_be(at, t->request_ns, 8);
    at = put_be(at, t->request_end_ns, 8);
    at = put_be(at, t->response_ns, 8);
    at = put_be(at, t->end_ns, 8);
    at = put_be(at, t->flow_hash, 8);
    at = put_be(at, t->number, 4);
    hash128(span_of(bytes, sizeof bytes), 0, id);
}

const char *size_known_name(enum size_known known)
{
    switch (known) {
    case SIZE_OBSERVED: return "observed";
    case SIZE_DECLARED: return "declared";
    case SIZE_RANGE: return "range";
    case SIZE_ACKNOWLEDGED: return "acknowledged";
    case SIZE_REFRAMED: return "reframed";
    case SIZE_UNKNOWN: break;
    }
    return "unknown";
}

const char *tunnel_name(enum tunnel_kind kind)
{
    static const char *const names[] = {"none", "gre", "erspan", "vxlan", "geneve", "ipip", "mpls", "pppoe", "gtp"};
    return (unsigned)kind < sizeof names / sizeof *names ? names[kind] : names[TUNNEL_NONE];
}

const char *transaction_flag_name(uint32_t bit)
{
    switch (bit) {
    case TXN_NO_REQUEST: return "no_request";
    case TXN_NO_RESPONSE: return "no_response";
    case TXN_ABORTED: return "aborted";
    case TXN_GAP: return "gap";
    case TXN_CUT: return "cut";
    case TXN_AMBIGUOUS: return "ambiguous";
    case TXN_ONE_SIDED: return "one_sided";
    case TXN_MIDSTREAM: return "midstream";
    case TXN_UPGRADED: return "upgraded";
    case TXN_PUSHED: return "pushed";
    case TXN_PARTIAL: return "partial";
    default: return NULL;
    }
}
