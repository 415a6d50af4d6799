/* SPDX-License-Identifier: Apache-2.0
 * Names: the fixed-size form of a credential's name for tables, its printable form for files, and the names of our keys
 * in Redis. redis-schema/keys.json describes the keys; tools/redis-doc checks that it agrees with store_keys.c. */
#ifndef STORE_STORE_KEYS_H
#define STORE_STORE_KEYS_H

#include "base/text.h"
#include "store/baseline.h"

#define STORE_PREFIX "casetap"
#define STORE_PREFIX_MAX 64
#define STORE_SCHEMA 1 /* version of everything below the prefix */

/* A credential's name as a table key: cut like baseline_init cuts, padded with zeros. */
struct store_name {
    char at[BASELINE_NAME_MAX];
};

struct store_name store_name_of(struct span credential);
struct span store_name_span(const struct store_name *name);

/* Appends 's' with every byte that is not a printable ASCII character, and %, {, }, blank, quotes, backslash and the
 * glob characters * ? [ ] as %XX: readable, one word, reversible, and harmless in a hash tag, a pattern and a line. */
void store_escape(struct text *out, struct span s);
/* The way back. False for a broken escape, a NUL, or when it does not fit in a credential's name. */
bool store_unescape(struct span s, struct store_name *out);

/* A prefix that can stand in front of keys: 1-63 of A-Z a-z 0-9 . _ - : */
bool store_prefix_is_good(const char *prefix);
/* "casetap:schema": the schema's version. */
void store_key_schema(struct text *out, const char *prefix);
/* "casetap:{00112233445566778899aabbccddeeff}:session": the credential of a session value, by its keyed hash. */
void store_key_session(struct text *out, const char *prefix, const uint8_t hash[16]);
/* "casetap:{alice}:baseline": one credential's baseline. The braces keep all keys of a credential in one Cluster
 * slot. */
void store_key_baseline(struct text *out, const char *prefix, struct span credential);
/* "casetap:{alice}:baseline.corrupt": what stood there and could not be read. */
void store_key_corrupt(struct text *out, const char *prefix, struct span credential);

/* What sensors and analysers share; all of it in one Cluster slot. */
enum feed_key { FEED_SENSORS, FEED_TAKEN, FEED_ORDER, FEED_LEASE, FEED_EPOCH, FEED_ANALYSERS, FEED_SINKS, FEED_STREAM };
/* "casetap:{feed}:order"; of FEED_STREAM "casetap:{feed}:NAME:stream", where 'name' is a sensor's. */
void store_key_feed(struct text *out, const char *prefix, enum feed_key key, const char *name);

#endif
