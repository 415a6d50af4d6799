/* SPDX-License-Identifier: Apache-2.0
 * One map of all kinds. */
#include "detect/marks.h"

#include <stdlib.h>

#include "base/map.h"

struct key {
    uint32_t kind; /* enum mark_kind */
    uint32_t agent;
    uint8_t bytes[16]; /* address, session, or credential */
};

struct marks {
    struct map *map;
};

struct marks *marks_new(uint32_t max)
{
    struct marks *m = calloc(1, sizeof *m);
    if (m)
        m->map = map_new(sizeof(struct key), sizeof(struct mark), max, 18);
    if (m && !m->map) {
        free(m);
        m = NULL;
    }
    return m;
}

void marks_free(struct marks *m)
{
    if (!m)
        return;
    map_free(m->map);
    free(m);
}

static struct key source_key(const struct ipaddr *ip)
{
    struct key k = {.kind = MARK_SOURCE};
    memcpy(k.bytes, ip->bytes, sizeof k.bytes);
    if (!ipaddr_is4(ip))
        memset(k.bytes + 8, 0, 8);
    return k;
}

static struct key session_key(const uint8_t session[SESSION_HASH_SIZE])
{
    struct key k = {.kind = MARK_SESSION};
    memcpy(k.bytes, session, sizeof k.bytes);
    return k;
}

static struct key client_key(uint64_t credential, uint32_t agent)
{
    struct key k = {.kind = MARK_CLIENT, .agent = agent};
    memcpy(k.bytes, &credential, sizeof credential);
    return k;
}

static void set(struct marks *m, const struct key *key, const struct mark *mark)
{
    bool is_new;
    memcpy(map_touch(m->map, key, &is_new), mark, sizeof *mark);
}

static const struct mark *get(const struct marks *m, const struct key *key, uint64_t now_ns)
{
    const struct mark *mark = map_size(m->map) ? map_find(m->map, key) : NULL;
    return mark && now_ns >= mark->from_ns && (!mark->until_ns || now_ns < mark->until_ns) ? mark : NULL;
}

void marks_source(struct marks *m, const struct ipaddr *ip, const struct mark *mark)
{
    struct key key = source_key(ip);
    if (!ipaddr_is_zero(ip))
        set(m, &key, mark);
}

void marks_session(struct marks *m, const uint8_t session[SESSION_HASH_SIZE], const struct mark *mark)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    struct key key = session_key(session);
    if (memcmp(session, none, sizeof none) != 0)
        set(m, &key, mark);
}

void marks_client(struct marks *m, uint64_t credential, uint32_t agent, const struct mark *mark)
{
    struct key key = client_key(credential, agent);
    set(m, &key, mark);
}

const struct mark *marks_of_source(const struct marks *m, const struct ipaddr *ip, uint64_t now_ns)
{
    struct key key = source_key(ip);
    return get(m, &key, now_ns);
}

const struct mark *marks_of_session(const struct marks *m, const uint8_t session[SESSION_HASH_SIZE], uint64_t now_ns)
{
    struct key key = session_key(session);
    return get(m, &key, now_ns);
}

const struct mark *marks_of_client(const struct marks *m, uint64_t credential, uint32_t agent, uint64_t now_ns)
{
    struct key key = client_key(credential, agent);
    return get(m, &key, now_ns);
}
