/* SPDX-License-Identifier: Apache-2.0
 * The walk over forwarding hops. */
#include "app/forward.h"

#include "wire/forwarded.h"

static bool is_trusted(const struct forward_trust *trust, const struct ipaddr *a)
{
    if (trust->n == 0)
        return ipaddr_is_private(a);
    for (size_t i = 0; i < trust->n; i++)
        if (prefix_has(&trust->list[i], a))
            return true;
    return false;
}

/* What a field claims beyond the hop that was settled on. */
static bool is_claim(const struct forwarded_hop *hop, const struct ipaddr *client)
{
    return hop->kind == FORWARDED_ADDRESS && !ipaddr_eq(&hop->ip, client) && !ipaddr_is_private(&hop->ip);
}

void forward_resolve(const struct forward_trust *trust, const struct transaction *t, const struct fields *fields,
                     struct forward *out)
{
    static const struct span names[] = {SPAN("X-Forwarded-For"), SPAN("Forwarded"), SPAN("X-Real-IP")};
    *out = (struct forward){.client = t->client.ip};
    if (!ipaddr_is_zero(&t->proxy_protocol_client) && is_trusted(trust, &out->client)) {
        out->client = t->proxy_protocol_client;
        out->is_forwarded = true;
    }
    for (size_t f = 0; fields->n && f < sizeof names / sizeof names[0]; f++) {
        struct forwarded_hop hops[FORWARDED_MAX];
        size_t n = forwarded_hops(fields, names[f], hops, FORWARDED_MAX, NULL), i = 0;
        if (n == 0)
            continue;
        while (i < n && hops[i].kind == FORWARDED_ADDRESS && is_trusted(trust, &out->client)) {
            out->client = hops[i++].ip;
            out->is_forwarded = true;
        }
        for (; i < n && !out->is_forged; i++)
            out->is_forged = is_claim(&hops[i], &out->client);
        return;
    }
}
