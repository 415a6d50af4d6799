/* SPDX-License-Identifier: Apache-2.0
 * An activity candidate out of a transaction, and the facts that travel in it from the packet side to the memory of
 * cases: lists of a case's files, of cases and their customers, links handed out. They stand in the tail only between the two. */
#ifndef APP_CANDIDATE_H
#define APP_CANDIDATE_H

#include "app/forward.h"
#include "app/route.h"
#include "base/text.h"

/* Facts: lines "o<object>\t<file>", "c<case>\t<customer>\t<domain of its requestor>" (no case: the activity's own; one of
 * the last two may be empty), "l<32 hex: hash of a link or token that stands for this session>",
 * "p<from>-<to>/<total>" (a piece in a multipart body) and "p." after the last of these. They borrow the
 * place of STR_AS_ORG, which is empty until enrichment. */
struct span candidate_facts(const struct activity *a);
/* Appends lines as far as the tail has room, whole lines only; true when all fitted. Only behind the last string. */
bool candidate_add_facts(struct activity *a, struct span lines);
/* Takes them out; call before anything else is set. */
void candidate_drop_facts(struct activity *a);

struct file_tap;

/* Targets in which nothing was found to be masked, as that takes longer than all else about them. */
#define CLEAN_TARGETS 4096u /* a power of two */
struct clean_target {
    uint8_t target[16];        /* its hash */
    const struct route *route; /* that took it, whose template says what is a secret */
};

struct candidate_in {
    struct view *view;
    const struct route *route;   /* NULL: a file by its response alone, or a link handed out */
    const struct cred *cred;
    const struct cred_token *says; /* of it */
    const struct forward *forward;
    bool has_token;              /* a login's answer gave a token */
    const uint8_t *token;        /* its hash */
    struct text *masked;         /* scratch for the masked target */
    struct clean_target *clean;  /* CLEAN_TARGETS of them, zeroed at the start */
    uint64_t done_ns;
    uint64_t seed;               /* secret: of the hashes of addresses */
    enum action action;          /* what it is, when route is NULL */
    const struct file_tap *file; /* what was seen of the file; NULL: nothing yet */
    bool is_begun;               /* the answer's body is still to come: its size is not known yet */
};

/* Whether a response carries a file, judged without any route (design: a file is known by its response). */
bool candidate_is_file(struct view *v);
/* Whether it was fetched as part of a page: an image the browser asked for as one. */
bool candidate_is_inline(struct view *v);
/* The whole candidate but for its facts and id. False when the route needs a value that is not there. */
bool candidate_fill(const struct candidate_in *in, struct activity *a);
/* What an answer's head shows of a session when there is nothing to tell: ACTION_NONE, for identity_fact(). */
void candidate_fact(const struct candidate_in *in, struct activity *a);
/* Whether it is a part of a page (script, style, image, font), which browsers fetch and scripts do not. */
bool candidate_is_asset(struct view *v);
/* The changed fields of a candidate told when its response began ('told' is its id), with what says whose it is. */
bool candidate_amend(const struct candidate_in *in, const uint8_t told[16], struct activity *a);

#endif
