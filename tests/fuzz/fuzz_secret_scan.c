/* SPDX-License-Identifier: Apache-2.0
 * Secrets in texts: read whole and in slices they are the same, none is told that cannot be there, and nothing of the text
 * stays. The first byte says how long the slices are. */
#include "base/assert.h"
#include "wire/secret_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scan(struct secret_scan *s, struct span text, size_t step, struct file_facts *out)
{
    static const struct secret_scan zero;
    *out = (struct file_facts){0};
    secret_scan_init(s, 1773000000);
    for (size_t at = 0; at < text.size; at += step)
        secret_scan_feed(s, span_sub(text, at, step));
    secret_scan_end(s, out);
    ASSERT(memcmp(s, &zero, sizeof zero) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct secret_scan s;
    struct file_facts whole, sliced;
    if (size < 2)
        return 0;
    struct span text = span_of(data + 1, size - 1);
    scan(&s, text, text.size, &whole);
    scan(&s, text, data[0] % 40u + 1, &sliced);
    ASSERT(memcmp(whole.secrets, sliced.secrets, sizeof whole.secrets) == 0 && whole.expired == sliced.expired);
    ASSERT(whole.is_cut == sliced.is_cut);
    ASSERT(file_facts_secrets(&whole) <= text.size / 4 && whole.expired <= file_facts_secrets(&whole));
    return 0;
}
