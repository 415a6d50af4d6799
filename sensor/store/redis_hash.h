/* SPDX-License-Identifier: Apache-2.0
 * A baseline as a Redis hash: the words of the command that writes it, and the answer to HGETALL read back. */
#ifndef STORE_REDIS_HASH_H
#define STORE_REDIS_HASH_H

#include "io/redis_link.h"
#include "store/baseline.h"

#define REDIS_HASH_FIELDS 64 /* more than a baseline has */

/* Which fields a hash has: a hash of their names in order, or one of these. */
#define HASH_FIELDS_UNKNOWN 0
#define HASH_FIELDS_NONE 1

struct redis_hash {
    struct span words[2 + 2 * REDIS_HASH_FIELDS]; /* HSET key field value ..., or DEL key when nothing is to be said */
    unsigned n;
    uint64_t fields;
    char text[REDIS_HASH_FIELDS * (BASELINE_FIELD_MAX + BASELINE_VALUE_MAX)]; /* holds the words */
    size_t used;
};

/* 'key' is borrowed as long as the words are used. */
void redis_hash_build(struct redis_hash *h, struct span key, const struct baseline *b);

#define REDIS_HASH_BAD_MAX 64
/* Sets the fields of an answer to HGETALL in 'b'. Puts the printable name of the first field that is none of ours into
 * 'bad' ("" when all are good; the others are set all the same), and which fields there are into *fields. */
void redis_hash_read(const struct redis_reply *reply, struct baseline *b, uint64_t *fields,
                     char bad[REDIS_HASH_BAD_MAX]);

#endif
