/* SPDX-License-Identifier: Apache-2.0
 * The tables behind identity.h, for identity.c (who), identity_chain.c (values that replace each other) and
 * identity_state.c (what a restart keeps) alone. */
#ifndef APP_IDENTITY_PARTS_H
#define APP_IDENTITY_PARTS_H

#include "app/identity.h"
#include "base/map.h"

#define IDENTITY_NAME_MAX 192 /* of STR_USER and STR_CLAIM */

struct name {
    uint16_t size;
    char text[IDENTITY_NAME_MAX];
};

/* A session: its id is the hash of its first value. */
struct session {
    uint64_t first_ns, last_ns;
    uint64_t replaced_ns; /* when its first value was replaced; 0: it was not */
    uint64_t kept_ns;     /* packet time at which it was last kept in the shared map */
    uint32_t unnamed;
    uint32_t until_s; /* as of the latest value set; 0 = not said */
    uint32_t n_values; /* later values that lead here */
    uint32_t used_by;  /* the client that used the first value last, as a hash */
    uint32_t handed_to; /* the client that got the value in answer to a request without any, as a hash; 0: nobody did */
    uint8_t state, kind, start;
    uint8_t oldest[SESSION_HASH_SIZE], newest[SESSION_HASH_SIZE]; /* of the later values */
    struct name name;
};

/* A later value of a session. */
struct link {
    uint8_t session[SESSION_HASH_SIZE];
    uint8_t newer[SESSION_HASH_SIZE]; /* the value of the same session that was set next; zero: none */
    uint64_t last_ns, replaced_ns;
    uint32_t used_by;
};

/* How a host treats session values. */
struct habit {
    uint64_t last;        /* of the value set last, so that one is not counted twice */
    uint32_t changed, kept;
};

struct alias {
    struct name name, credential;
};

struct identity_counts {
    uint64_t settled;
    uint64_t named, unnamed, nobody;
    uint64_t logins, proofs, rotations, ends, renamed, identified, ended_used;
    uint64_t remembered, forks, foreign_forks, late_values, values_forgotten;
    uint64_t two_values, two_names;
    uint64_t evicted;
};

struct identity {
    struct map *sessions;  /* session id -> struct session */
    struct map *links;     /* hash of a later value -> struct link */
    struct map *fresh;     /* hash of a value an answer set, whose session is not known -> nothing */
    struct map *habits;    /* hash of application and host -> struct habit */
    struct map *spellings; /* hash128 of a name in lower case -> struct name */
    struct people *people; /* NULL: no file */
    struct alias *aliases;
    size_t n_aliases;
    struct identity_share share; /* ask == NULL: there is none */
    struct text line;
    identity_watch_fn *watch;
    void *watch_ctx;
    struct identity_counts counts;
};

static inline struct span name_span(const struct name *n)
{
    return span_of(n->text, n->size);
}

static inline bool hash_is_zero(const uint8_t hash[SESSION_HASH_SIZE])
{
    static const uint8_t none[SESSION_HASH_SIZE];
    return memcmp(hash, none, SESSION_HASH_SIZE) == 0;
}

/* identity.c */
void name_set(struct name *n, struct span text);
/* The server accepted this name. A page's spelling replaces what was typed at a login. */
void name_learn(struct identity *id, struct name *n, bool is_page);
struct session *session_touch(struct identity *id, const uint8_t hash[SESSION_HASH_SIZE], uint64_t now_ns);
void session_bind(struct identity *id, const struct activity *by, const uint8_t hash[SESSION_HASH_SIZE],
                  const struct name *n, identity_emit_fn *emit, void *ctx);

/* identity_share.c: what is shared. 'keep' does nothing for a session without a name. */
void share_keep(struct identity *id, const uint8_t session[SESSION_HASH_SIZE], struct session *s, uint64_t now_ns);
void share_keep_value(struct identity *id, const uint8_t value[SESSION_HASH_SIZE], const struct link *l);
/* Takes in what others know of a value that nobody here knows. */
void share_ask(struct identity *id, const uint8_t value[SESSION_HASH_SIZE], uint64_t now_ns);
/* Keeps it again before it goes there. */
void share_renew(struct identity *id, const uint8_t session[SESSION_HASH_SIZE], struct session *s, uint64_t now_ns);

/* identity_state.c: the lines of identity_save, into LINE_MAX_SIZE bytes. */
#define LINE_MAX_SIZE 900
void state_session_line(const uint8_t hash[SESSION_HASH_SIZE], const struct session *s, char text[LINE_MAX_SIZE]);
void state_value_line(const uint8_t hash[SESSION_HASH_SIZE], const struct link *l, char text[LINE_MAX_SIZE]);

/* The session in a line of a value; false when it is none. */
bool state_value_session(const char *line, uint8_t session[SESSION_HASH_SIZE]);

/* identity_chain.c */
bool chain_init(struct identity *id, uint32_t max_sessions);
void chain_fini(struct identity *id);
/* The session a value leads to; the value itself when it leads nowhere. */
void chain_resolve(const struct identity *id, const uint8_t value[SESSION_HASH_SIZE], uint8_t out[SESSION_HASH_SIZE]);
/* The network and the program an act came from, as a hash; never 0. */
uint32_t chain_user(const struct activity *a);
/* A value used: whether the client is the one that used it, and how late. Before the candidate is resolved. */
void chain_use(struct identity *id, const struct activity *a);
/* The value sent ('value'; a->session is its session) was replaced outside a login by a->new_session. */
void chain_rotate(struct identity *id, const struct activity *a, const uint8_t value[SESSION_HASH_SIZE],
                  identity_emit_fn *emit, void *ctx);
/* A value begins a session of its own from here on, whatever it led to. */
void chain_forget(struct identity *id, const uint8_t value[SESSION_HASH_SIZE]);
/* A request whose remember-me value made the application begin a session: the candidate is of the new one then. */
void chain_remember(struct identity *id, struct activity *a, identity_emit_fn *emit, void *ctx);
/* The remember-me value set belongs to this name. */
void chain_bind_remember(struct identity *id, const struct activity *a, const struct name *n, identity_emit_fn *emit,
                         void *ctx);
void chain_tell(struct identity *id, const struct activity *by, const uint8_t session[SESSION_HASH_SIZE],
                enum session_event event);
/* Puts a link in (for identity_load), unless its session is not there. */
void chain_load(struct identity *id, const uint8_t value[SESSION_HASH_SIZE], const struct link *l);

#endif
