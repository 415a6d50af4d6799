/* SPDX-License-Identifier: Apache-2.0
 * Words of a line of state. */
#include "app/words.h"

#include "app/extract.h"
#include "base/hex.h"

#define WORD_MAX 300

static const char hex_digits[] = "0123456789abcdef";

char *words_put(char *to, struct span text)
{
    *to++ = ' ';
    if (text.size == 0)
        *to++ = '-';
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c > 0x20 && c < 0x7f && c != '%' && !(c == '-' && text.size == 1)) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = hex_digits[c >> 4];
        *to++ = hex_digits[c & 15];
    }
    *to = 0;
    return to;
}

char *words_put_hash(char *to, const uint8_t hash[16])
{
    *to++ = ' ';
    hex_text(span_of(hash, 16), to);
    return to + 32;
}

bool words_read(struct span word, char *to, size_t max, size_t *size)
{
    uint8_t plain[WORDS_ROOM(WORD_MAX)];
    bool is_nothing = span_eq(word, SPAN("-"));
    *size = is_nothing ? 0 : extract_decode(DECODE_URL, word, plain, sizeof plain);
    if (!word.size || *size > max || (*size == 0 && !is_nothing))
        return false;
    if (*size)
        memcpy(to, plain, *size);
    return true;
}

bool words_read_hash(struct span word, uint8_t hash[16])
{
    return hex_bytes(word, hash, 16);
}
