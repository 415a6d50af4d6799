/* SPDX-License-Identifier: Apache-2.0
 * Over OpenSSL's SHA-256, by the interface that works on a plain struct: contexts of the newer one live on the heap. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct digest), "the state has room");
_Static_assert(DIGEST_SIZE == SHA256_DIGEST_LENGTH, "SHA-256");

static SHA256_CTX *context(struct digest *d)
{
    return (SHA256_CTX *)(void *)d->state;
}

void digest_init(struct digest *d)
{
    SHA256_Init(context(d));
}

void digest_feed(struct digest *d, struct span bytes)
{
    if (bytes.size)
        SHA256_Update(context(d), bytes.at, bytes.size);
}

void digest_end(struct digest *d, uint8_t out[DIGEST_SIZE])
{
    SHA256_Final(out, context(d));
}
