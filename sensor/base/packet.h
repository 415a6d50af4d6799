/* SPDX-License-Identifier: Apache-2.0
 * One captured frame, borrowed from its source until the next call to it. */
#ifndef BASE_PACKET_H
#define BASE_PACKET_H

#include <stdint.h>

struct packet {
    uint64_t time_ns;     /* since 1970, as captured */
    const uint8_t *bytes; /* 'caught' bytes, from the link layer on */
    uint32_t caught;      /* captured length */
    uint32_t wire;        /* length on the wire, >= caught */
    uint32_t link;        /* DLT_ value of the source */
    uint32_t source;      /* index of the file or interface */
    uint64_t number;      /* counts from 1 over all sources, in the order delivered */
};

#endif
