/* SPDX-License-Identifier: Apache-2.0
 * Hellos are vectors in vectors, each with its length in front. What does not fit its length marks the hello as bad and
 * is left empty; everything else is taken as it stands. Of an extension that comes twice the first counts. */
#include "wire/tls_hello.h"

#define RANDOM_SIZE 32u

/* RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest", the random of a ServerHello that is one. */
static const uint8_t retry_random[RANDOM_SIZE] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static struct span vector8(struct reader *r)
{
    return reader_span(r, reader_u8(r));
}

static struct span vector16(struct reader *r)
{
    return reader_span(r, reader_u16(r));
}

/* An extension that is nothing but one vector. */
static struct span only_vector8(struct span data, bool *is_bad)
{
    struct reader r = reader_of(data);
    struct span got = vector8(&r);
    *is_bad |= r.is_bad || r.left.size;
    return got;
}

static struct span only_vector16(struct span data, bool *is_bad)
{
    struct reader r = reader_of(data);
    struct span got = vector16(&r);
    *is_bad |= r.is_bad || r.left.size;
    return got;
}

static uint16_t only_u16(struct span data, bool *is_bad)
{
    struct reader r = reader_of(data);
    uint16_t got = reader_u16(&r);
    *is_bad |= r.is_bad || r.left.size;
    return got;
}

bool tls_extension_next(struct span *extensions, struct tls_extension *extension)
{
    struct reader r = reader_of(*extensions);
    extension->type = reader_u16(&r);
    extension->data = vector16(&r);
    if (r.is_bad)
        return false;
    *extensions = r.left;
    return true;
}

bool tls_u16_next(struct span *list, uint16_t *value)
{
    if (list->size < 2)
        return false;
    *value = (uint16_t)(list->at[0] << 8 | list->at[1]);
    *list = span_from(*list, 2);
    return true;
}

bool tls_protocol_next(struct span *alpn, struct span *protocol)
{
    struct reader r = reader_of(*alpn);
    *protocol = vector8(&r);
    if (r.is_bad)
        return false;
    *alpn = r.left;
    return true;
}

bool tls_key_share_next(struct span *key_shares, uint16_t *group, struct span *key)
{
    struct reader r = reader_of(*key_shares);
    *group = reader_u16(&r);
    *key = vector16(&r);
    if (r.is_bad)
        return false;
    *key_shares = r.left;
    return true;
}

/* RFC 6066 section 3: a list of (type, name); 0 = host_name. */
static struct span first_host_name(struct span data, bool *is_bad)
{
    struct reader r = reader_of(only_vector16(data, is_bad));
    while (r.left.size && !r.is_bad) {
        uint8_t type = reader_u8(&r);
        struct span name = vector16(&r);
        if (type == 0 && !r.is_bad)
            return name;
    }
    *is_bad |= r.is_bad;
    return span_of(NULL, 0);
}

/* RFC 7301: a list of names; of a server's answer the one in it. */
static struct span protocols(struct span data, struct span *first, bool *is_bad)
{
    struct span list = only_vector16(data, is_bad), rest = list;
    if (!tls_protocol_next(&rest, first)) {
        *first = span_of(NULL, 0);
        *is_bad |= list.size != 0;
    }
    return list;
}

static void client_lists(struct tls_client_hello *h, const struct tls_extension *e)
{
    switch (e->type) {
    case TLS_EXT_SERVER_NAME:
        if (!h->has_sni && e->data.size)
            h->sni = first_host_name(e->data, &h->is_bad);
        h->has_sni = true;
        break;
    case TLS_EXT_ALPN:
        if (!h->has_alpn)
            h->alpn = protocols(e->data, &h->alpn_first, &h->is_bad);
        h->has_alpn = true;
        break;
    case TLS_EXT_SUPPORTED_VERSIONS:
        if (!h->versions.at)
            h->versions = only_vector8(e->data, &h->is_bad);
        break;
    case TLS_EXT_SUPPORTED_GROUPS:
        if (!h->groups.at)
            h->groups = only_vector16(e->data, &h->is_bad);
        break;
    case TLS_EXT_SIGNATURE_ALGORITHMS:
        if (!h->signature_algorithms.at)
            h->signature_algorithms = only_vector16(e->data, &h->is_bad);
        break;
    case TLS_EXT_EC_POINT_FORMATS:
        if (!h->point_formats.at)
            h->point_formats = only_vector8(e->data, &h->is_bad);
        break;
    case TLS_EXT_KEY_SHARE:
        if (!h->key_shares.at)
            h->key_shares = only_vector16(e->data, &h->is_bad);
        break;
    default: break;
    }
}

