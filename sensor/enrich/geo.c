/* SPDX-License-Identifier: Apache-2.0
 * MaxMind-format databases of several makers: MaxMind's own nesting (also DB-IP's), and the flat keys of others. */
#include "enrich/geo.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <maxminddb.h>

#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "base/times.h"

#define MAX_DATABASES 32u
#define CACHE_SIZE 4096u
#define PROBE_NODES 200000u  /* of the search tree, to learn what a database holds */
#define PROBE_RECORDS 512u
#define MAX_DEPTH 130u

struct database {
    MMDB_s mmdb;
    char *about;
    bool has_country, has_asn;
};

struct geo {
    struct database databases[MAX_DATABASES];
    size_t n;
    struct map *cache; /* struct ipaddr -> struct geo_facts */
};

/* Where makers put a value; the first that is there counts. */
static const char *const country_paths[][3] = {
    {"country", "iso_code", NULL}, {"registered_country", "iso_code", NULL}, {"country_code", NULL}, {"country", NULL},
};
static const char *const asn_paths[][2] = {{"autonomous_system_number", NULL}, {"asn", NULL}};
static const char *const org_paths[][2] = {{"autonomous_system_organization", NULL}, {"as_name", NULL}};

static struct map *new_cache(void)
{
    return map_new(sizeof(struct ipaddr), sizeof(struct geo_facts), CACHE_SIZE, 0);
}

struct geo *geo_new(void)
{
    struct geo *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->cache = new_cache();
    if (!g->cache) {
        free(g);
        return NULL;
    }
    return g;
}

void geo_free(struct geo *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n; i++) {
        MMDB_close(&g->databases[i].mmdb);
        free(g->databases[i].about);
    }
    map_free(g->cache);
    free(g);
}

static struct span value_text(const MMDB_entry_data_s *value)
{
    return value->has_data && value->type == MMDB_DATA_TYPE_UTF8_STRING ? span_of(value->utf8_string, value->data_size)
                                                                        : span_of(NULL, 0);
}

static bool get_country(MMDB_entry_s *entry, char country[3])
{
    for (size_t i = 0; i < sizeof country_paths / sizeof country_paths[0]; i++) {
        MMDB_entry_data_s value;
        if (MMDB_aget_value(entry, &value, country_paths[i]) != MMDB_SUCCESS)
            continue;
        struct span code = value_text(&value);
        if (code.size != 2 || code.at[0] < 'A' || code.at[0] > 'Z' || code.at[1] < 'A' || code.at[1] > 'Z')
            continue;
        memcpy(country, code.at, 2);
        country[2] = 0;
        return true;
    }
    return false;
}

static bool get_asn(MMDB_entry_s *entry, uint32_t *asn)
{
    for (size_t i = 0; i < sizeof asn_paths / sizeof asn_paths[0]; i++) {
        MMDB_entry_data_s value;
        if (MMDB_aget_value(entry, &value, asn_paths[i]) != MMDB_SUCCESS || !value.has_data)
            continue;
        uint64_t number = 0;
        struct span text = value_text(&value); /* some write "AS209" */
        if (value.type == MMDB_DATA_TYPE_UINT32)
            number = value.uint32;
        else if (value.type == MMDB_DATA_TYPE_UINT16)
            number = value.uint16;
        else if (value.type == MMDB_DATA_TYPE_UINT64)
            number = value.uint64;
        else if (!span_u64(span_starts_nocase(text, SPAN("AS")) ? span_from(text, 2) : text, &number))
            continue;
        if (number == 0 || number > UINT32_MAX)
            continue;
        *asn = (uint32_t)number;
        return true;
    }
    return false;
}

static void get_org(MMDB_entry_s *entry, char org[GEO_ORG_MAX])
{
    for (size_t i = 0; i < sizeof org_paths / sizeof org_paths[0]; i++) {
        MMDB_entry_data_s value;
        if (MMDB_aget_value(entry, &value, org_paths[i]) != MMDB_SUCCESS)
            continue;
        struct span name = value_text(&value);
        if (name.size == 0)
            continue;
        size_t size = name.size < GEO_ORG_MAX ? name.size : GEO_ORG_MAX - 1;
        while (size > 0 && size < name.size && (name.at[size] & 0xc0) == 0x80)
            size--; /* not through the middle of a UTF-8 character */
        memcpy(org, name.at, size);
        org[size] = 0;
        return;
    }
}

static void database_lookup(struct database *db, const struct ipaddr *ip, struct geo_facts *facts)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memcpy(&v4.sin_addr, ip->bytes + 12, 4);
    memcpy(&v6.sin6_addr, ip->bytes, 16);
    const void *address = ipaddr_is4(ip) ? (const void *)&v4 : (const void *)&v6;
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s hit = MMDB_lookup_sockaddr(&db->mmdb, address, &error);
    if (error != MMDB_SUCCESS || !hit.found_entry)
        return;
    if (db->has_country)
        (void)get_country(&hit.entry, facts->country); /* keeps what an earlier database said when it knows none */
    if (!db->has_asn || !get_asn(&hit.entry, &facts->asn))
        return;
    facts->org[0] = 0; /* a name belongs to its number */
    get_org(&hit.entry, facts->org);
}

