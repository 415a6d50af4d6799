/* SPDX-License-Identifier: Apache-2.0
 * Nonces, additional data, padding and MACs: RFC 8446 section 5.2 and 5.3, RFC 5246 section 6.2.3, RFC 5288, RFC 6655,
 * RFC 7905, RFC 7366, RFC 6101 section 5.2.3. */
#include "wire/tls_open_form.h"

#include <string.h>

#include "base/err.h"

#define SSL3 0x0300
#define TLS10 0x0301
#define CHUNK 512u /* bytes decrypted at once when only their end matters */

static const struct tls_cipher_shape *shape_of(const struct tls_opener *o)
{
    return tls_suite_shape(o->suite);
}

static size_t mac_size(const struct tls_opener *o)
{
    return tls_hash_size((enum tls_hash)o->suite->mac);
}

static bool is_13(const struct tls_opener *o)
{
    return o->secret_size > 0;
}

static size_t explicit_size(const struct tls_opener *o)
{
    const struct tls_cipher_shape *shape = shape_of(o);
    if (shape->mode == TLS_MODE_CBC)
        return o->version > TLS10 ? shape->block_size : 0;
    return is_13(o) ? 0 : shape->nonce_size;
}

static void put64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* 'fragment' begins with the explicit part, where there is one. */
static void make_nonce(const struct tls_opener *o, uint64_t seq, struct span fragment, uint8_t nonce[12])
{
    size_t n = explicit_size(o);
    memcpy(nonce, o->slot->secret->iv, 12);
    if (n) {
        memcpy(nonce + 4, fragment.at, n);
        return;
    }
    for (int i = 0; i < 8; i++)
        nonce[4 + i] ^= (uint8_t)(seq >> (56 - 8 * i));
}

/* What is authenticated with every record before TLS 1.3: sequence number, type, version, length. */
static size_t put_head(const struct tls_opener *o, uint64_t seq, const struct tls_record *record, size_t length,
                       uint8_t out[13])
{
    size_t n = 0;
    if (!is_13(o)) {
        put64(out, seq);
        n = 8;
    }
    out[n++] = record->type;
    if (o->version != SSL3) {
        out[n++] = (uint8_t)(record->version >> 8);
        out[n++] = (uint8_t)record->version;
    }
    out[n++] = (uint8_t)(length >> 8);
    out[n++] = (uint8_t)length;
    return n;
}

static int open_aead(struct tls_opener *o, uint64_t seq, const struct tls_record *record, struct span fragment,
                     uint8_t *out, struct tls_opened *opened)
{
    size_t head = explicit_size(o), tag = shape_of(o)->tag_size;
    if (fragment.size < head + tag + (is_13(o) ? 1 : 0))
        return E_BAD;
    uint8_t nonce[12], aad[13];
    struct span text = span_sub(fragment, head, fragment.size - head - tag);
    make_nonce(o, seq, fragment, nonce);
    size_t aad_size = o->has_no_aad ? 0 : put_head(o, seq, record, is_13(o) ? fragment.size : text.size, aad);
    if (!tls_cipher_open(o->slot, nonce, span_of(aad, aad_size), text, fragment.at + head + text.size, out))
        return E_DENIED;
    *opened = (struct tls_opened){.type = record->type, .data = span_of(out, text.size)};
    if (!is_13(o))
        return E_OK;
    size_t end = text.size;
    while (end > 0 && out[end - 1] == 0)
        end--;
    if (end == 0)
        return E_BAD;
    opened->type = out[end - 1];
    opened->data.size = end - 1;
    return E_OK;
}

static bool mac_fits(const struct tls_opener *o, uint64_t seq, const struct tls_record *record, struct span content,
                     const uint8_t *expected)
{
    uint8_t head[13], mac[TLS_HASH_MAX];
    size_t n = put_head(o, seq, record, content.size, head);
    if (mac_size(o) == 0)
        return true;
    tls_hmac_of(&o->slot->secret->mac, (struct span[]){span_of(head, n), content}, 2, mac);
    return memcmp(mac, expected, mac_size(o)) == 0;
}

/* Sets *size to the plaintext before the padding. In SSL 3.0 its bytes are anything, and less than a block. */
static bool padding_fits(const struct tls_opener *o, const uint8_t *plain, size_t *size)
{
    if (*size == 0)
        return false;
    size_t padding = plain[*size - 1];
    if (padding + 1 > *size || (o->version == SSL3 && padding >= shape_of(o)->block_size))
        return false;
    for (size_t i = 0; o->version != SSL3 && i < padding; i++)
        if (plain[*size - 2 - i] != padding)
            return false;
    *size -= padding + 1;
    return true;
}

