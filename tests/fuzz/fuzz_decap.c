/* SPDX-License-Identifier: Apache-2.0
 * One frame of any content: link type (16 bits), bytes that the capture cut off (16 bits), the frame. What is decoded
 * must lie inside of it, and exactly one outcome is counted. */
#include "base/assert.h"
#include "base/err.h"
#include "wire/decap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_inside(struct span part, struct span whole)
{
    ASSERT(part.size == 0 || (part.at >= whole.at && part.at + part.size <= whole.at + whole.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(span_of(data, size));
    uint32_t link = reader_u16(&r), cut = reader_u16(&r);
    struct packet p = {.time_ns = 1,
                       .bytes = r.left.at,
                       .caught = (uint32_t)r.left.size,
                       .wire = (uint32_t)r.left.size + cut,
                       .link = link};
    struct decap_counts c = {0};
    struct dissected d;
    int got = decap_packet(&p, &d, &c);
    ASSERT(c.tcp + c.udp + c.fragment + c.other_ip == (got == 0));
    ASSERT(c.not_ip + c.unknown_link + c.truncated + c.bad + c.too_deep == (got == E_BAD));
    if (got != 0)
        return 0;
    expect_inside(d.ip, r.left);
    expect_inside(d.payload, d.ip);
    expect_inside(d.fragment, d.ip);
    ASSERT(d.ip_header_size <= d.ip.size || c.other_ip);
    ASSERT(d.is_fragment || c.other_ip || d.payload.size <= d.payload_wire);
    ASSERT(!d.is_fragment || d.fragment.size <= d.payload_wire);
    if (d.ip.size > 0)
        (void)decap_ip(d.ip, &d,
                       &c); /* what it says about a packet it took is its own business; it must not fall over */
    ASSERT(c.received + c.reassembled ==
           c.tcp + c.udp + c.fragment + c.other_ip + c.not_ip + c.unknown_link + c.truncated + c.bad + c.too_deep);
    return 0;
}
