/* SPDX-License-Identifier: Apache-2.0
 * Judging a recording many times: under budgets, other rules, with this or that declared. A pass is one replay of the activity
 * logs that keeps its alerts; passes are independent, and each writes its result where another process reads it. */
#ifndef RUN_TUNE_H
#define RUN_TUNE_H

#include <stdio.h>

#include "detect/budget.h"
#include "record/alert.h"
#include "run/settings.h"

/* One replay. What is NULL or 0 is as in the settings. All borrowed. */
struct tune_job {
    const struct settings *s;
    const char *const *paths; /* activity logs */
    size_t n_paths;
    const char *rules, *roster, *feedback;
    uint64_t budget;
};

/* An alert as it stood at the end. */
struct tune_alert {
    uint8_t id[16];
    char rule[12], rules[96]; /* that began it; all that spoke, blank between */
    char user[160];
    struct ipaddr source;
    uint64_t start_ns, told_ns, last_ns; /* first evidence, first line, last line */
    uint32_t risk, files, cases, customers;
    double bits;
    bool is_program; /* what decided was done by a program */
    char why[320];
};

struct tune_pass {
    struct tune_alert *at; /* in the order they were told */
    size_t n;
    uint64_t activities, first_ns, last_ns;
    struct level_interval levels[CHANNELS];
    bool has_level[CHANNELS];
    int rc; /* of the replay, and why it failed */
    char error[400];
};

/* Replays and writes the result to 'to' for tune_pass_read. Returns pass.rc; E_IO when writing fails. */
int tune_pass_write(const struct tune_job *job, FILE *to);
/* E_BAD when what is there is no whole result. */
int tune_pass_read(FILE *from, struct tune_pass *out);
void tune_pass_free(struct tune_pass *p);
/* NULL when there is none of that id. */
const struct tune_alert *tune_find(const struct tune_pass *p, const uint8_t id[16]);
/* Days of packet time, at least one. */
unsigned tune_days(const struct tune_pass *p);

/* Alerts of the days, by the day of their first line. */
struct tune_rate {
    double mean, low, high; /* a day; 95 % of 1000 draws of the days (bootstrap) */
    unsigned most;
};
struct tune_rate tune_rate_of(const struct tune_pass *p);
/* How much fewer alerts a day 'after' tells, with its interval over the same days. */
struct tune_rate tune_saved(const struct tune_pass *before, const struct tune_pass *after);

/* What is known to have happened: CSV whose first record is who,from,to,kind; times as RFC 3339 has them. */
struct tune_label {
    char user[160], kind[64];
    uint64_t from_ns, to_ns;
};
struct tune_labels {
    struct tune_label *at;
    size_t n;
};
/* E_IO; E_CONF with "FILE:LINE:COLUMN: ...". */
int tune_labels_load(const char *path, struct tune_labels *out, struct text *why);
/* Whether the alert is about one of them: the credential, from the attack's beginning to an hour after its end. 'labels' may be
 * NULL. */
bool tune_is_attack(const struct tune_alert *a, const struct tune_labels *labels);
struct tune_score {
    unsigned attacks, found, alerts, right; /* right: alerts that name an attack */
    double recall[2], precision[2];         /* Wilson's interval at 95 % */
    double median_s, slow_s;                /* from its beginning to the first line: half of them, nine of ten */
};
struct tune_score tune_score_of(const struct tune_pass *p, const struct tune_labels *labels);

/* Something to declare, and the file that declares it. */
enum tune_kind { TUNE_EGRESS, TUNE_SERVICE, TUNE_SUPPRESS };
struct tune_suggestion {
    enum tune_kind kind;
    char about[200];   /* in words */
    char lines[1200];  /* to add to the roster (CSV, with its head where there is none yet), or the order to give */
    char path[400];    /* roster or feedback file with it */
    unsigned alerts;   /* that led to it */
};
#define TUNE_SUGGESTIONS_MAX 15u
/* What the alerts of a pass suggest, the most telling first; writes the files into 'dir'. An alert that a label calls an attack
 * suggests nothing. Returns how many; negative: an error of err.h with a line in why. */
int tune_suggest(const struct tune_pass *p, const struct tune_labels *labels, const struct settings *s, const char *dir,
                 struct tune_suggestion out[TUNE_SUGGESTIONS_MAX], struct text *why);

/* Rules that differ: one file of detect.yaml, detections/ and lists/. */
struct tune_change {
    char file[200];   /* below the directory */
    char lines[600];  /* what is gone and what has come */
    char rules[400];  /* directory: all of A, and this file as B has it */
};
#define TUNE_CHANGES_MAX 64u
/* Returns how many; negative: an error with a line in why (E_LIMIT: too many). */
int tune_changes(const char *a, const char *b, const char *dir, struct tune_change out[TUNE_CHANGES_MAX], struct text *why);
/* The differences between the alerts of A and B, each with the change that makes it: 'alone[i]' is the pass under A with change
 * i. Returns how many there are; *unexplained of them are made by no change alone, nor by all. */
size_t tune_compare(const struct tune_pass *a, const struct tune_pass *b, const struct tune_pass *alone,
                    const struct tune_change *changes, size_t n, struct text *out, size_t *unexplained);
void tune_alert_line(const struct tune_alert *a, struct text *out);

#endif
