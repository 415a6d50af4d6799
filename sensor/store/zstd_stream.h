/* SPDX-License-Identifier: Apache-2.0
 * Zstandard (RFC 8878) from and to file descriptors, piece by piece. */
#ifndef STORE_ZSTD_STREAM_H
#define STORE_ZSTD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ZSTD_HEAD 4
/* Whether a file that begins with these n bytes (of ZSTD_HEAD; negative: none could be read) is packed. */
bool zstd_is_packed(const uint8_t head[ZSTD_HEAD], ssize_t n);

/* Reads a packed file. The descriptor stays the caller's. */
struct zstd_source;
struct zstd_source *zstd_source_new(int fd); /* NULL: no memory */
/* Up to 'size' unpacked bytes into 'to'; 0 at the end; E_IO with errno, E_BAD when it is damaged or cut. */
ssize_t zstd_source_read(struct zstd_source *s, void *to, size_t size);
void zstd_source_free(struct zstd_source *s);

/* Packs one file into another. The descriptors stay the caller's. */
struct zstd_packer;
struct zstd_packer *zstd_packer_new(int from, int to); /* NULL: no memory */
/* Packs about 'max' bytes more. E_MORE: there are more; E_OK: the whole is written; E_IO with errno. */
int zstd_packer_step(struct zstd_packer *p, size_t max);
void zstd_packer_free(struct zstd_packer *p);

#endif
