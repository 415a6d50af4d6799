/* SPDX-License-Identifier: Apache-2.0
 * The inner side of http1.h: the way back into a chunked body behind a gap over the framing of its chunks. */
#ifndef WIRE_HTTP1_CHUNKS_H
#define WIRE_HTTP1_CHUNKS_H

#include "wire/http1.h"

/* How many bytes of what stands between two chunks have come, where the machine is there. */
unsigned http1_chunks_framing(const struct http1 *h);
/* Sync has been lost: looks for chunk sizes from now on; 'framing' bytes of the framing were there before the gap. */
void http1_chunks_begin(struct http1 *h, unsigned framing);
/* The next bytes, at least one, which end with their line or before; h->unsynced has counted them. True at the end of a line that is a
 * chunk size where the one before it said: the machine is back in the body, at the first byte of a chunk, and *size bytes
 * of the body have passed since sync was lost. */
bool http1_chunks_step(struct http1 *h, struct span part, uint64_t *size);
/* A gap comes next. */
void http1_chunks_gap(struct http1 *h);

#endif
