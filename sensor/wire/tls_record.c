/* SPDX-License-Identifier: Apache-2.0
 * The record layer of TLS as a state machine. In sync, records are found by arithmetic: a gap inside of one costs its
 * content and nothing else. Out of sync, a header counts when another one stands where it says that its record ends. */
#include "wire/tls_record.h"

#include "base/assert.h"

#define SSL2_HELLO_MAX 4096u /* bytes: ciphers take three each, the challenge 32 at most */

_Static_assert(TLS_RECORD_BLOCK >= 2 * (TLS_RECORD_MAX + 2 * TLS_RECORD_HEADER), "a search moves its bytes seldom");

static uint16_t u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* The first 'n' bytes of a header; what has not come yet is let pass. */
static bool is_plausible(const uint8_t *at, size_t n)
{
    return (n < 1 || (at[0] >= TLS_CHANGE_CIPHER_SPEC && at[0] <= TLS_HEARTBEAT)) && (n < 2 || at[1] == 3) &&
           (n < 3 || at[2] <= 4) && (n < TLS_RECORD_HEADER || u16(at + 3) <= TLS_RECORD_MAX);
}

/* RFC 5246 appendix E.2: two bytes of length with the top bit set, message type 1, version. */
static enum tls_probe probe_ssl2(struct span first)
{
    const uint8_t *at = first.at;
    if (first.size >= 2 && ((at[0] & 0x7f) << 8 | at[1]) < 9)
        return TLS_PROBE_NO;
    if ((first.size >= 3 && at[2] != 1) || (first.size >= 4 && at[3] != 0 && at[3] != 3))
        return TLS_PROBE_NO;
    if (first.size < 5)
        return TLS_PROBE_MORE;
    return (at[3] == 0 ? at[4] == 2 : at[4] <= 4) ? TLS_PROBE_SSL2 : TLS_PROBE_NO;
}

enum tls_probe tls_record_probe(struct span first)
{
    if (first.size == 0)
        return TLS_PROBE_MORE;
    if (first.at[0] & 0x80)
        return probe_ssl2(first);
    if (!is_plausible(first.at, first.size))
        return TLS_PROBE_NO;
    if (first.size < TLS_RECORD_HEADER)
        return TLS_PROBE_MORE;
    if (u16(first.at + 3) == 0)
        return TLS_PROBE_NO;
    if (first.at[0] != TLS_HANDSHAKE)
        return TLS_PROBE_RECORD;
    if (first.size == TLS_RECORD_HEADER)
        return TLS_PROBE_MORE;
    return first.at[5] == 1 ? TLS_PROBE_CLIENT : first.at[5] == 2 ? TLS_PROBE_SERVER : TLS_PROBE_RECORD;
}

void tls_record_init(struct tls_record_reader *r)
{
    *r = (struct tls_record_reader){.state = TLS_RECORD_AT_START};
}

static void give_block(struct tls_record_reader *r, struct tls_record_memory *memory)
{
    pool_give(memory->blocks, r->block);
    r->block = NULL;
    r->start = r->end = 0;
    r->is_found = false;
}

static bool take_block(struct tls_record_reader *r, struct tls_record_memory *memory)
{
    if (!r->block)
        r->block = pool_take(memory->blocks);
    if (!r->block && !r->is_refused) {
        r->is_refused = true;
        memory->refused++;
    }
    return r->block != NULL;
}

void tls_record_fini(struct tls_record_reader *r, struct tls_record_memory *memory)
{
    give_block(r, memory);
    r->state = TLS_RECORD_AT_OFF;
}

void tls_record_want(struct tls_record_reader *r, size_t head, size_t tail)
{
    ASSERT(r->state == TLS_RECORD_AT_FRAGMENT && r->have == 0);
    size_t length = r->current.length;
    if (head > length)
        head = length;
    if (tail > length - head)
        head = length, tail = 0;
    r->want_head = (uint16_t)head;
    r->want_tail = (uint16_t)tail;
}

