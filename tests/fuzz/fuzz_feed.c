/* SPDX-License-Identifier: Apache-2.0
 * Entries of the streams between sensors and analysers, of any content: bounded, and what is read writes the same bytes. */
#include "run/feed_batch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_candidate(struct span packed)
{
    struct activity a;
    struct text why = {0}, again = {0};
    if (activity_unpack(packed, &a, &why) == 0) {
        activity_pack(&a, &again);
        if (!span_eq(text_span(&again), packed))
            abort();
    } else if (!why.size) {
        abort(); /* a refusal says why */
    }
    text_fini(&why);
    text_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed_batch b;
    struct feed_item item;
    struct text why = {0};
    check_candidate(span_of(data, size));
    if (feed_batch_body(span_of(data, size), &b, &why) == 0)
        while (feed_batch_next(&b, &item))
            check_candidate(item.packed);
    text_fini(&why);
    return 0;
}
