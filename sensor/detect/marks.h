/* SPDX-License-Identifier: Apache-2.0
 * Sources, sessions and clients that a person called malicious. Bounded; the oldest makes room. */
#ifndef DETECT_MARKS_H
#define DETECT_MARKS_H

#include "base/ipaddr.h"
#include "record/activity.h"

enum mark_kind { MARK_SOURCE, MARK_SESSION, MARK_CLIENT };

struct mark {
    uint64_t from_ns, until_ns; /* until_ns 0: it does not end */
    uint8_t alert[16];          /* the alert it comes from; zero = none */
};

struct marks;

struct marks *marks_new(uint32_t max);
void marks_free(struct marks *m);
/* An address: of IPv6 its /64. */
void marks_source(struct marks *m, const struct ipaddr *ip, const struct mark *mark);
/* A session's keyed hash; all zero is none. */
void marks_session(struct marks *m, const uint8_t session[SESSION_HASH_SIZE], const struct mark *mark);
/* A client of one credential: the hash of its User-Agent without numbers. */
void marks_client(struct marks *m, uint64_t credential, uint32_t agent, const struct mark *mark);
/* The mark that holds at that packet time, or NULL. */
const struct mark *marks_of_source(const struct marks *m, const struct ipaddr *ip, uint64_t now_ns);
const struct mark *marks_of_session(const struct marks *m, const uint8_t session[SESSION_HASH_SIZE], uint64_t now_ns);
const struct mark *marks_of_client(const struct marks *m, uint64_t credential, uint32_t agent, uint64_t now_ns);

#endif
