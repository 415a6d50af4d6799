/* SPDX-License-Identifier: Apache-2.0
 * The analysis side of identity: which credential a session value, token or login belongs to, over time. Candidates
 * in, settled activities out (user.name final), and 'identify' activities for what a session did before it had a
 * name. */
#ifndef APP_IDENTITY_H
#define APP_IDENTITY_H

#include "app/people.h"
#include "base/counter.h"
#include "record/activity.h"

struct identity;

typedef void identity_emit_fn(void *ctx, struct activity *settled);

/* 'max_sessions': cap of known session values (least recently used goes, counted). NULL when memory cannot be
 * reserved. */
struct identity *identity_new(uint32_t max_sessions);
void identity_free(struct identity *id);
/* "who a nameless token is": activities that would be called 'credential' are called 'name'. A token's public part is
 * meant with and without its "token:". The first declaration of a credential counts. E_BAD when either is empty or
 * longer than a name can be, E_LIMIT after 1024, E_NOMEM. */
int identity_alias(struct identity *id, struct span name, struct span credential);

enum session_event {
    SESSION_STARTS_LOGIN, SESSION_STARTS_REMEMBERED, /* a session begins with this act */
    SESSION_ROTATES,                                 /* its value was replaced */
    SESSION_FORKS, /* a value that had been replaced was replaced once more: parallel requests of one client ... */
    SESSION_FORKS_FOREIGN,                           /* ... or the same by another client: a copy goes on */
    SESSION_LATE,                                    /* a value replaced long ago was used by the client that had it */
    SESSION_COPIED,                                  /* ... or by another client */
    SESSION_ENDS_LOGOUT, SESSION_ENDS_REMOVED, SESSION_ENDS_LOGIN, /* the last: a login took its place */
};

typedef void identity_watch_fn(void *ctx, enum session_event event, const uint8_t session[SESSION_HASH_SIZE],
                               const struct activity *by);

/* Calls fn for what happens to sessions, before the activity that made it happen is emitted. */
void identity_watch(struct identity *id, identity_watch_fn *fn, void *ctx);

/* A map shared with others. */
struct identity_share {
    /* Appends what is known of a value as a line of identity_save; false when nothing is. */
    bool (*ask)(void *ctx, const uint8_t hash[SESSION_HASH_SIZE], uint64_t now_ns, struct text *line);
    /* Keeps a line for ttl_s seconds. */
    void (*keep)(void *ctx, const uint8_t hash[SESSION_HASH_SIZE], struct span line, uint32_t ttl_s);
    void *ctx;
};

/* Values not known here are asked for from now on, and sessions with a name are kept there. */
void identity_share(struct identity *id, const struct identity_share *share);
/* Keeps all sessions with a name again: the map has lost them. */
void identity_share_all(struct identity *id);

/* Sets the candidate's session to the id of the session: the hash of its first value, however often the value was
 * replaced since ('sent' keeps the value's). With a remember-me value that made the application begin a session, it is
 * the new session's. To be called before anything else looks at the session; identity_settle does it when nobody did. */
void identity_resolve(struct identity *id, struct activity *candidate, identity_emit_fn *emit, void *ctx);
/* Takes in a candidate of ACTION_NONE: a value that was replaced by an answer of which nothing else is told. Its session
 * is set as above. */
void identity_fact(struct identity *id, struct activity *fact, identity_emit_fn *emit, void *ctx);

/* The operator's file of names; owned from then on. */
void identity_people(struct identity *id, struct people *people);

/* Settles one candidate, in order of (done_ns, flow_hash, number), and calls emit once or more. The candidate is
 * changed: STR_USER is set, what only candidates have (claim, new_session, flags) is cleared; its event.id stays.
 *
 * user.name is, in this order:
 *   1. the name given at a login (also at one that failed), in Basic, Digest or NTLM credentials, or in a client certificate that
 *      comes alone;
 *   2. the name the server's page shows to a cookie (ACT_CLAIM_PROVEN);
 *   3. the alias declared for a token's public part;
 *   4. the name the session value or token is bound to;
 *   5. what a token says of itself: "token:" and its public part, the user claim of a JWT;
 *   6. the certificate the connection's client showed, when it is the person's own connection;
 *   7. "session:" and the first 16 hex digits of the value's hash;
 *   8. nothing, when the request showed no credential.
 * Then the operator's file joins names of one person, and says who is a service (ACT_SERVICE).
 * Names that differ in ASCII case alone are one: the spelling of a successful login or of a page counts.
 *
 * A value is bound by a login that succeeded (the value the answer set; the value sent, when the answer set none), by
 * a page's proof (which also overrides an older name), and by a remember-me value. A value that replaces one outside a
 * login leads to the same session: always where the old one has a name, and where each answer replaces it (the profile
 * says so, or the host was seen to do it) without one as well. A logout ends a session: it keeps its name, the value set
 * with it has none. A session that acts unnamed and is bound later gets one 'identify' activity (casetap.session.id,
 * user.name), emitted just before the activity that told. So does a request without any credential that was turned away
 * with a value, when a login from the same network and program replaces or keeps that value within an hour.
 *
 * Of a session that replaces its values only the latest 512 are known, and those replaced in the last day. */
void identity_settle(struct identity *id, struct activity *candidate, identity_emit_fn *emit, void *ctx);

enum session_state { SESSION_UNNAMED, SESSION_NAMED, SESSION_REPLACED, SESSION_ENDED };

enum session_start { SESSION_START_UNSEEN, SESSION_START_LOGIN, SESSION_START_REMEMBERED };

/* What is known of a session. */
struct session_facts {
    uint64_t first_ns, last_ns; /* packet times of the first and last request with it, or of the login that made it */
    uint32_t until_s;           /* when the browser drops its value, seconds since 1970; 0 = not said */
    uint32_t values;            /* later values that are known to lead to it */
    uint8_t start;              /* enum session_start */
    uint32_t unnamed;           /* activities told under "session:", so far without an 'identify' */
    uint8_t state;              /* enum session_state */
    uint8_t kind;               /* enum cred_kind it was last sent as; CRED_NONE: not yet */
    struct span name;           /* "" while unnamed; borrowed until the next call */
};

/* By its id or any of its values. False when it is not known (any more). */
bool identity_session(const struct identity *id, const uint8_t session[SESSION_HASH_SIZE], struct session_facts *out);
struct counters identity_counters(const struct identity *id);
/* The known sessions as text lines "session HASH NAME FIRST LAST STATE KIND UNNAMED START UNTIL [client:CLIENT]" (times in ns,
 * UNTIL in s; the name percent-encoded, "-" for none), least recently used first, then the later values that lead to them as
 * "value HASH SESSION LAST REPLACED"; and back (for --state; START and UNTIL may be absent). E_BAD for a line that is
 * none. */
void identity_save(const struct identity *id, void (*line)(void *ctx, const char *text), void *ctx);
int identity_load(struct identity *id, const char *line);

#endif
