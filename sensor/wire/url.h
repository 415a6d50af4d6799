/* SPDX-License-Identifier: Apache-2.0
 * Request targets and URLs (RFC 3986, RFC 9112 section 3.2): split, walk the arguments, undo percent-encoding.
 * Tolerant of what browsers and attackers send; spans in, spans out. */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include "base/arena.h"

struct url {
    struct span scheme; /* "https"; at == NULL when the target has none */
    struct span host;   /* without user info, port and brackets; at == NULL when the target has none */
    uint16_t port;      /* 0 = not given */
    struct span path;   /* with its leading '/', as written; "*" for asterisk-form */
    struct span query;  /* without '?'; at == NULL when there is none */
};

/* Splits origin-form, absolute-form and asterisk-form targets, scheme-less "//host/path" and relative references; the
 * fragment is dropped. Authority-form (CONNECT) comes out as a path: split it with url_authority. Borrows 'target'.
 * */
void url_split(struct span target, struct url *out);
/* Splits "user@host:port" or "[v6]:port"; *port is 0 when absent or not a number up to 65535. */
void url_authority(struct span authority, struct span *host, uint16_t *port);
/* Takes the next "name=value" off a query string or a urlencoded body (separator '&'); both come raw. A pair
 * without '=' has a value with at == NULL; empty pairs are skipped. False at the end. */
bool url_next_pair(struct span *rest, struct span *name, struct span *value);
/* 'raw' with %XX undone (and '+' as space, if asked); malformed escapes stay as they are. Returns 'raw' itself when
 * there is nothing to undo, else a copy in the arena; {NULL, 0} and a->is_full when that has no room. */
struct span url_decode(struct span raw, bool plus_is_space, struct arena *a);
/* Whether 'raw', decoded, is 'plain'. */
bool url_decodes_to(struct span raw, bool plus_is_space, struct span plain);
/* The decoded value of the first argument called 'name' of a query string or urlencoded body. False when absent. */
bool url_arg(struct span query, struct span name, struct arena *a, struct span *value);
/* What follows the last '/' of a path, raw; empty when the path ends in '/'. */
struct span url_last_segment(struct span path);

#endif
