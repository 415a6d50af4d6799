/* SPDX-License-Identifier: Apache-2.0
 * A context of OpenSSL takes memory when it is made for a cipher; setting its key and IV again later takes none. So
 * slots keep their contexts, and free slots wait in a list of their cipher. */
#include "wire/tls_cipher.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/locked.h"

#define BLOCKS 18u /* of keystream made at once */

struct cipher_pair {
    EVP_CIPHER *main, *keystream;
};

struct tls_cipher_pool {
    OSSL_LIB_CTX *library; /* our own: the legacy provider must not change what the rest of the process gets */
    OSSL_PROVIDER *providers[2];
    struct cipher_pair ciphers[TLS_CIPHERS];
    struct tls_open_slot *slots;
    struct tls_open_slot *free[TLS_CIPHERS];
    struct locked memory; /* of the slots' secrets */
    uint32_t max, fresh;  /* fresh: slots taken at least once */
    uint64_t made;
};

static const struct tls_cipher_shape *shape_of(enum tls_cipher_id cipher)
{
    return tls_suite_shape(&(struct tls_suite){.cipher = (uint8_t)cipher});
}

static void fetch(struct tls_cipher_pool *p, enum tls_cipher_id cipher)
{
    const struct tls_cipher_shape *shape = shape_of(cipher);
    struct cipher_pair *pair = &p->ciphers[cipher];
    if (shape->name)
        pair->main = EVP_CIPHER_fetch(p->library, shape->name, NULL);
    if (shape->keystream && pair->main)
        pair->keystream = EVP_CIPHER_fetch(p->library, shape->keystream, NULL);
}

struct tls_cipher_pool *tls_cipher_pool_new(uint32_t max)
{
    struct tls_cipher_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->max = max;
    p->slots = calloc(max, sizeof *p->slots);
    p->memory = locked_new(max * sizeof(struct tls_slot_secret));
    p->library = OSSL_LIB_CTX_new();
    if (!p->slots || !p->memory.at || !p->library) {
        tls_cipher_pool_free(p);
        return NULL;
    }
    p->providers[0] = OSSL_PROVIDER_load(p->library, "default");
    p->providers[1] = OSSL_PROVIDER_load(p->library, "legacy"); /* a file of its own: RC4, DES */
    for (int i = 0; i < TLS_CIPHERS; i++)
        fetch(p, (enum tls_cipher_id)i);
    return p;
}

static void drop_contexts(struct tls_open_slot *slot)
{
    EVP_CIPHER_CTX_free(slot->main);
    EVP_CIPHER_CTX_free(slot->keystream);
    slot->main = slot->keystream = NULL;
}

void tls_cipher_pool_free(struct tls_cipher_pool *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->fresh; i++)
        drop_contexts(&p->slots[i]);
    for (int i = 0; i < TLS_CIPHERS; i++) {
        EVP_CIPHER_free(p->ciphers[i].main);
        EVP_CIPHER_free(p->ciphers[i].keystream);
    }
    for (int i = 0; i < 2; i++)
        if (p->providers[i])
            OSSL_PROVIDER_unload(p->providers[i]);
    OSSL_LIB_CTX_free(p->library);
    locked_free(&p->memory);
    free(p->slots);
    free(p);
}

bool tls_cipher_pool_is_locked(const struct tls_cipher_pool *p)
{
    return p->memory.is_locked;
}

bool tls_cipher_can(const struct tls_cipher_pool *p, enum tls_cipher_id cipher)
{
    const struct tls_cipher_shape *shape = shape_of(cipher);
    return (!shape->name || p->ciphers[cipher].main) && (!shape->keystream || p->ciphers[cipher].keystream);
}

uint64_t tls_cipher_made(const struct tls_cipher_pool *p)
{
    return p->made;
}

static EVP_CIPHER_CTX *make_context(struct tls_cipher_pool *p, const EVP_CIPHER *cipher, bool encrypts)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context && EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypts, NULL) == 1) {
        p->made++;
        return context;
    }
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

