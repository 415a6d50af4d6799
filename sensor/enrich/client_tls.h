/* SPDX-License-Identifier: Apache-2.0
 * Whether a TLS fingerprint can be that of the browser a User-Agent names. It says no only where it is sure: it knows
 * no browser's fingerprint, only what none of them does. */
#ifndef ENRICH_CLIENT_TLS_H
#define ENRICH_CLIENT_TLS_H

#include "enrich/client.h"

/* True when a ClientHello of that JA4 (FoxIO: its first part, "t13d1516h2") is not the browser's: TLS 1.1 or older, more
 * cipher suites than any version of it offers, or no HTTP/2 and fewer extensions than any of them has (no HTTP/2 alone
 * is no sign: WebSockets and servers that want HTTP/1.1 make browsers do without). False for programs, browsers of
 * before 2021 to 2022, QUIC, and what is no JA4. */
bool client_tls_differs(const struct user_agent *client, struct span ja4);

#endif
