/* SPDX-License-Identifier: Apache-2.0
 * What collectors answer. Foreign bytes: anything may stand there. */
#ifndef RECORD_COLLECTOR_ANSWER_H
#define RECORD_COLLECTOR_ANSWER_H

#include "base/text.h"

/* The id to ask after, of an answer of Splunk's event collector; false when it has none. */
bool answer_hec_id(struct span body, uint64_t *id);
/* Whether the answer to a question after 'id' says that it is indexed. */
bool answer_hec_acked(struct span body, uint64_t id);
/* The HTTP status of each of n items of a _bulk answer, in order; false when it is no such answer. 'why' gets the
 * reason of the first that failed. */
bool answer_bulk(struct span body, uint16_t *statuses, size_t n, struct text *why);

#endif
