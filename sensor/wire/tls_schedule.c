/* SPDX-License-Identifier: Apache-2.0
 * Key schedules, all of them loops around HMAC. */
#include "wire/tls_schedule.h"

#include <string.h>

#include "base/assert.h"

#define SSL3 0x0300
#define TLS10 0x0301
#define TLS12 0x0303
#define BLOCK_MAX (2 * (TLS_HASH_MAX + TLS_KEY_MAX + TLS_IV_MAX))

void tls_expand_label(enum tls_hash hash, struct span secret, const char *label, struct span context, uint8_t *out,
                      size_t size)
{
    static const char prefix[] = "tls13 ";
    struct span name = span_text(label);
    uint8_t head[3] = {0, (uint8_t)size, (uint8_t)(sizeof prefix - 1 + name.size)};
    uint8_t context_size = (uint8_t)context.size, number = 0, last[TLS_HASH_MAX];
    ASSERT(size <= UINT8_MAX && name.size < UINT8_MAX - sizeof prefix && context.size <= UINT8_MAX);
    struct tls_hmac h;
    tls_hmac_init(&h, hash, secret);
    size_t step = tls_hash_size(hash);
    for (size_t at = 0; at < size; at += step) {
        number++;
        const struct span parts[] = {
            span_of(last, at ? step : 0),
            span_of(head, sizeof head),
            span_of(prefix, sizeof prefix - 1),
            name,
            span_of(&context_size, 1),
            context,
            span_of(&number, 1),
        };
        tls_hmac_of(&h, parts, sizeof parts / sizeof *parts, last);
        memcpy(out + at, last, size - at < step ? size - at : step);
    }
    explicit_bzero(&h, sizeof h);
    explicit_bzero(last, sizeof last);
}

void tls_schedule_13(const struct tls_suite *suite, struct span secret, struct tls_record_keys *keys)
{
    const struct tls_cipher_shape *shape = tls_suite_shape(suite);
    enum tls_hash hash = (enum tls_hash)suite->prf;
    memset(keys, 0, sizeof *keys);
    tls_expand_label(hash, secret, "key", SPAN(""), keys->key, shape->key_size);
    tls_expand_label(hash, secret, "iv", SPAN(""), keys->iv, 12);
}

void tls_schedule_update(const struct tls_suite *suite, struct span secret, uint8_t *next)
{
    uint8_t out[TLS_HASH_MAX];
    size_t size = tls_hash_size((enum tls_hash)suite->prf);
    tls_expand_label((enum tls_hash)suite->prf, secret, "traffic upd", SPAN(""), out, size);
    memcpy(next, out, size);
    explicit_bzero(out, sizeof out);
}

/* P_hash (RFC 5246 section 5), XORed into 'out'. */
static void p_hash(enum tls_hash hash, struct span secret, const struct span seed[3], uint8_t *out, size_t size)
{
    struct tls_hmac h;
    uint8_t a[TLS_HASH_MAX], block[TLS_HASH_MAX];
    size_t step = tls_hash_size(hash);
    tls_hmac_init(&h, hash, secret);
    tls_hmac_of(&h, seed, 3, a);
    for (size_t at = 0; at < size; at += step) {
        tls_hmac_of(&h, (struct span[]){span_of(a, step), seed[0], seed[1], seed[2]}, 4, block);
        for (size_t i = 0; i < step && at + i < size; i++)
            out[at + i] ^= block[i];
        tls_hmac_of(&h, (struct span[]){span_of(a, step)}, 1, a);
    }
    explicit_bzero(&h, sizeof h);
    explicit_bzero(a, sizeof a);
    explicit_bzero(block, sizeof block);
}

