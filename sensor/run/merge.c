/* SPDX-License-Identifier: Apache-2.0
 * Each input is a queue of bytes; the earliest head goes first. An input's keys never go back: one that would takes the time of the
 * one before it. */
#include "run/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct head {
    struct merge_key key;
    size_t size;
};

struct input {
    uint8_t *at;
    size_t from, to, cap, n;
    uint64_t now_ns, last_ns; /* watermark; time of the last value that came */
    bool is_awaited;
};

struct merge {
    struct input *inputs;
    int n;
    uint64_t gone_ns, late;
};

struct merge *merge_new(void)
{
    return calloc(1, sizeof(struct merge));
}

void merge_free(struct merge *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->n; i++)
        free(m->inputs[i].at);
    free(m->inputs);
    free(m);
}

int merge_input(struct merge *m)
{
    struct input *more = reallocarray(m->inputs, (size_t)m->n + 1, sizeof *more);
    if (!more)
        return E_NOMEM;
    m->inputs = more;
    more[m->n] = (struct input){.is_awaited = true};
    return m->n++;
}

static bool make_room(struct input *in, size_t size)
{
    if (in->from && in->to + size > in->cap) {
        memmove(in->at, in->at + in->from, in->to - in->from);
        in->to -= in->from;
        in->from = 0;
    }
    if (in->to + size <= in->cap)
        return true;
    size_t cap = in->cap ? in->cap : 65536;
    while (cap < in->to + size)
        cap *= 2;
    uint8_t *more = realloc(in->at, cap);
    if (!more)
        return false;
    in->at = more;
    in->cap = cap;
    return true;
}

int merge_push(struct merge *m, int input, const struct merge_key *key, const void *value, size_t size)
{
    struct input *in = &m->inputs[input];
    struct head h = {.key = *key, .size = size};
    if (!make_room(in, sizeof h + size))
        return E_NOMEM;
    if (h.key.done_ns < in->last_ns)
        h.key.done_ns = in->last_ns;
    in->last_ns = h.key.done_ns;
    memcpy(in->at + in->to, &h, sizeof h);
    memcpy(in->at + in->to + sizeof h, value, size);
    in->to += sizeof h + size;
    in->n++;
    return E_OK;
}

void merge_mark(struct merge *m, int input, uint64_t now_ns)
{
    struct input *in = &m->inputs[input];
    if (now_ns > in->now_ns)
        in->now_ns = now_ns;
}

void merge_await(struct merge *m, int input, bool is_awaited)
{
    m->inputs[input].is_awaited = is_awaited;
}

uint64_t merge_now(const struct merge *m)
{
    uint64_t now_ns = UINT64_MAX;
    for (int i = 0; i < m->n; i++)
        if (m->inputs[i].is_awaited && m->inputs[i].now_ns < now_ns)
            now_ns = m->inputs[i].now_ns;
    return now_ns;
}

static bool is_before(const struct merge_key *a, const struct merge_key *b)
{
    if (a->done_ns != b->done_ns)
        return a->done_ns < b->done_ns;
    return a->flow_hash != b->flow_hash ? a->flow_hash < b->flow_hash : a->number < b->number;
}

bool merge_pop(struct merge *m, int *input, const void **value, size_t *size)
{
    struct head first = {0}, h;
    int at = -1;
    for (int i = 0; i < m->n; i++) {
        if (!m->inputs[i].n)
            continue;
        memcpy(&h, m->inputs[i].at + m->inputs[i].from, sizeof h);
        if (at < 0 || is_before(&h.key, &first.key)) {
            first = h;
            at = i;
        }
    }
    uint64_t now_ns = merge_now(m);
    if (at < 0 || (now_ns != UINT64_MAX && first.key.done_ns >= now_ns))
        return false;
    struct input *in = &m->inputs[at];
    m->late += first.key.done_ns < m->gone_ns;
    m->gone_ns = first.key.done_ns > m->gone_ns ? first.key.done_ns : m->gone_ns;
    *input = at;
    *value = in->at + in->from + sizeof first;
    *size = first.size;
    in->from += sizeof first + first.size;
    in->n--;
    return true;
}

size_t merge_waiting(const struct merge *m, int input)
{
    return m->inputs[input].n;
}

uint64_t merge_late(const struct merge *m)
{
    return m->late;
}

void merge_clear(struct merge *m)
{
    for (int i = 0; i < m->n; i++) {
        struct input *in = &m->inputs[i];
        in->from = in->to = in->n = 0;
        in->now_ns = in->last_ns = 0;
    }
    m->gone_ns = 0;
}
