/* SPDX-License-Identifier: Apache-2.0
 * Sequences of IP packets of any content through nDPI's door: size (16 bits, the top bit is the direction), then bytes. */
#include <stdlib.h>

#include "base/assert.h"
#include "flow/classify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct classify *c; /* making one takes long */
    if (!c)
        c = classify_new(1, 0);
    struct classify_flow *f = c ? classify_flow_new(c) : NULL;
    if (!f)
        abort();
    struct reader r = reader_of(span_of(data, size));
    uint64_t now_ns = 1;
    while (r.left.size >= 2) {
        uint16_t head = reader_u16(&r);
        struct span ip = reader_span(&r, (head & 0x7fffu) < r.left.size ? head & 0x7fffu : r.left.size);
        if (classify_packet(c, f, ip, head >> 15, now_ns += 1000000))
            break;
    }
    char protocol[64], sni[256];
    classify_result(c, f, protocol, sni);
    for (const char *at = sni; *at; at++)
        ASSERT(*at > ' ' && *at < 0x7f);
    classify_flow_free(c, f);
    return 0;
}
