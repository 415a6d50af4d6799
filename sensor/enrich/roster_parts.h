/* SPDX-License-Identifier: Apache-2.0
 * What a roster is made of. For roster.c and roster_csv.c only. */
#ifndef ENRICH_ROSTER_PARTS_H
#define ENRICH_ROSTER_PARTS_H

#include "enrich/roster.h"

struct organisation {
    char *name;
    int16_t zone_min;
    bool has_zone;
};

struct roster_prefix {
    struct prefix prefix;
    uint32_t organisation;
};

struct roster_holiday {
    uint64_t whose; /* whose_person() or whose_organisation() */
    uint32_t first, last; /* days since 1970 */
};

struct roster {
    struct roster_person *people; /* sorted by key */
    struct organisation *organisations;
    char **roles;
    struct roster_prefix *prefixes; /* sorted by organisation */
    struct roster_holiday *holidays; /* sorted by whose */
    size_t n_people, n_organisations, n_roles, n_prefixes, n_holidays;
};

static inline uint64_t whose_person(uint32_t line)
{
    return (uint64_t)1 << 32 | line;
}

static inline uint64_t whose_organisation(uint32_t organisation)
{
    return organisation;
}

/* Reads all records; nothing is sorted yet and no key set. Errors as of roster_load; what was read is freed by
 * roster_free. */
int roster_read_records(struct roster *r, FILE *file, const char *name, struct text *why);

#endif
