/* SPDX-License-Identifier: Apache-2.0
 * A header block of HTTP/2 as a head like that of HTTP/1: pseudo-header fields become method, target, status and Host
 * (RFC 9113, 8.3), the crumbs of a cookie one field (8.2.3). Inside of flow/ only. */
#ifndef FLOW_HTTP2_HEAD_H
#define FLOW_HTTP2_HEAD_H

#include "flow/conn_exchange.h"
#include "wire/hpack.h"

struct http2_head {
    struct http1_head head; /* fields in lower case as they came, "host" first and "cookie" last; in 'text' */
    struct span text;       /* what conn_exchange_keep wants; valid until the next head is read */
    struct span authority, protocol;
    size_t crumbs;         /* bytes of cookies so far */
    uint32_t n_unknown;    /* fields that cannot be known */
    bool has_method, has_status, has_fields;
    bool is_odd;           /* not to the letter of RFC 9113, 8.2 and 8.3 */
    struct conn_pool *pool;
};

/* E_BAD, E_LIMIT as hpack_decode. */
int http2_head_read(struct conn_pool *p, struct hpack *h, struct span block, struct http2_head *out);

#endif
