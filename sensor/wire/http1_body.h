/* SPDX-License-Identifier: Apache-2.0
 * The inner side of http1.h: bodies, by their framing. */
#ifndef WIRE_HTTP1_BODY_H
#define WIRE_HTTP1_BODY_H

#include "wire/http1.h"

/* One step in a state from HTTP1_AT_LENGTH to HTTP1_AT_TRAILER, with bytes at hand. */
enum http1_event http1_body_step(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                 struct http1_out *out);

#endif
