/* SPDX-License-Identifier: Apache-2.0
 * Lines of an activity log: what is read can be written, and reads the same again. */
#include "base/assert.h"
#include "base/err.h"
#include "record/activity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct activity a;
    struct text first = {0}, second = {0}, why = {0};
    int rc = activity_parse(span_of(data, size), &a, &why);
    ASSERT(rc == E_OK || ((rc == E_BAD || rc == E_STATE) && why.size)); /* E_STATE: another schema version */
    if (rc == E_OK) {
        ASSERT(activity_size(&a) <= sizeof a);
        activity_json(&a, &first);
        ASSERT(activity_parse(text_span(&first), &a, &why) == E_OK);
        activity_json(&a, &second);
        ASSERT(span_eq(text_span(&first), text_span(&second)));
    }
    text_fini(&first);
    text_fini(&second);
    text_fini(&why);
    return 0;
}
