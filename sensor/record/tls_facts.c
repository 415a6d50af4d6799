/* SPDX-License-Identifier: Apache-2.0
 * Names of what TLS facts say. */
#include "record/tls_facts.h"

#include <stddef.h>

const char *tls_facts_version(uint16_t version)
{
    switch (version) {
    case 0x0300: return "3.0"; /* of SSL */
    case 0x0301: return "1.0";
    case 0x0302: return "1.1";
    case 0x0303: return "1.2";
    case 0x0304: return "1.3";
    default: return NULL;
    }
}

const char *tls_facts_sight(enum tls_sight sight)
{
    static const char *const names[TLS_SIGHTS] = {
        [TLS_WAITING] = "waiting",   [TLS_OPEN] = "decrypted",   [TLS_NO_KEYS] = "no_keys",
        [TLS_BAD_KEYS] = "bad_keys", [TLS_CANNOT] = "unsupported", [TLS_MISSED] = "handshake_missed",
    };
    return (unsigned)sight < TLS_SIGHTS ? names[sight] : names[TLS_WAITING];
}
