/* SPDX-License-Identifier: Apache-2.0
 * Two half windows that take turns. */
#include "sketch/recent.h"

static struct recent moved(struct recent r, uint32_t half)
{
    if (half == r.half + 1)
        return (struct recent){half, 0, r.now};
    return half > r.half ? (struct recent){half, 0, 0} : r;
}

void recent_add(struct recent *r, uint32_t now_s, uint32_t window_s)
{
    *r = moved(*r, now_s / (window_s / 2));
    if (r->now < UINT16_MAX)
        r->now++;
}

unsigned recent_count(const struct recent *r, uint32_t now_s, uint32_t window_s)
{
    struct recent at = moved(*r, now_s / (window_s / 2));
    return (unsigned)at.now + at.before;
}
