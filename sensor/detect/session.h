/* SPDX-License-Identifier: Apache-2.0
 * Live session values and tokens (by their keyed hash), and from which networks and clients each was used: its faces.
 */
#ifndef DETECT_SESSION_H
#define DETECT_SESSION_H

#include "detect/rules.h"
#include "record/activity.h"
#include "store/baseline.h"

#define SESSION_FACES 4

struct face {
    struct ipaddr ip; /* the latest address of this prefix */
    struct place place;
    struct client client;
    uint32_t first_s, last_s;
    bool is_stolen; /* this face was told as a theft */
};

struct session {
    uint64_t credential; /* hash of its name */
    uint32_t n_faces;
    struct face faces[SESSION_FACES];
};

/* What changed against the face that is most alike, and how much that speaks for theft (Fellegi and Sunter 1969). */
struct mismatch {
    const struct face *like; /* NULL: the session's first face, or one it has had before */
    double place_bits, client_bits, overlap_bits;
    bool is_network; /* the AS or country differs too, not only the prefix */
};

struct sessions;

struct sessions *sessions_new(uint32_t max);
void sessions_free(struct sessions *s);
/* The session of that hash, made when it is new. Borrowed until the next call. */
struct session *sessions_touch(struct sessions *s, const uint8_t hash[SESSION_HASH_SIZE]);
struct session *sessions_find(struct sessions *s, const uint8_t hash[SESSION_HASH_SIZE]);
uint64_t sessions_evicted(const struct sessions *s);
/* The face with that prefix and client, or NULL. A newer version of the same client is the same client. */
struct face *session_face(struct session *s, const struct place *place, const struct client *client);
/* Pure. */
struct mismatch session_compare(const struct rules *r, const struct session *s, const struct place *place,
                                const struct client *client, uint32_t now_s);
/* Adds a face (in place of the one not seen for longest, when all are taken) and returns it. */
struct face *session_add_face(struct session *s, const struct ipaddr *ip, const struct place *place,
                              const struct client *client, uint32_t now_s);

#endif
