/* SPDX-License-Identifier: Apache-2.0
 * Who a proxy says it speaks for: X-Forwarded-For lists and Forwarded (RFC 7239). Gives the hops; whom to trust is
 * the caller's decision, hop by hop from the right. */
#ifndef WIRE_FORWARDED_H
#define WIRE_FORWARDED_H

#include "base/fields.h"
#include "base/ipaddr.h"

#define FORWARDED_MAX 16 /* hops a caller usually gives room for */

enum forwarded_kind {
    FORWARDED_ADDRESS, /* ip holds; port too, or 0 */
    FORWARDED_UNKNOWN, /* the word "unknown", or a Forwarded element without "for" */
    FORWARDED_HIDDEN,  /* an obfuscated identifier, "_x" (RFC 7239, 6.3) */
    FORWARDED_BAD,     /* neither */
};

struct forwarded_hop {
    enum forwarded_kind kind;
    struct ipaddr ip;
    uint16_t port;
};

/* One node: "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80", "unknown", "_x"; quoted or not; an IPv6
 * zone is dropped. */
struct forwarded_hop forwarded_node(struct span text);
/* The last 'max' hops (max <= FORWARDED_MAX counts) of all fields called 'name', which are one list in their order
 * (RFC 9110, 5.3): hops[0] is the rightmost, what the nearest proxy saw. "Forwarded" is read by RFC 7239, every
 * other name as a plain list (X-Forwarded-For, X-Real-IP ...). Returns how many were filled; *n_all (may be NULL)
 * is how many there were. */
size_t forwarded_hops(const struct fields *fields, struct span name, struct forwarded_hop *hops, size_t max,
                      size_t *n_all);

#endif
