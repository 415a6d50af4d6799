/* SPDX-License-Identifier: Apache-2.0
 * HKDF (RFC 5869) over SHA-256 as a plain struct, because OpenSSL's own asks the heap each time; AES and GCM by
 * OpenSSL, in contexts that are made once and get new keys. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the digest as a plain struct is the one that needs no heap */
#include "wire/quic_crypto.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

#define SECRET SHA256_DIGEST_LENGTH
#define MAX_PLAIN 65536u

struct quic_opener {
    EVP_CIPHER_CTX *block, *aead;
    uint8_t plain[MAX_PLAIN];
};

/* RFC 9001 5.2, RFC 9369 3.3.1; the drafts by their own texts; Google's and Facebook's versions as their sources have
 * it. */
static const struct quic_version versions[] = {
    {0x00000001,
     0x00000001, /* QUIC v1 */
     {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
     false},
    {0x6b3343cf,
     0x6b3343cf, /* QUIC v2 */
     {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
     true},
    {0x709a50c4,
     0x709a50c4, /* v2, drafts 1 to 6 */
     {0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d,
      0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3},
     true},
    {0xff000021,
     0xff000022, /* drafts 33, 34 */
     {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
      0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
     false},
    {0xff00001d,
     0xff000020, /* drafts 29 to 32 */
     {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
      0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
     false},
    {0xff000017,
     0xff00001c, /* drafts 23 to 28 */
     {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
      0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02},
     false},
    {0xfaceb002,
     0xfaceb00e, /* mvfst, on draft 27 */
     {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
      0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02},
     false},
    {0x54303530,
     0x54303530, /* Google T050 */
     {0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
      0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10},
     false},
    {0x54303531,
     0x54303531, /* Google T051 */
     {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
      0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d},
     false},
};

const struct quic_version *quic_version_find(uint32_t version)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (version >= versions[i].first && version <= versions[i].last)
            return &versions[i];
    return NULL;
}

void quic_opener_free(struct quic_opener *o)
{
    if (!o)
        return;
    EVP_CIPHER_CTX_free(o->block);
    EVP_CIPHER_CTX_free(o->aead);
    free(o);
}

struct quic_opener *quic_opener_new(void)
{
    struct quic_opener *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->block = EVP_CIPHER_CTX_new();
    o->aead = EVP_CIPHER_CTX_new();
    if (o->block && o->aead && EVP_EncryptInit_ex(o->block, EVP_aes_128_ecb(), NULL, NULL, NULL) == 1 &&
        EVP_DecryptInit_ex(o->aead, EVP_aes_128_gcm(), NULL, NULL, NULL) == 1)
        return o;
    quic_opener_free(o);
    return NULL;
}

static void begin_pad(SHA256_CTX *state, struct span key, uint8_t marker)
{
    uint8_t block[SHA256_CBLOCK];
    memset(block, marker, sizeof block);
    for (size_t i = 0; i < key.size && i < sizeof block; i++)
        block[i] ^= key.at[i];
    SHA256_Init(state);
    SHA256_Update(state, block, sizeof block);
}

/* Keys are never longer than a block here: a salt, a secret. */
static void hmac(struct span key, struct span text, uint8_t out[SECRET])
{
    uint8_t inner[SECRET];
    SHA256_CTX state;
    begin_pad(&state, key, 0x36);
    SHA256_Update(&state, text.at, text.size);
    SHA256_Final(inner, &state);
    begin_pad(&state, key, 0x5c);
    SHA256_Update(&state, inner, sizeof inner);
    SHA256_Final(out, &state);
}

/* HKDF-Expand-Label of RFC 8446 section 7.1, with an empty context; never more than one block. */
static void expand_label(const uint8_t secret[SECRET], struct span label, uint8_t *out, uint8_t size)
{
    static const char prefix[] = "tls13 ";
    uint8_t info[40] = {0, size, (uint8_t)(sizeof prefix - 1 + label.size)}, block[SECRET];
    size_t n = 3;
    memcpy(info + n, prefix, sizeof prefix - 1);
    n += sizeof prefix - 1;
    memcpy(info + n, label.at, label.size);
    n += label.size;
    info[n++] = 0; /* no context */
    info[n++] = 1; /* first block */
    hmac(span_of(secret, SECRET), span_of(info, n), block);
    memcpy(out, block, size);
}

void quic_keys_derive(const struct quic_version *version, struct span cid, bool is_server, struct quic_keys *keys)
{
    uint8_t initial[SECRET], secret[SECRET];
    bool is_v2 = version->is_v2;
    hmac(span_of(version->salt, sizeof version->salt), cid, initial);
    expand_label(initial, is_server ? SPAN("server in") : SPAN("client in"), secret, SECRET);
    expand_label(secret, is_v2 ? SPAN("quicv2 key") : SPAN("quic key"), keys->key, sizeof keys->key);
    expand_label(secret, is_v2 ? SPAN("quicv2 iv") : SPAN("quic iv"), keys->iv, sizeof keys->iv);
    expand_label(secret, is_v2 ? SPAN("quicv2 hp") : SPAN("quic hp"), keys->hp, sizeof keys->hp);
}

/* RFC 9001 section 5.4.3 */
static bool make_mask(struct quic_opener *o, const uint8_t hp[16], const uint8_t *sample, uint8_t mask[16])
{
    int n = 0;
    return EVP_EncryptInit_ex(o->block, NULL, NULL, hp, NULL) == 1 && EVP_CIPHER_CTX_set_padding(o->block, 0) == 1 &&
           EVP_EncryptUpdate(o->block, mask, &n, sample, QUIC_SAMPLE) == 1 && n == QUIC_SAMPLE;
}

static bool open_gcm(struct quic_opener *o, const uint8_t key[16], const uint8_t nonce[12], const struct span aad[3],
                     struct span text)
{
    int n = 0, end = 0;
    uint8_t tag[QUIC_TAG];
    size_t size = text.size - QUIC_TAG;
    memcpy(tag, text.at + size, QUIC_TAG);
    if (EVP_DecryptInit_ex(o->aead, NULL, NULL, key, nonce) != 1)
        return false;
    for (int i = 0; i < 3; i++)
        if (EVP_DecryptUpdate(o->aead, NULL, &n, aad[i].at, (int)aad[i].size) != 1)
            return false;
    return EVP_DecryptUpdate(o->aead, o->plain, &n, text.at, (int)size) == 1 &&
           EVP_CIPHER_CTX_ctrl(o->aead, EVP_CTRL_AEAD_SET_TAG, QUIC_TAG, tag) == 1 &&
           EVP_DecryptFinal_ex(o->aead, o->plain + n, &end) == 1;
}

bool quic_opener_open(struct quic_opener *o, const struct quic_keys *keys, const struct quic_packet *packet,
                      struct span *plain)
{
    uint8_t mask[QUIC_SAMPLE], number[4], nonce[12], first;
    struct span sealed = packet->sealed;
    if (packet->header.size < 2 || sealed.size < 4 + QUIC_SAMPLE || sealed.size > MAX_PLAIN)
        return false;
    if (!make_mask(o, keys->hp, sealed.at + 4, mask))
        return false;
    first = packet->header.at[0] ^ (mask[0] & 0x0f);
    size_t n = (size_t)(first & 3) + 1;
    memcpy(nonce, keys->iv, sizeof nonce);
    for (size_t i = 0; i < n; i++) {
        number[i] = sealed.at[i] ^ mask[1 + i];
        nonce[sizeof nonce - n + i] ^= number[i]; /* Initial packets are few: the number is never cut */
    }
    const struct span aad[3] = {span_of(&first, 1), span_from(packet->header, 1), span_of(number, n)};
    struct span text = span_from(sealed, n);
    *plain = span_of(o->plain, text.size - QUIC_TAG);
    return open_gcm(o, keys->key, nonce, aad, text);
}
