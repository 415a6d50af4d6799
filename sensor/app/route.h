/* SPDX-License-Identifier: Apache-2.0
 * A transaction against the routes of its profile: which of them may take it by the request's head, which one does
 * once bodies and the answer are there, what its sources yield, and how it came out. */
#ifndef APP_ROUTE_H
#define APP_ROUTE_H

#include "app/cred.h"
#include "app/extract.h"
#include "wire/content.h"
#include "wire/url.h"

#define ROUTE_CANDIDATES 24

/* One look at a transaction: everything borrows the transaction, or the arena of the hook. The parts are read when they
 * are first asked for, by the functions below, and stay from hook to hook. */
/* What was asked of a query last, and its answer. */
struct view_argument {
    struct span query, name, value;
};

struct view {
    const struct transaction *t;
    const struct profile *profile;
    const struct extract *x;
    const struct cred_set *set; /* what the answer did to the session cookie */
    struct arena *arena;        /* for decoded texts */
    struct captures captures;   /* of the route chosen */
    const struct route *captured; /* the route they are of; NULL: of any that was tried */

    bool is_path_decoded; /* parts of it stand in the arena */
    bool has_request, has_response, has_path, has_url, has_media, has_referer, has_location;
    struct request_head request;
    struct response_head response;
    struct span media;
    char media_text[HEAD_MEDIA];
    struct url url, referer, location;
    struct path path;
    struct view_argument asked;
};

/* 'arena' is of the first hook. */
void view_init(struct view *v, const struct transaction *t, struct arena *arena);
/* For the next hook, with an arena of its own; 'is_answer': the answer's head has come. */
void view_again(struct view *v, struct arena *arena, bool is_answer);
const struct request_head *view_request(struct view *v);
const struct response_head *view_response(struct view *v);
/* METHOD_ bits of what the request may be taken for: its method, and the other one that a POST says it means. */
uint8_t view_methods(struct view *v);
const struct url *view_url(struct view *v);     /* the target */
const struct path *view_path(struct view *v);   /* its path */
struct span view_last_segment(struct view *v);  /* of it; at == NULL when it has none */
/* The path as the templates of 'profile' see it: without where the application is mounted. */
const struct path *view_path_in(struct view *v, const struct profile *profile);
struct span view_media(struct view *v);         /* media type of the answer, lower case; empty when unknown */
const struct url *view_referer(struct view *v); /* parts with at == NULL when there is none */
const struct url *view_location(struct view *v);

struct route_choice {
    uint16_t list[ROUTE_CANDIDATES]; /* indices into the profile's routes, in the file's order */
    uint8_t n;
    uint64_t request_slots; /* what has to be found in the request's body to decide and to tell */
};

/* The routes whose method, path and conditions on the head fit: up to and with the first that nothing else decides. */
void route_candidates(struct view *v, struct route_choice *out);
/* The one of them whose other conditions hold too; its captures go to the view. NULL when there is none. */
const struct route *route_decide(struct view *v, const struct route_choice *choice);
/* The captures of a route decided on earlier. NULL gives none. */
void route_captures(struct view *v, const struct route *route);
/* The first of a list of sources that yields something; at == NULL when none does. */
struct span route_value(struct view *v, const struct sources *sources);
/* Whether a form, a JSON text or the query names it twice, differently: applications differ in which they take. */
bool route_is_twice(struct view *v, const struct sources *sources);
/* Where it comes from the query: the other value that stands there under the same name; at == NULL when there is none. */
struct span route_other(struct view *v, const struct sources *sources);
/* Whether the list's value came out of a JSON request, a SAML response, or a form: enum cred_kind. */
enum cred_kind route_login_kind(struct view *v, const struct sources *sources);

struct route_result {
    enum outcome outcome;
    bool is_refused; /* a login page, 401, 403, 404 instead of what was asked for */
};
/* Whether a condition holds, as far as what it looks at is known. */
bool route_test_holds(struct view *v, const struct test *test);
/* Which line of the route's 'outcome' decides (from 0); -1: none, the status and the redirect do. */
int route_outcome_line(struct view *v, const struct route *route);
/* 'route' may be NULL: then the status and the redirect alone decide. */
struct route_result route_outcome(struct view *v, const struct route *route);

#endif
