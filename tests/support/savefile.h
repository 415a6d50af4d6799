/* SPDX-License-Identifier: Apache-2.0
 * Builds capture files byte by byte for tests, in either byte order, and puts them into a scratch directory. */
#ifndef SUPPORT_SAVEFILE_H
#define SUPPORT_SAVEFILE_H

#include "base/text.h"

struct savefile {
    struct text out;
    bool is_big; /* byte order of everything that follows */
};

void savefile_u16(struct savefile *f, uint16_t value);
void savefile_u32(struct savefile *f, uint32_t value);
void savefile_u64(struct savefile *f, uint64_t value);

/* pcap: the file head with this magic, and one record of 'size' bytes that count up from 'first'. */
void savefile_pcap(struct savefile *f, uint32_t magic, uint32_t link);
void savefile_record(struct savefile *f, uint32_t seconds, uint32_t fraction, uint8_t first, uint32_t size);

/* pcapng: a block around 'body' (padded to 32 bits), a section header, an interface with raw option bytes (may be empty),
 * an enhanced packet. */
void savefile_block(struct savefile *f, uint32_t type, struct span body);
void savefile_section(struct savefile *f);
void savefile_interface(struct savefile *f, uint16_t link, uint32_t snaplen, struct span options);
void savefile_packet(struct savefile *f, uint32_t interface, uint64_t ticks, uint8_t first, uint32_t size);

/* A fresh directory for one test program, and its removal with all files in it. */
const char *scratch_make(char path[64]);
void scratch_remove(const char *path);
/* Writes the bytes to DIRECTORY/NAME and puts that path into 'path'; aborts the test program when it cannot. */
const char *scratch_write(const char *directory, const char *name, struct span bytes, char path[512]);

#endif
