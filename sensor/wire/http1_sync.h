/* SPDX-License-Identifier: Apache-2.0
 * The inner side of http1.h: the head buffer, and finding the next message after sync was lost. */
#ifndef WIRE_HTTP1_SYNC_H
#define WIRE_HTTP1_SYNC_H

#include "wire/http1.h"

/* Appends to the head buffer, at most up to HTTP1_MAX_HEAD (then is_cut). False when no block is to be had (counted);
 * the buffer is then gone. */
bool http1_sync_collect(struct http1 *h, struct span bytes, struct http1_memory *memory);
void http1_sync_drop(struct http1 *h, struct http1_memory *memory);
/* Begins to look for the next message. */
void http1_sync_lose(struct http1 *h, struct http1_memory *memory);
/* The same, with the event that tells of it. */
enum http1_event http1_sync_lost(struct http1 *h, struct http1_memory *memory, struct http1_out *out, bool by_gap,
                                 bool in_message);
/* The same, but looks once more at what is in the buffer (one line or a part of one, no candidate). */
void http1_sync_reuse(struct http1 *h);
/* HTTP1_AT_RESYNC. Looks at whole lines: a request line may follow other bytes in its line, as may a status line; every
 * line behind it must be a field line, up to the empty one (else that line is looked at itself). */
enum http1_event http1_sync_step(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                 struct http1_out *out);
/* A gap or the end comes behind what is in the buffer. True when that is a start line and perhaps fields: out->data. */
bool http1_sync_finish(struct http1 *h, struct http1_out *out);

#endif
