/* SPDX-License-Identifier: Apache-2.0
 * The client of an act as a baseline keeps it: family and version as enrichment found them, and the User-Agent without
 * its numbers, which is the same before and after an update. */
#ifndef DETECT_AGENT_H
#define DETECT_AGENT_H

#include "record/activity.h"
#include "store/baseline.h"

struct agents; /* remembers what User-Agents come to: there are few of them */

struct agents *agents_new(void);
void agents_free(struct agents *g);
struct client agents_client(struct agents *g, const struct activity *a);

#endif
