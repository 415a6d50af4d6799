/* SPDX-License-Identifier: Apache-2.0
 * Two baselines of one credential made one: what was stored, and what was learned while the store could not be
 * asked. */
#ifndef STORE_MERGE_H
#define STORE_MERGE_H

#include "store/baseline.h"

/* Adds to 'stored' what 'since' learned later on without knowing of it. Counts, sums and filters add up; a place or
 * client that both know keeps the stored one's trust; of today's counts those of the later day stand when the days
 * differ. Exact but for the decay of weights and the values that no longer fit. */
void baseline_merge(struct baseline *stored, const struct baseline *since);

#endif
