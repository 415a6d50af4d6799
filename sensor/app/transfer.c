/* SPDX-License-Identifier: Apache-2.0
 * A map of transfers, and one from the record told when an answer began to the transfer it belongs to. */
#include "app/transfer.h"

#include "app/candidate.h"
#include "app/pieces.h"
#include "base/hash.h"
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_OPEN 65536u
#define MAX_PARTS 128

struct key {
    uint8_t hash[16];
};

struct transfer {
    uint8_t id[16];
    uint64_t total;
    bool has_total;
    bool is_moved; /* to another key: its credential has got a name since */
    struct key to;
    struct pieces pieces;
};

/* Where the pieces of the multipart body that this record completes belong. */
struct parts {
    uint8_t id[16];
    uint64_t total;
    uint32_t n;
    struct piece at[MAX_PARTS];
    bool is_whole; /* the list is: it was read to its end */
};

enum {
    COUNT_REQUESTS, COUNT_BEGUN, COUNT_JOINED, COUNT_REPEATED, COUNT_ALONE, COUNT_NAMED, COUNT_UNPLACED, COUNT_CHANGED,
    COUNT_SCATTERED, COUNT_LOST, COUNT_EVICTED, COUNTERS,
};

static const struct counter_def defs[COUNTERS] = {
    {"transfer_requests", "requests", "answered with content of a file; the sum of begun, joined and repeated"},
    {"transfer_begun", "transfers", "the first request of a credential for an object"},
    {"transfer_joined", "requests", "further pieces of a transfer that was not complete"},
    {"transfer_repeated", "requests", "for an object the credential had already got whole"},
    {"transfer_alone", "requests", "of those begun: nothing shows which object it is, so no other request can join it"},
    {"transfer_named", "transfers", "begun before the session had a name, and gone on after"},
    {"transfer_unplaced", "answers", "pieces of which it is not known where they belong: not counted as bytes got"},
    {"transfer_changed", "transfers", "begun anew: the object turned out to have another size than before"},
    {"transfer_scattered", "answers", "more pieces than are kept apart: unique_bytes is then the least it can be"},
    {"transfer_lost", "answers", "whose transfer was forgotten for room before they ended"},
    {"transfer_evicted", "transfers", "forgotten for room: what comes later counts as a new transfer"},
};

struct transfers {
    struct map *transfers; /* struct key -> struct transfer */
    struct map *open;      /* event.id -> struct key */
    struct parts parts;    /* of the candidate that is being settled */
    uint64_t counts[COUNTERS];
};

struct transfers *transfers_new(uint32_t max)
{
    struct transfers *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->transfers = map_new(sizeof(struct key), sizeof(struct transfer), max, 0);
    t->open = map_new(sizeof(struct key), sizeof(struct key), MAX_OPEN, 0);
    if (!t->transfers || !t->open) {
        transfers_free(t);
        return NULL;
    }
    return t;
}

void transfers_free(struct transfers *t)
{
    if (!t)
        return;
    map_free(t->transfers);
    map_free(t->open);
    free(t);
}

struct counters transfers_counters(const struct transfers *t)
{
    return (struct counters){defs, t->counts, COUNTERS};
}

/* --- the parts of a multipart body --- */

/* "p<from>-<to>/<total>", bytes [from, to). */
static bool read_part(struct span line, struct piece *out, uint64_t *total)
{
    struct span from, to;
    if (!span_split(&line, '-', &from) || !span_split(&line, '/', &to))
        return false;
    return span_u64(from, &out->from) && span_u64(to, &out->to) && span_u64(line, total);
}

void transfers_read(struct transfers *t, const struct activity *candidate)
{
    struct parts *p = &t->parts;
    struct span rest = candidate_facts(candidate), line;
    p->n = 0;
    p->is_whole = false;
    memcpy(p->id, candidate->id, sizeof p->id);
    while (rest.size && span_split(&rest, '\n', &line)) {
        if (line.size == 0 || line.at[0] != 'p')
            continue;
        p->is_whole = span_eq(line, SPAN("p."));
        if (!p->is_whole && (p->n == MAX_PARTS || !read_part(span_from(line, 1), &p->at[p->n++], &p->total)))
            return;
    }
}

static bool has_parts(const struct transfers *t, const struct activity *a)
{
    return t->parts.is_whole && t->parts.n && memcmp(t->parts.id, a->id, sizeof a->id) == 0;
}

