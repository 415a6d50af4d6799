/* SPDX-License-Identifier: Apache-2.0
 * Builds and checks the names under which things are stored. */
#include "store/store_keys.h"

#include "base/hex.h"

#include <string.h>

struct store_name store_name_of(struct span credential)
{
    struct store_name name = {{0}};
    size_t size = credential.size < sizeof name.at ? credential.size : sizeof name.at - 1;
    if (size)
        memcpy(name.at, credential.at, size);
    size_t text_size = strnlen(name.at, sizeof name.at);
    memset(name.at + text_size, 0, sizeof name.at - text_size);
    return name;
}

struct span store_name_span(const struct store_name *name)
{
    return span_of(name->at, strnlen(name->at, sizeof name->at));
}

static bool is_plain(uint8_t c)
{
    return c > 0x20 && c < 0x7f && !strchr("%{}\"'\\*?[]", c);
}

void store_escape(struct text *out, struct span s)
{
    for (size_t i = 0; i < s.size; i++) {
        if (is_plain(s.at[i]))
            text_add_char(out, (char)s.at[i]);
        else
            text_addf(out, "%%%02X", s.at[i]);
    }
}

static int escape_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool store_unescape(struct span s, struct store_name *out)
{
    size_t used = 0;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < s.size; i++) {
        int c = s.at[i];
        if (c == '%') {
            int high = s.size - i > 2 ? escape_digit(s.at[i + 1]) : -1;
            int low = s.size - i > 2 ? escape_digit(s.at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = high << 4 | low;
            i += 2;
        }
        if (c == 0 || used + 1 >= sizeof out->at)
            return false;
        out->at[used++] = (char)c;
    }
    return true;
}

bool store_prefix_is_good(const char *prefix)
{
    size_t size = strlen(prefix);
    if (size == 0 || size >= STORE_PREFIX_MAX)
        return false;
    return strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:") == size;
}

void store_key_schema(struct text *out, const char *prefix)
{
    text_clear(out);
    text_addf(out, "%s:schema", prefix);
}

static void key_of_credential(struct text *out, const char *prefix, struct span credential, const char *what)
{
    text_clear(out);
    text_addf(out, "%s:{", prefix);
    store_escape(out, credential);
    text_addf(out, "}:%s", what);
}

void store_key_session(struct text *out, const char *prefix, const uint8_t hash[16])
{
    char hex[33];
    struct span credential = span_text(hex_text(span_of(hash, 16), hex));
    key_of_credential(out, prefix, credential, "session");
}

void store_key_baseline(struct text *out, const char *prefix, struct span credential)
{
    key_of_credential(out, prefix, credential, "baseline");
}

void store_key_corrupt(struct text *out, const char *prefix, struct span credential)
{
    key_of_credential(out, prefix, credential, "baseline.corrupt");
}

void store_key_feed(struct text *out, const char *prefix, enum feed_key key, const char *name)
{
    static const char *const feed_keys[] = {"sensors", "taken", "order", "lease", "epoch", "analysers", "sinks", "stream"};
    text_clear(out);
    text_addf(out, "%s:{feed}:", prefix);
    if (key == FEED_STREAM)
        text_addf(out, "%s:", name);
    text_add_str(out, feed_keys[key]);
}
