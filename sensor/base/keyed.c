/* SPDX-License-Identifier: Apache-2.0
 * HMAC-SHA-256 by OpenSSL. The keyed context is made once; each hash re-starts it with the same key. */
#include "base/keyed.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

struct keyed {
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx;
};

struct keyed *keyed_new_default(void)
{
    /* Public on purpose: a replay without a key protects nothing, it only has to be the same everywhere. */
    return keyed_new(SPAN("casetap replay: no key configured"));
}

struct keyed *keyed_new(struct span key)
{
    struct keyed *k = calloc(1, sizeof *k);
    if (!k || key.size < 16)
        goto fail;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    k->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    k->ctx = k->mac ? EVP_MAC_CTX_new(k->mac) : NULL;
    if (!k->ctx || !EVP_MAC_init(k->ctx, key.at, key.size, params))
        goto fail;
    return k;
fail:
    keyed_free(k);
    return NULL;
}

void keyed_free(struct keyed *k)
{
    if (!k)
        return;
    EVP_MAC_CTX_free(k->ctx); /* cleanses the key */
    EVP_MAC_free(k->mac);
    free(k);
}

void keyed_hash(struct keyed *k, struct span domain, struct span secret, uint8_t out[KEYED_SIZE])
{
    static const uint8_t zero[1];
    uint8_t full[EVP_MAX_MD_SIZE];
    size_t size = 0;
    if (EVP_MAC_init(k->ctx, NULL, 0, NULL) && EVP_MAC_update(k->ctx, domain.at, domain.size) &&
        EVP_MAC_update(k->ctx, zero, 1) && EVP_MAC_update(k->ctx, secret.at, secret.size) &&
        EVP_MAC_final(k->ctx, full, &size, sizeof full) && size >= KEYED_SIZE)
        memcpy(out, full, KEYED_SIZE);
    else
        memset(out, 0, KEYED_SIZE);
}
