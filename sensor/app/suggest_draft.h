/* SPDX-License-Identifier: Apache-2.0
 * A draft in the making: what suggest_role.c makes of the routes and suggest_text.c writes down. */
#ifndef APP_SUGGEST_DRAFT_H
#define APP_SUGGEST_DRAFT_H

#include "app/suggest_seen.h"

#define ROUTES_MAX 250
#define CASE_PAGES 4 /* named as places of a file's case */

enum role { LOGIN, SAML, ID_TOKEN, PASSWORD, UPLOAD, LOGOUT, DOWNLOAD, VIEW, FILES, SEARCH, LIST, API, ROLES };

struct draft_route {
    const struct seen_route *r;
    enum role role;
    size_t literal; /* bytes of the template that are no captures */
};

struct draft {
    const struct suggest *s;
    uint8_t host;
    struct draft_route list[ROUTES_MAX];
    const struct seen_route *pages[CASE_PAGES];
    size_t n, n_pages, cut;
    bool has_referred; /* some page had files fetched from it */
    unsigned numbered[ROLES];
    struct text *out;
};

/* Fills 'list' in the order of the file, and 'pages'. */
void draft_routes(struct draft *d);
/* One segment of a route's path; whether something in it is a capture, one of a
 * secret (never an id: profiles mask what is captured as one), of a file's name. */
struct span draft_part_of(const struct seen_route *r, uint8_t k);
bool draft_is_captured(const struct seen_route *r, uint8_t k);
bool draft_is_secret_part(const struct seen_route *r, uint8_t k);
bool draft_is_file_part(const struct seen_route *r, uint8_t k);
/* Which segment is the case: behind a word that says so; of a page also the last id. -1: none. */
int draft_case_part(const struct seen_route *r, bool is_page);
/* The argument that says which case a page shows, or NULL. */
const struct seen_arg *draft_case_arg(const struct seen_route *r);
/* Whether a name speaks of cases. */
bool draft_says_case(struct span name);

#endif
