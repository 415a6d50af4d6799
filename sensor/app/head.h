/* SPDX-License-Identifier: Apache-2.0
 * The fields of a request and of an answer this folder cares for, found in one pass. */
#ifndef APP_HEAD_H
#define APP_HEAD_H

#include "base/fields.h"
#include "enrich/client_hints.h"

#define HEAD_COOKIES 8     /* Cookie fields of a request, Set-Cookie fields of an answer */
#define HEAD_FORWARDING 16 /* the last ones: those the nearest proxies wrote */
#define HEAD_MEDIA 96

struct request_head {
    struct span cookies[HEAD_COOKIES]; /* HTTP/2 may split the field */
    struct span authorization, user_agent, referer, accept, fetch_dest, content_type;
    struct span method; /* that a POST says it means: X-HTTP-Method-Override, X-Method-Override, X-HTTP-Method */
    struct span instead; /* target that some frameworks believe over the request's: X-Original-URL, X-Rewrite-URL */
    struct client_hints_fields hints;
    uint8_t n_cookies, n_forwarding;
    bool is_cut; /* there were more than HEAD_COOKIES */
    const struct fields *fields;                 /* all of them */
    struct field forwarding[HEAD_FORWARDING];    /* X-Forwarded-For, Forwarded, X-Real-IP, in their order */
};

struct response_head {
    struct span cookies[HEAD_COOKIES];
    struct span content_type, content_encoding, content_range, disposition, location;
    uint8_t n_cookies;
};

/* Of fields that repeat, the first counts. */
void head_request(const struct fields *fields, struct request_head *out);
void head_response(const struct fields *fields, struct response_head *out);
/* "type/subtype" of a Content-Type in lower case; empty when it is none, or longer than HEAD_MEDIA. */
struct span head_media(struct span content_type, char out[HEAD_MEDIA]);

#endif
