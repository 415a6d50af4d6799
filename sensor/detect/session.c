/* SPDX-License-Identifier: Apache-2.0
 * Faces of a session, and how unlike a new one is. */
#include "detect/session.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"

struct sessions {
    struct map *map;
};

struct sessions *sessions_new(uint32_t max)
{
    struct sessions *s = calloc(1, sizeof *s);
    if (s)
        s->map = map_new(SESSION_HASH_SIZE, sizeof(struct session), max, 3);
    if (s && !s->map) {
        free(s);
        return NULL;
    }
    return s;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    map_free(s->map);
    free(s);
}

struct session *sessions_touch(struct sessions *s, const uint8_t hash[SESSION_HASH_SIZE])
{
    bool is_new;
    return map_touch(s->map, hash, &is_new);
}

struct session *sessions_find(struct sessions *s, const uint8_t hash[SESSION_HASH_SIZE])
{
    return map_find(s->map, hash);
}

uint64_t sessions_evicted(const struct sessions *s)
{
    return map_evicted(s->map);
}

static bool is_same_client(const struct client *a, const struct client *b)
{
    return a->family == b->family && a->agent == b->agent;
}

struct face *session_face(struct session *s, const struct place *place, const struct client *client)
{
    for (uint32_t i = 0; i < s->n_faces; i++) {
        struct face *f = &s->faces[i];
        if (place_same_prefix(&f->place, place) && is_same_client(&f->client, client) &&
            client->major >= f->client.major)
            return f;
    }
    return NULL;
}

static double place_bits(const struct rules *r, const struct place *a, const struct place *b, bool *is_network)
{
    *is_network = (a->asn && b->asn && a->asn != b->asn) ||
                  (a->country[0] && b->country[0] && memcmp(a->country, b->country, sizeof a->country) != 0);
    if (*is_network)
        return r->session_theft.network_bits;
    return place_same_prefix(a, b) ? 0 : r->session_theft.prefix_bits;
}

static double client_bits(const struct rules *r, const struct client *was, const struct client *is)
{
    if (was->family != is->family)
        return r->session_theft.client_bits;
    if (is->major < was->major)
        return r->session_theft.downgrade_bits;
    if (was->agent != is->agent)
        return was->family ? r->session_theft.platform_bits : r->session_theft.client_bits;
    return is->major > was->major ? r->session_theft.update_bits : 0;
}

struct mismatch session_compare(const struct rules *r, const struct session *s, const struct place *place,
                                const struct client *client, uint32_t now_s)
{
    struct mismatch best = {NULL, 0, 0, 0, false};
    double least = INFINITY;
    for (uint32_t i = 0; i < s->n_faces; i++) {
        const struct face *f = &s->faces[i];
        if (f->is_stolen)
            continue;
        struct mismatch m = {.like = f};
        m.place_bits = place_bits(r, &f->place, place, &m.is_network);
        m.client_bits = client_bits(r, &f->client, client);
        if (m.place_bits > 0 && m.client_bits > 0 && now_s - f->last_s <= r->session_theft.overlap_s)
            m.overlap_bits = r->session_theft.overlap_bits;
        double bits = m.place_bits + m.client_bits + m.overlap_bits;
        if (bits < least) {
            least = bits;
            best = m;
        }
    }
    return best;
}

struct face *session_add_face(struct session *s, const struct ipaddr *ip, const struct place *place,
                              const struct client *client, uint32_t now_s)
{
    struct face *f = &s->faces[0];
    if (s->n_faces < SESSION_FACES) {
        f = &s->faces[s->n_faces++];
    } else {
        for (uint32_t i = 1; i < SESSION_FACES; i++)
            if (s->faces[i].last_s < f->last_s)
                f = &s->faces[i];
    }
    *f = (struct face){.ip = *ip, .place = *place, .client = *client, .first_s = now_s, .last_s = now_s};
    return f;
}