static bool make_contexts(struct tls_cipher_pool *p, struct tls_open_slot *slot, enum tls_cipher_id cipher)
{
    const struct tls_cipher_shape *shape = shape_of(cipher);
    const struct cipher_pair *pair = &p->ciphers[cipher];
    slot->cipher = (uint8_t)cipher;
    if (shape->name && !(slot->main = make_context(p, pair->main, false)))
        return false;
    if (shape->keystream && !(slot->keystream = make_context(p, pair->keystream, true)))
        return false;
    if (shape->mode == TLS_MODE_CBC)
        EVP_CIPHER_CTX_set_padding(slot->main, 0);
    if (slot->keystream)
        EVP_CIPHER_CTX_set_padding(slot->keystream, 0);
    if (shape->mode == TLS_MODE_CCM) /* its sizes must be known before its key */
        return EVP_CIPHER_CTX_ctrl(slot->main, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) == 1 &&
               EVP_CIPHER_CTX_ctrl(slot->main, EVP_CTRL_AEAD_SET_TAG, shape->tag_size, NULL) == 1;
    return true;
}

/* A slot whose contexts are of no use: never used, or free and of another cipher. */
static struct tls_open_slot *take_any(struct tls_cipher_pool *p)
{
    if (p->fresh < p->max) {
        struct tls_open_slot *slot = &p->slots[p->fresh];
        slot->secret = (struct tls_slot_secret *)p->memory.at + p->fresh++;
        return slot;
    }
    for (int i = 0; i < TLS_CIPHERS; i++) {
        struct tls_open_slot *slot = p->free[i];
        if (!slot)
            continue;
        p->free[i] = slot->next;
        drop_contexts(slot);
        return slot;
    }
    return NULL;
}

struct tls_open_slot *tls_cipher_take(struct tls_cipher_pool *p, enum tls_cipher_id cipher)
{
    struct tls_open_slot *slot = p->free[cipher];
    if (slot) {
        p->free[cipher] = slot->next;
        return slot;
    }
    slot = take_any(p);
    if (!slot || make_contexts(p, slot, cipher))
        return slot;
    drop_contexts(slot);
    slot->cipher = TLS_CIPHER_NULL; /* needs no context: as good as new */
    slot->next = p->free[TLS_CIPHER_NULL];
    p->free[TLS_CIPHER_NULL] = slot;
    return NULL;
}

void tls_cipher_give(struct tls_cipher_pool *p, struct tls_open_slot *slot)
{
    static const uint8_t no_key[TLS_KEY_MAX];
    tls_cipher_key(slot, no_key);
    explicit_bzero(slot->secret, sizeof *slot->secret);
    slot->is_broken = false;
    slot->next = p->free[slot->cipher];
    p->free[slot->cipher] = slot;
}

void tls_cipher_key(struct tls_open_slot *slot, const uint8_t *key)
{
    static const uint8_t no_iv[TLS_IV_MAX];
    int ok = 1;
    if (slot->main)
        ok = EVP_DecryptInit_ex2(slot->main, NULL, key, no_iv, NULL);
    if (slot->keystream)
        ok &= EVP_EncryptInit_ex2(slot->keystream, NULL, key, no_iv, NULL);
    ASSERT(ok == 1);
}

bool tls_cipher_open(struct tls_open_slot *slot, const uint8_t *nonce, struct span aad, struct span text,
                     const uint8_t *tag, uint8_t *out)
{
    const struct tls_cipher_shape *shape = shape_of((enum tls_cipher_id)slot->cipher);
    EVP_CIPHER_CTX *context = slot->main;
    void *expected = (void *)(uintptr_t)tag; /* the interface forgot its const */
    int size;
    bool is_ccm = shape->mode == TLS_MODE_CCM;
    if (is_ccm && (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, shape->tag_size, expected) != 1 ||
                   EVP_DecryptInit_ex2(context, NULL, NULL, nonce, NULL) != 1 ||
                   EVP_DecryptUpdate(context, NULL, &size, NULL, (int)text.size) != 1))
        return false;
    if (!is_ccm && (EVP_DecryptInit_ex2(context, NULL, NULL, nonce, NULL) != 1 ||
                    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, shape->tag_size, expected) != 1))
        return false;
    if (aad.size && EVP_DecryptUpdate(context, NULL, &size, aad.at, (int)aad.size) != 1)
        return false;
    /* CCM checks the tag with its only piece of text, the others at the end */
    if ((text.size || is_ccm) && EVP_DecryptUpdate(context, out, &size, text.at, (int)text.size) != 1)
        return false;
    return is_ccm || EVP_DecryptFinal_ex(context, out + text.size, &size) == 1;
}

