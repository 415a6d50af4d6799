/* SPDX-License-Identifier: Apache-2.0
 * The fields of a request and of an answer this folder cares for, found in one pass. */
#ifndef APP_HEAD_H
#define APP_HEAD_H

#include "base/fields.h"

#define HEAD_COOKIES 8 /* Cookie fields of a request, Set-Cookie fields of an answer */

struct request_head {
    struct span cookies[HEAD_COOKIES]; /* HTTP/2 may split the field */
    struct span authorization, user_agent, referer, accept, fetch_dest, content_type;
    uint8_t n_cookies;
    const struct fields *fields; /* all of them */
    bool has_forwarding; /* X-Forwarded-For, Forwarded or X-Real-IP is there */
};

struct response_head {
    struct span cookies[HEAD_COOKIES];
    struct span content_type, content_encoding, content_range, disposition, location;
    uint8_t n_cookies;
};

/* Of fields that repeat, the first counts. */
void head_request(const struct fields *fields, struct request_head *out);
void head_response(const struct fields *fields, struct response_head *out);

#endif
