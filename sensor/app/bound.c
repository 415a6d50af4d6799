/* SPDX-License-Identifier: Apache-2.0
 * A map from connections to names. */
#include "app/bound.h"

#include "base/map.h"

#include <stdlib.h>

#define BOUND_NAME 192

struct who {
    struct ipaddr client;
    uint16_t size; /* 0: nobody (any more) */
    char name[BOUND_NAME];
};

struct bound {
    struct map *map; /* flow hash -> struct who */
    bool is_used;    /* somebody was ever bound: before that nothing is looked up */
};

struct bound *bound_new(uint32_t max)
{
    struct bound *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->map = map_new(sizeof(uint64_t), sizeof(struct who), max, 0);
    if (!b->map) {
        free(b);
        return NULL;
    }
    return b;
}

void bound_free(struct bound *b)
{
    if (!b)
        return;
    map_free(b->map);
    free(b);
}

static void unbind(struct bound *b, const struct transaction *t)
{
    struct who *who = b->is_used ? map_find(b->map, &t->flow_hash) : NULL;
    if (who)
        who->size = 0;
}

bool bound_request(struct bound *b, const struct transaction *t, const struct ipaddr *client, struct cred *cred)
{
    if (!b->is_used || t->stream_id)
        return false;
    if (cred->is_negotiating || (cred->kind != CRED_NONE && cred->kind != CRED_COOKIE)) {
        if (cred->is_negotiating)
            unbind(b, t); /* it begins anew */
        return false;
    }
    const struct who *who = map_find(b->map, &t->flow_hash);
    if (!who || !who->size || !ipaddr_eq(&who->client, client))
        return false;
    cred->kind = CRED_NTLM;
    cred->rule = NULL;
    cred->claim = span_of(who->name, who->size);
    return true;
}

void bound_response(struct bound *b, const struct transaction *t, const struct ipaddr *client, const struct cred *cred)
{
    if (cred->kind != CRED_NTLM || t->stream_id || !t->status)
        return;
    if (t->status == 401) {
        unbind(b, t);
        return;
    }
    if (!cred->is_negotiating || cred->claim.size > BOUND_NAME)
        return;
    bool is_new;
    struct who *who = map_touch(b->map, &t->flow_hash, &is_new);
    b->is_used = true;
    who->client = *client;
    who->size = (uint16_t)cred->claim.size;
    memcpy(who->name, cred->claim.at, cred->claim.size);
}
