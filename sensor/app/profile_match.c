/* SPDX-License-Identifier: Apache-2.0
 * Looking things up in a compiled profile. */
#include "app/profile_rules.h"

const struct route_bucket *profile_bucket(const struct profile *p, struct span first)
{
    for (uint16_t i = 1; i < p->n_buckets; i++)
        if (span_eq(p->buckets[i].first, first))
            return &p->buckets[i];
    return &p->buckets[0];
}

uint8_t profile_mount(const struct profile *p, const struct path *path)
{
    for (uint8_t i = 0; i < p->n_mounts && path->n > 1; i++)
        if (span_eq(p->mounts[i], path->segment[0]))
            return 1;
    return 0;
}

bool status_in(const struct status_range *ranges, uint8_t n, uint16_t status)
{
    for (uint8_t i = 0; i < n; i++)
        if (status >= ranges[i].low && status <= ranges[i].high)
            return true;
    return false;
}

uint8_t method_bit(struct span method)
{
    static const struct {
        struct span name;
        uint8_t bit;
    } known[] = {
        {SPAN("GET"), METHOD_GET}, {SPAN("POST"), METHOD_POST},   {SPAN("HEAD"), METHOD_HEAD},
        {SPAN("PUT"), METHOD_PUT}, {SPAN("PATCH"), METHOD_PATCH}, {SPAN("DELETE"), METHOD_DELETE},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_eq(known[i].name, method))
            return known[i].bit;
    return METHOD_OTHER;
}
