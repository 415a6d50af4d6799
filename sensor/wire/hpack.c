/* SPDX-License-Identifier: Apache-2.0
 * The door to nghttp2's header decoder: memory, and what is left to read when state is lost. */
#include "wire/hpack.h"

#include "base/err.h"
#include "base/pool.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#define N_CLASSES 13u    /* of memory: 2^5 to 2^17 bytes; the largest holds a string of 64 KiB, Huffman-coded */
#define FIRST_CLASS 5u
#define N_STATIC 61u     /* entries of the static table (RFC 7541, appendix A) */

struct hpack_counts {
    uint64_t blocks, fields, unknown, bad, refused, lost;
};

static const struct counter_def DEFS[] = {
    {"hpack_blocks", "blocks", "header blocks of HTTP/2 decoded"},
    {"hpack_fields", "fields", "in them"},
    {"hpack_fields_unknown", "fields", "not known, because header blocks before them were not seen; a lossy tap"},
    {"hpack_bad", "blocks", "that are no header block, or ask for more table than allowed"},
    {"hpack_refused", "blocks", "not decoded for lack of memory; raise the limit"},
    {"hpack_lost", "times", "the header state of a direction was lost"},
};

struct hpack_pool {
    struct pool *classes[N_CLASSES];
    struct hpack_counts counts;
};

/* In front of each piece of memory. */
struct piece {
    size_t size;
    size_t rank;
};

struct hpack_pool *hpack_pool_new(uint64_t bytes)
{
    struct hpack_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    if (bytes < 4u << 20)
        bytes = 4u << 20;
    for (size_t i = 0; i < N_CLASSES; i++) {
        size_t size = ((size_t)1 << (FIRST_CLASS + i)) + sizeof(struct piece);
        p->classes[i] = pool_new(size, (uint32_t)(bytes / N_CLASSES / size));
        if (!p->classes[i]) {
            hpack_pool_free(p);
            return NULL;
        }
    }
    return p;
}

void hpack_pool_free(struct hpack_pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < N_CLASSES; i++)
        pool_free(p->classes[i]);
    free(p);
}

bool hpack_has_room(const struct hpack_pool *p)
{
    for (size_t i = 0; i < N_CLASSES; i++)
        if (pool_used(p->classes[i]) > pool_max(p->classes[i]) / 2)
            return false;
    return true;
}

struct counters hpack_counters(const struct hpack_pool *p)
{
    return (struct counters){DEFS, (const uint64_t *)&p->counts, sizeof DEFS / sizeof DEFS[0]};
}

/* ---- memory ---- */

static void *memory_take(size_t size, void *ctx)
{
    struct hpack *h = ctx;
    size_t rank = 0;
    while (rank < N_CLASSES && size > (size_t)1 << (FIRST_CLASS + rank))
        rank++;
    /* when a class is used up, the next one serves */
    for (; rank < N_CLASSES; rank++) {
        size_t whole = ((size_t)1 << (FIRST_CLASS + rank)) + sizeof(struct piece);
        if (whole > HPACK_MAX_MEMORY - h->used)
            return NULL;
        struct piece *piece = pool_take(h->pool->classes[rank]);
        if (!piece)
            continue;
        *piece = (struct piece){size, rank};
        h->used += (uint32_t)whole;
        return piece + 1;
    }
    return NULL;
}

static void memory_give(void *memory, void *ctx)
{
    struct hpack *h = ctx;
    if (!memory)
        return;
    struct piece *piece = (struct piece *)memory - 1;
    h->used -= (uint32_t)(((size_t)1 << (FIRST_CLASS + piece->rank)) + sizeof *piece);
    explicit_bzero(memory, piece->size); /* fields: cookies are among them */
    pool_give(h->pool->classes[piece->rank], piece);
}

static void *memory_take_zeroed(size_t n, size_t size, void *ctx)
{
    void *memory = size && n > HPACK_MAX_MEMORY / size ? NULL : memory_take(n * size, ctx);
    return memory ? memset(memory, 0, n * size) : NULL;
}

