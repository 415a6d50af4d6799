/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 as records keep it: well-formed, cut only between characters. (RFC 3629; Unicode 15, table 3-7.) */
#ifndef RECORD_UTF8_H
#define RECORD_UTF8_H

#include "base/span.h"

/* Bytes of the well-formed character at the front of 's' (1-4), or 0 when there is none. */
size_t utf8_char(struct span s);
/* Bytes of the longest front part of 's' that is well-formed. */
size_t utf8_valid(struct span s);
/* Copies 's' into out, each byte that is not part of a well-formed character as U+FFFD; stops before the first
 * character that would pass 'max'. Returns the bytes written, sets *is_cut when something was left. 'out' and 's' do
 * not overlap. */
size_t utf8_copy(struct span s, uint8_t *out, size_t max, bool *is_cut);

#endif
