/* SPDX-License-Identifier: Apache-2.0
 * JA3: the numbers of a hello in decimal, in their order, hashed. JA4: what does not change with the order, counted and
 * in hexadecimal, sorted, hashed. Texts are never built, they go into the digest number by number. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the digest as a plain struct is the one that needs no heap */
#include "wire/tls_fingerprint.h"

#include <ctype.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include "base/hex.h"

#define JA4_PART 12u     /* digits of a cut hash */
#define MAX_LIST 0x7fffu /* two-byte values in a vector of 16 bit length */

static void put_number(MD5_CTX *digest, uint16_t value)
{
    char text[5];
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + value % 10);
    while (value /= 10);
    MD5_Update(digest, text + at, sizeof text - at);
}

/* One of a list: a dash before all but the first. */
static void put_item(MD5_CTX *digest, uint16_t value, bool *is_first)
{
    if (!*is_first)
        MD5_Update(digest, "-", 1);
    *is_first = false;
    put_number(digest, value);
}

static void put_list(MD5_CTX *digest, struct span list)
{
    bool is_first = true;
    uint16_t value;
    MD5_Update(digest, ",", 1);
    while (tls_u16_next(&list, &value))
        if (!tls_is_grease(value))
            put_item(digest, value, &is_first);
}

static void put_extensions(MD5_CTX *digest, struct span extensions)
{
    bool is_first = true;
    struct tls_extension e;
    MD5_Update(digest, ",", 1);
    while (tls_extension_next(&extensions, &e))
        if (!tls_is_grease(e.type))
            put_item(digest, e.type, &is_first);
}

static void finish_md5(MD5_CTX *digest, char text[TLS_JA3_SIZE])
{
    uint8_t sum[MD5_DIGEST_LENGTH];
    MD5_Final(sum, digest);
    hex_text(span_of(sum, sizeof sum), text);
}

void tls_fingerprint_ja3(const struct tls_client_hello *hello, char text[TLS_JA3_SIZE])
{
    MD5_CTX digest;
    bool is_first = true;
    MD5_Init(&digest);
    put_number(&digest, hello->legacy_version);
    put_list(&digest, hello->ciphers);
    put_extensions(&digest, hello->extensions);
    put_list(&digest, hello->groups);
    MD5_Update(&digest, ",", 1);
    for (size_t i = 0; i < hello->point_formats.size; i++)
        put_item(&digest, hello->point_formats.at[i], &is_first);
    finish_md5(&digest, text);
}

void tls_fingerprint_ja3s(const struct tls_server_hello *hello, char text[TLS_JA3_SIZE])
{
    MD5_CTX digest;
    MD5_Init(&digest);
    put_number(&digest, hello->legacy_version);
    MD5_Update(&digest, ",", 1);
    put_number(&digest, hello->cipher);
    put_extensions(&digest, hello->extensions);
    finish_md5(&digest, text);
}

struct sorted {
    uint16_t value[MAX_LIST];
    size_t n;
};

static void sink(uint16_t *heap, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && heap[child + 1] > heap[child];
        if (heap[at] >= heap[child])
            return;
        uint16_t kept = heap[at];
        heap[at] = heap[child];
        heap[child] = kept;
    }
}

/* Heap sort: qsort takes memory from the heap, and a hostile hello must not cost the square of its length. */
static void sort(struct sorted *list)
{
    for (size_t i = list->n / 2; i-- > 0;)
        sink(list->value, i, list->n);
    for (size_t n = list->n; n-- > 1;) {
        uint16_t largest = list->value[0];
        list->value[0] = list->value[n];
        list->value[n] = largest;
        sink(list->value, 0, n);
    }
}

static void add(struct sorted *list, uint16_t value)
{
    if (!tls_is_grease(value) && list->n < MAX_LIST)
        list->value[list->n++] = value;
}

