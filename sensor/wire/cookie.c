/* SPDX-License-Identifier: Apache-2.0
 * Reads cookies the way browsers do, which is more forgiving than the grammar servers are held to. */
#include "wire/cookie.h"

static struct span unquote(struct span s)
{
    s = span_trim(s);
    return s.size >= 2 && s.at[0] == '"' && s.at[s.size - 1] == '"' ? span_sub(s, 1, s.size - 2) : s;
}

bool cookie_next(struct span *rest, struct span *name, struct span *value)
{
    struct span part;
    while (span_split(rest, ';', &part)) {
        part = span_trim(part);
        if (part.size == 0)
            continue;
        size_t equals = span_find_byte(part, '=', 0);
        *name = equals == SIZE_MAX ? span_of(NULL, 0) : span_trim(span_sub(part, 0, equals));
        *value = unquote(equals == SIZE_MAX ? part : span_from(part, equals + 1));
        return true;
    }
    return false;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* RFC 6265, 5.1.1: what stands between the tokens of a date. */
static bool is_delimiter(uint8_t c)
{
    return c == 0x09 || (c >= 0x20 && c <= 0x2f) || (c >= 0x3b && c <= 0x40) || (c >= 0x5b && c <= 0x60) ||
           (c >= 0x7b && c <= 0x7e);
}

/* The number of 'min' to 'max' digits that 's' begins with and no further digit follows; -1 otherwise. */
static int leading_number(struct span s, size_t min, size_t max)
{
    size_t n = 0;
    int value = 0;
    while (n < s.size && is_digit(s.at[n])) {
        if (++n > max)
            return -1;
        value = value * 10 + (s.at[n - 1] - '0');
    }
    return n < min ? -1 : value;
}

struct date {
    int hour, minute, second, day, month, year; /* -1 = not seen */
};

static bool read_clock(struct span token, struct date *d)
{
    size_t first = span_find_byte(token, ':', 0);
    size_t second = first == SIZE_MAX ? SIZE_MAX : span_find_byte(token, ':', first + 1);
    if (second == SIZE_MAX)
        return false;
    int hour = leading_number(span_sub(token, 0, first), 1, 2);
    int minute = leading_number(span_sub(token, first + 1, second - first - 1), 1, 2);
    int sec = leading_number(span_from(token, second + 1), 1, 2);
    if (hour < 0 || minute < 0 || sec < 0)
        return false;
    d->hour = hour;
    d->minute = minute;
    d->second = sec;
    return true;
}

static int month_of(struct span token)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12 && token.size >= 3; i++)
        if (span_starts_nocase(token, span_of(names + 3 * i, 3)))
            return i;
    return -1;
}

/* Days since 1970 of a Gregorian date (month 0-11), by counting from March (Howard Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms"). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month < 2 ? year - 1 : year;
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * ((month + 10) % 12) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool cookie_date(struct span text, uint64_t *seconds)
{
    struct date d = {-1, -1, -1, -1, -1, -1};
    size_t at = 0;
    while (at < text.size) {
        size_t from = at;
        while (at < text.size && !is_delimiter(text.at[at]))
            at++;
        struct span token = span_sub(text, from, at - from);
        at++;
        int number;
        if (token.size == 0 || (d.hour < 0 && read_clock(token, &d)))
            continue;
        if (d.day < 0 && (number = leading_number(token, 1, 2)) >= 0)
            d.day = number;
        else if (d.month < 0 && (number = month_of(token)) >= 0)
            d.month = number;
        else if (d.year < 0 && (number = leading_number(token, 2, 4)) >= 0)
            d.year = number >= 100 ? number : number >= 70 ? number + 1900 : number + 2000;
    }
    if (d.hour < 0 || d.hour > 23 || d.minute > 59 || d.second > 59 || d.day < 1 || d.day > 31 || d.month < 0 ||
        d.year < 1601)
        return false;
    int64_t day = days_of(d.year, d.month, d.day);
    /* before 1970 is all the same to us: long gone */
    *seconds = day < 0 ? 0 : (uint64_t)(day * 86400 + d.hour * 3600 + d.minute * 60 + d.second);
    return true;
}

/* RFC 6265, 5.2.2: a sign and digits; anything else is no attribute. */
static bool read_max_age(struct span text, int64_t *value)
{
    bool is_negative = text.size && text.at[0] == '-';
    struct span digits = span_from(text, is_negative ? 1 : 0);
    if (digits.size == 0)
        return false;
    for (size_t i = 0; i < digits.size; i++)
        if (!is_digit(digits.at[i]))
            return false;
    uint64_t number;
    if (!span_u64(digits, &number) || number > INT64_MAX)
        number = INT64_MAX;
    *value = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static void read_attribute(struct span name, struct span value, struct cookie_set *out)
{
    if (span_eq_nocase(name, SPAN("Secure")))
        out->is_secure = true;
    else if (span_eq_nocase(name, SPAN("HttpOnly")))
        out->is_http_only = true;
    else if (span_eq_nocase(name, SPAN("Path")))
        out->path = value;
    else if (span_eq_nocase(name, SPAN("Domain")))
        out->domain = value;
    else if (span_eq_nocase(name, SPAN("Max-Age")))
        out->has_max_age = read_max_age(value, &out->max_age) || out->has_max_age;
    else if (span_eq_nocase(name, SPAN("Expires")))
        out->has_expires = cookie_date(value, &out->expires_s) || out->has_expires;
}

bool cookie_set_parse(struct span field, struct cookie_set *out)
{
    *out = (struct cookie_set){0};
    struct span part;
    if (!span_split(&field, ';', &part))
        return false;
    size_t equals = span_find_byte(part, '=', 0);
    if (equals == SIZE_MAX)
        return false;
    out->name = span_trim(span_sub(part, 0, equals));
    out->value = unquote(span_from(part, equals + 1));
    if (out->name.size == 0)
        return false;
    while (span_split(&field, ';', &part)) {
        equals = span_find_byte(part, '=', 0);
        struct span value = equals == SIZE_MAX ? span_of(NULL, 0) : unquote(span_from(part, equals + 1));
        read_attribute(span_trim(span_sub(part, 0, equals)), value, out);
    }
    return true;
}

bool cookie_set_is_removal(const struct cookie_set *c, uint64_t now_s)
{
    if (c->value.size == 0)
        return true;
    if (c->has_max_age)
        return c->max_age <= 0;
    return c->has_expires && c->expires_s <= now_s;
}
