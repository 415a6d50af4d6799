/* SPDX-License-Identifier: Apache-2.0
 * The pcapng block parser: byte order by section, interfaces by description block, time by the interface's own clock. */
#include "capture/source_pcapng.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/times.h"

enum block_type {
    BLOCK_INTERFACE = 1, BLOCK_PACKET = 2, BLOCK_SIMPLE = 3, BLOCK_ENHANCED = 6, BLOCK_SECRETS = 10,
};
enum { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

#define BYTE_ORDER_MAGIC 0x1A2B3C4Du

void source_pcapng_fini(struct pcapng *g)
{
    free(g->interfaces);
    *g = (struct pcapng){0};
}

static uint16_t get16(const struct pcapng *g, struct reader *r)
{
    uint16_t v = reader_u16(r);
    return g->is_swapped ? __builtin_bswap16(v) : v;
}

static uint32_t get32(const struct pcapng *g, struct reader *r)
{
    uint32_t v = reader_u32(r);
    return g->is_swapped ? __builtin_bswap32(v) : v;
}

static uint64_t get64(const struct pcapng *g, struct reader *r)
{
    uint64_t v = reader_u64(r);
    return g->is_swapped ? __builtin_bswap64(v) : v;
}

uint32_t source_pcapng_link(uint32_t linktype)
{
    switch (linktype) {
    case 100: return 11;  /* RFC 1483 ATM */
    case 101: return 12;  /* raw IP */
    case 102: return 15;  /* BSD/OS SLIP */
    case 103: return 16;  /* BSD/OS PPP */
    case 246: return 18;  /* OpenBSD pfsync */
    default: return linktype;
    }
}

int source_pcapng_head(struct pcapng *g, struct span head, uint32_t *type, uint32_t *size)
{
    struct reader r = reader_of(head);
    uint32_t first = reader_u32(&r); /* the section header's type reads the same in both orders */
    uint32_t length = reader_u32(&r);
    uint32_t magic = reader_u32(&r);
    if (r.is_bad)
        return E_BAD;
    if (first == PCAPNG_MAGIC) {
        if (magic != BYTE_ORDER_MAGIC && __builtin_bswap32(magic) != BYTE_ORDER_MAGIC)
            return E_BAD;
        g->is_swapped = magic != BYTE_ORDER_MAGIC;
        g->has_section = true;
        g->n_interfaces = 0;
    }
    if (!g->has_section)
        return E_BAD;
    *type = g->is_swapped ? __builtin_bswap32(first) : first;
    *size = g->is_swapped ? __builtin_bswap32(length) : length;
    return *size < PCAPNG_HEAD_SIZE || *size % 4 != 0 ? E_BAD : E_OK;
}

bool source_pcapng_is_wanted(uint32_t type)
{
    return type == PCAPNG_MAGIC || type == BLOCK_INTERFACE || type == BLOCK_PACKET || type == BLOCK_SIMPLE ||
           type == BLOCK_ENHANCED || type == BLOCK_SECRETS;
}

bool source_pcapng_is_secrets(uint32_t type)
{
    return type == BLOCK_SECRETS;
}

/* if_tsresol: a power of ten, or of two when the top bit is set. 0 when the unit does not fit 64 bits. */
static uint64_t units_of(uint8_t resolution)
{
    unsigned exponent = resolution & 0x7fu;
    if (resolution & 0x80u)
        return exponent < 64 ? 1ull << exponent : 0;
    if (exponent > 19)
        return 0;
    uint64_t units = 1;
    while (exponent--)
        units *= 10;
    return units;
}

static int read_options(const struct pcapng *g, struct reader *r, struct pcapng_interface *interface)
{
    while (r->left.size >= 4) {
        uint16_t code = get16(g, r), size = get16(g, r);
        struct span value = reader_span(r, size);
        reader_skip(r, (4u - size % 4u) % 4u);
        if (code == OPTION_END)
            return E_OK;
        if (r->is_bad)
            return E_BAD;
        struct reader v = reader_of(value);
        if (code == OPTION_TSRESOL && size >= 1)
            interface->units = units_of(reader_u8(&v));
        else if (code == OPTION_TSOFFSET && size >= 8)
            interface->offset_s = (int64_t)get64(g, &v);
    }
    return interface->units ? E_OK : E_BAD;
}

static int add_interface(struct pcapng *g, struct span body)
{
    struct reader r = reader_of(body);
    struct pcapng_interface interface = {.link = source_pcapng_link(get16(g, &r)), .units = 1000000};
    reader_skip(&r, 2);
    interface.snaplen = get32(g, &r);
    if (r.is_bad || read_options(g, &r, &interface) != E_OK || !interface.units)
        return E_BAD;
    if (g->n_interfaces == g->max_interfaces) {
        if (g->n_interfaces == PCAPNG_MAX_INTERFACES)
            return E_LIMIT;
        uint32_t more = g->max_interfaces ? g->max_interfaces * 2 : 4;
        void *grown = realloc(g->interfaces, more * sizeof *g->interfaces);
        if (!grown)
            return E_NOMEM;
        g->interfaces = grown;
        g->max_interfaces = more;
    }
    g->interfaces[g->n_interfaces++] = interface;
    return 0;
}

/* Nanoseconds since 1970 of a tick count; what lies before 1970 or after the range of 64 bits is clamped. */
static uint64_t time_of(const struct pcapng_interface *interface, uint64_t ticks)
{
    uint64_t seconds = ticks / interface->units, rest = ticks % interface->units;
    uint64_t ns = interface->units == NS_PER_S ? rest
                                               : (uint64_t)((unsigned __int128)rest * NS_PER_S / interface->units);
    __int128 total = ((__int128)seconds + interface->offset_s) * (__int128)NS_PER_S + ns;
    if (total < 0)
        return 0;
    return total > (__int128)UINT64_MAX ? UINT64_MAX : (uint64_t)total;
}

static int read_simple(struct pcapng *g, struct span body, struct packet *p)
{
    struct reader r = reader_of(body);
    uint32_t wire = get32(g, &r);
    if (r.is_bad || g->n_interfaces == 0)
        return E_BAD;
    uint32_t caught = wire;
    if (g->interfaces[0].snaplen && caught > g->interfaces[0].snaplen)
        caught = g->interfaces[0].snaplen;
    struct span bytes = reader_span(&r, caught);
    if (r.is_bad)
        return E_BAD;
    *p = (struct packet){.time_ns = g->last_ns, .bytes = bytes.at, .caught = caught, .wire = wire,
                         .link = g->interfaces[0].link};
    return 1;
}

static int read_packet(struct pcapng *g, uint32_t type, struct span body, struct packet *p)
{
    struct reader r = reader_of(body);
    uint32_t index = type == BLOCK_ENHANCED ? get32(g, &r) : get16(g, &r);
    if (type == BLOCK_PACKET)
        reader_skip(&r, 2); /* drops count */
    uint64_t ticks = (uint64_t)get32(g, &r) << 32;
    ticks |= get32(g, &r);
    uint32_t caught = get32(g, &r), wire = get32(g, &r);
    struct span bytes = reader_span(&r, caught);
    if (r.is_bad || index >= g->n_interfaces)
        return E_BAD;
    const struct pcapng_interface *interface = &g->interfaces[index];
    g->last_ns = time_of(interface, ticks);
    *p = (struct packet){.time_ns = g->last_ns, .bytes = bytes.at, .caught = caught,
                         .wire = wire > caught ? wire : caught, .link = interface->link};
    return 1;
}

/* Options may follow; they say nothing to us. A malformed one has no secrets: the packets are worth more than it. */
static int read_secrets(struct pcapng *g, struct span body)
{
    struct reader r = reader_of(body);
    g->secrets_type = get32(g, &r);
    g->secrets = reader_span(&r, get32(g, &r));
    return 0;
}

bool source_pcapng_is_known(const struct pcapng *g, struct span body, uint16_t *major, uint16_t *minor)
{
    struct reader r = reader_of(body);
    reader_skip(&r, 4); /* the byte-order magic */
    *major = get16(g, &r);
    *minor = get16(g, &r);
    return r.is_bad || *major == 1; /* minor ones are compatible */
}

static int check_section(const struct pcapng *g, struct span body)
{
    uint16_t major, minor;
    if (body.size < 8)
        return E_BAD;
    return source_pcapng_is_known(g, body, &major, &minor) ? 0 : E_NONE;
}

int source_pcapng_block(struct pcapng *g, uint32_t type, struct span body, struct packet *p)
{
    if (!g->has_section)
        return E_BAD;
    g->secrets = span_of(NULL, 0);
    switch (type) {
    case BLOCK_SECRETS: return read_secrets(g, body);
    case BLOCK_INTERFACE: return add_interface(g, body);
    case BLOCK_SIMPLE: return read_simple(g, body, p);
    case BLOCK_PACKET:
    case BLOCK_ENHANCED: return read_packet(g, type, body, p);
    case PCAPNG_MAGIC: return check_section(g, body);
    default: return 0;
    }
}
