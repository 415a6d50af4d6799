/* SPDX-License-Identifier: Apache-2.0
 * Which credential a value belongs to, shared with restarts of ours and with other sensors. Only what has a name goes
 * there: a session without one means nothing to others. */
#include "app/identity_parts.h"

#include "base/times.h"

#define SESSION_S (7u * 86400u) /* where the cookie does not say how long it lives */
#define LONGEST_S (90u * 86400u)
#define VALUE_S 86400u          /* values of a session that replaces them */

void identity_share(struct identity *id, const struct identity_share *share)
{
    id->share = *share;
}

static uint32_t life_of(const struct session *s, uint64_t now_ns)
{
    uint64_t now_s = now_ns / NS_PER_S;
    if (!s->until_s)
        return SESSION_S;
    if (s->until_s <= now_s)
        return 60;
    return s->until_s - now_s < LONGEST_S ? (uint32_t)(s->until_s - now_s) : LONGEST_S;
}

void share_keep_value(struct identity *id, const uint8_t value[SESSION_HASH_SIZE], const struct link *l)
{
    char line[LINE_MAX_SIZE];
    if (!id->share.ask)
        return;
    state_value_line(value, l, line);
    id->share.keep(id->share.ctx, value, span_text(line), VALUE_S);
}

void share_keep(struct identity *id, const uint8_t session[SESSION_HASH_SIZE], struct session *s, uint64_t now_ns)
{
    char line[LINE_MAX_SIZE];
    if (!id->share.ask || !s->name.size)
        return;
    s->kept_ns = now_ns;
    state_session_line(session, s, line);
    id->share.keep(id->share.ctx, session, span_text(line), life_of(s, now_ns));
    const struct link *l = s->n_values ? map_find(id->links, s->newest) : NULL;
    if (l)
        share_keep_value(id, s->newest, l);
}

void share_renew(struct identity *id, const uint8_t session[SESSION_HASH_SIZE], struct session *s, uint64_t now_ns)
{
    if (id->share.ask && s->name.size && s->kept_ns + life_of(s, s->kept_ns) / 2 * NS_PER_S < now_ns)
        share_keep(id, session, s, now_ns);
}

void identity_share_all(struct identity *id)
{
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(id->sessions, &at, &key, &value);) {
        struct session *s = value;
        share_keep(id, key, s, s->last_ns);
    }
}

static bool is_known(const struct identity *id, const uint8_t value[SESSION_HASH_SIZE])
{
    return map_find(id->sessions, value) || map_find(id->links, value);
}

/* Loads the line under a hash; false when there is none of this kind for it. */
static bool take(struct identity *id, const uint8_t hash[SESSION_HASH_SIZE], uint64_t now_ns)
{
    text_clear(&id->line);
    return id->share.ask(id->share.ctx, hash, now_ns, &id->line) && identity_load(id, text_str(&id->line)) == 0;
}

void share_ask(struct identity *id, const uint8_t value[SESSION_HASH_SIZE], uint64_t now_ns)
{
    uint8_t session[SESSION_HASH_SIZE];
    if (!id->share.ask || hash_is_zero(value) || is_known(id, value))
        return;
    text_clear(&id->line);
    if (!id->share.ask(id->share.ctx, value, now_ns, &id->line))
        return;
    if (!span_starts(text_span(&id->line), SPAN("value "))) {
        (void)identity_load(id, text_str(&id->line)); /* what is no line of ours says nothing */
        return;
    }
    struct text copy = {.max = LINE_MAX_SIZE};
    text_add(&copy, text_span(&id->line));
    if (state_value_session(text_str(&copy), session) && (map_find(id->sessions, session) || take(id, session, now_ns)))
        (void)identity_load(id, text_str(&copy));
    text_fini(&copy);
}
