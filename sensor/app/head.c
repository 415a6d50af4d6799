/* SPDX-License-Identifier: Apache-2.0
 * One pass over header fields; the name's size tells most of them apart. */
#include "app/head.h"

static void take(struct span *to, const struct field *f, struct span name)
{
    if (!to->at && span_eq_nocase(f->name, name))
        *to = f->value.at ? f->value : SPAN("");
}

static void take_cookie(struct span *list, uint8_t *n, const struct field *f, struct span name)
{
    if (*n < HEAD_COOKIES && span_eq_nocase(f->name, name))
        list[(*n)++] = f->value;
}

void head_request(const struct fields *fields, struct request_head *out)
{
    *out = (struct request_head){.fields = fields};
    for (uint16_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];
        switch (f->name.size) {
        case 6:
            take_cookie(out->cookies, &out->n_cookies, f, SPAN("Cookie"));
            take(&out->accept, f, SPAN("Accept"));
            break;
        case 7:
            take(&out->referer, f, SPAN("Referer"));
            break;
        case 9:
            out->has_forwarding |= span_eq_nocase(f->name, SPAN("Forwarded")) || span_eq_nocase(f->name, SPAN("X-Real-IP"));
            break;
        case 10:
            take(&out->user_agent, f, SPAN("User-Agent"));
            break;
        case 12:
            take(&out->content_type, f, SPAN("Content-Type"));
            break;
        case 13:
            take(&out->authorization, f, SPAN("Authorization"));
            break;
        case 14:
            take(&out->fetch_dest, f, SPAN("Sec-Fetch-Dest"));
            break;
        case 15:
            out->has_forwarding |= span_eq_nocase(f->name, SPAN("X-Forwarded-For"));
            break;
        default:
            break;
        }
    }
}

void head_response(const struct fields *fields, struct response_head *out)
{
    *out = (struct response_head){.n_cookies = 0};
    for (uint16_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];
        switch (f->name.size) {
        case 8:
            take(&out->location, f, SPAN("Location"));
            break;
        case 10:
            take_cookie(out->cookies, &out->n_cookies, f, SPAN("Set-Cookie"));
            break;
        case 12:
            take(&out->content_type, f, SPAN("Content-Type"));
            break;
        case 13:
            take(&out->content_range, f, SPAN("Content-Range"));
            break;
        case 16:
            take(&out->content_encoding, f, SPAN("Content-Encoding"));
            break;
        case 19:
            take(&out->disposition, f, SPAN("Content-Disposition"));
            break;
        default:
            break;
        }
    }
}
