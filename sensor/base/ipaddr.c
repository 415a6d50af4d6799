/* SPDX-License-Identifier: Apache-2.0
 * Addresses: IPv4 text and prefixes by hand, the other text forms by inet_pton and inet_ntop. */
#include "base/ipaddr.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct ipaddr ipaddr_from6(const uint8_t bytes[16])
{
    struct ipaddr a;
    memcpy(a.bytes, bytes, 16);
    return a;
}

bool ipaddr_is4(const struct ipaddr *a)
{
    return memcmp(a->bytes, v4_mapped, 12) == 0;
}

bool ipaddr_is_zero(const struct ipaddr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->bytes, zero, 16) == 0 || (ipaddr_is4(a) && memcmp(a->bytes + 12, zero, 4) == 0);
}

bool ipaddr_is_private(const struct ipaddr *a)
{
    const uint8_t *b = a->bytes;
    if (ipaddr_is4(a)) {
        b += 12;
        return b[0] == 10 || b[0] == 127 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
               (b[0] == 169 && b[1] == 254) || (b[0] == 100 && (b[1] & 0xc0) == 64);
    }
    static const uint8_t loopback[16] = {[15] = 1};
    return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || memcmp(b, loopback, 16) == 0;
}

/* Four decimal numbers without leading zeros, as inet_pton reads them; it is the usual case, in many header fields. */
static bool parse4(struct span text, uint8_t out[4])
{
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t from = at;
        unsigned value = 0;
        for (; at < text.size && at - from < 3 && text.at[at] >= '0' && text.at[at] <= '9'; at++)
            value = value * 10 + text.at[at] - '0';
        if (at == from || value > 255 || (text.at[from] == '0' && at - from > 1))
            return false;
        out[i] = (uint8_t)value;
        if (i < 3 && (at == text.size || text.at[at++] != '.'))
            return false;
    }
    return at == text.size;
}

bool ipaddr_parse(struct span text, struct ipaddr *out)
{
    char copy[IPADDR_TEXT_MAX];
    uint8_t raw[16];
    if (parse4(text, raw)) {
        *out = ipaddr_from4(raw);
        return true;
    }
    if (text.size == 0 || text.size >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = 0;
    if (strlen(copy) != text.size || inet_pton(AF_INET6, copy, raw) != 1)
        return false;
    *out = ipaddr_from6(raw);
    return true;
}

const char *ipaddr_text(const struct ipaddr *a, char out[IPADDR_TEXT_MAX])
{
    if (ipaddr_is4(a))
        inet_ntop(AF_INET, a->bytes + 12, out, IPADDR_TEXT_MAX);
    else
        inet_ntop(AF_INET6, a->bytes, out, IPADDR_TEXT_MAX);
    return out;
}

static struct prefix mask(const struct ipaddr *a, unsigned bits)
{
    struct prefix p = {*a, (uint8_t)bits};
    for (unsigned i = 0; i < 16; i++) {
        unsigned keep = bits > i * 8 ? bits - i * 8 : 0;
        if (keep < 8)
            p.ip.bytes[i] &= (uint8_t)(0xff00 >> keep);
    }
    return p;
}

struct prefix ipaddr_prefix(const struct ipaddr *a, unsigned bits4, unsigned bits6)
{
    return mask(a, ipaddr_is4(a) ? 96 + bits4 : bits6);
}

bool prefix_parse(struct span text, struct prefix *out)
{
    struct ipaddr ip;
    size_t slash = span_find_byte(text, '/', 0);
    if (!ipaddr_parse(span_sub(text, 0, slash), &ip))
        return false;
    uint64_t bits = ipaddr_is4(&ip) ? 32 : 128, most = bits;
    if (slash != SIZE_MAX && (!span_u64(span_from(text, slash + 1), &bits) || bits > most))
        return false;
    *out = ipaddr_prefix(&ip, (unsigned)bits, (unsigned)bits);
    return true;
}

bool prefix_has(const struct prefix *p, const struct ipaddr *a)
{
    struct prefix other = mask(a, p->bits);
    return ipaddr_eq(&other.ip, &p->ip);
}

const char *prefix_text(const struct prefix *p, char out[PREFIX_TEXT_MAX])
{
    char ip[IPADDR_TEXT_MAX];
    unsigned bits = ipaddr_is4(&p->ip) && p->bits >= 96 ? p->bits - 96u : p->bits;
    snprintf(out, PREFIX_TEXT_MAX, "%s/%u", ipaddr_text(&p->ip, ip), bits);
    return out;
}
