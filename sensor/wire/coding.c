/* SPDX-License-Identifier: Apache-2.0
 * Streaming gzip, deflate and brotli over memory of fixed size. */
#include "wire/coding.h"

#include "base/err.h"
#include "base/pool.h"

#define ZLIB_CONST /* zlib then takes its input as const */
#include <brotli/decode.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_SLOT (64u * 1024)
#define BROTLI_SLOT (5u * 1024 * 1024) /* a window of 4 MiB and the tables */
#define OUT_SIZE (16u * 1024)
#define UNIT 16u
#define RATIO_FLOOR (1024u * 1024)

/* First-fit memory inside one slot: the decoders free and allocate as they go. Blocks lie one behind the other. */
struct block {
    size_t size; /* of the whole block, its head included; a multiple of UNIT */
    size_t is_used;
};

struct heap {
    uint8_t *at;
    size_t size;
};

struct counts {
    uint64_t started, completed, refused, bad, limited;
};

struct coding_pool {
    struct pool *codings, *gzip, *brotli;
    struct coding_limits limits;
    struct counts counts;
    uint8_t out[OUT_SIZE];
};

struct coding {
    struct coding_pool *pool;
    struct heap heap;
    enum coding_kind kind;
    int error;
    bool is_done;              /* the end of the coding was reached */
    bool has_rest;             /* something else followed it */
    bool has_begun, has_first; /* deflate: which kind is known; its first byte is in 'first' */
    uint8_t first;
    uint64_t in, out;
    z_stream z;
    BrotliDecoderState *brotli;
};

static const struct counter_def COUNTER_DEFS[] = {
    {"coding_started", "bodies", "content codings begun to be undone"},
    {"coding_completed", "bodies", "content codings undone to their end"},
    {"coding_refused", "bodies", "not decoded because all decoders were busy; raise the limit"},
    {"coding_bad", "bodies", "not of the coding their header names"},
    {"coding_limited", "bodies", "decoding stopped at a bomb or memory limit"},
};

static struct block *block_at(const struct heap *h, size_t offset)
{
    return (struct block *)(void *)(h->at + offset);
}

static void heap_init(struct heap *h, void *memory, size_t size)
{
    *h = (struct heap){memory, size / UNIT * UNIT};
    *block_at(h, 0) = (struct block){h->size, 0};
}

/* Free neighbours behind 'b' become part of it. */
static void merge(const struct heap *h, size_t offset)
{
    struct block *b = block_at(h, offset);
    while (offset + b->size < h->size && !block_at(h, offset + b->size)->is_used)
        b->size += block_at(h, offset + b->size)->size;
}

static void *heap_take(struct heap *h, size_t size)
{
    if (size > h->size)
        return NULL;
    size_t want = (size + sizeof(struct block) + UNIT - 1) / UNIT * UNIT;
    for (size_t offset = 0; offset < h->size; offset += block_at(h, offset)->size) {
        struct block *b = block_at(h, offset);
        if (b->is_used)
            continue;
        merge(h, offset);
        if (b->size < want)
            continue;
        if (b->size - want >= 2 * UNIT) {
            *block_at(h, offset + want) = (struct block){b->size - want, 0};
            b->size = want;
        }
        b->is_used = 1;
        return b + 1;
    }
    return NULL;
}

static void heap_give(void *memory)
{
    if (memory)
        ((struct block *)memory - 1)->is_used = 0;
}

static voidpf z_take(voidpf heap, uInt n, uInt size)
{
    return heap_take(heap, (size_t)n * size);
}

static void z_give(voidpf heap, voidpf memory)
{
    (void)heap;
    heap_give(memory);
}

static void *brotli_take(void *heap, size_t size)
{
    return heap_take(heap, size);
}

static void brotli_give(void *heap, void *memory)
{
    (void)heap;
    heap_give(memory);
}

struct coding_pool *coding_pool_new(const struct coding_limits *limits)
{
    struct coding_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    struct coding_limits l = limits ? *limits : (struct coding_limits){0};
    l.max_gzip = l.max_gzip ? l.max_gzip : 256;
    l.max_brotli = l.max_brotli ? l.max_brotli : 16;
    l.max_out = l.max_out ? l.max_out : 256ULL * 1024 * 1024;
    l.max_ratio = l.max_ratio ? l.max_ratio : 1100;
    p->limits = l;
    p->codings = pool_new(sizeof(struct coding), l.max_gzip + l.max_brotli);
    p->gzip = pool_new(GZIP_SLOT, l.max_gzip);
    p->brotli = pool_new(BROTLI_SLOT, l.max_brotli);
    if (!p->codings || !p->gzip || !p->brotli) {
        coding_pool_free(p);
        return NULL;
    }
    return p;
}

