/* SPDX-License-Identifier: Apache-2.0
 * One request after the other, with pauses between. */
#include "eval/deeds.h"

#include "eval/browsers.h"
#include "eval/desk.h"

struct deeds deeds_start(struct world *w, struct prng *r, uint32_t who, uint64_t ms)
{
    w->people[who].sessions++;
    return (struct deeds){
        .w = w, .r = r, .who = who, .ms = ms, .session = ++w->next_session, .pace_s = 12, .kind = CRED_COOKIE};
}

static struct act *fill(struct deeds *d, struct act *a, enum action action, enum route route)
{
    *a = (struct act){.ms = d->ms,
                      .session = d->session,
                      .who = d->who,
                      .truth = d->truth,
                      .client = d->client,
                      .major = d->major,
                      .action = (uint8_t)action,
                      .outcome = OUTCOME_SUCCESS,
                      .kind = d->kind,
                      .route = (uint8_t)route,
                      .spot = d->spot};
    if (d->spot6.asn && prng_chance(d->r, 0.7)) /* browsers try both and take whichever answers first */
        a->spot = d->spot6;
    return a;
}

static void put(struct deeds *d, const struct act *a)
{
    world_add(d->w, a);
    truths_touch(&d->w->truths, d->truth, d->ms);
    double pause_s = prng_lognormal(d->r, d->pace_s, 0.8);
    d->ms += 1 + (uint64_t)(1000 * (pause_s > 1500 ? 1500 : pause_s));
}

void deeds_login(struct deeds *d, uint32_t failures, bool success)
{
    struct act a;
    for (uint32_t i = 0; i < failures + success; i++) {
        fill(d, &a, ACTION_LOGIN, ROUTE_LOGIN);
        a.session = 0;
        a.kind = CRED_FORM;
        a.outcome = i < failures ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
        a.bytes = 4000;
        put(d, &a);
    }
}

void deeds_page(struct deeds *d, enum route route)
{
    static const uint8_t actions[ROUTE_N] = {
        [ROUTE_LOGIN] = ACTION_LOGIN,           [ROUTE_HOME] = ACTION_LIST,
        [ROUTE_CASE] = ACTION_VIEW_CASE,        [ROUTE_FILES] = ACTION_LIST_FILES,
        [ROUTE_FILE] = ACTION_DOWNLOAD,         [ROUTE_SEARCH] = ACTION_SEARCH,
        [ROUTE_REPLY] = ACTION_REPLY,           [ROUTE_FILE_LIST] = ACTION_LIST_FILES,
        [ROUTE_LOGOUT] = ACTION_LOGOUT,         [ROUTE_REPORT] = ACTION_EXPORT,
        [ROUTE_JOB] = ACTION_JOB_CREATE,        [ROUTE_FACTOR] = ACTION_FACTOR_CHANGE,
        [ROUTE_API_CASE] = ACTION_VIEW_CASE,    [ROUTE_API_FILES] = ACTION_LIST_FILES,
        [ROUTE_API_FILE] = ACTION_DOWNLOAD,     [ROUTE_API_SEARCH] = ACTION_SEARCH,
        [ROUTE_API_DESCRIBE] = ACTION_API_CALL,
    };
    struct act a;
    fill(d, &a, (enum action)actions[route], route);
    a.bytes = 3000 + prng_below(d->r, 20000);
    put(d, &a);
}

static void about(struct deeds *d, enum action action, enum route route, uint32_t customer, uint32_t case_id,
                  uint32_t file)
{
    struct act a;
    fill(d, &a, action, route);
    a.customer = customer + 1;
    a.case_id = case_id;
    a.file = file;
    a.bytes = action == ACTION_DOWNLOAD ? desk_file_bytes(d->w, case_id, file) : 8000 + prng_below(d->r, 60000);
    put(d, &a);
}

void deeds_case(struct deeds *d, uint32_t customer, uint32_t case_id, uint32_t first, uint32_t n, bool view)
{
    bool is_api = d->client >= BROWSER_PEOPLE;
    if (view)
        about(d, ACTION_VIEW_CASE, is_api ? ROUTE_API_CASE : ROUTE_CASE, customer, case_id, 0);
    if (view && (n || prng_chance(d->r, 0.4)))
        about(d, ACTION_LIST_FILES, is_api ? ROUTE_API_FILES : ROUTE_FILES, customer, case_id, 0);
    double pace_s = d->pace_s;
    if (n > 10) /* a bundle is fetched file after file */
        d->pace_s = pace_s < 4 ? pace_s : 4;
    for (uint32_t i = 0; i < n; i++)
        about(d, ACTION_DOWNLOAD, is_api ? ROUTE_API_FILE : ROUTE_FILE, customer, case_id, first + i);
    d->pace_s = pace_s;
}

void deeds_export(struct deeds *d, uint64_t bytes, bool is_removed)
{
    struct act a;
    deeds_page(d, ROUTE_JOB);
    fill(d, &a, ACTION_EXPORT, ROUTE_REPORT);
    a.bytes = bytes;
    put(d, &a);
    if (!is_removed)
        return;
    fill(d, &a, ACTION_JOB_DELETE, ROUTE_JOB);
    put(d, &a);
}

void deeds_remote(struct deeds *d, const struct ipaddr *to)
{
    struct act a;
    fill(d, &a, ACTION_CONNECTION, ROUTE_HOME);
    a.session = 0;
    a.kind = CRED_NONE;
    a.to = *to;
    a.bytes = 20000000;
    put(d, &a);
}
