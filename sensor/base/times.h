/* SPDX-License-Identifier: Apache-2.0
 * Packet time in nanoseconds since 1970 (UTC), its text form, and parts of a day. No clock is read here. */
#ifndef BASE_TIMES_H
#define BASE_TIMES_H

#include "base/span.h"

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define S_PER_DAY 86400

#define TIME_TEXT_MAX 32
/* "2026-03-20T03:12:07.030714000Z" (RFC 3339, nine digits); returns out. */
const char *time_text(uint64_t ns, char out[TIME_TEXT_MAX]);
/* Parses RFC 3339 with Z or an offset and 0-9 digits; false otherwise. */
bool time_parse(struct span text, uint64_t *ns);
/* The same as a person types it: also a day ("2026-12-31": its beginning), or so many days, hours or minutes behind 'from_ns' ("30d", "12h", "5m"). */
bool time_typed(const char *text, uint64_t from_ns, uint64_t *ns);
static inline uint32_t time_s(uint64_t ns)
{
    return (uint32_t)(ns / NS_PER_S);
}
static inline uint32_t time_day(uint64_t ns)
{
    return (uint32_t)(ns / NS_PER_S / S_PER_DAY);
}
static inline unsigned time_hour(uint64_t ns)
{
    return (unsigned)(ns / NS_PER_S / 3600 % 24);
}
/* 0 = Monday (1970-01-01 was a Thursday). */
static inline unsigned time_weekday(uint64_t ns)
{
    return (unsigned)((ns / NS_PER_S / S_PER_DAY + 3) % 7);
}

#endif
