/* SPDX-License-Identifier: Apache-2.0
 * The checksum of a TCP segment (RFC 9293, 3.1; RFC 8200, 8.1). */
#ifndef WIRE_CHECKSUM_H
#define WIRE_CHECKSUM_H

#include "wire/decap.h"

#define CHECKSUM_MAX_PAYLOAD 1460u /* larger segments were put together by the capturing host, and have none of their own */

enum checksum {
    CHECKSUM_UNKNOWN, /* the capture has not all of the segment, or it is larger than what crosses a network */
    CHECKSUM_RIGHT,
    CHECKSUM_WRONG,
};

/* Of a decoded TCP segment. */
enum checksum checksum_of_tcp(const struct dissected *d);

#endif