static void *memory_resize(void *memory, size_t size, void *ctx)
{
    void *larger = memory_take(size, ctx);
    if (larger && memory) {
        size_t before = ((struct piece *)memory - 1)->size;
        memcpy(larger, memory, before < size ? before : size);
        memory_give(memory, ctx);
    }
    return larger;
}

/* ---- decoder ---- */

void hpack_init(struct hpack *h, struct hpack_pool *pool)
{
    *h = (struct hpack){.pool = pool, .max_table = HPACK_TABLE, .table = HPACK_TABLE};
}

void hpack_fini(struct hpack *h)
{
    if (h->inflater)
        nghttp2_hd_inflate_del(h->inflater);
    memory_give(h->hooks, h);
    h->inflater = NULL;
    h->hooks = NULL;
}

void hpack_allow(struct hpack *h, uint32_t table_size)
{
    if (table_size > HPACK_MAX_TABLE)
        table_size = HPACK_MAX_TABLE;
    if (table_size <= h->max_table)
        return;
    h->max_table = table_size;
    if (h->inflater && nghttp2_hd_inflate_change_table_size(h->inflater, table_size))
        hpack_lose(h);
}

void hpack_lose(struct hpack *h)
{
    if (h->inflater)
        h->table = (uint32_t)nghttp2_hd_inflate_get_max_dynamic_table_size(h->inflater);
    hpack_fini(h);
    h->pool->counts.lost += !h->is_lost;
    h->is_lost = h->is_fresh = true;
    h->max_table = HPACK_MAX_TABLE; /* the SETTINGS, too, may not have been seen */
}

struct sink {
    hpack_field_fn *out; /* NULL: nobody wants it */
    void *ctx;
    uint64_t *n_fields;
};

static void emit(const struct sink *sink, const nghttp2_nv *nv)
{
    ++*sink->n_fields;
    if (sink->out)
        sink->out(sink->ctx, span_of(nv->name, nv->namelen), span_of(nv->value, nv->valuelen));
}

/* Feeds a part of a block. */
static int feed(struct hpack *h, struct span in, bool is_last, const struct sink *sink)
{
    static const uint8_t nothing[1];
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        const uint8_t *at = in.size ? in.at : nothing;
        ssize_t n = nghttp2_hd_inflate_hd2(h->inflater, &nv, &flags, at, in.size, is_last);
        if (n < 0)
            return n == NGHTTP2_ERR_NOMEM ? E_LIMIT : E_BAD;
        in = span_from(in, (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            emit(sink, &nv);
        if (flags & NGHTTP2_HD_INFLATE_FINAL)
            return nghttp2_hd_inflate_end_headers(h->inflater) ? E_BAD : 0;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && in.size == 0)
            return is_last ? E_BAD : 0;
    }
}

static bool begin(struct hpack *h)
{
    if (h->inflater)
        return true;
    nghttp2_mem *hooks = h->hooks ? h->hooks : memory_take(sizeof *hooks, h);
    if (!hooks)
        return false;
    *hooks = (nghttp2_mem){h, memory_take, memory_give, memory_take_zeroed, memory_resize};
    h->hooks = hooks;
    if (nghttp2_hd_inflate_new2(&h->inflater, hooks)) {
        h->inflater = NULL;
        return false;
    }
    return h->max_table == HPACK_TABLE || nghttp2_hd_inflate_change_table_size(h->inflater, h->max_table) == 0;
}

/* ---- a lost decoder: one representation (RFC 7541, 6) at a time ---- */