/* SSL 3.0: MD5(secret, SHA(letters, secret, seeds)) with the letters A, BB, CCC, ... in place of a label. */
static void ssl3_prf(struct span secret, struct span seed_a, struct span seed_b, uint8_t *out, size_t size)
{
    struct tls_digest d;
    uint8_t letters[26], inner[TLS_HASH_MAX], block[TLS_HASH_MAX];
    for (size_t at = 0, n = 1; at < size; at += 16, n++) {
        ASSERT(n <= sizeof letters);
        memset(letters, (int)('A' + n - 1), n);
        const struct span parts[] = {span_of(letters, n), secret, seed_a, seed_b};
        tls_digest_init(&d, TLS_HASH_SHA1);
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            tls_digest_add(&d, parts[i]);
        tls_digest_end(&d, inner);
        tls_digest_init(&d, TLS_HASH_MD5);
        tls_digest_add(&d, secret);
        tls_digest_add(&d, span_of(inner, 20));
        tls_digest_end(&d, block);
        memcpy(out + at, block, size - at < 16 ? size - at : 16);
    }
    explicit_bzero(&d, sizeof d);
    explicit_bzero(block, sizeof block);
}

void tls_prf(uint16_t version, enum tls_hash hash, struct span secret, const char *label, struct span seed_a,
             struct span seed_b, uint8_t *out, size_t size)
{
    const struct span seed[3] = {span_text(label), seed_a, seed_b};
    if (version <= SSL3) {
        ssl3_prf(secret, seed_a, seed_b, out, size);
        return;
    }
    memset(out, 0, size);
    if (version >= TLS12) {
        p_hash(hash, secret, seed, out, size);
        return;
    }
    size_t half = (secret.size + 1) / 2; /* the two halves share the middle byte of an odd secret */
    p_hash(TLS_HASH_MD5, span_sub(secret, 0, half), seed, out, size);
    p_hash(TLS_HASH_SHA1, span_from(secret, secret.size - half), seed, out, size);
}

/* Export ciphers: what the key block holds is stretched once more (RFC 2246 section 6.3.1, RFC 6101 6.2.2.1). */
static void export_key(const struct tls_cipher_shape *shape, uint16_t version, struct span client_random,
                       struct span server_random, bool is_server, struct tls_record_keys *keys)
{
    uint8_t short_key[TLS_KEY_MAX];
    memcpy(short_key, keys->key, shape->key_material);
    struct span secret = span_of(short_key, shape->key_material);
    if (version <= SSL3) {
        struct tls_digest d;
        tls_digest_init(&d, TLS_HASH_MD5);
        tls_digest_add(&d, secret);
        tls_digest_add(&d, is_server ? server_random : client_random);
        tls_digest_add(&d, is_server ? client_random : server_random);
        tls_digest_end(&d, keys->key);
        tls_digest_init(&d, TLS_HASH_MD5);
        tls_digest_add(&d, is_server ? server_random : client_random);
        tls_digest_add(&d, is_server ? client_random : server_random);
        tls_digest_end(&d, keys->iv);
    } else {
        uint8_t iv[2 * TLS_IV_MAX];
        tls_prf(version, TLS_HASH_SHA256, secret, is_server ? "server write key" : "client write key", client_random,
                server_random, keys->key, shape->key_size);
        tls_prf(version, TLS_HASH_SHA256, SPAN(""), "IV block", client_random, server_random, iv,
                2u * shape->fixed_iv_size);
        memcpy(keys->iv, iv + (is_server ? shape->fixed_iv_size : 0), shape->fixed_iv_size);
    }
    explicit_bzero(short_key, sizeof short_key);
}

void tls_schedule_12(const struct tls_suite *suite, uint16_t version, struct span master, struct span client_random,
                     struct span server_random, bool is_server, struct tls_record_keys *keys)
{
    const struct tls_cipher_shape *shape = tls_suite_shape(suite);
    size_t mac = tls_hash_size((enum tls_hash)suite->mac), key = shape->key_material;
    size_t iv = shape->mode == TLS_MODE_CBC && version > TLS10 ? 0 : shape->fixed_iv_size;
    uint8_t block[BLOCK_MAX];
    tls_prf(version, (enum tls_hash)suite->prf, master, "key expansion", server_random, client_random, block,
            2 * (mac + key + iv));
    size_t side = is_server ? 1 : 0;
    memset(keys, 0, sizeof *keys);
    memcpy(keys->mac, block + side * mac, mac);
    memcpy(keys->key, block + 2 * mac + side * key, key);
    memcpy(keys->iv, block + 2 * (mac + key) + side * iv, iv);
    if (shape->key_material < shape->key_size)
        export_key(shape, version, client_random, server_random, is_server, keys);
    explicit_bzero(block, sizeof block);
}
