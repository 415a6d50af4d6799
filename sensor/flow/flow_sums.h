/* SPDX-License-Identifier: Apache-2.0
 * Segments that their receiver does not take, because of their checksum: a client may put them in the place of those it
 * means. A wrong checksum alone proves nothing, as network cards compute it behind the capture. So a client's are judged
 * where those of its data before were right, and its server's are right on this tap, too. */
#ifndef FLOW_FLOW_SUMS_H
#define FLOW_FLOW_SUMS_H

#include "flow/flow.h"

/* One segment of 'dir' comes: what its checksum teaches of those to come. True when it is not to be taken. */
bool flow_sums_is_refused(struct flow *f, int dir, const struct dissected *d);

#endif
