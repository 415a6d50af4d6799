/* SPDX-License-Identifier: Apache-2.0
 * Puts the facts together: place from the databases, network from the operator's lists, client from the User-Agent and its hints. */
#include "enrich/enrich.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "enrich/client.h"
#include "enrich/client_hints.h"
#include "enrich/client_tls.h"
#include "enrich/geo.h"
#include "enrich/netlist.h"

#define PARSED 256u /* User-Agents kept parsed: a few browsers make most requests */
#define PARSED_MAX 256

struct parsed {
    uint16_t size; /* 0 = free */
    char text[PARSED_MAX];
    struct user_agent agent;
};

struct enrich {
    struct geo *geo;
    struct netlist *networks;
    struct parsed parsed[PARSED]; /* by the hash of the text */
};

struct enrich *enrich_new(void)
{
    struct enrich *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->geo = geo_new();
    e->networks = netlist_new();
    if (e->geo && e->networks)
        return e;
    enrich_free(e);
    return NULL;
}

void enrich_free(struct enrich *e)
{
    if (!e)
        return;
    geo_free(e->geo);
    netlist_free(e->networks);
    free(e);
}

int enrich_add_geo(struct enrich *e, const char *path, struct text *why)
{
    return geo_add(e->geo, path, why);
}

/* Adds a file or a directory that the environment names. */
static int add_named(struct enrich *e, const char *path)
{
    struct stat st;
    struct text why = {0};
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return geo_add_directory(e->geo, path);
    bool is_added = geo_add(e->geo, path, &why) == E_OK;
    if (!is_added)
        log_warn("CASETAP_GEOIP: database left out: %s", text_str(&why));
    text_fini(&why);
    return is_added;
}

static int add_environment(struct enrich *e)
{
    struct span rest = span_text(getenv("CASETAP_GEOIP")), part;
    int n = 0;
    while (rest.at && span_split(&rest, ':', &part)) {
        struct text path = {0};
        text_add(&path, part);
        if (part.size)
            n += add_named(e, text_str(&path));
        text_fini(&path);
    }
    return n;
}

int enrich_find_geo(struct enrich *e)
{
    /* from the most general to the most deliberate: what is added later wins */
    static const char *const directories[] = {
        "/usr/share/GeoIP", "/usr/local/share/GeoIP", "/var/lib/GeoIP", "/etc/casetap/geo",
    };
    int n = 0;
    glob_t packages;
    if (glob("./node_modules/@ip-location-db/*", 0, NULL, &packages) == 0) {
        for (size_t i = 0; i < packages.gl_pathc; i++)
            n += geo_add_directory(e->geo, packages.gl_pathv[i]);
        globfree(&packages);
    }
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        n += geo_add_directory(e->geo, directories[i]);
    return n + add_environment(e);
}

int enrich_add_list(struct enrich *e, const char *path, enum network_class class, struct text *why)
{
    return netlist_add_file(e->networks, path, (uint8_t)class, why);
}

static void enrich_place(struct enrich *e, struct activity *a)
{
    const struct geo_facts *facts = geo_lookup(e->geo, &a->source);
    memcpy(a->country, facts->country, sizeof a->country);
    a->asn = facts->asn;
    if (facts->org[0])
        activity_set(a, STR_AS_ORG, span_text(facts->org));
}

static void enrich_network(struct enrich *e, struct activity *a)
{
    struct netlist_hit hit;
    if (netlist_find(e->networks, &a->source, &hit)) {
        a->source_class = hit.class;
        activity_set(a, STR_NETWORK, hit.name);
    } else if (ipaddr_is_private(&a->source)) {
        a->source_class = NETWORK_PRIVATE;
    }
}

/* What a User-Agent says; *own is used where it is not kept. */
static const struct user_agent *find_agent(struct enrich *e, struct span text, struct user_agent *own)
{
    struct parsed *p = &e->parsed[hash64(text, 0) % PARSED];
    if (text.size && span_eq(span_of(p->text, p->size), text))
        return &p->agent;
    if (text.size == 0 || text.size > PARSED_MAX) {
        client_parse(text, own);
        return own;
    }
    client_parse(text, &p->agent);
    memcpy(p->text, text.at, text.size);
    p->size = (uint16_t)text.size;
    return &p->agent;
}

/* The handshake is the person's own only where he himself holds the connection. */
static bool is_mismatch(const struct user_agent *client, const struct activity *a)
{
    return a->size[STR_JA4] && ipaddr_eq(&a->source, &a->peer.ip) && client_tls_differs(client, activity_get(a, STR_JA4));
}

static void enrich_client(struct enrich *e, struct activity *a)
{
    struct user_agent own;
    struct span agent = activity_get(a, STR_AGENT);
    if (agent.size == 0 && activity_get(a, STR_METHOD).size == 0)
        return; /* no request was seen: nothing is known, not even that there was no User-Agent */
    const struct user_agent *client = find_agent(e, agent, &own);
    bool is_mismatched = is_mismatch(client, a);
    if (a->client_hints.is_seen) {
        own = *client; /* the one that is kept is of all who send this User-Agent */
        is_mismatched |= client_hints_differ(&a->client_hints, client);
        client_hints_add(&a->client_hints, &own);
        client = &own;
    }
    a->client_family = client->family;
    a->client_major = client->major;
    a->client_os = client->system.os;
    a->os_major = client->system.major;
    a->os_minor = client->system.minor;
    if (client->is_machine)
        a->flags |= ACT_MACHINE;
    if (is_mismatched)
        a->flags |= ACT_CLIENT_MISMATCH;
    activity_set(a, STR_CLIENT, span_text(client->label));
}

void enrich_activity(struct enrich *e, struct activity *a)
{
    if (!ipaddr_is_zero(&a->source)) {
        enrich_place(e, a);
        enrich_network(e, a);
    }
    enrich_client(e, a);
}

const char *enrich_source(const struct enrich *e, size_t i)
{
    return geo_source(e->geo, i);
}

bool enrich_has_country(const struct enrich *e)
{
    return geo_has_country(e->geo);
}

bool enrich_has_asn(const struct enrich *e)
{
    return geo_has_asn(e->geo);
}
