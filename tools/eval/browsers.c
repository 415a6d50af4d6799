/* SPDX-License-Identifier: Apache-2.0
 * Shares of desktop browsers as public statistics of 2025 have them, to five per cent. */
#include "eval/browsers.h"

#include <math.h>
#include <stdio.h>

#define WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.0.0 Safari/537.36"

static const struct {
    const char *format; /* %u: the major release, as often as it stands there */
    uint16_t first;     /* on day 0 */
    uint16_t phase;     /* days into the release then */
    double share;
} browsers[BROWSER_N] = {
    [BROWSER_CHROME_WIN] = {WINDOWS WEBKIT, 143, 20, 50},
    [BROWSER_CHROME_MAC] = {MAC WEBKIT, 143, 20, 15},
    [BROWSER_EDGE_WIN] = {WINDOWS WEBKIT " Edg/%u.0.0.0", 143, 17, 15},
    [BROWSER_FIREFOX_WIN] = {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%u.0) Gecko/20100101 Firefox/%u.0", 146, 5,
                             7},
    [BROWSER_FIREFOX_LINUX] = {"Mozilla/5.0 (X11; Linux x86_64; rv:%u.0) Gecko/20100101 Firefox/%u.0", 146, 5, 3},
    [BROWSER_SAFARI_MAC] = {MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%u.2 Safari/605.1.15", 26, 0, 10},
    [BROWSER_CHROME_ANDROID] =
        {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%u.0.0.0 "
         "Mobile Safari/537.36",
         143, 20, 0},
    [BROWSER_SAFARI_IOS] =
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/%u.2 Mobile/15E148 Safari/604.1",
         26, 0, 0},
    [BROWSER_REQUESTS] = {"python-requests/%u.32.4", 2, 0, 0},
    [BROWSER_AIOHTTP] = {"Python/3.11 aiohttp/%u.12.15", 3, 0, 0},
    [BROWSER_CURL] = {"curl/%u.5.0", 8, 0, 0},
    [BROWSER_EXPORT_JOB] = {"case-export/%u.3 python-requests/2.31.0", 2, 0, 0},
    [BROWSER_MONITOR] = {"desk-monitor/%u.0", 4, 0, 0},
    [BROWSER_SYNC] = {"CaseSync/%u.1 okhttp/4.12.0", 5, 0, 0},
};

uint16_t browser_pick(struct prng *r)
{
    double shares[BROWSER_PEOPLE];
    for (int i = 0; i < BROWSER_PEOPLE; i++)
        shares[i] = browsers[i].share;
    return (uint16_t)prng_pick(r, shares, BROWSER_PEOPLE);
}

uint16_t browser_pick_mobile(struct prng *r)
{
    return prng_chance(r, 0.5) ? BROWSER_CHROME_ANDROID : BROWSER_SAFARI_IOS;
}

uint16_t browser_major(uint16_t browser, int day, int lag, double release_days)
{
    bool is_rapid = browsers[browser].first > 100; /* the others do not move in so short a time */
    double releases = is_rapid ? floor((day + browsers[browser].phase - lag) / release_days) : 0;
    return (uint16_t)(browsers[browser].first + releases);
}

const char *browser_agent(uint16_t browser, uint16_t major, char out[BROWSER_AGENT_MAX])
{
    size_t n = 0;
    for (const char *c = browsers[browser].format; *c && n + 8 < BROWSER_AGENT_MAX; c++) {
        if (c[0] == '%' && c[1] == 'u') {
            n += (size_t)snprintf(out + n, BROWSER_AGENT_MAX - n, "%u", major);
            c++;
        } else {
            out[n++] = *c;
        }
    }
    out[n] = 0;
    return out;
}
