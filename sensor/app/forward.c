/* SPDX-License-Identifier: Apache-2.0
 * The walk over forwarding hops. */
#include "app/forward.h"

#include "base/hash.h"
#include "wire/forwarded.h"

#define MEMO_VALUE 96 /* bytes; a longer field is read each time */

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

/* A hash of all that forward_resolve looks at. False where that is much. */
static bool memo_key(const struct transaction *t, const struct fields *fields, uint8_t key[16])
{
    uint8_t bytes[2 * sizeof(struct ipaddr) + 16 + MEMO_VALUE];
    const struct field *f = fields->list;
    size_t used = 2 * sizeof(struct ipaddr);
    if (fields->n != 1 || f->name.size > 15 || f->value.size > MEMO_VALUE || !f->value.size)
        return false;
    memcpy(bytes, t->client.ip.bytes, sizeof(struct ipaddr));
    memcpy(bytes + sizeof(struct ipaddr), t->proxy_protocol_client.bytes, sizeof(struct ipaddr));
    memcpy(bytes + used, f->name.at, f->name.size);
    used += f->name.size;
    bytes[used++] = ':';
    memcpy(bytes + used, f->value.at, f->value.size);
    hash128(span_of(bytes, used + f->value.size), 0, key);
    return true;
}

void forward_recall(struct forward_memo memos[FORWARD_MEMOS], const struct forward_trust *trust, const struct transaction *t,
                    const struct fields *fields, struct forward *out)
{
    uint8_t key[16];
    uint64_t slot;
    if (!memo_key(t, fields, key)) {
        forward_resolve(trust, t, fields, out);
        return;
    }
    memcpy(&slot, key, sizeof slot);
    struct forward_memo *m = &memos[slot % FORWARD_MEMOS];
    if (memcmp(m->key, key, sizeof key) != 0) {
        forward_resolve(trust, t, fields, &m->found);
        memcpy(m->key, key, sizeof key);
    }
    *out = m->found;
}
