/* SPDX-License-Identifier: Apache-2.0
 * Request targets on their way to a record: masking ends, stays in bounds, and has nothing left to do the second time. */
#include "base/assert.h"
#include "record/transaction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text once = {0}, twice = {0};
    struct span target = span_of(data, size);
    target_mask(target, &once);
    ASSERT(once.size <= 3 * size);
    if (size && data[0] == '/') {
        target_mask(text_span(&once), &twice);
        ASSERT(span_eq(text_span(&once), text_span(&twice)));
    }
    struct transaction t = {.target = target, .host = target, .method = target};
    text_clear(&twice);
    transaction_json(&t, NULL, &twice);
    ASSERT(twice.is_cut || memchr(twice.at, '\n', twice.size) == twice.at + twice.size - 1);
    text_fini(&once);
    text_fini(&twice);
    return 0;
}
