/* SPDX-License-Identifier: Apache-2.0
 * The packet half: from a frame to activity candidates. One per worker, sharing nothing but compiled profiles. */
#ifndef RUN_PIPELINE_H
#define RUN_PIPELINE_H

#include "app/app.h"
#include "base/counter.h"
#include "base/packet.h"
#include "run/settings.h"
#include "wire/tls_keylog.h"

struct pipeline;

struct pipeline_hooks {
    void *ctx;
    void (*on_candidate)(void *ctx, const struct activity *candidate); /* borrowed */
    /* NULL: nobody wants the transactions. */
    void (*on_transaction)(void *ctx, const struct transaction *t, const struct ipaddr *forwarded);
    /* Why each transaction took its route, as text or JSON. NULL: nobody wants it. */
    void (*on_explained)(void *ctx, struct span why);
    bool explain_json;
    /* Who looks at the transactions instead of the applications; copied. NULL: nobody does. */
    const struct conn_hooks *instead;
};

/* E_NOMEM. 'profiles' and 'key' are borrowed. */
int pipeline_new(const struct settings *s, const struct profiles *profiles, struct keyed *key,
                 const struct pipeline_hooks *hooks, struct pipeline **out);
void pipeline_free(struct pipeline *p);
void pipeline_packet(struct pipeline *p, const struct packet *packet);
/* Reads one line of a TLS key log; what is no secret is counted. Touches nothing that packets touch: another thread may
 * call it, as long as it is always the same. The caller wipes *entry. */
bool pipeline_key_read(struct pipeline *p, struct span line, struct tls_keylog_entry *entry);
/* A secret; pipeline_keys follows the last of several. */
void pipeline_key_add(struct pipeline *p, const struct tls_keylog_entry *entry);
/* Both, for a line. */
void pipeline_key_line(struct pipeline *p, struct span line);
/* False: the system lets no memory be locked for the secrets, they may be swapped out. */
bool pipeline_keys_are_locked(const struct pipeline *p);
/* A whole key log (of a capture file); connections that waited for it go on. */
void pipeline_key_log(struct pipeline *p, struct span log);
/* Connections that waited for secrets go on. */
void pipeline_keys(struct pipeline *p);
/* End of capture: every flow ends, every open transaction is handed out. */
void pipeline_flush(struct pipeline *p);
/* Packet time so far (never goes back), ns. */
uint64_t pipeline_now(const struct pipeline *p);
/* The least packet time seen, ns; UINT64_MAX before the first packet. */
uint64_t pipeline_first(const struct pipeline *p);
uint64_t pipeline_transactions(const struct pipeline *p);
/* The link type (DLT_) of the first frame of one that is not read; UINT32_MAX: there was none. */
uint32_t pipeline_unread_link(const struct pipeline *p);
const struct app *pipeline_app(const struct pipeline *p);
/* The counters of module i: "decap", "flow", "conn", "classify", "app", "pipeline", "unmapped", then those of TLS and QUIC; defs == NULL after the last. */
struct counters pipeline_counters(const struct pipeline *p, size_t i);

#endif
