/* SPDX-License-Identifier: Apache-2.0
 * Open stories: what belongs together for a person is one alert with one id, which grows. A line goes out when a rule
 * joins, when the first case is touched, when the risk reaches the next class, and at each doubling of the files; what
 * lies between is only counted. */
#ifndef DETECT_STORY_H
#define DETECT_STORY_H

#include "record/alert.h"

enum story_family { STORY_CONTEXT, STORY_VOLUME, STORY_CAMPAIGN, STORY_NOTICE /* of a file, no attack yet */, STORY_RULE };

struct story_key {
    uint64_t who;    /* hash of the credential, or of the source address of a campaign */
    uint64_t what;   /* hash of what is new: the country, network, prefix, client or session */
    uint32_t family; /* enum story_family */
    uint32_t spare;  /* zero */
};

#define FINDING_WHY_MAX 8

/* What a detector has found. */
struct finding {
    const struct rule *rule;
    enum story_family family;
    uint8_t risk;     /* of the rule itself, at its threshold */
    double over_bits; /* above the threshold */
    bool is_scored;   /* risk is all there is to say: it comes from a probability */
    struct why why[FINDING_WHY_MAX];
    uint32_t n_why;
};

/* Adds a reason; over the cap it is dropped. */
void finding_why(struct finding *f, const char *field, const char *value, const char *usual, double bits);

/* What one act adds to its story. */
struct story_count {
    bool is_file, is_case, is_customer;
    uint64_t bytes;
};

struct story; /* one open alert */
struct stories;

typedef void story_emit_fn(void *ctx, const struct alert *a);

/* NULL when memory cannot be reserved. */
struct stories *stories_new(uint32_t max, story_emit_fn *emit, void *ctx);
void stories_free(struct stories *s);
/* The story of that key with an act within the last idle_ns, or NULL. */
struct story *stories_find(struct stories *s, const struct story_key *key, uint64_t now_ns, uint64_t idle_ns);
/* The same; a new one begins with this act when there is none. */
struct story *stories_open(struct stories *s, const struct story_key *key, const struct activity *a, uint64_t now_ns,
                           uint64_t idle_ns);
/* Whether the rule has spoken in this story. */
bool story_has(const struct story *s, const struct rule *rule);
/* Adds what a detector found: its reasons, its risk. The first rule names the story. */
void story_join(struct story *s, const struct finding *f, const struct activity *a);
/* Counts one more act of the story. File, case and customer are counted by the caller's word that they are new to it.
 */
void story_add(struct story *s, const struct activity *a, const struct story_count *count, uint64_t now_ns);
/* Sets the totals (volume stories: the day's), lists the customer. */
struct story_totals {
    uint32_t files, cases, customers;
    uint64_t bytes;
};
void story_total(struct story *s, const struct activity *a, const struct story_totals *totals, uint64_t now_ns);
/* Adds what was done before the story was opened, 'acts' acts. */
void story_more(struct story *s, const struct story_totals *more, uint32_t acts);
/* A mark of the caller's, to know again what it has counted in this story. */
void story_set_whose(struct story *s, uint64_t whose);
uint64_t story_whose(const struct story *s);
/* Which channel's budget it was told from, as a number of the caller's. */
void story_set_paid(struct story *s, unsigned channel);
bool story_is_paid(const struct story *s, unsigned channel);
/* Hashes of the network and the client that it began with. */
void story_set_face(struct story *s, uint64_t network, uint64_t client);
/* Whether both are others than those it began with: then it is somebody else who does the same. */
bool story_is_of_others(const struct story *s, uint64_t network, uint64_t client);
/* Whether the alert is about no single credential: then its lines leave user.name out. */
void story_set_nameless(struct story *s, bool is_nameless);
/* The credential has got its name: relates it, makes it the alert's user, and a line due. */
void story_rename(struct story *s, const struct activity *identify);
/* The score behind a story has grown to that risk. */
void story_raise(struct story *s, double risk);
struct alert *
story_alert(struct story *s); /* to relate users, addresses, customers; the id and rule stay as they are */
/* Something that deserves a line was changed by hand. */
void story_mark(struct story *s);
/* A person has dealt with it: no further line. */
void story_quiet(struct story *s);
/* Writes a line if one is due. */
void stories_tell(struct stories *s, struct story *story);

/* From here on the lines go to another context. */
void stories_adopt(struct stories *s, void *ctx);
/* Every rule that an open story names becomes what 'now' returns for it. */
void stories_rename(struct stories *s, const struct rule *(*now)(void *ctx, const struct rule *was), void *ctx);

uint64_t stories_told(const struct stories *s);    /* alerts */
uint64_t stories_updated(const struct stories *s); /* further lines */
uint64_t stories_evicted(const struct stories *s);

#endif