static void client_flags(struct tls_client_hello *h, const struct tls_extension *e)
{
    switch (e->type) {
    case TLS_EXT_RECORD_SIZE_LIMIT: h->record_size_limit = only_u16(e->data, &h->is_bad); break;
    case TLS_EXT_PRE_SHARED_KEY: h->has_psk = true; break;
    case TLS_EXT_EARLY_DATA: h->has_early_data = true; break;
    case TLS_EXT_ECH: h->has_ech = true; break;
    case TLS_EXT_EXTENDED_MASTER_SECRET: h->has_extended_master_secret = true; break;
    case TLS_EXT_ENCRYPT_THEN_MAC: h->has_encrypt_then_mac = true; break;
    case TLS_EXT_RENEGOTIATION_INFO: h->has_renegotiation_info = true; break;
    case TLS_EXT_SESSION_TICKET:
        h->has_session_ticket = true;
        h->has_ticket |= e->data.size != 0;
        break;
    default: break;
    }
}

/* DTLS counts down: 1.0 is 0xfeff, 1.3 is 0xfefc. */
static bool is_newer(uint16_t a, uint16_t b, bool is_dtls)
{
    return is_dtls ? a < b : a > b;
}

static uint16_t highest_version(const struct tls_client_hello *h, bool is_dtls)
{
    uint16_t best = 0, version;
    for (struct span rest = h->versions; tls_u16_next(&rest, &version);)
        if (!tls_is_grease(version) && (best == 0 || is_newer(version, best, is_dtls)))
            best = version;
    return best ? best : h->legacy_version;
}

bool tls_client_hello_read(struct span body, bool is_dtls, struct tls_client_hello *h)
{
    *h = (struct tls_client_hello){0};
    struct reader r = reader_of(body);
    h->legacy_version = h->version = reader_u16(&r);
    h->random = reader_span(&r, RANDOM_SIZE);
    h->is_bad = r.is_bad;
    if (r.is_bad)
        return false;
    h->session_id = vector8(&r);
    if (is_dtls)
        h->cookie = vector8(&r);
    h->ciphers = vector16(&r);
    h->compressions = vector8(&r);
    if (!r.is_bad && r.left.size) { /* SSL 3.0 and early TLS may end here */
        h->has_extensions = true;
        size_t size = reader_u16(&r);
        h->is_bad |= size != r.left.size;
        h->extensions = span_sub(r.left, 0, size); /* of a cut hello what there is */
    }
    struct tls_extension e;
    struct span rest = h->extensions;
    while (tls_extension_next(&rest, &e)) {
        client_lists(h, &e);
        client_flags(h, &e);
    }
    h->is_bad |= r.is_bad || rest.size || h->ciphers.size % 2;
    h->version = highest_version(h, is_dtls);
    return true;
}

bool tls_client_hello_read_ssl2(struct span message, struct tls_client_hello *h)
{
    *h = (struct tls_client_hello){0};
    struct reader r = reader_of(message);
    bool is_hello = reader_u8(&r) == 1;
    h->legacy_version = h->version = reader_u16(&r);
    size_t ciphers = reader_u16(&r), session_id = reader_u16(&r), challenge = reader_u16(&r);
    (void)reader_span(&r, ciphers);
    h->session_id = reader_span(&r, session_id);
    h->random = reader_span(&r, challenge);
    h->is_bad = r.is_bad || r.left.size > 0;
    return is_hello && !r.is_bad && challenge >= 16 && challenge <= RANDOM_SIZE;
}

