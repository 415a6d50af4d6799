/* SPDX-License-Identifier: Apache-2.0
 * What is usual for everybody together and has no place in one credential's baseline. */
#ifndef DETECT_NORMS_H
#define DETECT_NORMS_H

#include <stdint.h>

#include "sketch/tail.h"

enum peer_group { PEERS_CUSTOMERS /* and who has not touched any yet */, PEERS_STAFF, PEERS_MACHINES, PEER_GROUPS };

/* Since the credential came last: who comes seldom forgets a password sooner. */
enum absence { ABSENCE_SHORT, ABSENCE_DAYS, ABSENCE_WEEKS /* or it was never here */, ABSENCES };

/* Faded counts of how often something happens to honest people. */
struct share {
    float n, hits;
};

struct norms {
    struct tail case_files[2];     /* of one case in a day; [1]: by a program */
    struct tail customer_cases[2]; /* of a day, beyond one for each customer */
    struct share unseen;           /* files of a case that was not looked at before */
    struct share strange;          /* customers never touched before, of staff */
    struct share older;            /* a usual client comes in an older version */
    struct share moved[2];         /* owners at a network [0], in a country [1] new to them: expected elsewhere just before, and seen */
    struct share failures[ABSENCES]; /* a visit begins after a burst of failed sign-ins, by how long it was away */
};

/* The parts, in bits. Pace, unseen and strange are independent of how much there is and add up; of the amounts the largest
 * counts. */
struct conduct {
    double customers, cases, files, bytes, burst, slow; /* amounts */
    double pace, unseen, strange;
};

enum absence absence_of(uint64_t before_ns, uint64_t now_ns);
void share_add(struct share *s, double n, double hits);
/* The share, a prior of 'hits' in 'n' added. */
double share_of(const struct share *s, double n, double hits);

#endif
