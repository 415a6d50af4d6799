/* SPDX-License-Identifier: Apache-2.0
 * Clients and their User-Agents over time. */
#ifndef EVAL_BROWSERS_H
#define EVAL_BROWSERS_H

#include "eval/prng.h"

enum browser {
    BROWSER_CHROME_WIN,
    BROWSER_CHROME_MAC,
    BROWSER_EDGE_WIN,
    BROWSER_FIREFOX_WIN,
    BROWSER_FIREFOX_LINUX,
    BROWSER_SAFARI_MAC,
    BROWSER_CHROME_ANDROID,
    BROWSER_SAFARI_IOS,
    BROWSER_PEOPLE, /* above: people's; below: programs */
    BROWSER_REQUESTS = BROWSER_PEOPLE,
    BROWSER_AIOHTTP,
    BROWSER_CURL,
    BROWSER_EXPORT_JOB,
    BROWSER_MONITOR,
    BROWSER_SYNC,
    BROWSER_N
};

#define BROWSER_AGENT_MAX 160

uint16_t browser_pick(struct prng *r); /* of a desk */
uint16_t browser_pick_mobile(struct prng *r);
/* The release that who is 'lag' days behind has on that day. */
uint16_t browser_major(uint16_t browser, int day, int lag, double release_days);
const char *browser_agent(uint16_t browser, uint16_t major, char out[BROWSER_AGENT_MAX]);

#endif