/* An integer with a prefix of 'bits' (RFC 7541, 5.1); one that does not fit in 28 bits is bad. */
static uint32_t read_integer(struct reader *r, unsigned bits, uint8_t *first)
{
    uint32_t mask = (1u << bits) - 1, value;
    *first = reader_u8(r);
    value = *first & mask;
    if (value < mask)
        return value;
    for (unsigned shift = 0; shift <= 21; shift += 7) {
        uint8_t byte = reader_u8(r);
        value += (uint32_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    r->is_bad = true;
    return 0;
}

static struct span read_string(struct reader *r)
{
    uint8_t first;
    struct span from = r->left;
    uint32_t size = read_integer(r, 7, &first);
    reader_skip(r, size);
    return r->is_bad ? span_of(NULL, 0) : span_sub(from, 0, from.size - r->left.size);
}

/* What has been added since state was lost is known, unless its name was not. */
static bool is_known(const struct hpack *h, uint32_t index)
{
    if (index <= N_STATIC)
        return true;
    const nghttp2_nv *nv = nghttp2_hd_inflate_get_table_entry(h->inflater, index);
    return nv && !(nv->namelen == 1 && nv->name[0] == 0);
}

/* A literal. Where the name is not known it still takes its place in the table, under a name that nothing has. */
static int read_literal(struct hpack *h, struct reader *r, struct span from, unsigned bits, const struct sink *sink,
                        uint32_t *n_unknown)
{
    static const uint8_t nameless[] = {0x40, 1, 0};
    uint8_t first;
    uint32_t index = read_integer(r, bits, &first);
    if (index == 0)
        (void)read_string(r);
    struct span value = read_string(r);
    if (r->is_bad)
        return E_BAD;
    if (is_known(h, index))
        return feed(h, span_sub(from, 0, from.size - r->left.size), false, sink);
    ++*n_unknown;
    if (bits != 6)
        return 0;
    struct sink nobody = {NULL, NULL, sink->n_fields};
    int code = feed(h, span_of(nameless, sizeof nameless), false, &nobody);
    return code ? code : feed(h, value, false, &nobody);
}

static int read_one(struct hpack *h, struct reader *r, const struct sink *sink, uint32_t *n_unknown)
{
    struct span from = r->left;
    uint8_t first = from.at[0];
    if (!(first & 0x80) && (first & 0xe0) != 0x20)
        return read_literal(h, r, from, first & 0x40 ? 6 : 4, sink, n_unknown);
    uint32_t value = read_integer(r, first & 0x80 ? 7 : 5, &first);
    if (r->is_bad || (first & 0x80 && value == 0))
        return E_BAD;
    if (first & 0x80 && !is_known(h, value)) {
        ++*n_unknown;
        return 0;
    }
    return feed(h, span_sub(from, 0, from.size - r->left.size), false, sink);
}

/* The encoder goes on with the table it had. */
static int resize(struct hpack *h, const struct sink *sink)
{
    uint32_t left = h->table - 31;
    uint8_t update[5] = {0x3f};
    size_t n = 1;
    for (; left > 127; left >>= 7)
        update[n++] = (uint8_t)(0x80 | (left & 0x7f));
    update[n++] = (uint8_t)left;
    return feed(h, span_of(update, n), false, sink);
}

static int read_lost(struct hpack *h, struct span block, const struct sink *sink, uint32_t *n_unknown)
{
    struct reader r = reader_of(block);
    int code = h->table > HPACK_TABLE && h->is_fresh ? resize(h, sink) : 0;
    h->is_fresh = false;
    while (!code && r.left.size)
        code = read_one(h, &r, sink, n_unknown);
    return code ? code : feed(h, span_of(NULL, 0), true, sink);
}

int hpack_decode(struct hpack *h, struct span block, hpack_field_fn *out, void *ctx, uint32_t *n_unknown)
{
    struct hpack_counts *counts = &h->pool->counts;
    struct sink sink = {out, ctx, &counts->fields};
    *n_unknown = 0;
    counts->blocks++;
    int code = begin(h) ? 0 : E_LIMIT;
    if (!code)
        code = h->is_lost ? read_lost(h, block, &sink, n_unknown) : feed(h, block, true, &sink);
    counts->unknown += *n_unknown;
    if (!code)
        return 0;
    *(code == E_LIMIT ? &counts->refused : &counts->bad) += 1;
    hpack_lose(h);
    return code;
}
