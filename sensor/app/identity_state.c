/* SPDX-License-Identifier: Apache-2.0
 * What is known of sessions, and what of it a restart keeps: one line of text a session, one a value. */
#include "app/identity_parts.h"

#include "app/words.h"
#include "base/err.h"
#include "base/hex.h"
#include "wire/url.h"

#include <inttypes.h>
#include <stdio.h>

bool identity_session(const struct identity *id, const uint8_t session[SESSION_HASH_SIZE], struct session_facts *out)
{
    uint8_t first[SESSION_HASH_SIZE];
    chain_resolve(id, session, first);
    const struct session *s = map_find(id->sessions, first);
    if (!s)
        return false;
    *out = (struct session_facts){.first_ns = s->first_ns,
                                  .last_ns = s->last_ns,
                                  .until_s = s->until_s,
                                  .values = s->n_values,
                                  .start = s->start,
                                  .unnamed = s->unnamed,
                                  .state = s->state,
                                  .kind = s->kind,
                                  .name = name_span(&s->name)};
    return true;
}

static const char *const state_names[] = {"unnamed", "named", "replaced", "ended"};
static const char *const start_names[] = {"unseen", "login", "remembered"};

/* Percent-encodes what is no plain character; "-" alone stands for no name, so a name "-" is encoded too. */
static void write_name(const struct name *n, char *to)
{
    bool is_dash = n->size == 1 && n->text[0] == '-';
    if (n->size == 0)
        *to++ = '-';
    for (uint16_t i = 0; i < n->size; i++) {
        unsigned char c = (unsigned char)n->text[i];
        if (c > 0x20 && c < 0x7f && c != '%' && !is_dash)
            *to++ = (char)c;
        else
            to += snprintf(to, 4, "%%%02X", c);
    }
    *to = 0;
}

void state_session_line(const uint8_t hash[SESSION_HASH_SIZE], const struct session *s, char text[LINE_MAX_SIZE])
{
    char hex[2 * SESSION_HASH_SIZE + 1], name[3 * IDENTITY_NAME_MAX + 1];
    hex_text(span_of(hash, SESSION_HASH_SIZE), hex);
    write_name(&s->name, name);
    snprintf(text, LINE_MAX_SIZE, "session %s %s %" PRIu64 " %" PRIu64 " %s %s %" PRIu32 " %s %" PRIu32, hex, name,
             s->first_ns, s->last_ns, state_names[s->state], cred_kind_name((enum cred_kind)s->kind), s->unnamed,
             start_names[s->start], s->until_s);
    if (s->handed_to) {
        size_t used = strlen(text);
        snprintf(text + used, LINE_MAX_SIZE - used, " client:%" PRIu32, s->handed_to);
    }
}

void state_value_line(const uint8_t hash[SESSION_HASH_SIZE], const struct link *l, char text[LINE_MAX_SIZE])
{
    char hex[2 * SESSION_HASH_SIZE + 1], of[2 * SESSION_HASH_SIZE + 1];
    hex_text(span_of(hash, SESSION_HASH_SIZE), hex);
    hex_text(span_of(l->session, SESSION_HASH_SIZE), of);
    snprintf(text, LINE_MAX_SIZE, "value %s %s %" PRIu64 " %" PRIu64, hex, of, l->last_ns, l->replaced_ns);
}

void identity_save(const struct identity *id, void (*line)(void *ctx, const char *text), void *ctx)
{
    char text[LINE_MAX_SIZE];
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(id->sessions, &at, &key, &value);) {
        state_session_line(key, value, text);
        line(ctx, text);
    }
    for (uint32_t at = UINT32_MAX; map_walk(id->links, &at, &key, &value);) {
        state_value_line(key, value, text);
        line(ctx, text);
    }
}

static bool read_word(struct span word, const char *(*name)(unsigned), unsigned n, uint8_t *out)
{
    for (unsigned i = 0; i < n; i++)
        if (span_eq(word, span_text(name(i)))) {
            *out = (uint8_t)i;
            return true;
        }
    return false;
}

static const char *state_name(unsigned i)
{
    return state_names[i];
}

static const char *kind_name(unsigned i)
{
    return cred_kind_name((enum cred_kind)i);
}

