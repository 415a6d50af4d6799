/* SPDX-License-Identifier: Apache-2.0
 * Lines of words, as the state file holds them: what would break a line is percent-encoded, "-" alone is nothing. */
#ifndef APP_WORDS_H
#define APP_WORDS_H

#include "base/span.h"

/* Bytes that words_put may write for a text of 'size' bytes. */
#define WORDS_ROOM(size) (3 * (size) + 2)

/* Writes a space and the word, and a NUL; returns where that stands. 'to' has WORDS_ROOM(text.size) bytes. */
char *words_put(char *to, struct span text);
/* The same for a 128-bit hash: 33 bytes and the NUL. */
char *words_put_hash(char *to, const uint8_t hash[16]);
/* Undoes words_put, without the space: at most 'max' bytes (at most 300). False for what words_put never writes. */
bool words_read(struct span word, char *to, size_t max, size_t *size);
bool words_read_hash(struct span word, uint8_t hash[16]);

#endif
