/* SPDX-License-Identifier: Apache-2.0
 * Any sequence of fragments: per fragment a byte (identification, family, more), 16 bits of offset, 8 of size, 8 of
 * time. What becomes whole must be as long as it says, hold the bytes of its place, and decode without harm. */
#include "base/assert.h"
#include "base/times.h"
#include "flow/ipfrag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_place(struct span whole, size_t header)
{
    for (size_t i = header; i < whole.size; i++)
        ASSERT(whole.at[i] == (uint8_t)((i - header) * 7));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[65536 + 4096]; /* each byte tells its offset */
    for (size_t i = sizeof bytes; bytes[1] == 0 && i-- > 0;)
        bytes[i] = (uint8_t)(i * 7);
    struct ipfrag_counts c = {0};
    struct ipfrag *f = ipfrag_new(1, &c);
    struct reader r = reader_of(span_of(data, size));
    uint64_t now = NS_PER_S;
    ASSERT(f);
    while (r.left.size >= 5) {
        uint8_t head = reader_u8(&r);
        uint32_t offset = reader_u16(&r) & 0xfff8u, length = reader_u8(&r) * 16u;
        now += reader_u8(&r) * (NS_PER_S / 8);
        struct dissected d = {.is_fragment = true,
                              .more_fragments = head & 1,
                              .fragment_offset = offset,
                              .ip_id = head >> 4,
                              .protocol = 17,
                              .fragment = span_of(bytes + offset, length),
                              .payload_wire = length};
        d.ip = head & 2 ? SPAN("\x60") : SPAN("\x45");
        d.src.ip.bytes[0] = d.dst.ip.bytes[0] = 0xfd;
        struct span whole;
        if (ipfrag_feed(f, &d, now, &whole)) {
            struct decap_counts counts = {0};
            expect_place(whole, head & 2 ? 40 : 20);
            (void)decap_ip(whole, &d, &counts); /* any outcome */
        }
        ASSERT(c.received == c.held + c.completing + c.repeated + c.snapped + c.bad + c.too_long + c.no_room);
        if (head & 4)
            ipfrag_expire(f, now);
    }
    ipfrag_free(f);
    return 0;
}