static int open_cbc(struct tls_opener *o, uint64_t seq, const struct tls_record *record, struct span fragment,
                    uint8_t *out, struct tls_opened *opened)
{
    size_t iv_size = explicit_size(o), mac = mac_size(o), block = shape_of(o)->block_size;
    size_t outer_mac = o->is_etm ? mac : 0;
    if (fragment.size < iv_size + block + outer_mac || (fragment.size - outer_mac) % block)
        return E_BAD;
    struct span covered = span_sub(fragment, 0, fragment.size - outer_mac);
    if (o->is_etm && !mac_fits(o, seq, record, covered, covered.at + covered.size))
        return E_DENIED;
    const uint8_t *iv = iv_size ? fragment.at : o->slot->secret->iv;
    struct span blocks = span_from(covered, iv_size);
    tls_cipher_cbc(o->slot, iv, blocks, out);
    size_t size = blocks.size;
    if (!padding_fits(o, out, &size) || (!o->is_etm && size < mac))
        return o->is_etm ? E_BAD : E_DENIED; /* wrong keys look like wrong padding */
    if (!o->is_etm) {
        size -= mac;
        if (!mac_fits(o, seq, record, span_of(out, size), out + size))
            return E_DENIED;
    }
    *opened = (struct tls_opened){.type = record->type, .data = span_of(out, size)};
    return E_OK;
}

/* Stream cipher or none. */
static int open_stream(struct tls_opener *o, uint64_t seq, const struct tls_record *record, struct span fragment,
                       uint8_t *out, struct tls_opened *opened)
{
    if (o->slot->is_broken)
        return E_DENIED;
    if (fragment.size < mac_size(o))
        return E_BAD;
    if (o->slot->main)
        tls_cipher_stream(o->slot, fragment, out);
    else if (fragment.size)
        memcpy(out, fragment.at, fragment.size);
    size_t size = fragment.size - mac_size(o);
    if (!mac_fits(o, seq, record, span_of(out, size), out + size)) {
        o->slot->is_broken = o->slot->main != NULL;
        return E_DENIED;
    }
    *opened = (struct tls_opened){.type = record->type, .data = span_of(out, size)};
    return E_OK;
}

int tls_form_open(struct tls_opener *o, uint64_t seq, const struct tls_record *record, struct span fragment,
                  uint8_t *out, struct tls_opened *opened)
{
    switch (shape_of(o)->mode) {
    case TLS_MODE_NULL:
    case TLS_MODE_STREAM: return open_stream(o, seq, record, fragment, out, opened);
    case TLS_MODE_CBC: return open_cbc(o, seq, record, fragment, out, opened);
    default: return open_aead(o, seq, record, fragment, out, opened);
    }
}

bool tls_form_is_plausible(struct tls_opener *o, uint64_t seq, struct span fragment)
{
    size_t tag = shape_of(o)->tag_size;
    if (!is_13(o) || fragment.size < tag + 1)
        return true;
    uint8_t nonce[12], last;
    size_t at = fragment.size - tag - 1;
    make_nonce(o, seq, fragment, nonce);
    tls_cipher_peek(o->slot, nonce, at, span_of(fragment.at + at, 1), &last);
    return last == 0 || (last >= 20 && last <= 24); /* padding, or a content type */
}

void tls_form_pass(struct tls_opener *o, struct span tail)
{
    size_t block = shape_of(o)->block_size;
    size_t outer_mac = o->is_etm ? mac_size(o) : 0;
    if (shape_of(o)->mode == TLS_MODE_CBC && explicit_size(o) == 0 && tail.size >= block + outer_mac)
        memcpy(o->slot->secret->iv, tail.at + tail.size - outer_mac - block, block);
}

size_t tls_opener_tail_size(const struct tls_opener *o)
{
    const struct tls_cipher_shape *shape = shape_of(o);
    switch (shape->mode) {
    case TLS_MODE_NULL: return 0;
    case TLS_MODE_STREAM: return SIZE_MAX;
    case TLS_MODE_CBC: return 2u * shape->block_size + (o->is_etm ? mac_size(o) : 0);
    default: return is_13(o) ? shape->tag_size + 16u : 0;
    }
}

/* TLS 1.3: looks for the content type from the end, through the padding. */
static int measure_13(struct tls_opener *o, const struct tls_record *record, struct span tail,
                      struct tls_skipped *skipped)
{
    size_t tag = shape_of(o)->tag_size;
    if (record->length < tag + 1)
        return E_BAD;
    uint8_t nonce[12], plain[CHUNK];
    size_t end = record->length - tag; /* of what is not known to be padding */
    size_t first = tail.size > tag ? record->length - tail.size : end;
    make_nonce(o, o->seq, tail, nonce);
    while (end > first) {
        size_t n = end - first < CHUNK ? end - first : CHUNK;
        tls_cipher_peek(o->slot, nonce, end - n, span_of(tail.at + (end - n - first), n), plain);
        while (n > 0 && plain[n - 1] == 0)
            n--, end--;
        if (n == 0)
            continue;
        *skipped = (struct tls_skipped){plain[n - 1], true, end - 1, end - 1};
        explicit_bzero(plain, sizeof plain);
        return E_OK;
    }
    skipped->max = end ? end - 1 : 0;
    return end ? E_OK : E_BAD;
}

