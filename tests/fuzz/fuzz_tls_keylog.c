/* SPDX-License-Identifier: Apache-2.0
 * A key log of anything: every line is counted once, as one kind, and what is taken from it can be found again. */
#include "base/assert.h"
#include "wire/tls_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_keylog_counts counts = {0};
    struct tls_keys *keys = tls_keys_new(&(struct tls_keys_limits){.max_connections = 4, .life_ns = 5});
    struct span rest = span_of(data, size), line;
    uint64_t n = 0;
    while (span_split(&rest, '\n', &line)) {
        struct tls_keylog_entry entry;
        n++;
        if (!tls_keylog_line(line, &counts, &entry))
            continue;
        ASSERT(entry.label < TLS_SECRETS && (entry.size == 32 || entry.size == 48));
        tls_keys_add(keys, &entry, n);
        struct span found = entry.session_id_size
                                ? tls_keys_find_session(keys, span_of(entry.client_random, entry.session_id_size))
                                : tls_keys_find(keys, entry.client_random, (enum tls_secret)entry.label);
        ASSERT(span_eq(found, span_of(entry.secret, entry.size)));
        tls_keys_expire(keys, n);
    }
    ASSERT(counts.lines == n);
    ASSERT(counts.lines == counts.entries + counts.blank + counts.other + counts.rsa + counts.garbage);
    tls_keys_free(keys);
    return 0;
}