static void peek_chacha(struct tls_open_slot *slot, const uint8_t *nonce, size_t at, struct span text, uint8_t *out)
{
    static const uint8_t zeros[64];
    uint8_t iv[16], unused[64];
    uint32_t counter = (uint32_t)(at / 64) + 1; /* block 0 makes the tag; RFC 8439 section 2.3: little-endian */
    int size, ok;
    for (int i = 0; i < 4; i++)
        iv[i] = (uint8_t)(counter >> 8 * i);
    memcpy(iv + 4, nonce, 12);
    ok = EVP_EncryptInit_ex2(slot->keystream, NULL, NULL, iv, NULL);
    if (at % 64)
        ok &= EVP_EncryptUpdate(slot->keystream, unused, &size, zeros, (int)(at % 64));
    if (text.size)
        ok &= EVP_EncryptUpdate(slot->keystream, out, &size, text.at, (int)text.size);
    ASSERT(ok == 1);
    explicit_bzero(unused, sizeof unused);
}

/* Counter block 'number' of a record's text. */
static void put_counter(bool is_gcm, const uint8_t *nonce, uint32_t number, uint8_t *block)
{
    uint32_t counter = number + (is_gcm ? 2 : 1); /* the first block makes the tag (CCM: block 0) */
    block[0] = 2; /* CCM: bytes of the counter, less one (RFC 3610 section 2.3) */
    memcpy(block + (is_gcm ? 0 : 1), nonce, 12);
    for (int i = 0; i < (is_gcm ? 4 : 3); i++)
        block[15 - i] = (uint8_t)(counter >> 8 * i);
}

/* Encrypts the counters themselves: to set another IV costs more in OpenSSL than a few blocks. */
static void peek_blocks(struct tls_open_slot *slot, bool is_gcm, const uint8_t *nonce, size_t at, struct span text,
                        uint8_t *out)
{
    uint8_t stream[16 * BLOCKS];
    int size;
    for (size_t done = 0, n; done < text.size; done += n) {
        size_t into = (at + done) % 16, first = (at + done) / 16, left = text.size - done;
        n = left < sizeof stream - into ? left : sizeof stream - into;
        size_t blocks = (into + n + 15) / 16;
        for (size_t i = 0; i < blocks; i++)
            put_counter(is_gcm, nonce, (uint32_t)(first + i), stream + 16 * i);
        int ok = EVP_EncryptUpdate(slot->keystream, stream, &size, stream, (int)(16 * blocks));
        ASSERT(ok == 1 && (size_t)size == 16 * blocks);
        for (size_t i = 0; i < n; i++)
            out[done + i] = text.at[done + i] ^ stream[into + i];
    }
    explicit_bzero(stream, sizeof stream);
}

void tls_cipher_peek(struct tls_open_slot *slot, const uint8_t *nonce, size_t at, struct span text, uint8_t *out)
{
    enum tls_mode mode = (enum tls_mode)shape_of((enum tls_cipher_id)slot->cipher)->mode;
    if (mode == TLS_MODE_CHACHA)
        peek_chacha(slot, nonce, at, text, out);
    else
        peek_blocks(slot, mode == TLS_MODE_GCM, nonce, at, text, out);
}

void tls_cipher_cbc(struct tls_open_slot *slot, const uint8_t *iv, struct span blocks, uint8_t *out)
{
    int size;
    int ok = EVP_DecryptInit_ex2(slot->main, NULL, NULL, iv, NULL);
    if (blocks.size)
        ok &= EVP_DecryptUpdate(slot->main, out, &size, blocks.at, (int)blocks.size);
    ASSERT(ok == 1);
}

void tls_cipher_stream(struct tls_open_slot *slot, struct span text, uint8_t *out)
{
    int size;
    int ok = text.size == 0 || EVP_DecryptUpdate(slot->main, out, &size, text.at, (int)text.size) == 1;
    ASSERT(ok);
}
