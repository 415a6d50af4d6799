/* SPDX-License-Identifier: Apache-2.0
 * The client's side of TLS (1.2 and newer) for what the sensor sends: the server's certificate and its name are always
 * checked (RFC 5280, RFC 6125). */
#ifndef IO_TLS_CLIENT_H
#define IO_TLS_CLIENT_H

#include "base/text.h"

struct tls_client;
struct ssl_st;

/* 'ca': file of trusted certificates, or NULL for the system's. 'cert' and 'key': PEM files of our own, or NULL. E_CONF
 * or E_NOMEM with a line in why. */
int tls_client_new(const char *ca, const char *cert, const char *key, struct tls_client **out, struct text *why);
void tls_client_free(struct tls_client *t); /* NULL does nothing */
/* A session towards 'host' (a name or an address), owned by whoever takes it; NULL: out of memory. One at a time. */
struct ssl_st *tls_client_session(struct tls_client *t, const char *host);
/* Why the last session failed; "" when TLS had nothing against it. */
const char *tls_client_reason(const struct tls_client *t);

#endif
