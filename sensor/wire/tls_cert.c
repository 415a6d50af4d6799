/* SPDX-License-Identifier: Apache-2.0
 * Certificate lists are walked here; the leaf itself is read by OpenSSL, which knows ASN.1. Its objects live as long as
 * one call. */
#include "wire/tls_cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "base/err.h"

/* UTF-8, with control characters replaced by '?', cut between characters. */
static bool put_text(struct span s, char *out, size_t room)
{
    size_t n = s.size < room - 1 ? s.size : room - 1;
    while (n < s.size && n > 0 && (s.at[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = s.at[i] < 0x20 || s.at[i] == 0x7f ? '?' : (char)s.at[i];
    out[n] = 0;
    return n < s.size;
}

static bool put_string(const ASN1_STRING *string, struct tls_cert *cert, char *out, size_t room)
{
    unsigned char *utf8 = NULL;
    int size = string ? ASN1_STRING_to_UTF8(&utf8, string) : -1;
    if (size > 0)
        cert->is_cut |= put_text(span_of(utf8, (size_t)size), out, room);
    OPENSSL_free(utf8);
    return size > 0;
}

/* The last entry of its kind: the most specific one (RFC 6125 section 2.3.1). */
static bool put_entry(const X509_NAME *name, int nid, struct tls_cert *cert, char *out, size_t room)
{
    int at = -1;
    for (int next; (next = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;)
        at = next;
    return at >= 0 && put_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), cert, out, room);
}

static void put_dns_name(const X509 *x, struct tls_cert *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool is_put = false;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && !is_put; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        is_put = name->type == GEN_DNS && put_string(name->d.dNSName, cert, cert->name, sizeof cert->name);
    }
    GENERAL_NAMES_free(names);
}

static void put_subject(const X509_NAME *name, struct tls_cert *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    unsigned long flags = (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) | ASN1_STRFLGS_UTF8_CONVERT;
    if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
        long size = BIO_get_mem_data(bio, &text);
        if (size > 0)
            cert->is_cut |= put_text(span_of(text, (size_t)size), cert->subject, sizeof cert->subject);
    }
    BIO_free(bio);
}

static int64_t seconds(const ASN1_TIME *at)
{
    struct tm tm;
    if (!at || ASN1_TIME_to_tm(at, &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm);
}

static int read_leaf(struct span leaf, struct tls_cert *cert)
{
    const unsigned char *at = leaf.at;
    if (leaf.size > TLS_CERT_MAX)
        return E_LIMIT;
    X509 *x = d2i_X509(NULL, &at, (long)leaf.size);
    if (!x) {
        ERR_clear_error(); /* nobody asks, and the queue would hold on to its texts */
        return E_BAD;
    }
    if (!put_entry(X509_get_subject_name(x), NID_commonName, cert, cert->name, sizeof cert->name))
        put_dns_name(x, cert);
    put_subject(X509_get_subject_name(x), cert);
    if (!put_entry(X509_get_issuer_name(x), NID_commonName, cert, cert->issuer, sizeof cert->issuer))
        (void)put_entry(X509_get_issuer_name(x), NID_organizationName, cert, cert->issuer, sizeof cert->issuer);
    cert->not_before = seconds(X509_get0_notBefore(x));
    cert->not_after = seconds(X509_get0_notAfter(x));
    X509_free(x);
    return E_OK;
}

int tls_cert_read(struct span body, bool is_tls13, struct tls_cert *cert)
{
    memset(cert, 0, sizeof *cert);
    struct reader r = reader_of(body);
    if (is_tls13)
        reader_skip(&r, reader_u8(&r)); /* certificate_request_context */
    struct reader list = reader_of(reader_span(&r, reader_u24(&r)));
    struct span leaf = span_of(NULL, 0);
    while (!r.is_bad && list.left.size) {
        struct span one = reader_span(&list, reader_u24(&list));
        if (is_tls13)
            reader_skip(&list, reader_u16(&list)); /* its extensions */
        if (list.is_bad)
            break;
        if (cert->n_chain++ == 0)
            leaf = one;
    }
    if (r.is_bad || (list.is_bad && cert->n_chain == 0))
        return E_BAD;
    return cert->n_chain ? read_leaf(leaf, cert) : E_NONE;
}