void coding_pool_free(struct coding_pool *p)
{
    if (!p)
        return;
    pool_free(p->codings);
    pool_free(p->gzip);
    pool_free(p->brotli);
    free(p);
}

struct counters coding_counters(const struct coding_pool *p)
{
    return (struct counters){COUNTER_DEFS, &p->counts.started, sizeof COUNTER_DEFS / sizeof COUNTER_DEFS[0]};
}

static enum coding_kind kind_of_name(struct span name)
{
    if (span_eq_nocase(name, SPAN("gzip")) || span_eq_nocase(name, SPAN("x-gzip")))
        return CODING_GZIP;
    if (span_eq_nocase(name, SPAN("deflate")))
        return CODING_DEFLATE;
    if (span_eq_nocase(name, SPAN("br")))
        return CODING_BROTLI;
    return name.size == 0 || span_eq_nocase(name, SPAN("identity")) ? CODING_IDENTITY : CODING_UNKNOWN;
}

enum coding_kind coding_kind_of(struct span content_encoding)
{
    enum coding_kind kind = CODING_IDENTITY;
    struct span part;
    while (span_split(&content_encoding, ',', &part)) {
        enum coding_kind next = kind_of_name(span_trim(part));
        if (next == CODING_IDENTITY)
            continue;
        if (kind != CODING_IDENTITY)
            return CODING_UNKNOWN;
        kind = next;
    }
    return kind;
}

static bool begin_brotli(struct coding *c)
{
    c->brotli = BrotliDecoderCreateInstance(brotli_take, brotli_give, &c->heap);
    return c->brotli != NULL;
}

/* 'window' as inflateInit2 wants it. */
static bool begin_inflate(struct coding *c, int window)
{
    c->z = (z_stream){.zalloc = z_take, .zfree = z_give, .opaque = &c->heap};
    return inflateInit2(&c->z, window) == Z_OK;
}

struct coding *coding_new(struct coding_pool *p, enum coding_kind kind)
{
    if (kind == CODING_IDENTITY || kind == CODING_UNKNOWN)
        return NULL;
    struct coding *c = pool_take(p->codings);
    struct pool *slots = kind == CODING_BROTLI ? p->brotli : p->gzip;
    void *slot = c ? pool_take(slots) : NULL;
    if (!slot) {
        pool_give(p->codings, c);
        p->counts.refused++;
        return NULL;
    }
    *c = (struct coding){.pool = p, .kind = kind};
    heap_init(&c->heap, slot, kind == CODING_BROTLI ? BROTLI_SLOT : GZIP_SLOT);
    bool is_ready = true;
    if (kind == CODING_BROTLI)
        is_ready = begin_brotli(c);
    else if (kind == CODING_GZIP)
        is_ready = begin_inflate(c, 15 + 16);
    if (!is_ready)
        c->error = E_LIMIT;
    p->counts.started++;
    return c;
}

void coding_free(struct coding_pool *p, struct coding *c)
{
    if (!c)
        return;
    p->counts.completed += coding_is_done(c);
    /* The slot holds all their memory, so the decoders need not be taken down piece by piece. */
    pool_give(c->kind == CODING_BROTLI ? p->brotli : p->gzip, c->heap.at);
    pool_give(p->codings, c);
}

static void fail(struct coding *c, int error)
{
    c->error = error;
    if (error == E_BAD)
        c->pool->counts.bad++;
    else
        c->pool->counts.limited++;
}

/* Hands on what was decoded; E_LIMIT when that is too much. */
static int hand_on(struct coding *c, size_t size, coding_out_fn *out, void *ctx)
{
    const struct coding_limits *l = &c->pool->limits;
    c->out += size;
    if (c->out > l->max_out || (c->out > RATIO_FLOOR && c->out / l->max_ratio > c->in))
        fail(c, E_LIMIT);
    else if (size)
        out(ctx, span_of(c->pool->out, size));
    return c->error;
}

