/* SPDX-License-Identifier: Apache-2.0
 * Profile files of any content: compiled and thrown away, or refused with one line. */
#include "app/profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text why = {0};
    struct profiles *p = NULL;
    if (profiles_parse("fuzz.yaml", span_of(data, size), &p, &why) == 0) {
        if (profiles_declare(p, profiles_name(p, 0), "*.example", &why))
            abort();
        profiles_free(p);
    } else if (why.size == 0) {
        abort(); /* a refusal says why */
    }
    text_fini(&why);
    return 0;
}
