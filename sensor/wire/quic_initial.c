/* SPDX-License-Identifier: Apache-2.0
 * Long header packets of a datagram one by one; the frames of those that open; the handshake stream of each direction
 * in a block with a map of what has come, because clients shuffle the pieces of their hello on purpose. */
#include "wire/quic_initial.h"

#include "wire/tls_handshake.h"

#define LONG_HEADER 0x80u
#define NO_VERSION 0u

enum kind { KIND_INITIAL, KIND_ZERO_RTT, KIND_HANDSHAKE, KIND_RETRY };

/* RFC 9000 section 16 */
static uint64_t varint(struct reader *r)
{
    uint64_t value = reader_u8(r);
    size_t more = (size_t)(1u << (value >> 6)) - 1;
    value &= 0x3f;
    while (more--)
        value = value << 8 | reader_u8(r);
    return value;
}

static struct span varint_vector(struct reader *r)
{
    uint64_t size = varint(r);
    return reader_span(r, size > SIZE_MAX ? SIZE_MAX : (size_t)size);
}

void quic_initial_init(struct quic_initial *q)
{
    *q = (struct quic_initial){0};
}

static void give_block(struct quic_initial *q, struct quic_memory *memory, int direction)
{
    pool_give(memory->blocks, q->block[direction]);
    q->block[direction] = NULL;
}

void quic_initial_fini(struct quic_initial *q, struct quic_memory *memory)
{
    give_block(q, memory, 0);
    give_block(q, memory, 1);
    quic_initial_init(q);
}

/* What stands in front of all long headers, whatever the version (RFC 8999). */
struct invariant {
    uint8_t first;
    uint32_t version;
    struct span dcid, scid;
};

static bool read_invariant(struct reader *r, struct invariant *in)
{
    in->first = reader_u8(r);
    in->version = reader_u32(r);
    in->dcid = reader_span(r, reader_u8(r));
    in->scid = reader_span(r, reader_u8(r));
    return !r->is_bad && in->first & LONG_HEADER;
}

bool quic_initial_probe(struct span datagram)
{
    struct invariant in;
    struct reader r = reader_of(datagram);
    if (!read_invariant(&r, &in) || in.dcid.size > QUIC_MAX_CID || in.scid.size > QUIC_MAX_CID)
        return false;
    if (in.version == NO_VERSION) /* a list of versions follows */
        return r.left.size >= 4 && r.left.size % 4 == 0;
    bool is_draft = in.version >> 8 == 0xff0000 && (in.version & 0xff) != 0;
    bool is_reserved = (in.version & 0x0f0f0f0f) == 0x0a0a0a0a; /* RFC 9000 section 15: forces negotiation */
    return quic_version_find(in.version) != NULL || is_draft || is_reserved;
}

/* RFC 9369 section 3.2: v2 counts its types from Retry on. */
static enum kind kind_of(const struct quic_version *version, uint8_t first)
{
    unsigned type = first >> 4 & 3;
    return (enum kind)(version->is_v2 ? (type + 3) % 4 : type);
}

static bool get_bit(const uint8_t *map, size_t at)
{
    return map[at / 8] >> (at % 8) & 1;
}

static void set_bits(uint8_t *map, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        map[i / 8] = (uint8_t)(map[i / 8] | 1u << (i % 8));
}

static bool has_all(const uint8_t *map, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i % 8 == 0 && n - i >= 8 && map[i / 8] == 0xff)
            i += 7;
        else if (!get_bit(map, i))
            return false;
    return true;
}

/* One CRYPTO frame. What lies outside of the block cannot belong to a hello that is kept. */
static void put_crypto(struct quic_initial *q, struct quic_memory *memory, int direction, uint64_t offset,
                       struct span bytes)
{
    if (q->is_done[direction] || offset >= QUIC_MAX_HELLO)
        return;
    bytes = span_sub(bytes, 0, (size_t)(QUIC_MAX_HELLO - offset));
    if (!q->block[direction]) {
        q->block[direction] = pool_take(memory->blocks);
        if (!q->block[direction]) {
            memory->refused++;
            q->is_done[direction] = true;
            return;
        }
        memset(q->block[direction] + QUIC_MAX_HELLO, 0, QUIC_BLOCK - QUIC_MAX_HELLO);
    }
    uint8_t *block = q->block[direction], *map = block + QUIC_MAX_HELLO;
    for (size_t i = 0; i < bytes.size; i++) /* what came first stays */
        if (!get_bit(map, (size_t)offset + i))
            block[offset + i] = bytes.at[i];
    set_bits(map, (size_t)offset, (size_t)offset + bytes.size);
}

/* Whether the hello is whole: its body. */
static struct span take_hello(struct quic_initial *q, int direction, bool *is_bad)
{
    const uint8_t *block = q->block[direction];
    if (q->is_done[direction] || !block || !has_all(block + QUIC_MAX_HELLO, 4))
        return span_of(NULL, 0);
    size_t size = 4 + ((size_t)block[1] << 16 | (size_t)block[2] << 8 | block[3]);
    if (block[0] != (direction ? TLS_SERVER_HELLO : TLS_CLIENT_HELLO) || size > QUIC_MAX_HELLO) {
        q->is_done[direction] = *is_bad = true;
        return span_of(NULL, 0);
    }
    if (!has_all(block + QUIC_MAX_HELLO, size))
        return span_of(NULL, 0);
    q->is_done[direction] = true;
    return span_of(block + 4, size - 4);
}