void tls_record_finish(struct tls_record_reader *r)
{
    r->is_ended = true;
}

uint64_t tls_record_pending(const struct tls_record_reader *r)
{
    uint64_t n = r->state == TLS_RECORD_AT_RESYNC ? r->unsynced : r->n_header;
    return n + (r->is_found || r->state == TLS_RECORD_AT_RESYNC ? r->end - r->start : 0);
}

void tls_record_seek(struct tls_record_reader *r, uint64_t budget)
{
    ASSERT(r->state == TLS_RECORD_AT_START);
    r->state = TLS_RECORD_AT_RESYNC;
    r->is_told = true;
    r->is_bounded = budget != 0;
    r->budget = budget;
}

/* What is to be read next: the rest of the block after a search, then the input. */
static struct span upcoming(const struct tls_record_reader *r, const struct tls_record_input *input)
{
    if (r->is_found)
        return span_of(r->block + r->start, r->end - r->start);
    return input->bytes;
}

static void advance(struct tls_record_reader *r, struct tls_record_input *input, size_t n)
{
    if (r->is_found) {
        r->start += (uint32_t)n;
        r->is_found = r->start < r->end;
    } else {
        input->bytes = span_from(input->bytes, n);
    }
}

static enum tls_record_event turn_off(struct tls_record_reader *r, struct tls_record_memory *memory,
                                      enum tls_record_event event)
{
    tls_record_fini(r, memory);
    return event;
}

/* Its length is two bytes whose first bit is set (RFC 5246, E.2); they are not of the message. */
static enum tls_record_event begin_ssl2(struct tls_record_reader *r, struct tls_record_memory *memory,
                                        struct tls_record_out *out)
{
    out->version = u16(r->header + 3);
    r->current.length = (uint16_t)(u16(r->header) & 0x7fff);
    r->have = (uint16_t)(r->n_header - 2);
    if (r->current.length <= r->have || r->current.length > SSL2_HELLO_MAX || !take_block(r, memory))
        return turn_off(r, memory, TLS_RECORD_SSL2);
    memcpy(r->block, r->header + 2, r->have);
    r->state = TLS_RECORD_AT_SSL2;
    return TLS_RECORD_MORE;
}

static enum tls_record_event ssl2_step(struct tls_record_reader *r, struct tls_record_memory *memory,
                                       struct tls_record_input *input, struct tls_record_out *out)
{
    struct span bytes = span_sub(input->bytes, 0, (size_t)(r->current.length - r->have));
    if (!bytes.size && input->gap) {
        out->version = u16(r->header + 3);
        return turn_off(r, memory, TLS_RECORD_SSL2);
    }
    if (bytes.size)
        memcpy(r->block + r->have, bytes.at, bytes.size);
    input->bytes = span_from(input->bytes, bytes.size);
    r->have = (uint16_t)(r->have + bytes.size);
    if (r->have < r->current.length)
        return TLS_RECORD_MORE;
    out->version = u16(r->header + 3);
    out->data = span_of(r->block, r->current.length);
    r->is_handed = true;
    r->n_header = 0;
    r->have = 0;
    r->state = TLS_RECORD_AT_HEADER;
    return TLS_RECORD_SSL2;
}

static enum tls_record_event start_step(struct tls_record_reader *r, struct tls_record_memory *memory,
                                        struct tls_record_input *input, struct tls_record_out *out)
{
    enum tls_probe probe = TLS_PROBE_MORE;
    while (input->bytes.size && r->n_header < TLS_RECORD_HEADER && probe == TLS_PROBE_MORE) {
        if (r->n_header == 0)
            r->current.begin_ns = input->now_ns;
        r->header[r->n_header++] = input->bytes.at[0];
        input->bytes = span_from(input->bytes, 1);
        probe = tls_record_probe(span_of(r->header, r->n_header));
    }
    if (probe == TLS_PROBE_SSL2)
        return begin_ssl2(r, memory, out);
    if (probe == TLS_PROBE_NO)
        return turn_off(r, memory, TLS_RECORD_FOREIGN);
    if (r->n_header == TLS_RECORD_HEADER || input->gap)
        r->state = TLS_RECORD_AT_HEADER;
    return TLS_RECORD_MORE;
}

