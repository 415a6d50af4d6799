/* SPDX-License-Identifier: Apache-2.0
 * Several streams of candidates made one, in the order one process would have seen them: by the time of completion, then flow hash,
 * then number in the flow; what came from one input stays in its order. An input's watermark says how far its packet time has come:
 * nothing of it will be earlier, so what is earlier than every watermark may go on. Pure: no clock, no threads; the values are
 * copied. For N workers of one process, or for N sensors. */
#ifndef RUN_MERGE_H
#define RUN_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct merge;

struct merge_key {
    uint64_t done_ns, flow_hash;
    uint32_t number;
};

/* NULL without memory. */
struct merge *merge_new(void);
void merge_free(struct merge *m);
/* A further input, from 0 on; it is awaited. E_NOMEM (below 0). */
int merge_input(struct merge *m);
/* The next value of an input. E_NOMEM: it was not taken. */
int merge_push(struct merge *m, int input, const struct merge_key *key, const void *value, size_t size);
/* Packet time of the input; one that is lower than before is of no effect. */
void merge_mark(struct merge *m, int input, uint64_t now_ns);
/* Whether anything waits for the input: not for one that has ended, or is away. What still comes of it goes on all the same: where it
 * is late, behind what has gone before. */
void merge_await(struct merge *m, int input, bool is_awaited);
/* The next value, borrowed until the next call; false when none may go on yet. */
bool merge_pop(struct merge *m, int *input, const void **value, size_t *size);
/* How far the whole has come, ns: nothing that goes on later is earlier, but for what is late. UINT64_MAX when no input is awaited. */
uint64_t merge_now(const struct merge *m);
/* Values of an input that wait. */
size_t merge_waiting(const struct merge *m, int input);
/* Values that went on behind later ones. */
uint64_t merge_late(const struct merge *m);
/* Forgets every value that waits, and every watermark. */
void merge_clear(struct merge *m);

#endif
