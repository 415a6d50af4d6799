/* SPDX-License-Identifier: Apache-2.0
 * Parameters of header fields: "; name=value; name=\"quoted\\\"value\"" (RFC 9110, 5.6.4 and 5.6.6). */
#ifndef WIRE_PARAM_H
#define WIRE_PARAM_H

#include "base/arena.h"

/* Takes the part before the next 'separator' outside quoted strings off the front of *rest. A quoted string counts
 * as one only when it is closed and then a separator, ';', ',' , white space or the end follows: so a quotation
 * mark an attacker left open cannot swallow what a proxy appended. The part is trimmed. False at the end (as
 * span_split). */
bool param_split(struct span *rest, uint8_t separator, struct span *part);
/* Takes the next parameter off *rest (separator ';'). The name is trimmed; the value is raw: with its quotation
 * marks. One without '=' has a value with at == NULL. Empty ones are skipped. False at the end. */
bool param_next(struct span *rest, struct span *name, struct span *value);
/* A raw value without its quotation marks, escapes still inside; unquoted ones come back as they are. */
struct span param_inside(struct span raw);
/* The plain value of a raw one: quotation marks off, quoted-pairs undone. Borrows 'raw' where nothing had to be
 * undone, else a copy in the arena; {NULL, 0} and a->is_full without room. 'only_quotes': a backslash escapes
 * nothing but '"' and '\\' (what browsers and curl send in form-data names; a DOS path keeps its backslashes). */
struct span param_value(struct span raw, bool only_quotes, struct arena *a);

#endif
