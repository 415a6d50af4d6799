/* SPDX-License-Identifier: Apache-2.0
 * What ClientHello, ServerHello, HelloRetryRequest and EncryptedExtensions say (RFC 8446 section 4, RFC 5246
 * section 7.4, DTLS: RFC 6347). Views: every span borrows the message. Of a malformed hello what stands before the
 * error is there. */
#ifndef WIRE_TLS_HELLO_H
#define WIRE_TLS_HELLO_H

#include "base/span.h"

enum tls_extension_type {
    TLS_EXT_SERVER_NAME = 0,
    TLS_EXT_SUPPORTED_GROUPS = 10,
    TLS_EXT_EC_POINT_FORMATS = 11,
    TLS_EXT_SIGNATURE_ALGORITHMS = 13,
    TLS_EXT_ALPN = 16,
    TLS_EXT_ENCRYPT_THEN_MAC = 22,
    TLS_EXT_EXTENDED_MASTER_SECRET = 23,
    TLS_EXT_RECORD_SIZE_LIMIT = 28,
    TLS_EXT_SESSION_TICKET = 35,
    TLS_EXT_PRE_SHARED_KEY = 41,
    TLS_EXT_EARLY_DATA = 42,
    TLS_EXT_SUPPORTED_VERSIONS = 43,
    TLS_EXT_KEY_SHARE = 51,
    TLS_EXT_QUIC_PARAMETERS = 57,
    TLS_EXT_ECH = 0xfe0d,
    TLS_EXT_RENEGOTIATION_INFO = 0xff01,
};

struct tls_extension {
    uint16_t type;
    struct span data;
};

struct tls_client_hello {
    uint16_t legacy_version;        /* client_version */
    uint16_t version;               /* highest offered: of supported_versions without GREASE, else legacy_version */
    struct span random;             /* 32 bytes */
    struct span session_id, cookie; /* cookie: DTLS only */
    struct span ciphers;            /* list of uint16, as are the next three */
    struct span versions;           /* supported_versions */
    struct span signature_algorithms, groups;
    struct span compressions, point_formats; /* lists of uint8 */
    struct span key_shares;                  /* raw KeyShareEntry list: tls_key_share_next */
    struct span extensions;                  /* raw list: tls_extension_next */
    struct span sni;                         /* first host_name, as sent; not checked for what it holds */
    struct span alpn;                        /* raw ProtocolNameList: tls_protocol_next */
    struct span alpn_first;
    uint16_t record_size_limit; /* bytes, 0 = none */
    bool has_extensions;        /* the extensions block is there, be it empty */
    bool has_sni, has_alpn;     /* the extension is there, be it empty or malformed */
    bool has_psk, has_early_data, has_ech, has_extended_master_secret, has_encrypt_then_mac;
    bool has_session_ticket; /* the extension; has_ticket: with a ticket in it */
    bool has_ticket, has_renegotiation_info;
    bool is_bad; /* malformed, or cut: what could be read is there */
};

struct tls_server_hello {
    uint16_t legacy_version; /* server_version */
    uint16_t version;        /* selected: supported_versions, else legacy_version */
    uint16_t cipher;
    uint8_t compression;
    struct span random; /* 32 bytes */
    struct span session_id, extensions;
    struct span alpn;      /* selected protocol, TLS 1.2 and before; TLS 1.3: in EncryptedExtensions */
    uint16_t group;        /* of key_share: chosen, or with is_retry asked for; 0 = none */
    uint16_t psk_identity; /* with has_psk: index of the chosen one */
    uint16_t record_size_limit;
    bool has_extensions, has_psk, has_session_ticket, has_extended_master_secret, has_encrypt_then_mac;
    bool has_renegotiation_info;
    bool is_retry; /* HelloRetryRequest, told by its random */
    bool is_bad;
};

struct tls_encrypted_extensions {
    struct span extensions;
    struct span alpn; /* selected protocol */
    uint16_t record_size_limit;
    bool has_early_data; /* 0-RTT was accepted */
    bool is_bad;
};

/* 'body' is the message without its handshake header. True unless it is so short that there is no random. */
bool tls_client_hello_read(struct span body, bool is_dtls, struct tls_client_hello *hello);
bool tls_server_hello_read(struct span body, struct tls_server_hello *hello);
/* A ClientHello in the format of SSL 2.0 (RFC 5246, E.2): version, session id, and as 'random' the challenge, to be
 * filled up with zeros in front to 32 bytes; ciphers are lists of three bytes, and left out. False when malformed. */
bool tls_client_hello_read_ssl2(struct span message, struct tls_client_hello *hello);
void tls_encrypted_extensions_read(struct span body, struct tls_encrypted_extensions *got);

/* Take one element off the front; false at the end, or where the rest is too short for one. */
bool tls_extension_next(struct span *extensions, struct tls_extension *extension);
bool tls_u16_next(struct span *list, uint16_t *value);
bool tls_protocol_next(struct span *alpn, struct span *protocol);
bool tls_key_share_next(struct span *key_shares, uint16_t *group, struct span *key);
/* A reserved value that only tests the tolerance of the peer (RFC 8701). */
static inline bool tls_is_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}
/* "TLS 1.3", "TLS 1.2", ... "SSL 3.0", "DTLS 1.2"; NULL when unknown. */
const char *tls_version_name(uint16_t version);

#endif
