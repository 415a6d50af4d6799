/* SPDX-License-Identifier: Apache-2.0
 * How unusual it is, in bits, that this credential acts from this place with this client at this hour. */
#ifndef DETECT_CONTEXT_H
#define DETECT_CONTEXT_H

#include "detect/norms.h"
#include "detect/peers.h"
#include "detect/rules.h"
#include "record/activity.h"

/* The parts, and what made them. */
struct context {
    float place_bits, client_bits, hour_bits, list_bits, dormant_bits, failure_bits, presence_bits;
    float expected;     /* chance that the owner was seen elsewhere just before */
    uint8_t level;      /* enum place_level: the highest on which the place is new */
    bool is_seen;       /* the owner was */
    bool is_client_new; /* the family, or only the platform it runs on */
    bool is_family_new;
    bool has_failures;  /* a burst of failed sign-ins went before, whatever that means */
    bool is_older; /* the usual client in an older version than before */
};

double context_bits(const struct context *c);
/* Whether place or client is new at all, so that a download from it means something. */
bool context_is_new(const struct context *c);

struct context_question {
    const struct baseline *b;
    const struct baseline *fleet;
    const struct peers *peers;
    const struct place *place;
    const struct client *client;
    uint64_t now_ns;
    const struct norms *norms;
    bool has_failures;    /* a burst of failed sign-ins went before */
    enum absence absence; /* before it */
    uint8_t source_class; /* enum network_class */
    bool is_mature;       /* the credential has a baseline */
    bool is_young;        /* the fleet has none: then nobody is a newcomer, and no hour is unusual */
};

/* Pure. */
struct context context_score(const struct rules *r, const struct context_question *q);

/* The highest level on which the place is not usual for the credential. */
enum place_level context_level(const struct baseline *b, const struct place *place);
/* What is usual, as text: "GB, US (12 sessions)". Returns out. */
const char *context_usual_place(const struct baseline *b, enum place_level level, char *out, size_t size);
const char *context_usual_client(const struct baseline *b, char *out, size_t size);
const char *context_usual_hours(const struct baseline *b, char *out, size_t size);

#endif