const struct geo_facts *geo_lookup(struct geo *g, const struct ipaddr *ip)
{
    static const struct geo_facts nothing;
    bool is_new;
    if (!g->n)
        return &nothing;
    struct geo_facts *facts = map_touch(g->cache, ip, &is_new);
    if (is_new)
        for (size_t i = 0; i < g->n; i++)
            database_lookup(&g->databases[i], ip, facts);
    return facts;
}

/* Walks the search tree until it has seen both kinds of value or enough records. */
static void database_probe(struct database *db)
{
    uint32_t stack[MAX_DEPTH], depth = 0, nodes = 0, records = 0;
    stack[depth++] = 0;
    while (depth > 0 && nodes++ < PROBE_NODES && records < PROBE_RECORDS && !(db->has_country && db->has_asn)) {
        MMDB_search_node_s node;
        if (MMDB_read_node(&db->mmdb, stack[--depth], &node) != MMDB_SUCCESS)
            return;
        struct {
            uint64_t value;
            uint8_t type;
            MMDB_entry_s entry;
        } sides[2] = {{node.right_record, node.right_record_type, node.right_record_entry},
                      {node.left_record, node.left_record_type, node.left_record_entry}};
        for (int i = 0; i < 2; i++) {
            struct geo_facts facts = {0};
            if (sides[i].type == MMDB_RECORD_TYPE_SEARCH_NODE && depth < MAX_DEPTH) {
                stack[depth++] = (uint32_t)sides[i].value;
            } else if (sides[i].type == MMDB_RECORD_TYPE_DATA) {
                records++;
                db->has_country |= get_country(&sides[i].entry, facts.country);
                db->has_asn |= get_asn(&sides[i].entry, &facts.asn);
            }
        }
    }
}

static void describe(struct database *db, const char *path)
{
    struct text line = {0};
    char date[TIME_TEXT_MAX];
    uint64_t epoch = db->mmdb.metadata.build_epoch;
    const char *type = db->mmdb.metadata.database_type;
    text_addf(&line, "%s: %s, %.10s", path, type ? type : "no type",
              time_text(epoch < UINT64_MAX / NS_PER_S ? epoch * NS_PER_S : 0, date));
    db->about = line.at;
}

static int open_database(struct database *db, const char *path, struct text *why)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    if (!S_ISREG(st.st_mode)) {
        text_addf(why, "%s: not a file", path);
        return E_IO;
    }
    int rc = st.st_size == 0 ? MMDB_INVALID_METADATA_ERROR : MMDB_open(path, MMDB_MODE_MMAP, &db->mmdb);
    if (rc == MMDB_FILE_OPEN_ERROR || rc == MMDB_IO_ERROR) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    if (rc != MMDB_SUCCESS) {
        text_addf(why, "%s: %s", path, st.st_size == 0 ? "empty" : "not a MaxMind-format database");
        return E_BAD;
    }
    database_probe(db);
    if (db->has_country || db->has_asn)
        return E_OK;
    MMDB_close(&db->mmdb);
    text_addf(why, "%s: has neither countries nor AS numbers", path);
    return E_BAD;
}

int geo_add(struct geo *g, const char *path, struct text *why)
{
    if (g->n == MAX_DATABASES) {
        text_addf(why, "%s: more than %u databases", path, MAX_DATABASES);
        return E_LIMIT;
    }
    struct database *db = &g->databases[g->n];
    *db = (struct database){0};
    int rc = open_database(db, path, why);
    if (rc != E_OK)
        return rc;
    describe(db, path);
    struct map *cache = new_cache(); /* what was answered before may have changed */
    if (!db->about || !cache) {
        MMDB_close(&db->mmdb);
        free(db->about);
        map_free(cache);
        return E_NOMEM;
    }
    map_free(g->cache);
    g->cache = cache;
    g->n++;
    return E_OK;
}

static int is_database(const struct dirent *d)
{
    size_t size = strlen(d->d_name);
    return size > 5 && strcmp(d->d_name + size - 5, ".mmdb") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int geo_add_directory(struct geo *g, const char *path)
{
    struct dirent **list = NULL;
    int n = scandir(path, &list, is_database, by_name), n_added = 0;
    for (int i = 0; i < n; i++) {
        struct text file = {0}, why = {0};
        text_addf(&file, "%s/%s", path, list[i]->d_name);
        if (geo_add(g, text_str(&file), &why) == E_OK)
            n_added++;
        else
            log_warn("database left out: %s", text_str(&why));
        text_fini(&file);
        text_fini(&why);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return n_added;
}

const char *geo_source(const struct geo *g, size_t i)
{
    return i < g->n ? g->databases[i].about : NULL;
}

bool geo_has_country(const struct geo *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->databases[i].has_country)
            return true;
    return false;
}

bool geo_has_asn(const struct geo *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->databases[i].has_asn)
            return true;
    return false;
}