static void put_hex(SHA256_CTX *digest, uint16_t value, char before)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    char text[6] = {before};
    hex_text(span_of(bytes, sizeof bytes), text + 1);
    SHA256_Update(digest, before ? text : text + 1, before ? 5 : 4);
}

static void put_sorted(SHA256_CTX *digest, struct sorted *list)
{
    sort(list);
    for (size_t i = 0; i < list->n; i++)
        put_hex(digest, list->value[i], i ? ',' : 0);
}

/* The first 12 digits; 12 zeros when there was nothing to hash. */
static void put_cut_hash(SHA256_CTX *digest, bool is_empty, char *text)
{
    uint8_t sum[SHA256_DIGEST_LENGTH];
    char all[2 * SHA256_DIGEST_LENGTH + 1];
    SHA256_Final(sum, digest);
    memcpy(text, is_empty ? "000000000000" : hex_text(span_of(sum, sizeof sum), all), JA4_PART);
}

static const char *ja4_version(uint16_t version)
{
    static const struct {
        uint16_t version;
        char text[3];
    } rows[] = {
        {0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"}, {0x0301, "10"}, {0x0300, "s3"},
        {0x0002, "s2"}, {0xfeff, "d1"}, {0xfefd, "d2"}, {0xfefc, "d3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].version == version)
            return rows[i].text;
    return "00";
}

static void put_count(size_t n, char text[2])
{
    n = n > 99 ? 99 : n;
    text[0] = (char)('0' + n / 10);
    text[1] = (char)('0' + n % 10);
}

/* First and last character; of a name that does not begin and end with letters or digits, of its hexadecimal form. */
static void put_alpn(struct span name, char text[2])
{
    static const char digits[] = "0123456789abcdef";
    text[0] = text[1] = '0';
    if (name.size == 0)
        return;
    uint8_t first = name.at[0], last = name.at[name.size - 1];
    bool is_plain = first < 0x80 && last < 0x80 && isalnum(first) && isalnum(last);
    text[0] = is_plain ? (char)first : digits[first >> 4];
    text[1] = is_plain ? (char)last : digits[last & 15];
}

/* SNI and ALPN depend on the server that is asked for, so they are counted but not hashed. */
static size_t put_ja4_extensions(const struct tls_client_hello *hello, struct sorted *list, char *text)
{
    SHA256_CTX digest;
    struct tls_extension e;
    size_t n = 0;
    uint16_t value;
    list->n = 0;
    for (struct span rest = hello->extensions; tls_extension_next(&rest, &e);) {
        n += !tls_is_grease(e.type);
        if (e.type != TLS_EXT_SERVER_NAME && e.type != TLS_EXT_ALPN)
            add(list, e.type);
    }
    SHA256_Init(&digest);
    put_sorted(&digest, list);
    char before = '_';
    for (struct span rest = hello->signature_algorithms; tls_u16_next(&rest, &value);) {
        if (tls_is_grease(value))
            continue;
        put_hex(&digest, value, before);
        before = ',';
    }
    put_cut_hash(&digest, list->n == 0 && before == '_', text);
    return n;
}

void tls_fingerprint_ja4(const struct tls_client_hello *hello, enum tls_transport transport, char text[TLS_JA4_SIZE])
{
    struct sorted list;
    SHA256_CTX digest;
    uint16_t value;
    list.n = 0;
    for (struct span rest = hello->ciphers; tls_u16_next(&rest, &value);)
        add(&list, value);
    text[0] = "tqd"[transport];
    memcpy(text + 1, ja4_version(hello->version), 2);
    text[3] = hello->has_sni ? 'd' : 'i';
    put_count(list.n, text + 4);
    put_alpn(hello->alpn_first, text + 8);
    text[10] = text[23] = '_';
    SHA256_Init(&digest);
    put_sorted(&digest, &list);
    put_cut_hash(&digest, list.n == 0, text + 11);
    put_count(put_ja4_extensions(hello, &list, text + 24), text + 6);
    text[36] = 0;
}
