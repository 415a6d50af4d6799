/* SPDX-License-Identifier: Apache-2.0
 * What the header blocks of an HTTP/2 connection say of its streams. Inside of flow/ only. */
#ifndef FLOW_HTTP2_MESSAGE_H
#define FLOW_HTTP2_MESSAGE_H

#include "flow/http2_stream.h"

/* A request, an answer, an interim answer, or trailers. */
void http2_message_head(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns);
/* A promise of the server. */
void http2_message_push(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns);
/* A block that was not seen whole: the header state of this direction is lost. */
void http2_message_lost(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns);

#endif
