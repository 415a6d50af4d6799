/* SPDX-License-Identifier: Apache-2.0
 * Rosters of any content: read and asked, or refused with one line. */
#include "enrich/roster.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text why = {0};
    struct roster *r = NULL;
    FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
    if (!file)
        return 0;
    if (roster_read(file, "fuzz.csv", &r, &why) == 0) {
        const struct roster_person *p = roster_find(r, span_of(data, size));
        (void)roster_is_holiday(r, p, 1772409600000000000u); /* that it ends, and stays in its arrays, is the test */
        if (roster_totals(r).people > ROSTER_PEOPLE_MAX)
            abort();
        roster_free(r);
    } else if (why.size == 0 || r) {
        abort(); /* a refusal says why */
    }
    fclose(file);
    text_fini(&why);
    return 0;
}
