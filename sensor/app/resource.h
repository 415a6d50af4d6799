/* SPDX-License-Identifier: Apache-2.0
 * Which object a body is of, and how large that is as a whole: what ties the pieces of a download together. */
#ifndef APP_RESOURCE_H
#define APP_RESOURCE_H

#include "record/activity.h"

/* Fills what the candidate of an answer with a file says of the object: resource, validator, total, and where a piece
 * belongs (range_from, or ACT_UNPLACED). Leaves it alone for anything but a 200 or 206 to GET or POST. Sizes are of the
 * selected representation (RFC 9110, 8.8 and 14): with its content coding, as it is transferred. */
void resource_fill(const struct transaction *t, uint64_t seed, struct activity *a);
/* Hash of host (in lower case), path and arguments; of the arguments of a signed link only those count that say what it
 * is a link to. Never zero. 'seed' is the deployment's secret: an argument may be a token. */
uint64_t resource_hash(struct span host, struct span target, uint64_t seed);

#endif
