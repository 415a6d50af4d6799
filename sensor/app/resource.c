/* SPDX-License-Identifier: Apache-2.0
 * Objects by their address and validators. */
#include "app/resource.h"

#include "base/hash.h"
#include "wire/content.h"

/* Arguments that sign a link or say how long and for whom it holds: S3, Google, Azure, CloudFront and their likes. The
 * two-letter ones are Azure's. */
static bool is_signature(struct span name)
{
    return span_eq_nocase(name, SPAN("sig")) || span_find_nocase(name, SPAN("signature"), 0) != SIZE_MAX;
}

static bool is_of_signature(struct span name)
{
    static const struct span whole[] = {
        SPAN("policy"), SPAN("key-pair-id"), SPAN("se"),  SPAN("st"),    SPAN("sp"),    SPAN("sv"),  SPAN("sr"),
        SPAN("spr"),    SPAN("ske"),         SPAN("skt"), SPAN("skoid"), SPAN("sktid"), SPAN("sks"), SPAN("skv"),
    };
    static const struct span part[] = {SPAN("expires"), SPAN("credential"), SPAN("accesskey"), SPAN("accessid"),
                                       SPAN("token")};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (span_eq_nocase(name, whole[i]))
            return true;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (span_find_nocase(name, part[i], 0) != SIZE_MAX)
            return true;
    return is_signature(name) || span_starts_nocase(name, SPAN("x-amz-")) || span_starts_nocase(name, SPAN("x-goog-"));
}

static struct span name_of(struct span argument)
{
    return span_sub(argument, 0, span_find_byte(argument, '=', 0));
}

static bool is_signed(struct span query)
{
    struct span argument;
    while (span_split(&query, '&', &argument))
        if (is_signature(name_of(argument)))
            return true;
    return false;
}

static uint64_t hash_lower(struct span s, uint64_t seed)
{
    uint8_t lower[256];
    return hash64(span_lower(s, lower, sizeof lower), seed);
}

/* "http://host/path" to a proxy and "/path" to the server itself are one. */
static struct span without_authority(struct span target)
{
    size_t at = span_find(span_sub(target, 0, 16), SPAN("://"), 0);
    if (at == SIZE_MAX || span_starts(target, SPAN("/")))
        return target;
    at = span_find_byte(target, '/', at + 3);
    return at == SIZE_MAX ? SPAN("/") : span_from(target, at);
}

uint64_t resource_hash(struct span host, struct span target, uint64_t seed)
{
    target = without_authority(target);
    size_t mark = span_find_byte(target, '?', 0);
    struct span argument, query = mark == SIZE_MAX ? span_of(NULL, 0) : span_from(target, mark + 1);
    uint64_t hash = hash64(span_sub(target, 0, mark), hash_lower(host, seed));
    bool has_signature = is_signed(query);
    while (span_split(&query, '&', &argument))
        if (argument.size && !(has_signature && is_of_signature(name_of(argument))))
            hash = hash64(argument, hash);
    return hash ? hash : 1;
}

static uint64_t validator_of(const struct fields *f)
{
    struct span tag = fields_get(f, SPAN("ETag"));
    struct span value = tag.size ? tag : fields_get(f, SPAN("Last-Modified"));
    return value.size ? hash64(value, tag.size != 0) | 1 : 0;
}

static void fill_piece(const struct transaction *t, struct activity *a)
{
    struct content_range range = {0};
    (void)content_range_parse(fields_get(&t->response_fields, SPAN("Content-Range")), &range); /* bad: none */
    if (range.has_total) {
        a->total = range.total;
        a->flags |= ACT_HAS_TOTAL;
    }
    if (range.has_range)
        a->range_from = range.first;
    else
        a->flags |= ACT_UNPLACED; /* several in one body, or it does not say */
}

void resource_fill(const struct transaction *t, uint64_t seed, struct activity *a)
{
    const struct body_measure *body = &t->response_body;
    bool is_read = span_eq(t->method, SPAN("GET")) || span_eq(t->method, SPAN("POST"));
    if (!is_read || (t->status != 200 && t->status != 206))
        return;
    a->resource = resource_hash(t->host, t->target, seed);
    a->validator = validator_of(&t->response_fields);
    if (t->status == 206) {
        fill_piece(t, a);
    } else if (body->is_complete || body->has_declared) {
        a->total = body->is_complete ? body->bytes : body->declared;
        a->flags |= ACT_HAS_TOTAL;
    }
}
