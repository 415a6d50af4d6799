/* SPDX-License-Identifier: Apache-2.0
 * How much is usual per day or window: the credential's own history, with the fleet's as prior, worth five days. */
#ifndef DETECT_VOLUME_H
#define DETECT_VOLUME_H

#include "detect/scene.h"
#include "sketch/surprise.h"

/* 'which': offset of a struct moments in struct baseline; 'start': what an untaught fleet is taken to do. */
struct spread volume_usual(const struct scene *s, size_t which, struct spread start);
/* "2.9 on an active day (12 days)". Returns out. */
const char *volume_text(const struct scene *s, size_t which, struct spread usual, char *out, size_t size);

#endif
