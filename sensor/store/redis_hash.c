/* SPDX-License-Identifier: Apache-2.0
 * Turns baselines into hashes and back. */
#include "store/redis_hash.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/hash.h"

static uint64_t fields_of(uint64_t names)
{
    return names <= HASH_FIELDS_NONE ? HASH_FIELDS_NONE + 1 : names; /* never one of the two that mean something else */
}

static void add_word(struct redis_hash *h, const char *text, size_t size)
{
    ASSERT(h->n < sizeof h->words / sizeof h->words[0] && size <= sizeof h->text - h->used);
    memcpy(h->text + h->used, text, size);
    h->words[h->n++] = span_of(h->text + h->used, size);
    h->used += size;
}

static void add_field(void *ctx, const char *field, const char *value)
{
    struct redis_hash *h = ctx;
    h->fields = hash64(span_text(field), h->fields);
    add_word(h, field, strlen(field));
    add_word(h, value, strlen(value));
}

void redis_hash_build(struct redis_hash *h, struct span key, const struct baseline *b)
{
    h->n = 2;
    h->used = 0;
    h->fields = 0;
    h->words[1] = key;
    bool is_empty = baseline_write(b, add_field, h) == 0;
    h->words[0] = is_empty ? SPAN("DEL") : SPAN("HSET");
    h->fields = is_empty ? HASH_FIELDS_NONE : fields_of(h->fields);
}

static bool copy_text(char *out, size_t size, struct span s)
{
    if (s.size == 0 || s.size >= size || memchr(s.at, 0, s.size))
        return false;
    memcpy(out, s.at, s.size);
    out[s.size] = 0;
    return true;
}

static void copy_printable(char *out, size_t size, struct span s)
{
    size_t n = s.size < size ? s.size : size - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = s.at[i] > 0x20 && s.at[i] < 0x7f ? (char)s.at[i] : '?';
    if (n == 0)
        out[n++] = '?';
    out[n] = 0;
}

void redis_hash_read(const struct redis_reply *reply, struct baseline *b, uint64_t *fields,
                     char bad[REDIS_HASH_BAD_MAX])
{
    uint64_t names = 0;
    bad[0] = 0;
    for (size_t i = 0; i + 1 < reply_size(reply); i += 2) {
        struct span name = reply_text(reply_item(reply, i));
        struct span value = reply_text(reply_item(reply, i + 1));
        char field[BASELINE_FIELD_MAX], text[BASELINE_VALUE_MAX];
        bool is_good = copy_text(field, sizeof field, name) && copy_text(text, sizeof text, value) &&
                       baseline_read(b, field, text) == E_OK;
        if (!is_good && !bad[0])
            copy_printable(bad, REDIS_HASH_BAD_MAX, name);
        names = hash64(name, names);
    }
    *fields = reply_size(reply) ? fields_of(names) : HASH_FIELDS_NONE;
}
