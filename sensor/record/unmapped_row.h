/* SPDX-License-Identifier: Apache-2.0
 * One template of requests that no route of a profile took, and its line of unmapped.ndjson. */
#ifndef RECORD_UNMAPPED_ROW_H
#define RECORD_UNMAPPED_ROW_H

#include "base/text.h"

#define UNMAPPED_TEMPLATE 240
#define UNMAPPED_HOST 96

struct unmapped_row {
    struct span profile;
    char host[UNMAPPED_HOST], method[12], template[UNMAPPED_TEMPLATE];
    uint64_t requests, refused, files, bytes, first_ns, last_ns;
    uint64_t credentials; /* how many different ones: counted by a 512-bit sketch, exact for few (Whang 1990) */
};

/* The line (schema unmapped.schema.json), newline included. */
void unmapped_json(const struct unmapped_row *row, struct text *out);

#endif