/* --- which transfer --- */

enum tie { TIE_NONE, TIE_VALIDATOR, TIE_OBJECT, TIE_TOTAL };

static enum tie tie_of(const struct activity *a)
{
    bool is_get = span_eq(activity_get(a, STR_METHOD), SPAN("GET"));
    return a->validator                       ? TIE_VALIDATOR
           : is_get && a->size[STR_OBJECT]    ? TIE_OBJECT
           : is_get && a->flags & ACT_HAS_TOTAL ? TIE_TOTAL
                                              : TIE_NONE;
}

struct buffer {
    uint8_t bytes[1024];
    size_t size;
};

static void put(struct buffer *b, struct span s)
{
    s = span_sub(s, 0, sizeof b->bytes - b->size);
    if (s.size)
        memcpy(b->bytes + b->size, s.at, s.size);
    b->size += s.size;
}

static void put_u64(struct buffer *b, uint64_t n)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(n >> (56 - 8 * i));
    put(b, span_of(bytes, sizeof bytes));
}

/* The credential; without one, the client as far as it shows. */
static void put_who(struct buffer *b, const struct activity *a, struct span user)
{
    uint64_t kind = user.size ? 'u' : 'a';
    put_u64(b, kind << 32 | user.size);
    if (user.size) {
        put(b, user);
        return;
    }
    put(b, span_of(a->source.bytes, sizeof a->source.bytes));
    put_u64(b, hash64(activity_get(a, STR_AGENT), 0));
}

static struct key key_of(const struct activity *a, struct span user, bool with_total)
{
    enum tie tie = tie_of(a);
    struct buffer b = {.size = 0};
    struct key key;
    put_who(&b, a, user);
    put_u64(&b, (uint64_t)tie);
    put_u64(&b, a->resource);
    if (tie == TIE_VALIDATOR)
        put_u64(&b, a->validator);
    else if (tie == TIE_OBJECT)
        put_u64(&b, hash64(activity_get(a, STR_OBJECT), 0));
    else if (tie == TIE_NONE)
        put(&b, span_of(a->id, sizeof a->id));
    if (tie == TIE_TOTAL || with_total)
        put_u64(&b, a->total);
    hash128(span_of(b.bytes, b.size), 0, key.hash);
    return key;
}

static bool is_other_size(const struct transfer *x, const struct activity *a)
{
    return x->has_total && a->flags & ACT_HAS_TOTAL && x->total != a->total;
}

/* What the session fetched of this object while it had no name. */
static void take_unnamed(struct transfers *t, const struct activity *a, const struct key *key, struct transfer *x,
                         bool is_new, bool with_total)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    struct span user = activity_get(a, STR_USER);
    char name[32];
    if (!user.size || span_starts(user, SPAN("session:")) || memcmp(a->session, none, sizeof none) == 0)
        return;
    int size = snprintf(name, sizeof name, "session:");
    for (int i = 0; i < 8; i++)
        size += snprintf(name + size, sizeof name - (size_t)size, "%02x", a->session[i]);
    struct key old_key = key_of(a, span_of(name, (size_t)size), with_total);
    struct transfer *old = map_find(t->transfers, &old_key);
    if (!old || old->is_moved || is_other_size(old, a))
        return;
    t->counts[COUNT_NAMED]++;
    if (is_new)
        *x = *old;
    else
        t->counts[COUNT_SCATTERED] += pieces_join(&x->pieces, &old->pieces);
    old->is_moved = true;
    old->to = *key;
}

static struct transfer *touch(struct transfers *t, const struct activity *a, struct key *key, bool with_total, bool *is_new)
{
    *key = key_of(a, activity_get(a, STR_USER), with_total);
    struct transfer *x = map_touch(t->transfers, key, is_new);
    if (*is_new) {
        memcpy(x->id, key->hash, sizeof x->id);
    } else if (x->is_moved) { /* its id has gone with it, and who comes now may be somebody else */
        memset(x, 0, sizeof *x);
        hash128(span_of(key->hash, sizeof key->hash), a->time_ns, x->id);
    }
    if (tie_of(a) != TIE_NONE)
        take_unnamed(t, a, key, x, *is_new, with_total);
    *is_new = *is_new && x->pieces.n == 0;
    return x;
}

