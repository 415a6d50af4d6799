/* SPDX-License-Identifier: Apache-2.0
 * One sorted array of people; what belongs to an organisation is found through its number. */
#include "enrich/roster.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/times.h"
#include "enrich/roster_parts.h"

static uint64_t key_of(struct span name)
{
    uint8_t folded[ROSTER_TEXT_MAX];
    return hash64(span_lower(name, folded, sizeof folded), 7);
}

void roster_free(struct roster *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_people; i++) {
        free(r->people[i].name);
        free(r->people[i].manager);
    }
    for (size_t i = 0; i < r->n_organisations; i++)
        free(r->organisations[i].name);
    for (size_t i = 0; i < r->n_roles; i++)
        free(r->roles[i]);
    free(r->people);
    free(r->organisations);
    free(r->roles);
    free(r->prefixes);
    free(r->holidays);
    free(r);
}

static int by_key(const void *left, const void *right)
{
    const struct roster_person *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static int by_organisation(const void *left, const void *right)
{
    const struct roster_prefix *a = left, *b = right;
    if (a->organisation != b->organisation)
        return a->organisation < b->organisation ? -1 : 1;
    return memcmp(&a->prefix, &b->prefix, sizeof a->prefix);
}

static int holidays_by_organisation(const void *left, const void *right)
{
    const struct roster_holiday *a = left, *b = right;
    if (a->whose != b->whose)
        return a->whose < b->whose ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* What is said of an organisation holds for its people, wherever in the file it stands. */
static int settle(struct roster *r, const char *name, struct text *why)
{
    for (size_t i = 0; i < r->n_people; i++) {
        struct roster_person *p = &r->people[i];
        const struct organisation *o = p->organisation ? &r->organisations[p->organisation - 1] : NULL;
        p->key = key_of(span_text(p->name));
        if (o && o->has_zone && !(p->flags & ROSTER_ZONE)) {
            p->zone_min = o->zone_min;
            p->flags |= ROSTER_ZONE;
        }
        if (p->flags & ROSTER_LEAVES && p->is_local_day)
            p->leaves_ns -= (uint64_t)((int64_t)p->zone_min * 60 * (int64_t)NS_PER_S);
    }
    if (r->n_people)
        qsort(r->people, r->n_people, sizeof *r->people, by_key);
    for (size_t i = 1; i < r->n_people; i++)
        if (r->people[i].key == r->people[i - 1].key) {
            text_addf(why, "%s:%u:1: '%s' is there already, in line %u", name, r->people[i].line, r->people[i].name,
                      r->people[i - 1].line);
            return E_CONF;
        }
    if (r->n_prefixes)
        qsort(r->prefixes, r->n_prefixes, sizeof *r->prefixes, by_organisation);
    if (r->n_holidays)
        qsort(r->holidays, r->n_holidays, sizeof *r->holidays, holidays_by_organisation);
    return E_OK;
}

int roster_read(FILE *file, const char *name, struct roster **out, struct text *why)
{
    *out = NULL;
    struct roster *r = calloc(1, sizeof *r);
    int rc = r ? roster_read_records(r, file, name, why) : E_NOMEM;
    if (rc == E_OK)
        rc = settle(r, name, why);
    if (rc != E_OK) {
        roster_free(r);
        return rc;
    }
    *out = r;
    return E_OK;
}

int roster_load(const char *path, struct roster **out, struct text *why)
{
    *out = NULL;
    FILE *file = fopen(path, "re");
    if (!file) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    int rc = roster_read(file, path, out, why);
    fclose(file);
    return rc;
}

const struct roster_person *roster_find(const struct roster *r, struct span name)
{
    uint64_t key = r ? key_of(name) : 0;
    size_t low = 0, high = r ? r->n_people : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->people[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_hit = r && low < r->n_people && r->people[low].key == key &&
                  span_eq_nocase(span_text(r->people[low].name), name);
    return is_hit ? &r->people[low] : NULL;
}

const char *roster_organisation(const struct roster *r, uint32_t organisation)
{
    return r && organisation && organisation <= r->n_organisations ? r->organisations[organisation - 1].name : "";
}

const char *roster_role(const struct roster *r, uint32_t role)
{
    return r && role && role <= r->n_roles ? r->roles[role - 1] : "";
}

bool roster_is_egress(const struct roster *r, const struct roster_person *p, const struct ipaddr *ip)
{
    if (!r || !p || !p->organisation)
        return false;
    size_t low = 0, high = r->n_prefixes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->prefixes[middle].organisation < p->organisation)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->n_prefixes && r->prefixes[low].organisation == p->organisation; low++)
        if (prefix_has(&r->prefixes[low].prefix, ip))
            return true;
    return false;
}

static bool is_day_of(const struct roster *r, uint64_t whose, uint32_t day)
{
    size_t low = 0, high = r->n_holidays;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->holidays[middle].whose < whose)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->n_holidays && r->holidays[low].whose == whose; low++)
        if (day >= r->holidays[low].first && day <= r->holidays[low].last)
            return true;
    return false;
}

uint64_t roster_local_ns(const struct roster_person *p, uint64_t now_ns)
{
    int64_t shift = p && p->flags & ROSTER_ZONE ? (int64_t)p->zone_min * 60 * (int64_t)NS_PER_S : 0;
    return shift < 0 && now_ns < (uint64_t)-shift ? 0 : now_ns + (uint64_t)shift;
}

bool roster_is_holiday(const struct roster *r, const struct roster_person *p, uint64_t now_ns)
{
    if (!r || !p)
        return false;
    uint32_t day = time_day(roster_local_ns(p, now_ns));
    return is_day_of(r, whose_person(p->line), day) ||
           (p->organisation && is_day_of(r, whose_organisation(p->organisation), day));
}

struct roster_totals roster_totals(const struct roster *r)
{
    struct roster_totals n = {0};
    if (!r)
        return n;
    n = (struct roster_totals){.people = r->n_people,
                               .organisations = r->n_organisations,
                               .roles = r->n_roles,
                               .prefixes = r->n_prefixes};
    for (size_t i = 0; i < r->n_people; i++) {
        n.leavers += (r->people[i].flags & ROSTER_LEAVES) != 0;
        n.services += (r->people[i].flags & ROSTER_SERVICE) != 0;
    }
    return n;
}
