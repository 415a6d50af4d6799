/* SPDX-License-Identifier: Apache-2.0
 * How many parts of pages (scripts, styles, images) each session fetched, counted on the packet side and told about
 * once a second: a browser fetches them, a script does not, and one activity for each would drown the log. */
#ifndef APP_ASSETS_H
#define APP_ASSETS_H

#include "record/activity.h"

struct assets;

/* A candidate of ACTION_NONE with session, server, assets and times; borrowed during the call. */
typedef void assets_emit_fn(void *ctx, const struct activity *fact);

/* 'max': sessions counted between two flushes; when there are more, one is told early. NULL: no memory. */
struct assets *assets_new(uint32_t max, assets_emit_fn *emit, void *ctx);
void assets_free(struct assets *s);
/* One part of a page. */
void assets_add(struct assets *s, const uint8_t session[SESSION_HASH_SIZE], const struct endpoint *server, uint64_t time_ns);
/* Tells what was counted, the session that waits longest first. Cheap when there is nothing. */
void assets_flush(struct assets *s);

#endif
