/* SPDX-License-Identifier: Apache-2.0
 * What a TLS or QUIC connection shows of itself without any key, and whether it could be read with one. */
#ifndef RECORD_TLS_FACTS_H
#define RECORD_TLS_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the bytes inside were seen, and if not, why. */
enum tls_sight {
    TLS_WAITING,   /* the handshake goes on, or keys are waited for */
    TLS_OPEN,      /* decrypted */
    TLS_NO_KEYS,   /* no secret came in time */
    TLS_BAD_KEYS,  /* the secrets do not fit: a record did not authenticate */
    TLS_CANNOT,    /* a cipher suite or version that is not decrypted */
    TLS_MISSED,    /* the handshake was not seen, or too much was lost */
    TLS_SIGHTS
};

/* Zero and "" = not seen. */
struct tls_facts {
    uint16_t version; /* negotiated: 0x0301 ... 0x0304; offered, as long as the server has not answered */
    uint16_t cipher;  /* IANA number of the suite that was chosen */
    const char *cipher_name; /* its name, static; NULL when it has none here */
    char server_name[256];
    char alpn[32];       /* chosen; the client's first, as long as none was */
    char ja3[33], ja3s[33], ja4[37];
    char server_subject[128], client_subject[128]; /* of the leaf certificates, RFC 4514 */
    uint8_t sight;       /* enum tls_sight */
    bool is_alpn_chosen;
    bool is_quic, is_resumed, has_ech, has_early_data;
};

/* "1.2", "1.3", "ssl3" ...; NULL when unknown. ECS tls.version says the number without its protocol. */
const char *tls_facts_version(uint16_t version);
const char *tls_facts_sight(enum tls_sight sight);

#endif
