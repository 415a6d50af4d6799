/* SPDX-License-Identifier: Apache-2.0
 * TLS towards collectors, on OpenSSL. */
#include "io/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

struct tls_client {
    SSL_CTX *ctx;
    char reason[256];
};

static int on_verify(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_client *t = ssl ? SSL_get_app_data(ssl) : NULL;
    if (!is_good && t)
        snprintf(t->reason, sizeof t->reason, "the server's certificate is refused: %s",
                 X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
    return is_good;
}

static int fail(struct tls_client *t, const char *what, const char *path, struct text *why)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    text_addf(why, "%s: %s cannot be used: %s", path, what, reason ? reason : "unknown reason");
    ERR_clear_error();
    tls_client_free(t);
    return E_CONF;
}

int tls_client_new(const char *ca, const char *cert, const char *key, struct tls_client **out, struct text *why)
{
    struct tls_client *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t || !(t->ctx = SSL_CTX_new(TLS_client_method()))) {
        tls_client_free(t);
        return E_NOMEM;
    }
    SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, on_verify);
    if (ca && SSL_CTX_load_verify_locations(t->ctx, ca, NULL) != 1)
        return fail(t, "the certificates", ca, why);
    if (!ca && SSL_CTX_set_default_verify_paths(t->ctx) != 1)
        return fail(t, "the certificates", "system", why);
    if (cert && SSL_CTX_use_certificate_chain_file(t->ctx, cert) != 1)
        return fail(t, "the certificate", cert, why);
    if (key &&
        (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(t->ctx) != 1))
        return fail(t, "the key", key, why);
    *out = t;
    return E_OK;
}

void tls_client_free(struct tls_client *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    free(t);
}

/* SSL_set_tlsext_host_name; the macro takes a const away, and clang says so. */
static bool name_server(SSL *ssl, const char *host)
{
    return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host) == 1;
}

struct ssl_st *tls_client_session(struct tls_client *t, const char *host)
{
    uint8_t address[16];
    bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    SSL *ssl = SSL_new(t->ctx);
    if (!ssl)
        return NULL;
    t->reason[0] = 0;
    SSL_set_app_data(ssl, t);
    bool is_good = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                              : SSL_set1_host(ssl, host) == 1 && name_server(ssl, host);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_good)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

const char *tls_client_reason(const struct tls_client *t)
{
    return t ? t->reason : "";
}
