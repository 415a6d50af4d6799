/* SPDX-License-Identifier: Apache-2.0
 * QUIC Initial packets under any bytes. Input: one byte of settings, then datagrams with 0xfefe between them; either as
 * they stand, or (settings & 1) sealed here as Initial packets, so that frames are reached. A hello that comes out lies
 * inside of its block, and the same frames give the same hello. */
#include "wire/quic_initial.h"
#include "wire/tls_hello.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())
#define HEADER                                                                                                         \
    18u /* of what is sealed here: v1, a connection id of 8 bytes, no token, packet number of 1 byte behind */

static void mask_header(const struct quic_keys *keys, uint8_t *packet)
{
    uint8_t mask[16];
    int n = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, keys->hp, NULL) == 1);
    CHECK(EVP_EncryptUpdate(ctx, mask, &n, packet + HEADER + 4, 16) == 1);
    EVP_CIPHER_CTX_free(ctx);
    packet[0] = (uint8_t)(packet[0] ^ (mask[0] & 0x0f));
    packet[HEADER] ^= mask[1];
}

/* RFC 9001 section 5: header, packet number, sealed frames. At least 4 bytes of frames. */
static size_t seal(struct span frames, bool is_server, uint8_t number, uint8_t *packet)
{
    static const uint8_t cid[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct quic_keys keys;
    uint8_t nonce[12];
    int n = 0;
    size_t length = 1 + frames.size + QUIC_TAG;
    const uint8_t header[HEADER] = {
        0xc0, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, (uint8_t)(0x40 | length >> 8), (uint8_t)length};
    memcpy(packet, header, HEADER);
    packet[HEADER] = number;
    quic_keys_derive(quic_version_find(QUIC_V1), span_of(cid, sizeof cid), is_server, &keys);
    memcpy(nonce, keys.iv, sizeof nonce);
    nonce[11] ^= number;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *text = packet + HEADER + 1;
    CHECK(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, keys.key, nonce) == 1);
    CHECK(EVP_EncryptUpdate(ctx, NULL, &n, packet, HEADER + 1) == 1);
    CHECK(EVP_EncryptUpdate(ctx, text, &n, frames.at, (int)frames.size) == 1);
    CHECK(EVP_EncryptFinal_ex(ctx, text + n, &n) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, QUIC_TAG, text + frames.size) == 1);
    EVP_CIPHER_CTX_free(ctx);
    mask_header(&keys, packet);
    return HEADER + length;
}

static void check_hello(struct span hello, const uint8_t *block)
{
    struct tls_client_hello client;
    if (!hello.at)
        return;
    CHECK(hello.at == block + 4 && hello.size + 4 <= QUIC_MAX_HELLO);
    (void)tls_client_hello_read(hello, false, &client); /* reads all of it */
}

static void play(struct quic_initial *q, struct quic_memory *memory, struct span datagram, uint8_t settings,
                 uint8_t number)
{
    static uint8_t packet[8192 + 64];
    bool is_server = settings >> (number % 6 + 2) & 1, is_sealed = settings & 1;
    struct quic_facts facts;
    if (is_sealed && (datagram.size < 4 || datagram.size > 8192))
        return;
    if (is_sealed)
        datagram = span_of(packet, seal(datagram, is_server, number, packet));
    uint8_t *copy = malloc(datagram.size ? datagram.size : 1);
    if (datagram.size)
        memcpy(copy, datagram.at, datagram.size);
    (void)quic_initial_probe(span_of(copy, datagram.size)); /* only that it stays inside */
    quic_initial_datagram(q, memory, span_of(copy, datagram.size), !is_server, &facts);
    CHECK(!is_sealed || facts.is_retry || facts.opened + facts.closed == 1);
    CHECK(!is_sealed || is_server || facts.opened == 1);
    free(copy);
    check_hello(facts.client_hello, q->block[0]);
    check_hello(facts.server_hello, q->block[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct quic_memory memory;
    if (!memory.opener) {
        memory.opener = quic_opener_new();
        memory.blocks = pool_new(QUIC_BLOCK, 2);
    }
    if (size < 1)
        return 0;
    struct span in = span_of(data + 1, size - 1);
    struct quic_initial q;
    quic_initial_init(&q);
    for (uint8_t number = 0; in.size && number < 32; number++) {
        size_t end = span_find(in, SPAN("\xfe\xfe"), 0);
        play(&q, &memory, span_sub(in, 0, end), data[0], number);
        in = span_from(in, end == SIZE_MAX ? in.size : end + 2);
    }
    quic_initial_fini(&q, &memory);
    CHECK(pool_used(memory.blocks) == 0 && memory.refused == 0);
    return 0;
}
