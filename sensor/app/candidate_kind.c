/* SPDX-License-Identifier: Apache-2.0
 * What an answer is by itself, without any route: a file, an image of a page, a part of one. */
#include "app/candidate.h"

#include "wire/disposition.h"

static struct span extension(struct span name)
{
    size_t dot = SIZE_MAX;
    for (size_t i = span_find_byte(name, '.', 0); i != SIZE_MAX; i = span_find_byte(name, '.', i + 1))
        dot = i;
    return dot == SIZE_MAX ? SPAN("") : span_from(name, dot + 1);
}

static bool one_of(struct span word, const struct span *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq_nocase(list[i], word))
            return true;
    return false;
}
#define ONE_OF(word, list) one_of(word, list, sizeof(list) / sizeof(list)[0])

/* Parts of pages, however they are declared. */
static bool is_furniture_name(struct span name)
{
    static const struct span list[] = {
        SPAN("js"),  SPAN("mjs"),  SPAN("css"), SPAN("map"),  SPAN("woff"), SPAN("woff2"), SPAN("ttf"), SPAN("otf"),
        SPAN("eot"), SPAN("ico"),  SPAN("svg"), SPAN("png"),  SPAN("gif"),  SPAN("jpg"),   SPAN("jpeg"), SPAN("webp"),
        SPAN("htm"), SPAN("html"), SPAN("xsl"), SPAN("wasm"), SPAN("cur"),  SPAN("webmanifest"),
    };
    return ONE_OF(extension(name), list);
}

/* What a person keeps as a file although pages use the type as well. */
static bool is_file_name(struct span name)
{
    static const struct span list[] = {
        SPAN("log"), SPAN("txt"), SPAN("har"), SPAN("csv"), SPAN("tsv"),  SPAN("sql"), SPAN("conf"), SPAN("cfg"),
        SPAN("ini"), SPAN("pem"), SPAN("key"), SPAN("out"), SPAN("dump"), SPAN("trc"), SPAN("eml"),  SPAN("yaml"),
        SPAN("yml"), SPAN("md"),  SPAN("diff"), SPAN("patch"),
    };
    return ONE_OF(extension(name), list) && !span_eq(name, SPAN("robots.txt"));
}

static bool is_page_type(struct span media)
{
    static const struct span list[] = {
        SPAN("text/html"), SPAN("text/css"), SPAN("text/javascript"), SPAN("text/ecmascript"), SPAN("text/xml"),
        SPAN("text/json"), SPAN("text/event-stream"), SPAN("application/javascript"), SPAN("application/ecmascript"),
        SPAN("application/x-javascript"), SPAN("application/json"), SPAN("application/xml"),
        SPAN("application/x-ndjson"), SPAN("application/wasm"), SPAN("application/x-www-form-urlencoded"),
        SPAN("application/ocsp-response"), SPAN("application/pkix-crl"), SPAN("application/x-protobuf"),
        SPAN("application/protobuf"), SPAN("application/vnd.ms-fontobject"), SPAN("application/x-shockwave-flash"),
        SPAN("application/opensearchdescription+xml"), SPAN("application/manifest+json"), SPAN("application/dns-message"),
    };
    static const struct span heads[] = {SPAN("image/"), SPAN("font/"), SPAN("application/font"),
                                        SPAN("application/x-font"), SPAN("application/grpc")};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (span_starts(media, heads[i]))
            return true;
    size_t plus = span_find_byte(media, '+', 0);
    struct span suffix = plus == SIZE_MAX ? SPAN("") : span_from(media, plus);
    return ONE_OF(media, list) || span_eq(suffix, SPAN("+json")) || span_eq(suffix, SPAN("+xml"));
}

static bool is_page_part(struct view *v)
{
    static const struct span list[] = {SPAN("image"), SPAN("script"), SPAN("style"), SPAN("font"), SPAN("manifest"),
                                       SPAN("worker")};
    return view_request(v)->fetch_dest.size && ONE_OF(view_request(v)->fetch_dest, list);
}

/* By the name in the target, or in the one that a framework may believe instead. */
static bool is_named_file(struct view *v)
{
    struct span instead = view_request(v)->instead;
    return is_file_name(view_last_segment(v)) ||
           (instead.size && is_file_name(url_last_segment(span_sub(instead, 0, span_find_byte(instead, '?', 0)))));
}

bool candidate_is_file(struct view *v)
{
    uint8_t method = view_methods(v);
    bool is_asked = method & (METHOD_GET | METHOD_POST) || v->t->flags & TXN_NO_REQUEST; /* unseen: nearly always GET */
    if ((v->t->status != 200 && v->t->status != 206) || !is_asked)
        return false;
    if (view_response(v)->disposition.size) {
        struct disposition d;
        disposition_parse(view_response(v)->disposition, v->arena, &d);
        if (d.type == DISPOSITION_ATTACHMENT || d.type == DISPOSITION_OTHER)
            return true;
    }
    struct span media = view_media(v), name = view_last_segment(v);
    if (span_eq(media, SPAN("text/html"))) /* most answers: whatever it is called, a page */
        return false;
    if (is_page_part(v) || is_furniture_name(name))
        return false;
    if (!media.size) /* not said (RFC 9110, 8.3): the name tells */
        return method & METHOD_GET && is_named_file(v);
    if (span_eq(media, SPAN("text/plain")) || span_eq(media, SPAN("application/json")) ||
        span_eq(media, SPAN("text/xml")) || span_eq(media, SPAN("application/xml")))
        return method & METHOD_GET && is_named_file(v);
    if (span_starts(media, SPAN("text/")) && !span_eq(media, SPAN("text/csv")) &&
        !span_eq(media, SPAN("text/tab-separated-values")))
        return !is_page_type(media) && is_named_file(v);
    return !is_page_type(media);
}

bool candidate_is_inline(struct view *v)
{
    if (!span_starts(view_media(v), SPAN("image/")))
        return false;
    return view_request(v)->fetch_dest.size ? span_eq_nocase(view_request(v)->fetch_dest, SPAN("image"))
                                      : span_starts(view_request(v)->accept, SPAN("image/"));
}

/* A part of a page, which a browser fetches and a script does not. */
bool candidate_is_asset(struct view *v)
{
    struct span media = view_media(v);
    if (v->t->status == 304 && !media.size)
        return is_furniture_name(view_last_segment(v));
    if ((v->t->status != 200 && v->t->status != 304) || !media.size)
        return false;
    return span_starts(media, SPAN("image/")) || span_starts(media, SPAN("font/")) || span_eq(media, SPAN("text/css")) ||
           span_eq(media, SPAN("text/javascript")) || span_eq(media, SPAN("application/javascript")) ||
           span_eq(media, SPAN("application/x-javascript")) || is_page_part(v);
}