static bool is_complete(const struct transfer *x)
{
    return x->has_total && pieces_bytes(&x->pieces) >= x->total;
}

/* A request was answered: its transfer, new or known. */
static struct transfer *begin(struct transfers *t, const struct activity *a)
{
    struct key key;
    bool is_new, is_told;
    struct transfer *x = touch(t, a, &key, false, &is_new);
    if (is_other_size(x, a))
        x = touch(t, a, &key, true, &is_new);
    *(struct key *)map_touch(t->open, a->id, &is_told) = key;
    t->counts[COUNT_REQUESTS]++;
    t->counts[is_new ? COUNT_BEGUN : is_complete(x) ? COUNT_REPEATED : COUNT_JOINED]++;
    t->counts[COUNT_ALONE] += tie_of(a) == TIE_NONE;
    return x;
}

/* The transfer of the record that this one completes, or NULL. */
static struct transfer *find_begun(struct transfers *t, const struct activity *a)
{
    const struct key *key = map_find(t->open, a->amends);
    struct transfer *x = key ? map_find(t->transfers, key) : NULL;
    if (x && x->is_moved)
        x = map_find(t->transfers, &x->to);
    if (key)
        map_remove(t->open, a->amends);
    t->counts[COUNT_LOST] += x == NULL;
    return x;
}

/* --- what has come --- */

static void learn_total(struct transfers *t, struct transfer *x, uint64_t total)
{
    if (x->has_total && x->total != total) {
        x->pieces.n = 0;
        t->counts[COUNT_CHANGED]++;
    }
    x->total = total;
    x->has_total = true;
}

static void add_piece(struct transfers *t, struct transfer *x, uint64_t from, uint64_t to)
{
    if (x->has_total && to > x->total) /* more than the head said is no content of this object */
        to = x->total;
    t->counts[COUNT_SCATTERED] += pieces_add(&x->pieces, from, to);
}

/* False when it is not known where the body belongs. */
static bool add_body(struct transfers *t, struct transfer *x, const struct activity *a)
{
    if (a->flags & ACT_HAS_TOTAL)
        learn_total(t, x, a->total);
    if (!(a->flags & ACT_HAS_BODY))
        return true;
    if (!(a->flags & ACT_UNPLACED)) {
        uint64_t from = a->range_from, room = INT64_MAX - (from < INT64_MAX ? from : INT64_MAX);
        add_piece(t, x, from, from + (a->body_bytes < room ? a->body_bytes : room));
        return true;
    }
    if (!has_parts(t, a)) {
        t->counts[COUNT_UNPLACED]++;
        return false;
    }
    learn_total(t, x, t->parts.total);
    for (uint32_t i = 0; i < t->parts.n; i++)
        add_piece(t, x, t->parts.at[i].from, t->parts.at[i].to);
    return true;
}

/* Never rounded up to the whole. */
static uint32_t millionths(uint64_t bytes, uint64_t total)
{
    return bytes >= total ? 1000000 : (uint32_t)((unsigned __int128)bytes * 1000000 / total);
}

static void write_facts(const struct transfer *x, bool is_placed, struct activity *a)
{
    memcpy(a->transfer_id, x->id, sizeof a->transfer_id);
    a->flags |= ACT_TRANSFER;
    if (!is_placed)
        return;
    a->transfer_bytes = pieces_bytes(&x->pieces);
    a->flags |= ACT_TRANSFER_BYTES;
    if (x->has_total) {
        a->transfer_coverage = millionths(a->transfer_bytes, x->total);
        a->flags |= ACT_TRANSFER_COVERAGE;
    }
    if (is_complete(x))
        a->flags |= ACT_TRANSFER_COMPLETE;
    if (!pieces_are_exact(&x->pieces))
        a->flags |= ACT_TRANSFER_UNSURE;
}

void transfers_settle(struct transfers *t, struct activity *a)
{
    if (a->resource) {
        struct transfer *x = a->action == ACTION_AMEND ? find_begun(t, a) : begin(t, a);
        if (x)
            write_facts(x, add_body(t, x, a), a);
        t->counts[COUNT_EVICTED] = map_evicted(t->transfers);
    }
    a->resource = a->validator = a->total = 0;
    a->flags &= ~(ACT_HAS_TOTAL | ACT_UNPLACED);
}