static void skip_ack(struct reader *r, bool has_ecn)
{
    (void)varint(r); /* largest acknowledged */
    (void)varint(r); /* delay */
    uint64_t n = varint(r);
    (void)varint(r); /* first range */
    for (uint64_t i = 0; i < n && !r->is_bad; i++) {
        (void)varint(r); /* gap */
        (void)varint(r); /* range */
    }
    for (int i = 0; has_ecn && i < 3; i++)
        (void)varint(r); /* counts of marks */
}

/* RFC 9000 section 12.4: the frames an Initial packet may carry. Google's versions T050 and T051 write CRYPTO as 8. */
static bool read_frames(struct quic_initial *q, struct quic_memory *memory, int direction, uint32_t version,
                        struct span plain)
{
    uint64_t crypto = version >> 8 == 0x543035 ? 0x08 : 0x06;
    struct reader r = reader_of(plain);
    while (r.left.size && !r.is_bad) {
        uint64_t type = varint(&r);
        if (type == 0x00 || type == 0x01) { /* PADDING, PING */
            continue;
        } else if (type == 0x02 || type == 0x03) {
            skip_ack(&r, type == 0x03);
        } else if (type == crypto) {
            uint64_t offset = varint(&r);
            struct span bytes = varint_vector(&r);
            put_crypto(q, memory, direction, offset, bytes);
        } else if (type == 0x1c) { /* CONNECTION_CLOSE: code, frame type, reason */
            (void)varint(&r);
            (void)varint(&r);
            (void)varint_vector(&r);
        } else {
            return false;
        }
    }
    return !r.is_bad;
}

static bool try_open(struct quic_memory *memory, const struct quic_version *version, struct span cid, int direction,
                     const struct quic_packet *packet, struct span *plain)
{
    struct quic_keys keys;
    quic_keys_derive(version, cid, direction == 1, &keys);
    return quic_opener_open(memory->opener, &keys, packet, plain);
}

static void keep_cid(struct quic_initial *q, uint32_t version, struct span cid)
{
    q->has_cid = true;
    q->version = version;
    q->n_cid = (uint8_t)cid.size;
    if (cid.size)
        memcpy(q->cid, cid.at, cid.size);
}

/* With the connection id the keys came from so far; a client's packet also with its own, which is how a connection
 * begins (and begins again, after a Retry nobody saw). */
static bool open_initial(struct quic_initial *q, struct quic_memory *memory, int direction,
                         const struct quic_version *version, const struct invariant *in,
                         const struct quic_packet *packet, struct span *plain)
{
    struct span cid = span_of(q->cid, q->n_cid);
    if (q->has_cid && try_open(memory, version, cid, direction, packet, plain))
        return true;
    if (direction == 1 || (q->has_cid && span_eq(cid, in->dcid) && q->version == in->version))
        return false;
    if (!try_open(memory, version, in->dcid, direction, packet, plain))
        return false;
    keep_cid(q, in->version, in->dcid);
    return true;
}

/* RFC 9000 section 17.2.5: the client begins again, its keys derive from the connection id the server chose. */
static void begin_again(struct quic_initial *q, struct quic_memory *memory, const struct invariant *in)
{
    give_block(q, memory, 0);
    keep_cid(q, in->version, in->scid);
}

/* One packet off the front; false when nothing readable can follow. */
static bool read_packet(struct quic_initial *q, struct quic_memory *memory, int direction, struct span *rest,
                        struct quic_facts *facts)
{
    struct invariant in;
    struct reader r = reader_of(*rest);
    if (!read_invariant(&r, &in)) {
        facts->is_bad = true;
        return false;
    }
    facts->is_negotiation |= in.version == NO_VERSION;
    const struct quic_version *version = quic_version_find(in.version);
    facts->is_unknown_version |= !version && in.version != NO_VERSION;
    if (!version)
        return false;
    enum kind kind = kind_of(version, in.first);
    facts->is_bad |= in.dcid.size > QUIC_MAX_CID || in.scid.size > QUIC_MAX_CID;
    facts->is_retry |= kind == KIND_RETRY;
    if (kind == KIND_RETRY && direction == 1 && !facts->is_bad)
        begin_again(q, memory, &in);
    if (kind == KIND_RETRY || facts->is_bad)
        return false;
    if (kind == KIND_INITIAL)
        (void)varint_vector(&r); /* token */
    uint64_t length = varint(&r);
    struct quic_packet packet = {.header = span_sub(*rest, 0, rest->size - r.left.size)};
    packet.sealed = reader_span(&r, length > SIZE_MAX ? SIZE_MAX : (size_t)length);
    facts->is_bad |= r.is_bad;
    if (r.is_bad)
        return false;
    *rest = r.left;
    struct span plain;
    if (kind != KIND_INITIAL)
        return true;
    if (!open_initial(q, memory, direction, version, &in, &packet, &plain)) {
        facts->closed++;
        return true;
    }
    facts->opened++;
    facts->is_bad |= !read_frames(q, memory, direction, in.version, plain);
    return true;
}

void quic_initial_datagram(struct quic_initial *q, struct quic_memory *memory, struct span datagram, bool from_client,
                           struct quic_facts *facts)
{
    int direction = from_client ? 0 : 1;
    *facts = (struct quic_facts){0};
    for (int i = 0; i < 2; i++)
        if (q->is_done[i])
            give_block(q, memory, i);
    if (datagram.size < 5 || !(datagram.at[0] & LONG_HEADER))
        return;
    facts->is_long = true;
    struct reader version = reader_of(span_from(datagram, 1));
    facts->version = reader_u32(&version);
    for (int i = 0; i < 8 && datagram.size && datagram.at[0] & LONG_HEADER; i++)
        if (!read_packet(q, memory, direction, &datagram, facts))
            break;
    struct span hello = take_hello(q, direction, &facts->is_bad);
    *(from_client ? &facts->client_hello : &facts->server_hello) = hello;
}
