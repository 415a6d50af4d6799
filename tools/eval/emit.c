/* SPDX-License-Identifier: Apache-2.0
 * One act, written out. User-Agents are parsed once each, as the sensor parses them. */
#include "eval/emit.h"

#include "base/times.h"
#include "enrich/client.h"
#include "eval/browsers.h"
#include "eval/deeds.h"
#include "eval/nets.h"

#include <stdio.h>
#include <stdlib.h>

#define MAJORS 512u
#define DONE_NS (20 * NS_PER_MS)

struct known {
    bool is_known;
    char agent[BROWSER_AGENT_MAX];
    struct user_agent parsed;
};

struct emitter {
    struct known known[BROWSER_N][MAJORS];
};

static const struct {
    const char *route, *method, *path;
} routes[ROUTE_N] = {
    [ROUTE_LOGIN] = {"login", "POST", "/login"},
    [ROUTE_HOME] = {"home", "GET", "/"},
    [ROUTE_CASE] = {"case", "GET", "/case"},
    [ROUTE_FILES] = {"case-files", "GET", "/case/files"},
    [ROUTE_FILE] = {"attachment", "GET", "/attachment"},
    [ROUTE_SEARCH] = {"search", "GET", "/search"},
    [ROUTE_REPLY] = {"reply", "POST", "/case/reply"},
    [ROUTE_FILE_LIST] = {"file-list", "GET", "/files"},
    [ROUTE_LOGOUT] = {"logout", "POST", "/logout"},
    [ROUTE_REPORT] = {"report", "GET", "/report"},
    [ROUTE_JOB] = {"job", "POST", "/jobs"},
    [ROUTE_FACTOR] = {"factor", "POST", "/account/factor"},
    [ROUTE_API_CASE] = {"api-case", "GET", "/api/case"},
    [ROUTE_API_FILES] = {"api-case-files", "GET", "/api/case/files"},
    [ROUTE_API_FILE] = {"api-attachment", "GET", "/api/attachment"},
    [ROUTE_API_SEARCH] = {"api-search", "GET", "/api/search"},
    [ROUTE_API_DESCRIBE] = {"api-describe", "GET", "/api/describe"},
};

struct emitter *emitter_new(void)
{
    return calloc(1, sizeof(struct emitter));
}

void emitter_free(struct emitter *e)
{
    free(e);
}

const char *emitter_name(const struct world *w, uint32_t who, char out[16])
{
    snprintf(out, 16, w->people[who].role == ROLE_MACHINE ? "svc-%05u" : "u%05u", who);
    return out;
}

static void fill_client(struct emitter *e, const struct act *a, struct activity *out)
{
    struct known *k = &e->known[a->client][a->major % MAJORS];
    if (!k->is_known) {
        browser_agent(a->client, a->major, k->agent);
        client_parse(span_text(k->agent), &k->parsed);
        k->is_known = true;
    }
    out->client_family = k->parsed.family;
    out->client_major = k->parsed.major;
    out->flags |= k->parsed.is_machine ? ACT_MACHINE : 0;
    activity_set(out, STR_AGENT, span_text(k->agent));
    activity_set(out, STR_CLIENT, span_text(k->parsed.label));
}

static void set_number(struct activity *out, enum activity_string which, const char *before, uint32_t number)
{
    char text[48];
    int n = snprintf(text, sizeof text, "%s%u", before, number);
    activity_set(out, which, span_of(text, (size_t)n));
}

static void fill_subject(const struct act *a, struct activity *out)
{
    if (!a->customer)
        return;
    char text[64];
    set_number(out, STR_CASE, "", a->case_id);
    set_number(out, STR_CUSTOMER, "Customer ", a->customer);
    if (a->action != ACTION_DOWNLOAD)
        return;
    int n = snprintf(text, sizeof text, "%u-%u", a->case_id, a->file);
    activity_set(out, STR_OBJECT, span_of(text, (size_t)n));
    n = snprintf(text, sizeof text, "bundle-%u-%u.log", a->case_id, a->file);
    activity_set(out, STR_FILE, span_of(text, (size_t)n));
    out->file_size = a->bytes;
    out->flags |= ACT_HAS_FILE_SIZE;
}

static void fill_connection(const struct act *a, struct activity *out)
{
    activity_set(out, STR_PROTOCOL, SPAN("RDP"));
    out->server = (struct endpoint){a->to, 3389};
    out->peer = (struct endpoint){a->spot.ip, 50000};
}

static void fill_request(struct emitter *e, const struct world *w, const struct act *a, struct activity *out)
{
    char name[16];
    uint8_t server[4] = {192, 0, 2, 10};
    out->server = (struct endpoint){ipaddr_from4(server), 443};
    out->peer = (struct endpoint){a->spot.ip, (uint16_t)(20000 + a->session % 40000)};
    out->status = a->outcome == OUTCOME_SUCCESS ? 200 : 401;
    activity_set(out, STR_USER, span_text(emitter_name(w, a->who, name)));
    activity_set(out, STR_APP, SPAN("desk"));
    activity_set(out, STR_ROUTE, span_text(routes[a->route].route));
    activity_set(out, STR_METHOD, span_text(routes[a->route].method));
    activity_set(out, STR_HOST, SPAN("support.example.test"));
    activity_set(out, STR_TARGET, span_text(routes[a->route].path));
    fill_client(e, a, out);
    fill_subject(a, out);
    for (int i = 0; i < 8 && a->session; i++) {
        out->session[i] = (uint8_t)(a->session >> (8 * i));
        out->session[8 + i] = (uint8_t)(prng_mix(w->seed, a->session) >> (8 * i));
    }
}

void emitter_fill(struct emitter *e, const struct world *w, const struct act *a, bool seal, struct activity *out)
{
    activity_init(out);
    out->time_ns = WORLD_START_S * NS_PER_S + a->ms * NS_PER_MS;
    out->done_ns = out->time_ns + DONE_NS;
    out->flow_hash = prng_mix(w->seed ^ a->session, a->who);
    out->number = a->number;
    out->action = a->action;
    out->outcome = a->outcome;
    out->cred_kind = a->kind;
    out->source = a->spot.ip;
    out->asn = a->spot.asn;
    memcpy(out->country, nets_country(a->spot.country), 3);
    out->body_bytes = a->bytes;
    out->size_known = SIZE_OBSERVED;
    out->flags = ACT_HAS_BODY | ACT_COMPLETE;
    if (a->action == ACTION_CONNECTION)
        fill_connection(a, out);
    else
        fill_request(e, w, a, out);
    if (seal)
        activity_seal(out);
}
