/* SPDX-License-Identifier: Apache-2.0
 * A ring of event times. */
#include "sketch/pace.h"

void pace_add(struct pace *p, uint32_t now_s)
{
    p->at_s[p->n++ % PACE_MAX] = now_s;
}

unsigned pace_count(const struct pace *p, uint32_t now_s, uint32_t window_s)
{
    uint32_t held = p->n < PACE_MAX ? p->n : PACE_MAX;
    unsigned count = 0;
    for (uint32_t i = 1; i <= held; i++) {
        uint32_t at = p->at_s[(p->n - i) % PACE_MAX];
        count += at <= now_s && now_s - at < window_s;
    }
    return count;
}