static void server_extension(struct tls_server_hello *h, const struct tls_extension *e)
{
    struct reader r = reader_of(e->data);
    switch (e->type) {
    case TLS_EXT_SUPPORTED_VERSIONS:
        h->is_bad |= e->data.size != 2;
        h->version = e->data.size == 2 ? reader_u16(&r) : h->version;
        break;
    case TLS_EXT_ALPN: (void)protocols(e->data, &h->alpn, &h->is_bad); break; /* the list has one */
    case TLS_EXT_RECORD_SIZE_LIMIT: h->record_size_limit = only_u16(e->data, &h->is_bad); break;
    case TLS_EXT_SESSION_TICKET: h->has_session_ticket = true; break;
    case TLS_EXT_EXTENDED_MASTER_SECRET: h->has_extended_master_secret = true; break;
    case TLS_EXT_ENCRYPT_THEN_MAC: h->has_encrypt_then_mac = true; break;
    case TLS_EXT_RENEGOTIATION_INFO: h->has_renegotiation_info = true; break;
    case TLS_EXT_KEY_SHARE:
        h->group = reader_u16(&r);
        h->is_bad |= r.is_bad;
        break;
    case TLS_EXT_PRE_SHARED_KEY:
        h->psk_identity = only_u16(e->data, &h->is_bad);
        h->has_psk = true;
        break;
    default: break;
    }
}

bool tls_server_hello_read(struct span body, struct tls_server_hello *h)
{
    *h = (struct tls_server_hello){0};
    struct reader r = reader_of(body);
    h->legacy_version = h->version = reader_u16(&r);
    h->random = reader_span(&r, RANDOM_SIZE);
    h->is_bad = r.is_bad;
    if (r.is_bad)
        return false;
    h->is_retry = span_eq(h->random, span_of(retry_random, sizeof retry_random));
    /* TLS 1.3 before draft 22 named itself here, and had fewer fields. */
    bool is_draft = h->legacy_version >> 8 == 0x7f || h->legacy_version == 0x0304;
    if (!is_draft)
        h->session_id = vector8(&r);
    h->cipher = reader_u16(&r);
    if (!is_draft)
        h->compression = reader_u8(&r);
    if (!r.is_bad && r.left.size) {
        h->has_extensions = true;
        size_t size = reader_u16(&r);
        h->is_bad |= size != r.left.size;
        h->extensions = span_sub(r.left, 0, size);
    }
    struct tls_extension e;
    struct span rest = h->extensions;
    while (tls_extension_next(&rest, &e))
        server_extension(h, &e);
    h->is_bad |= r.is_bad || rest.size;
    return true;
}

void tls_encrypted_extensions_read(struct span body, struct tls_encrypted_extensions *got)
{
    *got = (struct tls_encrypted_extensions){0};
    got->extensions = only_vector16(body, &got->is_bad);
    struct tls_extension e;
    struct span rest = got->extensions;
    while (tls_extension_next(&rest, &e)) {
        if (e.type == TLS_EXT_ALPN)
            (void)protocols(e.data, &got->alpn, &got->is_bad); /* the list has one */
        else if (e.type == TLS_EXT_RECORD_SIZE_LIMIT)
            got->record_size_limit = only_u16(e.data, &got->is_bad);
        else if (e.type == TLS_EXT_EARLY_DATA)
            got->has_early_data = true;
    }
    got->is_bad |= rest.size != 0;
}

const char *tls_version_name(uint16_t version)
{
    switch (version) {
    case 0x0002: return "SSL 2.0";
    case 0x0300: return "SSL 3.0";
    case 0x0301: return "TLS 1.0";
    case 0x0302: return "TLS 1.1";
    case 0x0303: return "TLS 1.2";
    case 0x0304: return "TLS 1.3";
    case 0xfeff: return "DTLS 1.0";
    case 0xfefd: return "DTLS 1.2";
    case 0xfefc: return "DTLS 1.3";
    default: return NULL;
    }
}
