/* SPDX-License-Identifier: Apache-2.0
 * Records of which nobody wants all: what is skippable is counted, the rest is read with the cipher's counter mode, from
 * where it stands. Nothing of such a record is authenticated, so the first record of each set of keys, those after a loss,
 * and those that hold much to be read are opened in full. */
#include "flow/tls_state.h"

#include "base/err.h"

#define LEAST 512u  /* bytes; smaller records are not worth the trouble */
#define TAIL 32u    /* more than a tag and a content type: some padding is found too */
#define WINDOW 256u /* bytes read at once where something has to be: a few heads of frames, or most of a response's */

static uint64_t skippable(struct tls_conn *t, int role)
{
    return t->pool->ops.skippable(t->ctx, tls_direction(t, role));
}

/* Whether parts of the record can be read alone, and its keys are known to be right. */
static bool may_be_lazy(const struct tls_conn *t, int role, const struct tls_record_head *head)
{
    const struct tls_side *s = &t->side[role];
    const struct tls_conn_pool *p = t->pool;
    return !p->limits.is_eager && !t->compression && p->ops.skippable && head->type == TLS_APPLICATION_DATA && s->has_opened &&
           s->epoch == TLS_EPOCH_TRAFFIC && !s->is_lossy && !s->lost && head->length >= LEAST && s->opener.seq > 0 &&
           tls_suite_shape(s->opener.suite)->tag_size > 0;
}

static struct tls_record record_of(const struct tls_record_head *head)
{
    return (struct tls_record){.type = head->type, .version = head->version, .length = head->length};
}

size_t tls_lazy_tail(struct tls_conn *t, int role, const struct tls_record_head *head)
{
    const struct tls_side *s = &t->side[role];
    if (!may_be_lazy(t, role, head) || s->is_padded || skippable(t, role) < head->length)
        return SIZE_MAX;
    size_t tail = tls_opener_tail_size(&s->opener);
    return tail && tail < TAIL ? TAIL : tail;
}

void tls_lazy_note(struct tls_conn *t, int role, const struct tls_record_head *head, const struct tls_opened *opened)
{
    struct tls_side *s = &t->side[role];
    size_t tag = tls_suite_shape(s->opener.suite)->tag_size;
    s->is_padded = s->is_padded || (t->version >= 0x0304 && head->length > opened->data.size + 1 + tag);
    s->is_skimmed = s->is_skimmed && head->length < LEAST;
}

int tls_lazy_skip(struct tls_conn *t, int role, const struct tls_record_head *head, struct span tail, uint64_t missing,
                  uint64_t ns)
{
    const struct tls_conn_ops *ops = &t->pool->ops;
    int direction = tls_direction(t, role);
    struct tls_side *s = &t->side[role];
    struct tls_record record = record_of(head);
    struct tls_skipped skipped;
    int rc = tls_opener_skip(&s->opener, &record, tail, &skipped);
    if (rc)
        return rc;
    t->pool->counts.records_skipped++;
    s->is_padded = s->is_padded || !skipped.is_exact;
    s->is_skimmed = true;
    if (skipped.type == TLS_APPLICATION_DATA) {
        uint64_t gap = missing < skipped.max ? missing : skipped.max;
        if (gap < skipped.max)
            ops->skip(t->ctx, direction, skipped.max - gap, ns);
        if (gap)
            ops->gap(t->ctx, direction, gap, ns);
        return 0;
    }
    /* a message of the handshake that may have changed the keys, or they have changed */
    tls_handshake_gap(&s->handshake, &t->pool->messages);
    s->is_lossy = true;
    if (skipped.type < TLS_CHANGE_CIPHER_SPEC || skipped.type > TLS_HEARTBEAT) {
        t->pool->counts.records_lost++;
        ops->gap(t->ctx, direction, skipped.max, ns);
    }
    return 0;
}

/* Skips and reads what is before 'size'; stops where so much has to be read that opening the record is better. Returns how
 * much was passed. */
static size_t skim(struct tls_conn *t, int role, const struct tls_record *record, struct span fragment, size_t size,
                   uint64_t ns)
{
    struct tls_conn_pool *p = t->pool;
    int direction = tls_direction(t, role);
    bool is_reading = false;
    struct span plain;
    size_t at = 0;
    while (at < size) {
        uint64_t skip = skippable(t, role);
        size_t left = size - at, n = skip < left ? (size_t)skip : left;
        if (n) {
            p->ops.skip(t->ctx, direction, n, ns);
            is_reading = is_reading && n < WINDOW;
            at += n;
            continue;
        }
        n = left < WINDOW ? left : WINDOW;
        if (is_reading || tls_opener_peek(&t->side[role].opener, record, fragment, at, n, p->plain, &plain))
            return at;
        p->ops.data(t->ctx, direction, plain, ns);
        is_reading = true;
        at += n;
    }
    return at;
}

/* What tells the size of a record. */
static struct span end_of(const struct tls_side *s, struct span fragment)
{
    size_t n = tls_opener_tail_size(&s->opener);
    return s->is_padded || n > fragment.size ? fragment : span_from(fragment, fragment.size - n);
}

bool tls_lazy_record(struct tls_conn *t, int role, const struct tls_record_head *head, struct span fragment, uint64_t ns)
{
    struct tls_side *s = &t->side[role];
    struct tls_record record = record_of(head);
    struct tls_skipped skipped;
    s->n_passed = 0;
    if (!may_be_lazy(t, role, head) || (!s->is_skimmed && !skippable(t, role)) ||
        tls_opener_measure(&s->opener, &record, end_of(s, fragment), &skipped) || !skipped.is_exact ||
        skipped.type != TLS_APPLICATION_DATA)
        return false;
    size_t passed = skim(t, role, &record, fragment, skipped.max, ns);
    if (passed < skipped.max) {
        s->n_passed = (uint16_t)passed;
        return false;
    }
    tls_opener_pass(&s->opener, fragment);
    t->pool->counts.records_skipped++;
    s->is_skimmed = true;
    return true;
}
