/* SPDX-License-Identifier: Apache-2.0
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng): sections of either byte order, any number of interfaces with link
 * types and clocks of their own, and the three kinds of packet block. Bytes in, packets out, no I/O. */
#ifndef CAPTURE_SOURCE_PCAPNG_H
#define CAPTURE_SOURCE_PCAPNG_H

#include "base/packet.h"
#include "base/span.h"

#define PCAPNG_HEAD_SIZE 12u /* block type, block length, and the byte-order magic of a section header */
#define PCAPNG_MAGIC 0x0A0D0D0Au
#define PCAPNG_MAX_INTERFACES 65536u
#define PCAPNG_SECRETS_TLS 0x544c534bu /* secrets that are a TLS key log */

struct pcapng_interface {
    uint32_t link;    /* DLT_ value */
    uint32_t snaplen; /* bytes; 0 = no limit */
    uint64_t units;   /* clock ticks in a second */
    int64_t offset_s; /* if_tsoffset */
};

struct pcapng {
    bool is_swapped;   /* little-endian section */
    bool has_section;
    uint32_t n_interfaces, max_interfaces;
    struct pcapng_interface *interfaces;
    struct span secrets;   /* of the block just read: borrowed; empty when it held none */
    uint32_t secrets_type; /* with secrets: PCAPNG_SECRETS_TLS, or another kind */
    uint64_t last_ns; /* a simple packet has no time of its own: it gets its predecessor's */
};

/* Zeroed is a valid start; frees the interfaces. */
void source_pcapng_fini(struct pcapng *g);
/* Type and length (all of the block, bytes) from its first PCAPNG_HEAD_SIZE bytes; a section header sets the byte order.
 * E_BAD when it cannot be a block. */
int source_pcapng_head(struct pcapng *g, struct span head, uint32_t *type, uint32_t *size);
/* Whether the block says anything to this reader; others may be skipped unread. */
bool source_pcapng_is_wanted(uint32_t type);
/* Whether it is a decryption secrets block: these may be large. */
bool source_pcapng_is_secrets(uint32_t type);
/* Whether the version of a section header's body is one that is read, and which it is. */
bool source_pcapng_is_known(const struct pcapng *g, struct span body, uint16_t *major, uint16_t *minor);
/* One block's body (without type and the two lengths). 1: *p has time, bytes (borrowed), lengths and link; 0: no packet,
 * but perhaps secrets; E_BAD malformed; E_NONE a section of a version that is not known; E_LIMIT too many interfaces; E_NOMEM. */
int source_pcapng_block(struct pcapng *g, uint32_t type, struct span body, struct packet *p);
/* The DLT_ value of a LINKTYPE_ value as files carry it; they differ for a few. */
uint32_t source_pcapng_link(uint32_t linktype);

#endif
