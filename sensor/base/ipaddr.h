/* SPDX-License-Identifier: Apache-2.0
 * IP addresses and prefixes, one type for both families: 16 bytes, IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
#ifndef BASE_IPADDR_H
#define BASE_IPADDR_H

#include "base/span.h"

struct ipaddr {
    uint8_t bytes[16];
};

struct endpoint {
    struct ipaddr ip;
    uint16_t port; /* host order; 0 = unknown */
};

struct prefix {
    struct ipaddr ip; /* host bits zero */
    uint8_t bits;     /* 0-128, of the 16-byte form: a v4 /24 is 120 */
};

#define IPADDR_TEXT_MAX 46
#define PREFIX_TEXT_MAX 50

static inline struct ipaddr ipaddr_from4(const uint8_t bytes[4])
{
    struct ipaddr a = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    memcpy(a.bytes + 12, bytes, 4);
    return a;
}
struct ipaddr ipaddr_from6(const uint8_t bytes[16]);
bool ipaddr_is4(const struct ipaddr *a);
bool ipaddr_is_zero(const struct ipaddr *a); /* :: or 0.0.0.0: "unknown" everywhere in this program */
static inline bool ipaddr_eq(const struct ipaddr *a, const struct ipaddr *b)
{
    return memcmp(a->bytes, b->bytes, 16) == 0;
}
/* Private, loopback, link-local, unique local or carrier NAT space (RFC 1918, 4193, 6598, 3927, 5735). */
bool ipaddr_is_private(const struct ipaddr *a);
/* Parses v4 or v6 text (no brackets, no zone); false when it is neither. */
bool ipaddr_parse(struct span text, struct ipaddr *out);
/* Writes the usual text form (v4 dotted, v6 as RFC 5952) into out; returns out. */
const char *ipaddr_text(const struct ipaddr *a, char out[IPADDR_TEXT_MAX]);
/* The enclosing prefix: bits4 for IPv4 (0-32), bits6 for IPv6 (0-128). */
struct prefix ipaddr_prefix(const struct ipaddr *a, unsigned bits4, unsigned bits6);
/* Parses "10.0.0.0/8", "2001:db8::/32" or a single address; false otherwise. Host bits are cleared. */
bool prefix_parse(struct span text, struct prefix *out);
bool prefix_has(const struct prefix *p, const struct ipaddr *a);
const char *prefix_text(const struct prefix *p, char out[PREFIX_TEXT_MAX]);

#endif
