/* SPDX-License-Identifier: Apache-2.0
 * A plain IP header in front of a payload that was put together here. Inside of flow/ only. */
#ifndef FLOW_IP_HEADER_H
#define FLOW_IP_HEADER_H

#include "wire/decap.h"

#define IP_HEADER_MAX 40u
#define IP_PAYLOAD_MAX 65535u

static inline uint32_t ip_header_size(bool is6)
{
    return is6 ? 40 : 20;
}
/* Writes a header without options for 'size' bytes of 'protocol', with the addresses of 'd'; the checksum stays 0. */
void ip_header_write(uint8_t *at, const struct dissected *d, bool is6, uint8_t protocol, uint32_t size);

#endif
