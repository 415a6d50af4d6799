/* SPDX-License-Identifier: Apache-2.0
 * What a baseline learns, when, and what it does not: new values are quarantined, what came with an alert is taken
 * back. */
#ifndef DETECT_LEARN_H
#define DETECT_LEARN_H

#include "detect/scene.h"

/* Whether the fleet is still learning; then what is new is usual at once. */
bool learn_is_young(const struct rules *r, const struct baseline *fleet, uint64_t now_ns);
/* Whether the credential has a baseline to be judged by. */
bool learn_is_mature(const struct rules *r, const struct baseline *b, uint64_t now_ns);
/* Makes usual what has come through its quarantine. */
void learn_promote(const struct rules *r, struct baseline *b, struct peers *peers, uint32_t now_s);
/* Learns the beginning of a visit (after it was judged without an alert): place, client, hour. */
void learn_visit(struct scene *s, struct baseline *fleet, struct peers *peers);
/* An alert spoke about this visit: takes its learning back, marks what was new as alerted and the day as not to learn.
 */
void learn_undo(struct scene *s, bool is_news);
/* Whether people sign in like that; programs do so too, and say who they are by their User-Agent. */
bool learn_is_of_person(enum cred_kind kind);
/* Learns what an act shows beside its place: actions, routes, kind of credential. */
void learn_act(struct scene *s);
/* Closes the day before and its volumes when packet time has come to another day. */
void learn_day(const struct rules *r, struct baseline *b, struct baseline *fleet, uint32_t day);
/* The same for its ten-minute windows. */
void learn_window(struct baseline *b, struct baseline *fleet, uint32_t window);
/* Hash of a route or customer for the Bloom filters. */
uint64_t learn_hash(struct span value);

#endif
