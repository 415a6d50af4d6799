/* SPDX-License-Identifier: Apache-2.0
 * What is usual for one credential: where it comes from, with what client, when, how much it takes, whose files. Plain
 * data of fixed size (at most 1 KiB), and its text form, field by field, for Redis and for snapshot files. */
#ifndef STORE_BASELINE_H
#define STORE_BASELINE_H

#include "base/ipaddr.h"

#define BASELINE_NAME_MAX 128
#define BASELINE_PLACES 12
#define BASELINE_CLIENTS 6
#define BASELINE_CLIENT_NAME 16
#define BASELINE_FIELD_MAX 24  /* bytes of a field's name with its NUL */
#define BASELINE_VALUE_MAX 512 /* bytes of a field's value with its NUL */

/* A new value is quarantined until it has earned trust; one that came with an alert stays alerted until a person or
 * a long quiet use clears it. */
enum trust { TRUST_NONE, TRUST_QUARANTINED, TRUST_ALERTED, TRUST_USUAL, TRUST_N };

/* A place: the /24 (IPv4) or /48 (IPv6) of the source, with what is known about it. */
struct place {
    uint8_t prefix[8]; /* the first 8 bytes of an IPv6 prefix, or the 4 of an IPv4 one */
    uint32_t asn;      /* 0 = unknown */
    char country[3];   /* ISO 3166-1 alpha-2, "" = unknown */
    uint8_t is_v6;
    float weight;             /* sessions from there, decayed with a half-life of 180 days */
    uint32_t first_s, last_s; /* packet time, seconds since 1970 */
    uint16_t days;            /* on how many days it was used */
    uint8_t trust;            /* enum trust; TRUST_NONE = a free slot */
    uint8_t spare;
};

/* A client: browser family or program. */
struct client {
    char name[BASELINE_CLIENT_NAME]; /* family, "Firefox"; cut, NUL-terminated */
    uint16_t family;                 /* enum of enrich/client.h, 0 = unknown: then 'agent' tells clients apart */
    uint16_t major;                  /* the highest seen */
    uint32_t agent;                  /* hash of the User-Agent with its numbers taken out */
    float weight;                    /* sessions with it, decayed like a place's */
    uint32_t first_s, last_s;
    uint16_t days;
    uint8_t trust;
    uint8_t spare;
};

/* Sums for mean and variance of something counted per window, decayed per window. */
struct moments {
    float n, s1, s2; /* windows, sum, sum of squares */
};

/* How often something happened out of so many times; both are halved when n is full. */
struct ratio {
    uint8_t n, hits;
};

#define BASELINE_ORG_MANY UINT32_MAX /* it has touched several customers: one of those who serve them */

/* Bits of baseline.flags. */
#define BASELINE_MACHINE 0x1u /* a program: token, key, or a script client from its beginning */
#define BASELINE_PERSON 0x2u  /* has signed in with a form or a browser */
#define BASELINE_FROZEN 0x4u  /* a person said: judge, do not learn */
#define BASELINE_FLAGS 3      /* how many bits have a name */

struct baseline {
    char name[BASELINE_NAME_MAX]; /* the credential; NUL-terminated */
    uint64_t first_ns, last_ns;   /* packet times of its first and latest act; 0 = none */
    uint32_t sessions, acts, files;
    uint32_t active_days;
    uint32_t alert_s;   /* packet time of the last alert about it, 0 = never */
    uint32_t flags;     /* BASELINE_* */
    uint32_t actions;   /* bit per enum action it has ever done */
    uint32_t day;       /* the day (since 1970) that the today_* counts belong to */
    uint64_t routes[2]; /* Bloom filter of the routes it has ever used */

    struct place places[BASELINE_PLACES];
    struct client clients[BASELINE_CLIENTS];

    uint8_t hours[24];     /* sessions begun in each hour (UTC); all are halved when one is full */
    uint8_t weekdays[7];   /* the same per day of the week, 0 = Monday */
    uint8_t today_alerted; /* an alert spoke today: the day is not learned */

    struct moments files_day, cases_day, customers_day; /* per active day */
    struct moments bytes_day;    /* of the logarithm (base 2) of bytes per active day with a file */
    struct moments files_window; /* files per ten-minute window with a file */
    struct moments cases_window; /* the same of cases */

    uint32_t org;         /* hash of the only customer it has ever touched; 0 = none yet, BASELINE_ORG_MANY = several */
    struct ratio unseen;  /* cases out of which it took a file that day, and those it had not looked at before */
    struct ratio strange; /* customers touched a day, and those for the first time ever */

    float slow_cases; /* rising sum (CUSUM) of how far the cases of the days before today lay above what is usual */

    uint64_t today_bytes;
    uint32_t today_files, today_cases, today_customers;
    uint32_t window; /* the ten-minute window (since 1970) that window_files and window_cases belong to */
    uint16_t window_files, window_cases; /* at most 65535 */
    uint8_t first_customers[8]; /* customers never touched before: today, yesterday, ... */
    uint64_t customers[6];      /* Bloom filter of the customers it has ever touched */
};

_Static_assert(sizeof(struct baseline) <= 1024, "a baseline takes at most 1 KiB");

/* An empty baseline of that name (cut at BASELINE_NAME_MAX - 1 bytes). */
void baseline_init(struct baseline *b, struct span name);
/* The name as a span. */
struct span baseline_name(const struct baseline *b);
/* Calls put for each field that is not empty, always in the same order, with text that a person can read and that
 * baseline_read turns back into the same bits. The strings are borrowed during the call. Returns how many. */
int baseline_write(const struct baseline *b, void (*put)(void *ctx, const char *field, const char *value), void *ctx);
/* Sets one field. E_NONE for an unknown field, E_BAD for a value that is none of ours (b is then unchanged). */
int baseline_read(struct baseline *b, const char *field, const char *value);

const char *trust_name(enum trust trust);

/* The place an address stands for; country and asn as enrichment found them ("" and 0 = unknown). */
struct place place_of(const struct ipaddr *ip, const char *country, uint32_t asn);
/* "81.2.69.0/24". */
const char *place_prefix_text(const struct place *p, char out[PREFIX_TEXT_MAX]);
bool place_same_prefix(const struct place *a, const struct place *b);
/* The entry with the same prefix, or NULL. */
struct place *baseline_place(struct baseline *b, const struct place *like);
/* Counts one more session from there at packet time now_s; a new entry is quarantined and, when all are taken, replaces
 * the least used one that is not usual, or else the least used one. Returns the entry. */
struct place *baseline_learn_place(struct baseline *b, const struct place *like, uint32_t now_s);
/* The same for clients. */
struct client *baseline_client(struct baseline *b, const struct client *like);
struct client *baseline_learn_client(struct baseline *b, const struct client *like, uint32_t now_s);

/* Adds one window's count to decayed sums: each earlier window counts 'keep' of the next (moments_add: .99). */
void moments_learn(struct moments *m, double x, double keep);
void moments_add(struct moments *m, double x);
void ratio_add(struct ratio *r, bool is_hit);

#endif
