/* SPDX-License-Identifier: Apache-2.0
 * Texts between markers. A marker may stand across slices, so the last bytes of the text searched are kept. */
#include "app/extract_text.h"

void finder_init(struct finder *f, const struct text_rule *rule, uint8_t slot, bool is_each)
{
    f->rule = rule;
    f->slot = slot;
    f->is_each = is_each;
    f->is_done = false;
    f->stage = 0;
    f->tail_size = 0;
    f->text_size = 0;
    f->offset = 0;
}

/* Where 'needle' ends in 'bytes', seen as following f->tail; SIZE_MAX when it is not there. */
static size_t find_end(const struct finder *f, struct span needle, size_t anchor, struct span bytes)
{
    if (f->tail_size && needle.size > 1) {
        uint8_t joint[2 * FINDER_TAIL];
        size_t keep = f->tail_size < needle.size - 1 ? f->tail_size : needle.size - 1;
        size_t more = bytes.size < needle.size - 1 ? bytes.size : needle.size - 1;
        memcpy(joint, f->tail + f->tail_size - keep, keep);
        memcpy(joint + keep, bytes.at, more);
        size_t at = span_find_by(span_of(joint, keep + more), needle, anchor, 0);
        if (at != SIZE_MAX)
            return at + needle.size - keep;
    }
    size_t at = span_find_by(bytes, needle, anchor, 0);
    return at == SIZE_MAX ? SIZE_MAX : at + needle.size;
}

static void tail_keep(struct finder *f, struct span bytes)
{
    if (bytes.size >= FINDER_TAIL) {
        memcpy(f->tail, bytes.at + bytes.size - FINDER_TAIL, FINDER_TAIL);
        f->tail_size = FINDER_TAIL;
        return;
    }
    size_t keep = FINDER_TAIL - bytes.size;
    if (keep > f->tail_size)
        keep = f->tail_size;
    memmove(f->tail, f->tail + f->tail_size - keep, keep);
    memcpy(f->tail + keep, bytes.at, bytes.size);
    f->tail_size = (uint8_t)(keep + bytes.size);
}

void finder_restart(struct finder *f)
{
    f->stage = 0;
    f->tail_size = 0;
    f->text_size = 0;
    f->is_done = !f->is_each;
}

/* Looks for the next marker; bytes used up. */
static size_t feed_marker(struct finder *f, struct span bytes, finder_fn *fn, void *ctx)
{
    const struct text_rule *r = f->rule;
    size_t end = find_end(f, r->after[f->stage], r->anchor[f->stage], bytes);
    if (f->stage && r->stop.size) {
        size_t stop = find_end(f, r->stop, r->stop_anchor, bytes);
        if (stop < end) {
            finder_restart(f);
            return stop;
        }
    }
    if (end == SIZE_MAX) {
        tail_keep(f, bytes);
        return bytes.size;
    }
    f->stage++;
    f->tail_size = 0;
    if (f->stage == r->n_after && !r->until.size) {
        fn(ctx, f, span_of(NULL, 0), f->offset + end);
        finder_restart(f);
    }
    return end;
}

/* Collects the value; bytes used up. */
static size_t feed_value(struct finder *f, struct span bytes, finder_fn *fn, void *ctx)
{
    struct span until = f->rule->until;
    size_t had = f->text_size, room = FINDER_TEXT - had;
    size_t more = bytes.size < room ? bytes.size : room;
    memcpy(f->text + had, bytes.at, more);
    f->text_size = (uint16_t)(had + more);
    struct span text = span_of(f->text, f->text_size);
    size_t from = had >= until.size ? had - until.size + 1 : 0;
    size_t end = span_find_by(text, until, f->rule->until_anchor, from);
    if (end != SIZE_MAX) {
        size_t used = end + until.size - had;
        fn(ctx, f, span_sub(text, 0, end), f->offset + used);
        finder_restart(f);
        return used;
    }
    if (f->text_size == FINDER_TEXT)
        finder_restart(f); /* too long to be a value */
    return more;
}

size_t finder_step(struct finder *f, struct span bytes, finder_fn *fn, void *ctx)
{
    uint64_t within = f->rule->within;
    struct span all = bytes;
    if (within && f->offset + bytes.size > within)
        bytes.size = within > f->offset ? (size_t)(within - f->offset) : 0;
    if (f->is_done || !bytes.size) {
        f->is_done = true;
        f->offset += all.size;
        return all.size;
    }
    size_t used = f->stage < f->rule->n_after ? feed_marker(f, bytes, fn, ctx) : feed_value(f, bytes, fn, ctx);
    f->offset += used;
    return used;
}

void finder_feed(struct finder *f, struct span bytes, finder_fn *fn, void *ctx)
{
    while (bytes.size)
        bytes = span_from(bytes, finder_step(f, bytes, fn, ctx));
}

void finder_gap(struct finder *f, uint64_t bytes)
{
    f->offset += bytes;
    if (f->stage || f->text_size)
        finder_restart(f);
    f->tail_size = 0;
    if (f->rule->n_after == 0)
        f->is_done = true;
}