/* "deflate" is the zlib format (RFC 9110, 8.4.1.2), but some send it bare: the first two bytes tell (RFC 1950, 2.2). */
static bool looks_like_zlib(uint8_t first, uint8_t second)
{
    return (first & 0x0f) == 8 && first >> 4 <= 7 && (first << 8 | second) % 31 == 0;
}

/* One turn of the decoder. True when it has more to do. */
static bool inflate_some(struct coding *c, struct span *in, coding_out_fn *out, void *ctx)
{
    uInt given = in->size < 1u << 20 ? (uInt)in->size : 1u << 20;
    c->z.next_in = in->at;
    c->z.avail_in = given;
    c->z.next_out = c->pool->out;
    c->z.avail_out = OUT_SIZE;
    int result = inflate(&c->z, Z_NO_FLUSH);
    bool is_full = c->z.avail_out == 0;
    c->in += given - c->z.avail_in;
    *in = span_from(*in, given - c->z.avail_in);
    if (hand_on(c, OUT_SIZE - c->z.avail_out, out, ctx))
        return false;
    if (result == Z_STREAM_END)
        c->is_done = true;
    else if (result == Z_MEM_ERROR)
        fail(c, E_LIMIT);
    else if (result != Z_OK && result != Z_BUF_ERROR)
        fail(c, E_BAD);
    return !c->error && (in->size || (is_full && !c->is_done));
}

static bool unbrotli_some(struct coding *c, struct span *in, coding_out_fn *out, void *ctx)
{
    size_t left = in->size, room = OUT_SIZE;
    const uint8_t *next = in->at;
    uint8_t *to = c->pool->out;
    BrotliDecoderResult result = BrotliDecoderDecompressStream(c->brotli, &left, &next, &room, &to, NULL);
    c->in += in->size - left;
    *in = span_of(next, left);
    if (hand_on(c, OUT_SIZE - room, out, ctx))
        return false;
    if (result == BROTLI_DECODER_RESULT_SUCCESS)
        c->is_done = true;
    else if (result == BROTLI_DECODER_RESULT_ERROR) {
        int code = (int)BrotliDecoderGetErrorCode(c->brotli);
        fail(c, code <= (int)BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES ? E_LIMIT : E_BAD);
    }
    return result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
}

/* Waits for the two bytes that tell which deflate it is. True when the decoder can go on with *in. */
static bool begin_deflate(struct coding *c, struct span *in, coding_out_fn *out, void *ctx)
{
    if (!c->has_first && in->size < 2) {
        c->first = in->at[0];
        c->has_first = true;
        return false;
    }
    bool is_zlib = c->has_first ? looks_like_zlib(c->first, in->at[0]) : looks_like_zlib(in->at[0], in->at[1]);
    c->has_begun = true;
    if (!begin_inflate(c, is_zlib ? 15 : -15)) {
        fail(c, E_LIMIT);
        return false;
    }
    struct span first = span_of(&c->first, c->has_first);
    if (first.size)
        (void)inflate_some(c, &first, out, ctx);
    return !c->error;
}

/* A gzip file may have several members (RFC 1952, 2.2); what else follows the end of a coding is not of it. */
static bool begin_member(struct coding *c, struct span in)
{
    if (c->kind != CODING_GZIP || c->has_rest || in.at[0] != 0x1f || inflateReset(&c->z) != Z_OK) {
        c->has_rest = true;
        return false;
    }
    c->is_done = false;
    return true;
}

int coding_feed(struct coding *c, struct span bytes, coding_out_fn *out, void *ctx)
{
    if (bytes.size == 0 || c->error)
        return c->error;
    if (c->kind == CODING_DEFLATE && !c->has_begun && !begin_deflate(c, &bytes, out, ctx))
        return c->error;
    bool has_more = bytes.size != 0;
    while (has_more && !(c->is_done && !begin_member(c, bytes)))
        has_more = c->kind == CODING_BROTLI ? unbrotli_some(c, &bytes, out, ctx) : inflate_some(c, &bytes, out, ctx);
    return c->error;
}

bool coding_is_done(const struct coding *c)
{
    return c->is_done && !c->error;
}

uint64_t coding_size(const struct coding *c)
{
    return c->out;
}

uint64_t coding_used(const struct coding *c)
{
    return c->in + (c->has_first && !c->has_begun); /* deflate's first byte waits for its second */
}
