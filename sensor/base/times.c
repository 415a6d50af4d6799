/* SPDX-License-Identifier: Apache-2.0
 * Calendar arithmetic on packet time: days from the civil date and back (proleptic Gregorian, H. Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days). */
#include "base/times.h"

#include <stdio.h>
#include <stdlib.h>

static char *put_pair(char *at, uint32_t value)
{
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

const char *time_text(uint64_t ns, char out[TIME_TEXT_MAX])
{
    uint64_t s = ns / NS_PER_S, days = s / S_PER_DAY;
    uint32_t left = (uint32_t)(s % S_PER_DAY), fraction = (uint32_t)(ns % NS_PER_S);
    uint64_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    uint32_t day = (uint32_t)(doy - (153 * mp + 2) / 5 + 1), month = (uint32_t)(mp < 10 ? mp + 3 : mp - 9);
    uint32_t year = (uint32_t)(yoe + era * 400 + (month <= 2)); /* 2554 at most: 64 bits of nanoseconds */
    char *at = put_pair(put_pair(out, year / 100), year % 100);
    *at++ = '-';
    at = put_pair(at, month);
    *at++ = '-';
    at = put_pair(at, day);
    *at++ = 'T';
    at = put_pair(at, left / 3600);
    *at++ = ':';
    at = put_pair(at, left / 60 % 60);
    *at++ = ':';
    at = put_pair(at, left % 60);
    *at++ = '.';
    *at++ = (char)('0' + fraction / 100000000);
    for (uint32_t unit = 1000000; unit; unit /= 100)
        at = put_pair(at, fraction / unit % 100);
    *at++ = 'Z';
    *at = 0;
    return out;
}

static bool number(struct span s, size_t from, size_t size, uint64_t *value)
{
    return s.size >= from + size && span_u64(span_sub(s, from, size), value);
}

/* "Z", "+02:00" or "-0530" as seconds east of UTC. */
static bool zone(struct span s, int64_t *east)
{
    uint64_t hours = 0, minutes = 0;
    *east = 0;
    if (s.size == 1 && (s.at[0] == 'Z' || s.at[0] == 'z'))
        return true;
    size_t colon = s.size == 6 && s.at[3] == ':';
    if ((s.size != 5 && s.size != 6) || (s.at[0] != '+' && s.at[0] != '-') || !number(s, 1, 2, &hours) ||
        !number(s, 3 + colon, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *east = (int64_t)(hours * 3600 + minutes * 60) * (s.at[0] == '-' ? -1 : 1);
    return true;
}

bool time_parse(struct span text, uint64_t *ns)
{
    uint64_t year, month, day, hour, minute, second, fraction = 0, scale = NS_PER_S;
    if (text.size < 20 || !number(text, 0, 4, &year) || !number(text, 5, 2, &month) || !number(text, 8, 2, &day) ||
        !number(text, 11, 2, &hour) || !number(text, 14, 2, &minute) || !number(text, 17, 2, &second))
        return false;
    if (text.at[4] != '-' || text.at[7] != '-' || text.at[13] != ':' || text.at[16] != ':' || year < 1970 ||
        month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    size_t at = 19;
    if (text.at[at] == '.')
        for (at++; at < text.size && text.at[at] >= '0' && text.at[at] <= '9'; at++)
            if (scale > 1)
                fraction += (uint64_t)(text.at[at] - '0') * (scale /= 10);
    int64_t east;
    if (!zone(span_from(text, at), &east))
        return false;
    uint64_t y = year - (month <= 2), era = y / 400, yoe = y % 400;
    uint64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    uint64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    int64_t s = (int64_t)(days * S_PER_DAY + hour * 3600 + minute * 60 + second) - east;
    if (s < 0 || (uint64_t)s >= UINT64_MAX / NS_PER_S) /* 1970 to 2554: 64 bits of nanoseconds */
        return false;
    *ns = (uint64_t)s * NS_PER_S + fraction;
    return true;
}

bool time_typed(const char *text, uint64_t from_ns, uint64_t *ns)
{
    char full[40], *end;
    if (strlen(text) == 10) {
        snprintf(full, sizeof full, "%sT00:00:00Z", text);
        if (time_parse(span_text(full), ns))
            return true;
    }
    if (time_parse(span_text(text), ns))
        return true;
    unsigned long n = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    uint64_t unit = !n || end[0] == 0 || end[1] ? 0 : *end == 'd' ? S_PER_DAY : *end == 'h' ? 3600 : *end == 'm' ? 60 : 0;
    *ns = from_ns + n * unit * NS_PER_S;
    return unit && n <= 36500;
}
