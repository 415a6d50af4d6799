/* SPDX-License-Identifier: Apache-2.0
 * SHA-256 (FIPS 180-4) of bytes that stream by. The state is the caller's: nothing is taken from the heap, so that packets
 * need not wait for it. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/span.h"

#define DIGEST_SIZE 32

struct digest { /* opaque */
    uint64_t state[16];
};

void digest_init(struct digest *d);
void digest_feed(struct digest *d, struct span bytes);
/* The digest of what was fed. The state has to be begun anew afterwards. */
void digest_end(struct digest *d, uint8_t out[DIGEST_SIZE]);

#endif
