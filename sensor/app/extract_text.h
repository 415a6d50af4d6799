/* SPDX-License-Identifier: Apache-2.0
 * Finding texts between markers in a body that streams by. */
#ifndef APP_EXTRACT_TEXT_H
#define APP_EXTRACT_TEXT_H

#include "app/profile_rules.h"

#define FINDER_TAIL (TEXT_MARKER_MAX + 1)
#define FINDER_TEXT 320

struct finder; /* one rule at work */

/* A value (raw, borrowed; empty for a rule without 'until'), and the offset in the body behind its last marker. */
typedef void finder_fn(void *ctx, const struct finder *f, struct span value, uint64_t offset);

struct finder {
    const struct text_rule *rule;
    uint8_t slot;
    bool is_each, is_done;
    uint8_t stage;    /* marker looked for next; rule->n_after: collecting the value */
    uint8_t tail_size;
    uint16_t text_size;
    uint64_t offset;  /* bytes of the body fed so far */
    uint8_t tail[FINDER_TAIL];
    uint8_t text[FINDER_TEXT];
};

void finder_init(struct finder *f, const struct text_rule *rule, uint8_t slot, bool is_each);
/* One step: up to the end of one marker or value at most; bytes used up, more than 0. 'bytes' is not empty. */
size_t finder_step(struct finder *f, struct span bytes, finder_fn *fn, void *ctx);
/* What is in progress is given up; a rule that is not for each value is done. */
void finder_restart(struct finder *f);
void finder_feed(struct finder *f, struct span bytes, finder_fn *fn, void *ctx);
/* Bytes are missing: what was in progress is given up. */
void finder_gap(struct finder *f, uint64_t bytes);

#endif
