/* SPDX-License-Identifier: Apache-2.0
 * JSON out: RFC 8259, always UTF-8. */
#include "base/json.h"

#include "base/times.h"

#include <math.h>
#include <stdio.h>

/* The length of the valid UTF-8 sequence at the front of s (RFC 3629), or 0. */
static size_t utf8_size(struct span s)
{
    uint8_t c = s.at[0];
    size_t size = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (size == 0 || size > s.size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((s.at[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && s.at[1] < 0xa0) || (c == 0xed && s.at[1] > 0x9f) || (c == 0xf0 && s.at[1] < 0x90) ||
        (c == 0xf4 && s.at[1] > 0x8f))
        return 0;
    return size;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The high bit of each byte of w that is not plain; bytes above the first such one may be wrong ("hasless", "haszero":
 * S. E. Anderson, Bit Twiddling Hacks). */
static uint64_t odd_bytes(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101ULL, highs = 0x8080808080808080ULL;
    uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\'), del = w ^ (ones * 0x7f);
    return (w | ((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((del - ones) & ~del)) &
           highs;
}

/* Copies bytes from the front of s until one needs an escape; how many. 'out' has room for all of s. */
static size_t copy_plain(char *out, struct span s)
{
    size_t i = 0;
    uint64_t w;
    for (; s.size - i >= sizeof w; i += sizeof w) {
        memcpy(&w, s.at + i, sizeof w);
        if (odd_bytes(w))
            break;
        memcpy(out + i, &w, sizeof w);
    }
    if (i >= sizeof w && s.size - i < sizeof w) { /* the last word once more, so that it ends where the string does */
        memcpy(&w, s.at + s.size - sizeof w, sizeof w);
        if (!odd_bytes(w)) {
            memcpy(out + s.size - sizeof w, &w, sizeof w);
            return s.size;
        }
    }
    for (; i < s.size && is_plain(s.at[i]); i++)
        out[i] = (char)s.at[i];
    return i;
}

static void escape(struct text *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    const char *shorts = c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
    if (shorts) {
        text_add(out, span_of(shorts, 2));
    } else {
        char unicode[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        text_add(out, span_of(unicode, 6));
    }
}

/* The rest of a string whose front is written, and the closing quote. */
static void finish_string(struct text *out, struct span s)
{
    while (s.size) {
        char plain[256];
        size_t size = copy_plain(plain, span_sub(s, 0, sizeof plain));
        if (size) {
            text_add(out, span_of(plain, size));
            s = span_from(s, size);
            continue;
        }
        size = utf8_size(s);
        if (size > 1)
            text_add(out, span_sub(s, 0, size));
        else if (size == 1)
            escape(out, s.at[0]);
        else
            text_add(out, SPAN("\xef\xbf\xbd")); /* U+FFFD */
        s = span_from(s, size ? size : 1);
    }
    text_add_char(out, '"');
}

/* What stands before a value: the comma, the key. Our own constants: nothing to escape. */
static char *put_head(struct json *j, const char *key, size_t key_size, char *at)
{
    if (j->need_comma)
        *at++ = ',';
    j->need_comma = true;
    if (key) {
        *at++ = '"';
        memcpy(at, key, key_size);
        at += key_size;
        *at++ = '"';
        *at++ = ':';
    }
    return at;
}

/* Head and value together; when they do not fit, in pieces, so that as much as fits is written. */
static void put(struct json *j, const char *key, const char *value, size_t size)
{
    size_t key_size = key ? strlen(key) : 0;
    char *start = text_room(j->out, key_size + size + 4);
    if (start) {
        char *at = put_head(j, key, key_size, start);
        memcpy(at, value, size);
        text_grew(j->out, (size_t)(at - start) + size);
        return;
    }
    if (j->need_comma)
        text_add_char(j->out, ',');
    j->need_comma = true;
    if (key) {
        text_add_char(j->out, '"');
        text_add(j->out, span_of(key, key_size));
        text_add(j->out, SPAN("\":"));
    }
    text_add(j->out, span_of(value, size));
}

void json_open(struct json *j, const char *key, char bracket)
{
    put(j, key, &bracket, 1);
    j->need_comma = false;
}

void json_close(struct json *j, char bracket)
{
    text_add_char(j->out, bracket);
    j->need_comma = true;
}

void json_span(struct json *j, const char *key, struct span value)
{
    size_t key_size = key ? strlen(key) : 0;
    char *start = text_room(j->out, key_size + value.size + 6);
    if (!start) {
        put(j, key, "\"", 1);
        finish_string(j->out, value);
        return;
    }
    char *at = put_head(j, key, key_size, start);
    *at++ = '"';
    size_t plain = copy_plain(at, value);
    at += plain;
    if (plain == value.size)
        *at++ = '"';
    text_grew(j->out, (size_t)(at - start));
    if (plain < value.size)
        finish_string(j->out, span_from(value, plain));
}

void json_str(struct json *j, const char *key, const char *value)
{
    json_span(j, key, span_text(value));
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    put(j, key, digits + at, sizeof digits - at);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
    put(j, key, "", 0);
    text_addf(j->out, "%lld", (long long)value);
}

void json_fixed(struct json *j, const char *key, double value, int digits)
{
    put(j, key, "", 0);
    if (!isfinite(value))
        text_add(j->out, SPAN("null"));
    else
        text_addf(j->out, "%.*f", digits, value == 0 ? 0.0 : value); /* no "-0.0" */
}

void json_bool(struct json *j, const char *key, bool value)
{
    put(j, key, value ? "true" : "false", value ? 4 : 5);
}

void json_time(struct json *j, const char *key, uint64_t ns)
{
    char text[TIME_TEXT_MAX];
    json_str(j, key, time_text(ns, text));
}

void json_ip(struct json *j, const char *key, const struct ipaddr *ip)
{
    char text[IPADDR_TEXT_MAX];
    json_str(j, key, ipaddr_text(ip, text));
}

void json_hex(struct json *j, const char *key, struct span bytes)
{
    static const char hex[] = "0123456789abcdef";
    char part[64];
    put(j, key, "\"", 1);
    while (bytes.size) {
        size_t n = bytes.size < sizeof part / 2 ? bytes.size : sizeof part / 2;
        for (size_t i = 0; i < n; i++) {
            part[2 * i] = hex[bytes.at[i] >> 4];
            part[2 * i + 1] = hex[bytes.at[i] & 15];
        }
        text_add(j->out, span_of(part, 2 * n));
        bytes = span_from(bytes, n);
    }
    text_add_char(j->out, '"');
}
