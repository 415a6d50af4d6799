/* SPDX-License-Identifier: Apache-2.0
 * What a person says of an alert: a line of feedback.ndjson (schema feedback.schema.json). It carries all that is needed to
 * act on it, so that it holds for another process, and for a replay under other rules, where the alert has another id. */
#ifndef RECORD_FEEDBACK_H
#define RECORD_FEEDBACK_H

#include "base/ipaddr.h"
#include "base/text.h"

#define FEEDBACK_LINE_MAX 4096u
#define FEEDBACK_NAME 192u /* bytes of a credential, a client, who and why, with their NUL */

enum feedback_verdict {
    VERDICT_NONE,
    VERDICT_BENIGN,    /* it was the owner: what was new is usual from now on */
    VERDICT_MALICIOUS, /* it was not: nothing of it is learned, and the baseline is frozen */
    VERDICT_SUPPRESS,  /* such alerts are counted, not told */
    VERDICT_UNDO,      /* takes another record back */
    VERDICT_N
};

struct feedback {
    uint64_t time_ns; /* packet time from which on it holds: @timestamp */
    uint64_t since_ns; /* malicious: what the credential learned from then on is forgotten; 0 = only the alert's session */
    uint64_t until_ns; /* suppress, malicious: it ends; 0 = it does not */
    uint64_t alerted_ns; /* of the alert; 0 = about none */
    uint8_t verdict;
    uint8_t id[16]; /* hash of content */
    uint8_t alert[16], undoes[16], session[16]; /* zero = none */
    struct ipaddr source; /* zero = none */
    struct prefix place;  /* suppress: from there; has_place */
    bool has_place;
    uint32_t asn;
    char country[3];
    uint32_t files, cases, customers; /* of the alert's story */
    uint64_t bytes;
    char user[FEEDBACK_NAME], rule[16], agent[257], client[48], by[FEEDBACK_NAME], why[257];
};

const char *verdict_name(enum feedback_verdict v);
/* Fills the id from all that is written. Call once. */
void feedback_seal(struct feedback *f);
/* One line, newline included. */
void feedback_json(const struct feedback *f, struct text *out);
/* Reads such a line. E_BAD with a reason. */
int feedback_parse(struct span line, struct feedback *f, struct text *why);
/* Takes over what a line of alerts.ndjson says of the alert: who, from where, with what, how much. E_BAD with a reason. */
int feedback_of_alert(struct span line, struct feedback *f, struct text *why);
/* Whether the line could be the one of that alert (its id stands in it): asked before it is read whole. */
bool feedback_is_of(struct span line, const uint8_t alert[16]);

#endif
