/* SPDX-License-Identifier: Apache-2.0
 * Text from the wire as it may stand on a screen or in a line of a log: nothing that moves the cursor, switches modes,
 * ends a line, reorders what stands beside it, or is not seen at all. */
#ifndef RECORD_SHOWN_H
#define RECORD_SHOWN_H

#include "base/text.h"

#define SHOWN_MAX 16
/* Takes one character, or one byte that is part of none, off the front of *s (not empty) and writes it to 'shown',
 * NUL-terminated: as it is, or "\x1b", "\u202e" where it would do harm. Returns the columns it takes on a terminal. */
size_t shown_next(struct span *s, char shown[SHOWN_MAX]);
/* All of 's' so, up to 'max' bytes of it, cut between characters. */
void shown_add(struct span s, size_t max, struct text *out);

#endif
