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

static void quoted(struct text *out, struct span s)
{
    text_add_char(out, '"');
    while (s.size) {
        size_t plain = 0;
        while (plain < s.size && is_plain(s.at[plain]))
            plain++;
        if (plain) {
            text_add(out, span_sub(s, 0, plain));
            s = span_from(s, plain);
            continue;
        }
        size_t size = utf8_size(s);
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

static void key_of(struct json *j, const char *key)
{
    if (j->need_comma)
        text_add_char(j->out, ',');
    j->need_comma = true;
    if (key) {
        text_add_char(j->out, '"');
        text_add_str(j->out, key); /* our own constants: nothing to escape */
        text_add(j->out, SPAN("\":"));
    }
}

void json_open(struct json *j, const char *key, char bracket)
{
    key_of(j, key);
    text_add_char(j->out, bracket);
    j->need_comma = false;
}

void json_close(struct json *j, char bracket)
{
    text_add_char(j->out, bracket);
    j->need_comma = true;
}

void json_span(struct json *j, const char *key, struct span value)
{
    key_of(j, key);
    quoted(j->out, value);
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
    key_of(j, key);
    text_add(j->out, span_of(digits + at, sizeof digits - at));
}

void json_i64(struct json *j, const char *key, int64_t value)
{
    key_of(j, key);
    text_addf(j->out, "%lld", (long long)value);
}

void json_fixed(struct json *j, const char *key, double value, int digits)
{
    key_of(j, key);
    if (!isfinite(value))
        text_add(j->out, SPAN("null"));
    else
        text_addf(j->out, "%.*f", digits, value == 0 ? 0.0 : value); /* no "-0.0" */
}

void json_bool(struct json *j, const char *key, bool value)
{
    key_of(j, key);
    text_add_str(j->out, value ? "true" : "false");
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
    key_of(j, key);
    text_add_char(j->out, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        text_add_char(j->out, hex[bytes.at[i] >> 4]);
        text_add_char(j->out, hex[bytes.at[i] & 15]);
    }
    text_add_char(j->out, '"');
}
