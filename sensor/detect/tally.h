/* SPDX-License-Identifier: Apache-2.0
 * Counts what a credential has touched today, each file, case and customer once, and what amendments add later. */
#ifndef DETECT_TALLY_H
#define DETECT_TALLY_H

#include "detect/scene.h"

struct tally;

/* 'max_things': distinct (credential, day, file or case or customer) that are remembered. NULL without memory. */
struct tally *tally_new(uint32_t max_things);
void tally_free(struct tally *t);
/* Counts the act into the baseline's day, the visit and the credential's pace; sets the scene's is_file, is_case,
 * is_customer, takes_file, count. The day must have been turned already. */
void tally_act(struct tally *t, struct scene *s, struct baseline *peers);

/* What an amendment completes. */
struct tally_open {
    struct visit_key visit;
    uint32_t day;
    uint64_t bytes; /* counted so far */
    bool is_file;   /* it takes a file; else only case or customer were missing */
};
/* Begin to fetch what tally_act will look up: of the act alone; of its scene, once its visit is known. */
void tally_fetch_open(const struct tally *t, const struct activity *a);
void tally_fetch_case(const struct tally *t, const struct scene *s);
/* The entry of that event id, or NULL. Borrowed until the next tally_act. */
struct tally_open *tally_find(struct tally *t, const uint8_t id[16]);
/* Whose act that was: the credential's name. */
struct span tally_holder(const struct tally *t, const struct tally_open *open);
/* Adds what the amendment brings to the day (if it is still that day) and to the visit; sets the scene like tally_act.
 */
void tally_amend(struct tally *t, struct scene *s, struct tally_open *open);
/* The name behind a hash of a customer list; "" when it was forgotten for room. */
struct span tally_customer_name(const struct tally *t, uint64_t hash);
/* Marks that 'whose' has had 'what' (hashes); true the first time. tally_has only asks. */
bool tally_first(struct tally *t, uint64_t whose, uint64_t what);
bool tally_has(const struct tally *t, uint64_t whose, uint64_t what);
uint64_t tally_evicted(const struct tally *t);

/* Whether the act hands out a file's content. */
bool tally_takes_file(const struct activity *a);

#endif
