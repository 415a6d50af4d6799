/* SPDX-License-Identifier: Apache-2.0
 * The PROXY protocol preface. */
#include "wire/http1_proxy.h"

#define PROXY_LINE_MAX 107u /* bytes of a v1 line with its end */
#define V2_HEAD 16u

/* "PROXY TCP4 198.51.100.1 198.51.100.11 35646 80\r\n" (section 2.1) */
static bool source_of_v1(struct span line, struct endpoint *source)
{
    struct span rest = span_trim(line), word[6];
    for (size_t i = 0; i < 6; i++)
        if (!span_split(&rest, ' ', &word[i]))
            return false;
    struct endpoint found = {0};
    uint64_t port;
    if (!span_starts(word[1], SPAN("TCP")) || !ipaddr_parse(word[2], &found.ip) || !span_u64(word[4], &port) ||
        port > UINT16_MAX)
        return false;
    found.port = (uint16_t)port;
    *source = found;
    return true;
}

/* version and command, family and transport, size, addresses (section 2.2) */
static bool source_of_v2(struct span bytes, struct endpoint *source)
{
    struct reader r = reader_of(bytes);
    uint8_t command = reader_u8(&r), family = reader_u8(&r);
    uint16_t size = reader_u16(&r);
    size_t address = family >> 4 == 1 ? 4 : family >> 4 == 2 ? 16 : 0;
    if (r.is_bad || command != 0x21 || address == 0 || size < 2 * address + 4)
        return false;
    struct span from = reader_span(&r, address);
    (void)reader_span(&r, address); /* the destination */
    uint16_t port = reader_u16(&r);
    if (r.is_bad)
        return false;
    *source = (struct endpoint){address == 4 ? ipaddr_from4(from.at) : ipaddr_from6(from.at), port};
    return true;
}

bool http1_proxy_source(struct span preface, struct endpoint *source)
{
    return span_starts(preface, SPAN("PROXY ")) ? source_of_v1(preface, source) : source_of_v2(preface, source);
}

size_t http1_proxy_size(struct span bytes)
{
    static const uint8_t signature[] = "\r\n\r\n\0\r\nQUIT\n";
    struct span v2 = span_of(signature, sizeof signature - 1);
    if (span_starts(bytes, SPAN("PROXY "))) {
        size_t end = span_find_byte(span_sub(bytes, 0, PROXY_LINE_MAX), '\n', 0);
        return end == SIZE_MAX ? 0 : end + 1;
    }
    if (!span_starts(bytes, v2) || bytes.size < V2_HEAD)
        return 0;
    size_t size = V2_HEAD + ((size_t)bytes.at[14] << 8 | bytes.at[15]);
    return size <= bytes.size ? size : 0;
}
