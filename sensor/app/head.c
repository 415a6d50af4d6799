/* SPDX-License-Identifier: Apache-2.0
 * One pass over header fields; the name's size tells most of them apart. */
#include "app/head.h"

#define INLINE static inline __attribute__((always_inline)) /* a name's size is known where it is named: then it costs two
                                                              loads and a compare */

/* Whether two names of one size are equal but for case: field names hold no characters that only this would mix up. */
INLINE bool same(struct span a, struct span b)
{
    const uint64_t fold = 0x2020202020202020u;
    size_t i = 0;
    uint64_t x, y, differ = 0;
    for (; i + 8 <= b.size; i += 8) {
        memcpy(&x, a.at + i, 8);
        memcpy(&y, b.at + i, 8);
        differ |= (x | fold) ^ (y | fold);
    }
    for (; i < b.size; i++)
        differ |= (uint64_t)((a.at[i] | 0x20) ^ (b.at[i] | 0x20));
    return differ == 0;
}

INLINE void take(struct span *to, const struct field *f, struct span name)
{
    if (!to->at && same(f->name, name))
        *to = f->value.at ? f->value : SPAN("");
}

/* Whether there was no room for it. */
INLINE bool take_cookie(struct span *list, uint8_t *n, const struct field *f, struct span name)
{
    if (!same(f->name, name))
        return false;
    if (*n == HEAD_COOKIES)
        return true;
    list[(*n)++] = f->value;
    return false;
}

INLINE void take_forwarding(struct request_head *out, const struct field *f, struct span name)
{
    if (!same(f->name, name))
        return;
    if (out->n_forwarding == HEAD_FORWARDING)
        memmove(out->forwarding, out->forwarding + 1, --out->n_forwarding * sizeof *out->forwarding);
    out->forwarding[out->n_forwarding++] = *f;
}

void head_request(const struct fields *fields, struct request_head *out)
{
    out->fields = fields;
    out->n_cookies = out->n_forwarding = 0;
    out->is_cut = false;
    out->authorization = out->user_agent = out->referer = out->accept = out->fetch_dest = out->content_type =
        out->method = out->instead = span_of(NULL, 0);
    out->hints = (struct client_hints_fields){0};
    for (uint16_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];
        switch (f->name.size) {
        case 6:
            out->is_cut |= take_cookie(out->cookies, &out->n_cookies, f, SPAN("Cookie"));
            take(&out->accept, f, SPAN("Accept"));
            break;
        case 7:
            take(&out->referer, f, SPAN("Referer"));
            break;
        case 9:
            take_forwarding(out, f, SPAN("Forwarded"));
            take_forwarding(out, f, SPAN("X-Real-IP"));
            take(&out->hints.brands, f, SPAN("Sec-CH-UA"));
            break;
        case 10:
            take(&out->user_agent, f, SPAN("User-Agent"));
            break;
        case 12:
            take(&out->content_type, f, SPAN("Content-Type"));
            break;
        case 13:
            take(&out->authorization, f, SPAN("Authorization"));
            take(&out->method, f, SPAN("X-HTTP-Method"));
            take(&out->instead, f, SPAN("X-Rewrite-URL"));
            break;
        case 14:
            take(&out->fetch_dest, f, SPAN("Sec-Fetch-Dest"));
            take(&out->instead, f, SPAN("X-Original-URL"));
            break;
        case 15:
            take_forwarding(out, f, SPAN("X-Forwarded-For"));
            break;
        case 17:
            take(&out->method, f, SPAN("X-Method-Override"));
            break;
        case 18:
            take(&out->hints.platform, f, SPAN("Sec-CH-UA-Platform"));
            break;
        case 22:
            take(&out->method, f, SPAN("X-HTTP-Method-Override"));
            break;
        case 26:
            take(&out->hints.platform_version, f, SPAN("Sec-CH-UA-Platform-Version"));
            break;
        case 27:
            take(&out->hints.full, f, SPAN("Sec-CH-UA-Full-Version-List"));
            break;
        default:
            break;
        }
    }
}

void head_response(const struct fields *fields, struct response_head *out)
{
    out->n_cookies = 0;
    out->content_type = out->content_encoding = out->content_range = out->disposition = out->location = span_of(NULL, 0);
    for (uint16_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];
        switch (f->name.size) {
        case 8:
            take(&out->location, f, SPAN("Location"));
            break;
        case 10:
            (void)take_cookie(out->cookies, &out->n_cookies, f, SPAN("Set-Cookie")); /* an answer is the service's own */
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

struct span head_media(struct span content_type, char out[HEAD_MEDIA])
{
    struct span media = span_trim(span_sub(content_type, 0, span_find_byte(content_type, ';', 0)));
    bool has_slash = false;
    if (media.size > HEAD_MEDIA)
        return SPAN("");
    for (size_t i = 0; i < media.size; i++) {
        uint8_t c = media.at[i];
        if (c <= ' ' || c >= 0x7f || c == ',' || c == '"')
            return SPAN("");
        has_slash |= c == '/' && i && i + 1 < media.size;
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return has_slash ? span_of(out, media.size) : SPAN("");
}
