/* SPDX-License-Identifier: Apache-2.0
 * The facts of one session: how it began and ended, from where it was used, what it did in which order, and whether it
 * behaved like a person at a page or like a program. */
#ifndef RECORD_SESSION_RECORD_H
#define RECORD_SESSION_RECORD_H

#include "record/activity.h"

#define SESSION_CONTEXTS 4
#define SESSION_ORDER 32

enum session_begin {
    SESSION_BEGIN_UNSEEN,     /* it acted before anything was seen of its beginning */
    SESSION_BEGIN_LOGIN, SESSION_BEGIN_REMEMBERED, /* without a login, by a remember-me value */
    SESSION_BEGIN_RESUMED,    /* after a pause that ended the record before */
    SESSION_BEGIN_AFTER_END,  /* it goes on although it was ended */
    SESSION_BEGIN_N
};

enum session_end {
    SESSION_END_OPEN,     /* the input ended */
    SESSION_END_LOGOUT, SESSION_END_REMOVED, /* the application took the cookie away */
    SESSION_END_LOGIN,    /* a login took its place */
    SESSION_END_EXPIRED,  /* Max-Age or Expires of its cookie is over */
    SESSION_END_IDLE,     /* no act for four hours of packet time */
    SESSION_END_ROOM,     /* too many sessions: told early */
    SESSION_END_N
};

/* One network (/24, /48) and program it was used from. */
struct session_context {
    uint64_t first_ns, last_ns;
    struct ipaddr ip; /* the latest address */
    uint32_t asn, agent, count; /* agent: hash of the User-Agent without its numbers */
    uint16_t family;  /* enum of enrich/client.h */
    char country[3];
    char client[28], ja4[40]; /* cut, NUL-ended; "" = unknown */
};

struct session_record {
    uint8_t id[SESSION_HASH_SIZE]; /* casetap.session.id */
    uint64_t start_ns, last_ns;    /* first and last act */
    uint64_t end_ns;               /* set when the record is told: the logout, or the last act */
    uint32_t until_s;              /* when the browser drops the cookie, seconds since 1970; 0 = not said */
    uint8_t begin, end, cred_kind;
    uint8_t n_order, n_contexts, n_more_contexts;

    uint32_t acts, failures;
    uint32_t pages, api;           /* acts that got a page, that spoke to an interface for programs */
    uint32_t assets;               /* parts of pages fetched; a script fetches none. A cache may spare them */
    uint32_t referer_own, referer_other, referer_none;
    uint32_t values, forks, foreign_forks, late, copied; /* of its value: see enum session_event of app/identity.h */
    uint32_t actions[ACTION_N];
    uint8_t order[SESSION_ORDER];  /* enum action: each different from the one before */

    uint32_t intervals;            /* between acts */
    double interval_mean_s, interval_m2; /* m2: sum of squared distances from the mean (Welford 1962) */

    struct session_context contexts[SESSION_CONTEXTS];
    uint16_t user_size, app_size;
    char user[192], app[32];
};

/* Standard deviation over mean of the intervals: 0 for a clock, about 1 for chance, more for people. 0 without any. */
double session_record_variation(const struct session_record *r);
/* One line of sessions.ndjson (schema session.schema.json), newline included. */
void session_record_json(const struct session_record *r, struct text *out);
/* "values":{...}: how often a session's value was replaced, and what became of the older ones. */
void session_values_json(struct json *j, uint32_t replaced, uint32_t forks, uint32_t foreign_forks, uint32_t late,
                         uint32_t copied);
const char *session_begin_name(enum session_begin begin);
const char *session_end_name(enum session_end end);

#endif
