/* SPDX-License-Identifier: Apache-2.0
 * A candidate in few bytes, for another machine: everything that an activity says, the candidate's own evidence (hashes, never
 * values) too, without what is zero or empty. The same on every machine:
 *
 *     version, then for each field that is not zero its number and value, 0, then for each string its number, length, bytes, 0
 *
 * all numbers as of base/varint.h, fields and strings by rising numbers from 1. */
#ifndef RECORD_ACTIVITY_PACK_H
#define RECORD_ACTIVITY_PACK_H

#include "record/activity.h"

#define ACTIVITY_PACK_VERSION 1
#define ACTIVITY_PACK_MAX 8192 /* bytes; more than any has */

/* Appends it. What enrichment and sessions add to a settled activity is left out: this is for candidates. */
void activity_pack(const struct activity *a, struct text *out);
/* Reads one that may come from anywhere. E_STATE for another version, E_BAD for what activity_pack would not have written: a
 * number that is out of its range, a string that does not fit or is no UTF-8, bytes too few or too many; with a reason. */
int activity_unpack(struct span bytes, struct activity *a, struct text *why);

#endif
