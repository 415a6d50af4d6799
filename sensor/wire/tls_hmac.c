/* SPDX-License-Identifier: Apache-2.0
 * The hashes as plain structs: OpenSSL's newer interfaces take memory for each message. */
#define OPENSSL_SUPPRESS_DEPRECATED /* only these can be copied without the heap */
#include "wire/tls_hmac.h"

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <string.h>

#define INNER 0x36
#define OUTER 0x5c

union state {
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha384;
};

_Static_assert(sizeof(union state) <= TLS_HASH_STATE, "a digest has room for each state");

static union state *state_of(struct tls_digest *d)
{
    return (union state *)(void *)d->state;
}

size_t tls_hash_size(enum tls_hash hash)
{
    static const uint8_t sizes[] = {
        [TLS_HASH_NONE] = 0, [TLS_HASH_MD5] = 16, [TLS_HASH_SHA1] = 20, [TLS_HASH_SHA256] = 32, [TLS_HASH_SHA384] = 48,
    };
    return sizes[hash];
}

static size_t block_size(enum tls_hash hash)
{
    return hash == TLS_HASH_SHA384 ? SHA512_CBLOCK : SHA256_CBLOCK;
}

void tls_digest_init(struct tls_digest *d, enum tls_hash hash)
{
    union state *state = state_of(d);
    d->hash = (uint8_t)hash;
    switch (hash) {
    case TLS_HASH_MD5: MD5_Init(&state->md5); break;
    case TLS_HASH_SHA1: SHA1_Init(&state->sha1); break;
    case TLS_HASH_SHA256: SHA256_Init(&state->sha256); break;
    case TLS_HASH_SHA384: SHA384_Init(&state->sha384); break;
    case TLS_HASH_NONE: break;
    }
}

void tls_digest_add(struct tls_digest *d, struct span bytes)
{
    union state *state = state_of(d);
    if (bytes.size == 0)
        return;
    switch (d->hash) {
    case TLS_HASH_MD5: MD5_Update(&state->md5, bytes.at, bytes.size); break;
    case TLS_HASH_SHA1: SHA1_Update(&state->sha1, bytes.at, bytes.size); break;
    case TLS_HASH_SHA256: SHA256_Update(&state->sha256, bytes.at, bytes.size); break;
    case TLS_HASH_SHA384: SHA384_Update(&state->sha384, bytes.at, bytes.size); break;
    default: break;
    }
}

void tls_digest_end(struct tls_digest *d, uint8_t *out)
{
    union state *state = state_of(d);
    switch (d->hash) {
    case TLS_HASH_MD5: MD5_Final(out, &state->md5); break;
    case TLS_HASH_SHA1: SHA1_Final(out, &state->sha1); break;
    case TLS_HASH_SHA256: SHA256_Final(out, &state->sha256); break;
    case TLS_HASH_SHA384: SHA384_Final(out, &state->sha384); break;
    default: break;
    }
}

/* A state that has read one block: the key, and in each byte the marker of its side. */
static void begin(struct tls_digest *d, enum tls_hash hash, struct span key, uint8_t marker)
{
    uint8_t block[TLS_HASH_BLOCK_MAX];
    size_t size = block_size(hash);
    memset(block, marker, size);
    for (size_t i = 0; i < key.size; i++)
        block[i] ^= key.at[i];
    tls_digest_init(d, hash);
    tls_digest_add(d, span_of(block, size));
    explicit_bzero(block, sizeof block);
}

void tls_hmac_init(struct tls_hmac *h, enum tls_hash hash, struct span key)
{
    uint8_t digest[TLS_HASH_MAX] = {0};
    if (key.size > block_size(hash)) {
        tls_digest_init(&h->inner, hash);
        tls_digest_add(&h->inner, key);
        tls_digest_end(&h->inner, digest);
        key = span_of(digest, tls_hash_size(hash));
    }
    begin(&h->inner, hash, key, INNER);
    begin(&h->outer, hash, key, OUTER);
    explicit_bzero(digest, sizeof digest);
}

void tls_hmac_init_ssl3(struct tls_hmac *h, enum tls_hash hash, struct span key)
{
    uint8_t pad[48];
    size_t size = hash == TLS_HASH_MD5 ? 48 : 40;
    struct tls_digest *sides[] = {&h->inner, &h->outer};
    for (int i = 0; i < 2; i++) {
        memset(pad, i ? OUTER : INNER, size);
        tls_digest_init(sides[i], hash);
        tls_digest_add(sides[i], key);
        tls_digest_add(sides[i], span_of(pad, size));
    }
}

void tls_hmac_of(const struct tls_hmac *h, const struct span *parts, size_t n, uint8_t *out)
{
    uint8_t digest[TLS_HASH_MAX];
    struct tls_digest state = h->inner;
    for (size_t i = 0; i < n; i++)
        tls_digest_add(&state, parts[i]);
    tls_digest_end(&state, digest);
    state = h->outer;
    tls_digest_add(&state, span_of(digest, tls_hash_size((enum tls_hash)h->outer.hash)));
    tls_digest_end(&state, out);
    explicit_bzero(&state, sizeof state);
}
