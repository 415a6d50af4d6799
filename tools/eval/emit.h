/* SPDX-License-Identifier: Apache-2.0
 * Compact acts into the sensor's own record. */
#ifndef EVAL_EMIT_H
#define EVAL_EMIT_H

#include "eval/world.h"

struct emitter;

struct emitter *emitter_new(void);
void emitter_free(struct emitter *e);
/* Fills *out as the sensor would have recorded it, enrichment included. The id is set only when 'seal'. */
void emitter_fill(struct emitter *e, const struct world *w, const struct act *a, bool seal, struct activity *out);
/* "u00017", "svc-00004" */
const char *emitter_name(const struct world *w, uint32_t who, char out[16]);

#endif