static int measure_cbc(struct tls_opener *o, const struct tls_record *record, struct span tail,
                       struct tls_skipped *skipped)
{
    size_t iv_size = explicit_size(o), mac = mac_size(o), block = shape_of(o)->block_size;
    size_t outer_mac = o->is_etm ? mac : 0;
    if (record->length < iv_size + block + outer_mac || (record->length - outer_mac) % block ||
        record->length - iv_size < mac + 1)
        return E_BAD;
    size_t most = record->length - iv_size - mac - 1;   /* with a padding of nothing but its length */
    bool is_only = record->length == block + outer_mac; /* its IV is the opener's */
    if (tail.size < outer_mac + (is_only ? 1u : 2u) * block) {
        *skipped = (struct tls_skipped){record->type, false, most > 255 ? most - 255 : 0, most};
        return E_OK;
    }
    uint8_t plain[TLS_IV_MAX];
    const uint8_t *last = tail.at + tail.size - outer_mac - block;
    tls_cipher_cbc(o->slot, is_only ? o->slot->secret->iv : last - block, span_of(last, block), plain);
    size_t padding = plain[block - 1];
    explicit_bzero(plain, sizeof plain);
    if (padding > most)
        return E_BAD;
    *skipped = (struct tls_skipped){record->type, true, most - padding, most - padding};
    return E_OK;
}

static int measure_stream(struct tls_opener *o, const struct tls_record *record, struct span whole,
                          struct tls_skipped *skipped)
{
    uint8_t plain[CHUNK];
    if (record->length < mac_size(o))
        return E_BAD;
    size_t size = record->length - mac_size(o);
    *skipped = (struct tls_skipped){record->type, true, size, size};
    if (!o->slot->main)
        return E_OK;
    o->slot->is_broken |= whole.size != record->length;
    for (size_t at = 0; at < whole.size && !o->slot->is_broken; at += CHUNK)
        tls_cipher_stream(o->slot, span_sub(whole, at, CHUNK), plain);
    explicit_bzero(plain, sizeof plain);
    return o->slot->is_broken ? E_DENIED : E_OK;
}

int tls_form_measure(struct tls_opener *o, const struct tls_record *record, struct span tail,
                     struct tls_skipped *skipped)
{
    const struct tls_cipher_shape *shape = shape_of(o);
    size_t overhead = explicit_size(o) + shape->tag_size;
    switch (shape->mode) {
    case TLS_MODE_NULL:
    case TLS_MODE_STREAM: return measure_stream(o, record, tail, skipped);
    case TLS_MODE_CBC: return measure_cbc(o, record, tail, skipped);
    default: break;
    }
    if (is_13(o))
        return measure_13(o, record, tail, skipped);
    if (record->length < overhead)
        return E_BAD;
    *skipped = (struct tls_skipped){record->type, true, record->length - overhead, record->length - overhead};
    return E_OK;
}

size_t tls_opener_head_size(const struct tls_opener *o, size_t size)
{
    const struct tls_cipher_shape *shape = shape_of(o);
    size_t block = shape->block_size;
    return explicit_size(o) + (size + block - 1) / block * block;
}

static void peek_cbc(struct tls_opener *o, struct span head, size_t from, size_t size, uint8_t *out, struct span *plain)
{
    size_t block = shape_of(o)->block_size, iv_size = explicit_size(o);
    size_t first = from / block, n = (from + size + block - 1) / block - first;
    struct span blocks = span_sub(head, iv_size + first * block, n * block);
    const uint8_t *iv = first == 0 && iv_size == 0 ? o->slot->secret->iv : blocks.at - block;
    tls_cipher_cbc(o->slot, iv, blocks, out);
    *plain = span_of(out + from % block, size);
}

int tls_opener_peek(struct tls_opener *o, const struct tls_record *record, struct span head, size_t from, size_t size,
                    uint8_t *out, struct span *plain)
{
    const struct tls_cipher_shape *shape = shape_of(o);
    size_t first = explicit_size(o), behind = shape->tag_size + (o->is_etm || !shape->tag_size ? mac_size(o) : 0);
    *plain = span_of(out, 0);
    if (shape->mode == TLS_MODE_STREAM)
        return E_STATE;
    if (head.size > record->length || record->length < first + behind || size > record->length ||
        from > record->length || from + size > record->length - first - behind ||
        head.size < tls_opener_head_size(o, from + size))
        return E_BAD;
    if (size == 0)
        return E_OK;
    if (shape->mode == TLS_MODE_CBC) {
        peek_cbc(o, head, from, size, out, plain);
        return E_OK;
    }
    struct span text = span_sub(head, first + from, size);
    if (shape->mode == TLS_MODE_NULL) {
        memcpy(out, text.at, text.size);
    } else {
        uint8_t nonce[12];
        make_nonce(o, o->seq, head, nonce);
        tls_cipher_peek(o->slot, nonce, from, text, out);
    }
    *plain = span_of(out, size);
    return E_OK;
}
