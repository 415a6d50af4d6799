/* SPDX-License-Identifier: Apache-2.0
 * HMAC-SHA-256 (RFC 2104) over OpenSSL's SHA-256. The two states that hold the key are made once and copied for each hash:
 * OpenSSL's own HMAC takes memory from the heap each time, and packets must not wait for that. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the digest as a plain struct is the one that can be copied without the heap */
#include "base/keyed.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

#define INNER 0x36
#define OUTER 0x5c

struct keyed {
    SHA256_CTX inner, outer;
};

struct keyed *keyed_new_default(void)
{
    /* Public on purpose: a replay without a key protects nothing, it only has to be the same everywhere. */
    return keyed_new(SPAN("casetap replay: no key configured"));
}

/* A state that has read one block: the key, and in each byte the marker of its side. */
static void begin(SHA256_CTX *state, const uint8_t key[SHA256_CBLOCK], uint8_t marker)
{
    uint8_t block[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = key[i] ^ marker;
    SHA256_Init(state);
    SHA256_Update(state, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

struct keyed *keyed_new(struct span key)
{
    uint8_t block[SHA256_CBLOCK] = {0};
    struct keyed *k = key.size < 16 ? NULL : calloc(1, sizeof *k);
    if (!k)
        return NULL;
    if (key.size > sizeof block)
        SHA256(key.at, key.size, block);
    else
        memcpy(block, key.at, key.size);
    begin(&k->inner, block, INNER);
    begin(&k->outer, block, OUTER);
    OPENSSL_cleanse(block, sizeof block);
    return k;
}

void keyed_free(struct keyed *k)
{
    if (!k)
        return;
    OPENSSL_cleanse(k, sizeof *k);
    free(k);
}

/* The outer hash of HMAC, of what the inner one has taken. */
static void finish(const struct keyed *k, SHA256_CTX *state, uint8_t out[SHA256_DIGEST_LENGTH])
{
    SHA256_Final(out, state);
    *state = k->outer;
    SHA256_Update(state, out, SHA256_DIGEST_LENGTH);
    SHA256_Final(out, state); /* clears the state */
}

void keyed_hash(struct keyed *k, struct span domain, struct span secret, uint8_t out[KEYED_SIZE])
{
    static const uint8_t zero[1];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX state = k->inner;
    SHA256_Update(&state, domain.at, domain.size);
    SHA256_Update(&state, zero, sizeof zero);
    SHA256_Update(&state, secret.at, secret.size);
    finish(k, &state, digest);
    memcpy(out, digest, KEYED_SIZE);
}

void keyed_mac(struct keyed *k, struct span message, uint8_t out[32])
{
    SHA256_CTX state = k->inner;
    SHA256_Update(&state, message.at, message.size);
    finish(k, &state, out);
}
