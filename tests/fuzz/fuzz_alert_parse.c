/* SPDX-License-Identifier: Apache-2.0
 * Lines of an alert log: what is read can be told in every format, and what was told in ours reads the same again. */
#include "base/assert.h"
#include "base/err.h"
#include "record/utf8.h"
#include "sink/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void all_formats(const struct alert *a)
{
    for (int f = 0; f < FORMAT_N; f++) {
        struct text out = {0};
        format_alert((enum alert_format)f, a, &out);
        ASSERT(!out.is_cut && utf8_valid(text_span(&out)) == out.size && !memchr(out.at, '\n', out.size));
        text_fini(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text first = {0}, second = {0}, why = {0};
    struct alert_kept *k = alert_kept_new();
    const struct alert *a;
    int rc = alert_parse(span_of(data, size), k, &a, &why);
    ASSERT(rc == E_OK || (rc == E_BAD && why.size));
    if (rc == E_OK) {
        all_formats(a);
        alert_json(a, &first);
        ASSERT(alert_parse(text_span(&first), k, &a, &why) == E_OK);
        alert_json(a, &second);
        ASSERT(alert_parse(text_span(&second), k, &a, &why) == E_OK);
    }
    alert_kept_free(k);
    text_fini(&first);
    text_fini(&second);
    text_fini(&why);
    return 0;
}
