/* SPDX-License-Identifier: Apache-2.0
 * One hash over kind, application, host and id, each ended by a zero byte. */
#include "app/desk_key.h"

#include "base/hash.h"

struct desk_key desk_key_of(const struct activity *a, char kind, struct span id)
{
    uint8_t text[1024];
    const struct span parts[] = {activity_get(a, STR_APP), activity_get(a, STR_HOST), id};
    size_t size = 0;
    text[size++] = (uint8_t)kind;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t n = parts[i].size < 300 ? parts[i].size : 300;
        if (n)
            memcpy(text + size, parts[i].at, n);
        size += n;
        text[size++] = 0;
    }
    struct desk_key key;
    hash128(span_of(text, size), 0, key.hash);
    return key;
}

bool desk_key_is_zero(const struct desk_key *key)
{
    static const struct desk_key none;
    return memcmp(key, &none, sizeof none) == 0;
}
