/* SPDX-License-Identifier: Apache-2.0
 * What an impact is summed from. For impact.c, impact_logs.c and impact_sum.c only. */
#ifndef RUN_IMPACT_PARTS_H
#define RUN_IMPACT_PARTS_H

#include "base/map.h"
#include "run/impact.h"

/* One activity of the subject, as it stands at the end. Names are places among the names. */
struct act {
    uint32_t customer, kase, name, object, app;
    uint64_t time_ns;
    uint8_t action, outcome, size_known, doubt;
    uint16_t status;
    uint32_t flags;
    bool is_whole, is_amended, is_head;
    uint8_t transfer[16];
    uint64_t transfer_bytes, body_bytes, file_size, missing;
    struct file_facts file;
};

struct owned {
    const struct subject *subject;
    struct act *acts;
    size_t n;
    struct text names; /* each NUL-terminated; the first is "" */
    struct map *once;  /* hash of a name -> its place */
    struct map *named; /* session -> place of its user's name among the names */
    struct map *by_id; /* event.id -> number of the act */
};

/* Fills files and cases. E_NOMEM. */
int impact_sum(struct impact *out, struct owned *own);

#endif