/* From a header that is none, or where a gap begins; 'gap' bytes of it are taken. */
static enum tls_record_event lose(struct tls_record_reader *r, struct tls_record_memory *memory, uint64_t gap,
                                  struct tls_record_out *out)
{
    uint8_t n = r->n_header;
    r->n_header = 0;
    r->state = TLS_RECORD_AT_RESYNC;
    r->is_refused = false;
    r->is_bounded = true;
    r->budget = TLS_RECORD_SEEK_BUDGET;
    r->unsynced = r->lost = gap;
    if (gap || !take_block(r, memory)) {
        r->unsynced += n;
        r->start = r->end = 0;
    } else if (!r->is_found) { /* what was taken for a header is looked through again */
        memcpy(r->block, r->header, n);
        r->start = 0;
        r->end = n;
    } else {
        r->start -= n; /* it still stands there */
    }
    r->is_found = false;
    out->size = gap;
    return TLS_RECORD_LOST;
}

static enum tls_record_event header_step(struct tls_record_reader *r, struct tls_record_memory *memory,
                                         struct tls_record_input *input, struct tls_record_out *out)
{
    struct span bytes = upcoming(r, input);
    if (r->n_header == 0 && bytes.size)
        r->current.begin_ns = input->now_ns;
    size_t n = bytes.size < (size_t)(TLS_RECORD_HEADER - r->n_header) ? bytes.size : TLS_RECORD_HEADER - r->n_header;
    if (n)
        memcpy(r->header + r->n_header, bytes.at, n);
    r->n_header = (uint8_t)(r->n_header + n);
    advance(r, input, n);
    if (!is_plausible(r->header, r->n_header))
        return lose(r, memory, 0, out);
    if (r->n_header < TLS_RECORD_HEADER) {
        uint64_t gap = input->gap;
        input->gap = 0;
        return gap ? lose(r, memory, gap, out) : TLS_RECORD_MORE;
    }
    r->state = TLS_RECORD_AT_FRAGMENT;
    r->n_header = 0;
    r->have = r->missing = 0;
    r->is_refused = r->is_torn = false;
    r->current.type = r->header[0];
    r->current.version = u16(r->header + 1);
    r->current.length = u16(r->header + 3);
    r->current.number = r->count++;
    r->want_head = r->current.length;
    r->want_tail = 0;
    out->head = r->current;
    return TLS_RECORD_HEAD;
}

static enum tls_record_event fragment_end(struct tls_record_reader *r, struct span data, struct span tail,
                                          struct tls_record_out *out)
{
    bool has_wish = r->want_head || r->want_tail || r->current.length == 0;
    r->state = TLS_RECORD_AT_HEADER;
    r->is_handed = r->block != NULL;
    out->head = r->current;
    out->missing = r->missing;
    out->is_refused = r->is_refused;
    if (!has_wish || r->is_torn || r->is_refused)
        return TLS_RECORD_MEASURED;
    out->data = data;
    out->tail = tail;
    return TLS_RECORD_BODY;
}

/* Whether bytes 'from' to 'to' of the fragment hold wanted ones. */
static bool is_wanted(const struct tls_record_reader *r, size_t from, size_t to)
{
    return from < r->want_head || (r->want_tail && to > (size_t)(r->current.length - r->want_tail));
}

/* Puts what is wanted of 'bytes', which come next in the fragment, into the block: head and tail side by side. They may
 * stand in the block already, further behind. */
