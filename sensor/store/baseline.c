/* SPDX-License-Identifier: Apache-2.0
 * The baseline of a credential as a value: its places and clients, which of them make room for new ones, its sums. */
#include "store/baseline.h"

#include <math.h>

#include "base/assert.h"
#include "base/times.h"

#define HALF_LIFE_S (180.0 * S_PER_DAY)
#define MOMENTS_KEEP 0.99 /* per window: a memory of about 100 windows */

static const char *const trust_names[TRUST_N] = {"none", "quarantined", "alerted", "usual"};

const char *trust_name(enum trust trust)
{
    ASSERT(trust < TRUST_N);
    return trust_names[trust];
}

void baseline_init(struct baseline *b, struct span name)
{
    memset(b, 0, sizeof *b);
    struct span cut = span_sub(name, 0, BASELINE_NAME_MAX - 1);
    if (cut.at != NULL && cut.size > 0)
        memcpy(b->name, cut.at, cut.size);
}

struct span baseline_name(const struct baseline *b)
{
    return span_of(b->name, strnlen(b->name, BASELINE_NAME_MAX));
}

/* Places and clients. */

struct place place_of(const struct ipaddr *ip, const char *country, uint32_t asn)
{
    struct place p = {.asn = asn, .is_v6 = !ipaddr_is4(ip)};
    struct prefix prefix = ipaddr_prefix(ip, 24, 48);
    if (p.is_v6)
        memcpy(p.prefix, prefix.ip.bytes, 8);
    else
        memcpy(p.prefix, prefix.ip.bytes + 12, 4);
    size_t n = strnlen(country, sizeof p.country - 1);
    memcpy(p.country, country, n);
    return p;
}

static struct prefix place_prefix(const struct place *p)
{
    struct ipaddr ip = {{0}};
    if (p->is_v6)
        memcpy(ip.bytes, p->prefix, 8);
    else
        ip = ipaddr_from4(p->prefix);
    return ipaddr_prefix(&ip, 24, 48);
}

const char *place_prefix_text(const struct place *p, char out[PREFIX_TEXT_MAX])
{
    struct prefix prefix = place_prefix(p);
    return prefix_text(&prefix, out);
}

bool place_same_prefix(const struct place *a, const struct place *b)
{
    return a->is_v6 == b->is_v6 && memcmp(a->prefix, b->prefix, sizeof a->prefix) == 0;
}

struct place *baseline_place(struct baseline *b, const struct place *like)
{
    for (size_t i = 0; i < BASELINE_PLACES; i++)
        if (b->places[i].trust != TRUST_NONE && place_same_prefix(&b->places[i], like))
            return &b->places[i];
    return NULL;
}

struct client *baseline_client(struct baseline *b, const struct client *like)
{
    for (size_t i = 0; i < BASELINE_CLIENTS; i++)
        if (b->clients[i].trust != TRUST_NONE && b->clients[i].family == like->family &&
            b->clients[i].agent == like->agent)
            return &b->clients[i];
    return NULL;
}

static float decayed(float weight, uint32_t last_s, uint32_t now_s)
{
    double age = now_s > last_s ? (double)(now_s - last_s) : 0;
    return (float)(weight * exp2(-age / HALF_LIFE_S));
}

/* How much an entry is worth keeping: what is usual goes last, so that a stream of new values pushes out other new
 * values and never what was learned; within a class the lighter, then the older one goes first. */
static bool is_worth_less(uint8_t trust_a, float weight_a, uint32_t last_a, uint8_t trust_b, float weight_b,
                          uint32_t last_b)
{
    bool usual_a = trust_a == TRUST_USUAL, usual_b = trust_b == TRUST_USUAL;
    if (usual_a != usual_b)
        return usual_b;
    if (weight_a < weight_b || weight_b < weight_a)
        return weight_a < weight_b;
    return last_a < last_b;
}

static uint16_t one_more_day(uint16_t days, uint32_t last_s, uint32_t now_s)
{
    return now_s / S_PER_DAY != last_s / S_PER_DAY && days < UINT16_MAX ? (uint16_t)(days + 1) : days;
}

struct place *baseline_learn_place(struct baseline *b, const struct place *like, uint32_t now_s)
{
    struct place *p = baseline_place(b, like);
    if (!p) {
        p = &b->places[0];
        for (size_t i = 0; i < BASELINE_PLACES && p->trust != TRUST_NONE; i++) {
            struct place *q = &b->places[i];
            if (q->trust == TRUST_NONE || is_worth_less(q->trust, decayed(q->weight, q->last_s, now_s), q->last_s,
                                                        p->trust, decayed(p->weight, p->last_s, now_s), p->last_s))
                p = q;
        }
        *p = *like;
        p->weight = 0;
        p->first_s = p->last_s = now_s;
        p->days = 1;
        p->trust = TRUST_QUARANTINED;
    }
    p->weight = decayed(p->weight, p->last_s, now_s) + 1;
    p->days = one_more_day(p->days, p->last_s, now_s);
    p->last_s = now_s;
    if (like->asn)
        p->asn = like->asn;
    if (like->country[0])
        memcpy(p->country, like->country, sizeof p->country);
    return p;
}

struct client *baseline_learn_client(struct baseline *b, const struct client *like, uint32_t now_s)
{
    struct client *c = baseline_client(b, like);
    if (!c) {
        c = &b->clients[0];
        for (size_t i = 0; i < BASELINE_CLIENTS && c->trust != TRUST_NONE; i++) {
            struct client *q = &b->clients[i];
            if (q->trust == TRUST_NONE || is_worth_less(q->trust, decayed(q->weight, q->last_s, now_s), q->last_s,
                                                        c->trust, decayed(c->weight, c->last_s, now_s), c->last_s))
                c = q;
        }
        *c = *like;
        c->weight = 0;
        c->first_s = c->last_s = now_s;
        c->days = 1;
        c->trust = TRUST_QUARANTINED;
    }
    c->weight = decayed(c->weight, c->last_s, now_s) + 1;
    c->days = one_more_day(c->days, c->last_s, now_s);
    c->last_s = now_s;
    if (like->major > c->major)
        c->major = like->major;
    return c;
}

void ratio_add(struct ratio *r, bool is_hit)
{
    if (r->n == UINT8_MAX) {
        r->n /= 2;
        r->hits /= 2;
    }
    r->n++;
    r->hits = (uint8_t)(r->hits + is_hit);
}

void moments_learn(struct moments *m, double x, double keep)
{
    m->n = (float)((double)m->n * keep + 1);
    m->s1 = (float)((double)m->s1 * keep + x);
    m->s2 = (float)((double)m->s2 * keep + x * x);
}

void moments_add(struct moments *m, double x)
{
    moments_learn(m, x, MOMENTS_KEEP);
}
