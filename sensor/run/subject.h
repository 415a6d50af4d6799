/* SPDX-License-Identifier: Apache-2.0
 * Whose activities are asked for: a credential, a session, an address or prefix, and a window; all that are given must hold. */
#ifndef RUN_SUBJECT_H
#define RUN_SUBJECT_H

#include "base/json.h"
#include "record/activity.h"

struct subject {
    char credential[512]; /* "": any */
    uint8_t session[SESSION_HASH_SIZE];
    struct prefix place;
    bool has_session, has_place;
    uint64_t from_ns, to_ns; /* of the request; to_ns 0: no end */
    char alert[33];          /* by which the rest was found; "": none */
    char needle[700];        /* how a line names the credential; set by subject_ready */
};

/* To be called when all is set, before subject_may_be. */
void subject_ready(struct subject *s);
/* Who, from where and from when on, out of the last line of an alert in 'path': what is not set yet. The place is the /24 (IPv6: the /64)
 * around its address. E_IO, E_NONE with a line in why. */
int subject_of_alert(struct subject *s, const char *path, const char *id, struct text *why);
/* Whether a line may be of the subject or complete what is, asked of the raw text. */
bool subject_may_be(const struct subject *s, struct span line);
/* Whether an activity is, under the name it has by now. */
bool subject_is(const struct subject *s, const struct activity *a, struct span user);
/* One sentence that says it, harmless on a terminal; and the same as a JSON object. */
void subject_tell(const struct subject *s, struct text *out);
void subject_json(const struct subject *s, struct json *j);

#endif