static void collect(struct tls_record_reader *r, struct tls_record_memory *memory, struct span bytes)
{
    size_t from = r->have, to = from + bytes.size, tail_from = (size_t)(r->current.length - r->want_tail);
    if (!is_wanted(r, from, to) || r->is_torn || r->is_refused || !take_block(r, memory))
        return;
    if (from < r->want_head)
        memmove(r->block + from, bytes.at, to < r->want_head ? bytes.size : r->want_head - from);
    if (r->want_tail && to > tail_from) {
        size_t first = from > tail_from ? from : tail_from;
        memmove(r->block + r->want_head + (first - tail_from), bytes.at + (first - from), to - first);
    }
}

static enum tls_record_event fragment_step(struct tls_record_reader *r, struct tls_record_memory *memory,
                                           struct tls_record_input *input, struct tls_record_out *out)
{
    size_t length = r->current.length, left = length - r->have;
    struct span bytes = upcoming(r, input);
    if (r->have == 0 && bytes.size >= length) {
        advance(r, input, length);
        return fragment_end(r, span_sub(bytes, 0, r->want_head), span_sub(bytes, length - r->want_tail, r->want_tail),
                            out);
    }
    if (bytes.size) {
        size_t n = bytes.size < left ? bytes.size : left;
        collect(r, memory, span_sub(bytes, 0, n));
        r->have = (uint16_t)(r->have + n);
        advance(r, input, n);
    } else if (input->gap) {
        size_t n = input->gap < left ? (size_t)input->gap : left;
        r->is_torn |= is_wanted(r, r->have, r->have + n);
        r->have = (uint16_t)(r->have + n);
        r->missing = (uint16_t)(r->missing + n);
        input->gap -= n;
    } else if (r->is_ended) {
        r->is_torn = true;
        r->missing = (uint16_t)(r->missing + left);
        enum tls_record_event event = fragment_end(r, span_of(NULL, 0), span_of(NULL, 0), out);
        out->is_cut = true;
        return turn_off(r, memory, event);
    }
    if (r->have < length)
        return TLS_RECORD_MORE;
    return fragment_end(r, span_of(r->block, r->want_head),
                        span_of(r->block && r->want_tail ? r->block + r->want_head : NULL, r->want_tail), out);
}

enum feedback_verdict { VERDICT_NO, VERDICT_MORE, VERDICT_YES };

/* Is the record at the start of the search one: its header is, and so is what stands behind its end? */
static enum feedback_verdict judge(const struct tls_record_reader *r)
{
    const uint8_t *at = r->block + r->start;
    size_t size = r->end - r->start;
    if (!is_plausible(at, size))
        return VERDICT_NO;
    if (size < TLS_RECORD_HEADER)
        return r->is_ended ? VERDICT_NO : VERDICT_MORE;
    size_t whole = TLS_RECORD_HEADER + (size_t)u16(at + 3);
    if (whole == TLS_RECORD_HEADER)
        return VERDICT_NO;
    if (r->is_ended && size == whole)
        return VERDICT_YES;
    if (size < whole)
        return r->is_ended ? VERDICT_NO : VERDICT_MORE;
    const uint8_t *next = at + whole;
    size_t n = size - whole < TLS_RECORD_HEADER ? size - whole : TLS_RECORD_HEADER;
    if (!is_plausible(next, n) || (n >= 3 && next[2] != at[2]) || (n == TLS_RECORD_HEADER && u16(next + 3) == 0))
        return VERDICT_NO;
    return n == TLS_RECORD_HEADER ? VERDICT_YES : r->is_ended ? VERDICT_NO : VERDICT_MORE;
}

