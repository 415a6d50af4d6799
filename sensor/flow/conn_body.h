/* SPDX-License-Identifier: Apache-2.0
 * Where the bytes of one body go: to its tap, decoded or not, up to its limit. Inside of flow/ only. */
#ifndef FLOW_CONN_BODY_H
#define FLOW_CONN_BODY_H

#include "flow/conn.h"
#include "wire/coding.h"

struct conn_body {
    struct body_tap tap;
    struct coding *coding; /* NULL: as on the wire */
    uint64_t passed;       /* bytes the tap got, gaps included */
};

/* After the hook has filled (or not) b->tap, which must have been zeroed with the rest before. */
void conn_body_open(struct conn_body *b, struct coding_pool *codings, const struct fields *fields);
void conn_body_feed(struct conn_body *b, struct coding_pool *codings, struct span bytes);
void conn_body_gap(struct conn_body *b, struct coding_pool *codings, uint64_t bytes);
/* No more comes. Sets the decoded size when the coding was undone to its end. May be called again. */
void conn_body_close(struct conn_body *b, struct coding_pool *codings, struct body_measure *measure);

#endif
