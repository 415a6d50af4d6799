/* SPDX-License-Identifier: Apache-2.0
 * Each datagram is a DEFLATE stream of its own (RFC 2394, 2.1), and never larger than IP allows. */
#include "flow/ipcomp.h"

#include "flow/ip_header.h"
#include "wire/coding.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 4u /* next header, flags, compression parameter index */

struct ipcomp {
    struct ipcomp_counts *counts;
    struct coding_pool *codings;
    size_t used;
    uint8_t whole[IP_HEADER_MAX + IP_PAYLOAD_MAX];
};

static const struct counter_def defs[] = {
    {"ipcomp_received", "packets", "with a compressed IP payload"},
    {"ipcomp_inflated", "packets", "undone"},
    {"ipcomp_bad", "packets", "not DEFLATE, or cut by the capture: what was in them is not seen"},
};

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct ipcomp_counts),
               "one name for each counter");

struct counters ipcomp_counters(const struct ipcomp_counts *counts)
{
    return (struct counters){defs, &counts->received, sizeof defs / sizeof *defs};
}

struct ipcomp *ipcomp_new(struct ipcomp_counts *counts)
{
    struct ipcomp *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->counts = counts;
    c->codings = coding_pool_new(&(struct coding_limits){.max_gzip = 1, .max_brotli = 1, .max_out = IP_PAYLOAD_MAX});
    if (!c->codings) {
        ipcomp_free(c);
        return NULL;
    }
    return c;
}

void ipcomp_free(struct ipcomp *c)
{
    if (!c)
        return;
    coding_pool_free(c->codings);
    free(c);
}

static void keep(void *ctx, struct span bytes)
{
    struct ipcomp *c = ctx;
    memcpy(c->whole + IP_HEADER_MAX + c->used, bytes.at, bytes.size);
    c->used += bytes.size;
}

bool ipcomp_inflate(struct ipcomp *c, const struct dissected *d, struct span *whole)
{
    struct span data = span_from(d->ip, d->ip_header_size);
    struct coding *coding = data.size > HEADER ? coding_new(c->codings, CODING_DEFLATE) : NULL;
    bool is_done = false;
    c->used = 0;
    c->counts->received++;
    if (coding) {
        is_done = coding_feed(coding, span_from(data, HEADER), keep, c) == 0 && coding_is_done(coding);
        coding_free(c->codings, coding);
    }
    bool is6 = d->ip.size && d->ip.at[0] >> 4 == 6;
    if (!is_done || c->used > IP_PAYLOAD_MAX - (is6 ? 0 : 20)) {
        c->counts->bad++;
        return false;
    }
    uint32_t header = ip_header_size(is6);
    uint8_t *at = c->whole + IP_HEADER_MAX - header;
    ip_header_write(at, d, is6, data.at[0], (uint32_t)c->used);
    *whole = span_of(at, header + c->used);
    c->counts->inflated++;
    return true;
}
