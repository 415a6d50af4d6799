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

/* The same of 16 bytes at once. As signed numbers those from 0x80 on are below the blank, too. */
static bool has_odd(const uint8_t *at)
{
    typedef int8_t bytes16 __attribute__((vector_size(16)));
    bytes16 v;
    uint64_t half[2];
    memcpy(&v, at, sizeof v);
    v = (v < ' ') | (v == '"') | (v == '\\') | (v == 0x7f);
    memcpy(half, &v, sizeof half);
    return half[0] | half[1];
}

/* Copies bytes from the front of s until one needs an escape; how many. 'out' has room for all of s. */
static size_t copy_plain(char *out, struct span s)
{
    size_t i = 0;
    uint64_t w;
    for (; s.size - i >= 16 && !has_odd(s.at + i); i += 16)
        memcpy(out + i, s.at + i, 16);
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

void json_cut_head(struct json *j, const char *key)
{
    if (j->need_comma)
        text_add_char(j->out, ',');
    j->need_comma = true;
    if (key) {
        text_add_char(j->out, '"');
        text_add_str(j->out, key);
        text_add(j->out, SPAN("\":"));
    }
}

void json_put_span(struct json *j, struct span value)
{
    char *start = text_room(j->out, value.size + 2);
    if (!start) {
        text_add_char(j->out, '"');
        finish_string(j->out, value);
        return;
    }
    *start = '"';
    size_t plain = copy_plain(start + 1, value);
    if (plain == value.size) {
        start[1 + plain] = '"';
        text_grew(j->out, plain + 2);
    } else {
        text_grew(j->out, plain + 1);
        finish_string(j->out, span_from(value, plain));
    }
}

void json_put_u64(struct json *j, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    text_add(j->out, span_of(digits + at, sizeof digits - at));
}

void json_put_i64(struct json *j, int64_t value)
{
    text_addf(j->out, "%lld", (long long)value);
}

void json_put_fixed(struct json *j, double value, int digits)
{
    if (!isfinite(value))
        text_add(j->out, SPAN("null"));
    else
        text_addf(j->out, "%.*f", digits, value == 0 ? 0.0 : value); /* no "-0.0" */
}

void json_put_time(struct json *j, uint64_t ns)
{
    char text[TIME_TEXT_MAX];
    json_put_span(j, span_text(time_text(ns, text)));
}

void json_put_ip(struct json *j, const struct ipaddr *ip)
{
    char text[IPADDR_TEXT_MAX];
    json_put_span(j, span_text(ipaddr_text(ip, text)));
}

void json_put_hex(struct json *j, struct span bytes)
{
    static const char hex[] = "0123456789abcdef";
    text_add_char(j->out, '"');
    while (bytes.size) {
        char part[64];
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