static bool read_name(struct span raw, struct name *out)
{
    uint8_t plain[3 * IDENTITY_NAME_MAX + 8];
    struct arena a;
    arena_init(&a, plain, sizeof plain);
    struct span text = span_eq(raw, SPAN("-")) ? SPAN("") : url_decode(raw, false, &a);
    name_set(out, text);
    return raw.size && text.at && text.size <= IDENTITY_NAME_MAX;
}

static const char *start_name(unsigned i)
{
    return start_names[i];
}

static bool read_value(struct span rest, uint8_t hash[SESSION_HASH_SIZE], struct link *l)
{
    enum { WORD, HASH, SESSION, LAST, REPLACED, PARTS };
    struct span part[PARTS];
    for (size_t i = 0; i < PARTS; i++)
        if (!span_split(&rest, ' ', &part[i]))
            return false;
    return !rest.at && span_eq(part[WORD], SPAN("value")) && words_read_hash(part[HASH], hash) && !hash_is_zero(hash) &&
           words_read_hash(part[SESSION], l->session) && !hash_is_zero(l->session) && span_u64(part[LAST], &l->last_ns) &&
           span_u64(part[REPLACED], &l->replaced_ns);
}

bool state_value_session(const char *line, uint8_t session[SESSION_HASH_SIZE])
{
    struct link l = {0};
    uint8_t hash[SESSION_HASH_SIZE] = {0};
    bool is_good = read_value(span_text(line), hash, &l);
    memcpy(session, l.session, SESSION_HASH_SIZE);
    return is_good;
}

static int load_value(struct identity *id, struct span rest)
{
    struct link l = {0};
    uint8_t hash[SESSION_HASH_SIZE] = {0};
    if (!read_value(rest, hash, &l))
        return E_BAD;
    chain_load(id, hash, &l);
    return E_OK;
}

/* Whom the value was handed to, if it was. */
static bool read_client(struct span *rest, struct session *s)
{
    struct span client;
    uint64_t number;
    if (!rest->at)
        return true;
    if (!span_split(rest, ' ', &client) || rest->at || !span_starts(client, SPAN("client:")) ||
        !span_u64(span_from(client, 7), &number) || !number || number > UINT32_MAX)
        return false;
    s->handed_to = (uint32_t)number;
    return true;
}

/* START and UNTIL, which older files do not have. */
static bool read_start(struct span *rest, struct session *s)
{
    struct span start, until;
    uint64_t seconds;
    if (!rest->at)
        return true;
    if (!span_split(rest, ' ', &start) || !span_split(rest, ' ', &until) || !read_client(rest, s) ||
        !read_word(start, start_name, sizeof start_names / sizeof *start_names, &s->start) || !span_u64(until, &seconds))
        return false;
    s->until_s = seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
    return true;
}

int identity_load(struct identity *id, const char *line)
{
    enum { WORD, HASH, NAME, FIRST, LAST, STATE, KIND, UNNAMED, PARTS };
    struct span rest = span_text(line), part[PARTS];
    struct session s = {0};
    uint8_t hash[SESSION_HASH_SIZE] = {0};
    uint64_t unnamed;
    bool is_new;
    if (span_starts(rest, SPAN("value ")))
        return load_value(id, rest);
    for (size_t i = 0; i < PARTS; i++)
        if (!span_split(&rest, ' ', &part[i]))
            return E_BAD;
    if (!read_start(&rest, &s) || !span_eq(part[WORD], SPAN("session")) || !words_read_hash(part[HASH], hash) || hash_is_zero(hash) ||
        !read_name(part[NAME], &s.name) || !span_u64(part[FIRST], &s.first_ns) || !span_u64(part[LAST], &s.last_ns) ||
        s.last_ns < s.first_ns || !read_word(part[STATE], state_name, SESSION_ENDED + 1, &s.state) ||
        !read_word(part[KIND], kind_name, CRED_N, &s.kind) || !span_u64(part[UNNAMED], &unnamed) ||
        unnamed > UINT32_MAX || (s.state == SESSION_NAMED && s.name.size == 0))
        return E_BAD;
    s.unnamed = (uint32_t)unnamed;
    if (s.name.size)
        name_learn(id, &s.name, false);
    *(struct session *)map_touch(id->sessions, hash, &is_new) = s;
    return E_OK;
}