/* Appends input to the search; false when there is none. */
static bool fill(struct tls_record_reader *r, struct tls_record_input *input)
{
    if (input->bytes.size == 0)
        return false;
    if (r->end == TLS_RECORD_BLOCK) {
        memmove(r->block, r->block + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
    }
    size_t room = TLS_RECORD_BLOCK - r->end, n = input->bytes.size < room ? input->bytes.size : room;
    memcpy(r->block + r->end, input->bytes.at, n);
    r->end += (uint32_t)n;
    input->bytes = span_from(input->bytes, n);
    return true;
}

static void pass_gap(struct tls_record_reader *r, struct tls_record_input *input)
{
    r->unsynced += r->end - r->start + input->gap;
    r->lost += input->gap;
    r->start = r->end = 0;
    input->gap = 0;
}

/* No record begins here: to the next byte with the 3 of a version behind it, or the last one. False when the search has
 * come to its end. */
static bool move_on(struct tls_record_reader *r)
{
    const uint8_t *at = r->block + r->start;
    size_t size = r->end - r->start, n = 1;
    if (size > 2) {
        const uint8_t *version = memchr(at + 2, 3, size - 2);
        n = version ? (size_t)(version - at) - 1 : size - 1;
    }
    uint64_t seen = r->unsynced - r->lost, left = seen < r->budget ? r->budget - seen : 0;
    if (!r->is_bounded)
        left = UINT64_MAX;
    bool is_over = n >= left;
    n = is_over ? (size_t)left : n;
    r->start += (uint32_t)n;
    r->unsynced += n;
    return !is_over;
}

static enum tls_record_event resync_step(struct tls_record_reader *r, struct tls_record_memory *memory,
                                         struct tls_record_input *input, struct tls_record_out *out)
{
    if (!take_block(r, memory)) {
        r->unsynced += input->bytes.size + input->gap;
        r->lost += input->gap;
        *input = (struct tls_record_input){.now_ns = input->now_ns};
        return TLS_RECORD_MORE;
    }
    r->is_refused = false;
    for (;;) {
        enum feedback_verdict verdict = VERDICT_MORE;
        while (r->start < r->end && (verdict = judge(r)) == VERDICT_NO)
            if (!move_on(r)) {
                out->size = r->unsynced;
                return turn_off(r, memory, TLS_RECORD_FOREIGN);
            }
        if (r->start < r->end && verdict == VERDICT_YES)
            break;
        if (fill(r, input))
            continue;
        if (input->gap)
            pass_gap(r, input);
        return TLS_RECORD_MORE;
    }
    r->is_found = true;
    r->state = TLS_RECORD_AT_HEADER;
    out->size = r->unsynced;
    out->missing = r->lost;
    r->unsynced = r->lost = 0;
    return TLS_RECORD_FOUND;
}

static enum tls_record_event off_step(struct tls_record_input *input)
{
    *input = (struct tls_record_input){.now_ns = input->now_ns};
    return TLS_RECORD_MORE;
}

enum tls_record_event tls_record_step(struct tls_record_reader *r, struct tls_record_memory *memory,
                                      struct tls_record_input *input, struct tls_record_out *out)
{
    memset(out, 0, sizeof *out);
    if (r->is_handed && !r->is_found)
        give_block(r, memory);
    r->is_handed = false;
    for (;;) {
        enum tls_record_event event = TLS_RECORD_MORE;
        uint8_t before = r->state;
        switch ((enum tls_record_state)r->state) {
        case TLS_RECORD_AT_START: event = start_step(r, memory, input, out); break;
        case TLS_RECORD_AT_SSL2: event = ssl2_step(r, memory, input, out); break;
        case TLS_RECORD_AT_HEADER: event = header_step(r, memory, input, out); break;
        case TLS_RECORD_AT_FRAGMENT: event = fragment_step(r, memory, input, out); break;
        case TLS_RECORD_AT_RESYNC: event = resync_step(r, memory, input, out); break;
        case TLS_RECORD_AT_OFF: event = off_step(input); break;
        }
        if (event != TLS_RECORD_MORE)
            return event;
        bool is_cut = r->is_ended && r->state == TLS_RECORD_AT_FRAGMENT; /* its end has yet to be told */
        if (upcoming(r, input).size == 0 && input->gap == 0 && r->state == before && !is_cut)
            return TLS_RECORD_MORE;
    }
}
