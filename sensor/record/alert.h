/* SPDX-License-Identifier: Apache-2.0
 * One story for a person: which rule spoke about which credential, why, and what to do first. */
#ifndef RECORD_ALERT_H
#define RECORD_ALERT_H

#include "record/activity.h"

#define ALERT_WHY_MAX 12
#define ALERT_RELATED_MAX 16
#define ALERT_TEXT 160

/* One reason: a field of the activity, its value, what is usual, and how many bits of surprise it gave. */
struct why {
    char field[32];          /* ECS name: "source.geo.country_iso_code" */
    char value[ALERT_TEXT];
    char usual[ALERT_TEXT];  /* "GB (41 of 41 sessions)" */
    double bits;
};

/* The unchanging side of a rule, from its file. */
struct rule {
    const char *id;          /* "D15" */
    const char *name;        /* "Download after new location or client" */
    const char *action;      /* event.action: "download-after-new-location" */
    const char *category;    /* rule.category: "context", "integrity", "volume", "campaign", "deterministic" */
    const char *description;
    const char *first_step;  /* what to do first */
    const char *tactics[4];  /* ATT&CK tactic ids, NULL-ended */
    const char *techniques[6]; /* technique ids, sub-techniques as "T1213.004", NULL-ended */
    uint8_t risk;            /* 0-100, of the rule at its threshold */
};

struct alert {
    const struct rule *rule;
    uint8_t id[16];          /* stays the same when the alert is updated */
    uint32_t update;         /* 0 = first line, 1.. = updates */
    uint64_t start_ns;       /* first evidence */
    uint64_t time_ns;        /* packet time of the evidence that decided: @timestamp */
    double bits;             /* sum of the reasons */
    uint8_t risk;            /* 0-100 */
    uint32_t n_acts, n_files, n_customers, n_cases; /* of the story so far */
    uint64_t n_bytes;
    struct activity last;    /* the deciding act: user, source, session, file ... */
    struct why why[ALERT_WHY_MAX];
    uint8_t n_why;
    char users[ALERT_RELATED_MAX][ALERT_TEXT]; /* further credentials (campaigns); user.name is in 'last' */
    uint8_t n_users;
    struct ipaddr ips[ALERT_RELATED_MAX];      /* further addresses */
    uint8_t n_ips;
    char customers[ALERT_RELATED_MAX][ALERT_TEXT]; /* whose files or cases were touched */
    uint8_t n_listed_customers;
    uint8_t doubt;           /* 100 - casetap.confidence: the largest of the acts it speaks of */
    char blind[ALERT_TEXT];  /* what the sensor could not see, "" = nothing known */
};

/* Adds a reason (dropped silently over the cap: the strongest come first by the detector's own order). */
void alert_why(struct alert *a, const char *field, const char *value, const char *usual, double bits);
/* Adds a related credential, address or customer once. */
void alert_relate_user(struct alert *a, struct span user);
void alert_relate_ip(struct alert *a, const struct ipaddr *ip);
void alert_relate_customer(struct alert *a, struct span customer);
/* "low", "medium", "high", "critical" from risk: < 40, < 60, < 80, else. */
const char *alert_severity(const struct alert *a);
/* One line of alerts.ndjson (ECS 9.4, schema alert.schema.json), newline included. */
void alert_json(const struct alert *a, struct text *out);
/* An alert that was read back, and the texts of its rule. */
struct alert_kept;
struct alert_kept *alert_kept_new(void); /* NULL: out of memory */
void alert_kept_free(struct alert_kept *k); /* NULL does nothing */
/* Reads a line written by alert_json: written again, it is the same line
 * (in the rule, sub-techniques of one technique then stand together and for it). *out is in 'k', until k is used again. E_BAD with a
 * reason. */
int alert_parse(struct span line, struct alert_kept *k, const struct alert **out, struct text *why);
/* How a paragraph is to look; zeroed is good. */
struct alert_style {
    bool has_color;  /* ANSI colours */
    unsigned width;  /* columns; 0 = 100, at least 40 */
    uint8_t n_told;  /* an update whose first so many reasons (they are only ever added to) the reader has, with first step
                      * and id: those are left out */
};

/* One sentence for a terminal (it may take two lines): severity, rule, when it began, who, from where, what was taken. */
void alert_line(const struct alert *a, const struct alert_style *style, struct text *out);
/* A short paragraph for a terminal, a blank line at the end; what came from the wire is made harmless. */
void alert_paragraph(const struct alert *a, const struct alert_style *style, struct text *out);

#endif
