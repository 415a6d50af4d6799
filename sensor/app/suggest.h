/* SPDX-License-Identifier: Apache-2.0
 * A first draft of a profile for an application nobody wrote one for: what a capture shows of hosts, logins, session
 * cookies, keys, files and pages, and the same written down in the language of profiles. Takes the place of app.h on the
 * connections; nothing of it runs in a replay. */
#ifndef APP_SUGGEST_H
#define APP_SUGGEST_H

#include "base/text.h"
#include "flow/conn.h"

struct suggest;

/* NULL when memory cannot be reserved. */
struct suggest *suggest_new(void);
void suggest_free(struct suggest *s);
/* The hooks to hand to conn_pool_new; they borrow 's'. */
struct conn_hooks suggest_hooks(struct suggest *s);
/* The draft, as YAML: of the host of this name (any case), or, when it is empty, of the one that gave most files and then
 * had most requests. Names of cookies, fields and arguments stand in it, never their values. E_NONE with a line in why
 * when there was no HTTP, not this host, or nothing to write down. */
int suggest_write(struct suggest *s, struct span host, struct text *out, struct text *why);

#endif
