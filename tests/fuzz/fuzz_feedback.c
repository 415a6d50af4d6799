/* SPDX-License-Identifier: Apache-2.0
 * Feedback and alert lines of any content: what is read can be written and read again. */
#include "record/feedback.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feedback f, back;
    struct text why = {0}, line = {0};
    if (feedback_parse(span_of(data, size), &f, &why) == 0) {
        feedback_json(&f, &line);
        if (feedback_parse(text_span(&line), &back, &why) || strcmp(f.user, back.user) != 0)
            abort();
    } else if (why.size == 0) {
        abort(); /* a refusal says why */
    }
    text_clear(&why);
    f = (struct feedback){0};
    if (feedback_of_alert(span_of(data, size), &f, &why) != 0 && why.size == 0)
        abort();
    text_fini(&why);
    text_fini(&line);
    return 0;
}
