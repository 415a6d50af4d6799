/* SPDX-License-Identifier: Apache-2.0
 * What a person's word about an alert does to a baseline (learning that feedback steers; Wiefling et al. 2021 ask for it). */
#ifndef DETECT_VERDICT_H
#define DETECT_VERDICT_H

#include "detect/marks.h"
#include "detect/scene.h"
#include "record/feedback.h"

/* The alert was the owner's doing: its place and client become usual with the weight of three sessions, a volume counts as
 * three days, and what was held back because of it is learned. 's' is of the alert's credential, place and client; its visit
 * may be a made-up one. Said twice, it counts once. */
void verdict_benign(struct scene *s, const struct feedback *f, struct peers *peers);
/* It was a thief's: what the visit taught is taken back, the baseline is judged by and learns no more, and session, address
 * and client are marked. */
void verdict_malicious(struct scene *s, const struct feedback *f, struct marks *marks);
/* The end of that: the baseline learns again. */
void verdict_thaw(struct scene *s);

#endif
