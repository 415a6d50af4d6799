/* SPDX-License-Identifier: Apache-2.0
 * Fingerprints of TLS hellos: JA3 and JA3S (Salesforce, 2017: MD5 of numbers), JA4 (FoxIO, 2023: the TLS client
 * fingerprint, the one of that family under the BSD licence). Pure functions; no heap. */
#ifndef WIRE_TLS_FINGERPRINT_H
#define WIRE_TLS_FINGERPRINT_H

#include "wire/tls_hello.h"

#define TLS_JA3_SIZE 33u /* 32 hexadecimal digits and NUL */
#define TLS_JA4_SIZE 37u /* "t13d1516h2_8daaf6152771_e5627efa2ab1" and NUL */

enum tls_transport {
    TLS_OVER_TCP,
    TLS_OVER_QUIC,
    TLS_OVER_DTLS,
};

void tls_fingerprint_ja3(const struct tls_client_hello *hello, char text[TLS_JA3_SIZE]);
void tls_fingerprint_ja3s(const struct tls_server_hello *hello, char text[TLS_JA3_SIZE]);
void tls_fingerprint_ja4(const struct tls_client_hello *hello, enum tls_transport transport, char text[TLS_JA4_SIZE]);

#endif
