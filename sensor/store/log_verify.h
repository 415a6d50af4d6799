/* SPDX-License-Identifier: Apache-2.0
 * Whether an activity log is what was written: its hash chain, from the first segment there is to the last. */
#ifndef STORE_LOG_VERIFY_H
#define STORE_LOG_VERIFY_H

#include "base/digest.h"
#include "base/text.h"

struct log_verdict {
    uint64_t segments, records;
    uint64_t redacted;   /* records that were erased and left their digest */
    uint64_t open;       /* records at the end that no mark covers yet */
    uint64_t first;      /* sequence number of the first record there is */
    uint64_t faults;     /* places where the chain does not hold */
    uint8_t head[DIGEST_SIZE]; /* after the last record: whoever keeps it elsewhere can tell that nothing was changed since */
};

/* E_OK when it was looked through: *faults says the rest, 'told' has a line for each (the first 20). E_IO, E_NONE with a line in why. */
int log_verify(const char *dir, struct log_verdict *out, struct text *told, struct text *why);

#endif
