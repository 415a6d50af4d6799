/* SPDX-License-Identifier: Apache-2.0
 * JA4 against User-Agent. Counts leave GREASE out, as JA4 does. */
#include "enrich/client_tls.h"

#include <string.h>

#define JA4_A_SIZE 10u
#define NO_NUMBER 100u
/* What any of these browsers sends with a server name, its optional ones off: with TLS 1.2 and 1.3, with 1.2 alone. */
#define EXTENSIONS_MIN 13u
#define EXTENSIONS_MIN_12 8u
#define WEBKIT_CIPHERS_MAX 29u

/* Browsers since 2021 or 2022: from which major version on, and how many cipher suites they offer at most. Chromium's
 * have 15 or 16, Firefox 16 to 18, Safari 20 to 26; OpenSSL's programs 17 to 60. */
static const struct {
    uint16_t family, major, ciphers_max;
} browsers[] = {
    {CLIENT_CHROME, 100, 16}, {CLIENT_EDGE, 100, 16},   {CLIENT_OPERA, 86, 16}, {CLIENT_VIVALDI, 6, 16},
    {CLIENT_SAMSUNG, 19, 16}, {CLIENT_FIREFOX, 91, 20}, {CLIENT_SAFARI, 14, WEBKIT_CIPHERS_MAX},
};

/* Cipher suites the browser offers at most; 0 when it is none that is known. */
static unsigned ciphers_max(const struct user_agent *client)
{
    for (size_t i = 0; i < sizeof browsers / sizeof *browsers; i++) {
        if (browsers[i].family == client->family)
            return client->major < browsers[i].major ? 0
                   : client->is_webkit               ? WEBKIT_CIPHERS_MAX
                                                     : browsers[i].ciphers_max;
    }
    return 0;
}

/* Two decimal digits, else NO_NUMBER. */
static unsigned two_digits(const uint8_t *at)
{
    bool is_number = at[0] >= '0' && at[0] <= '9' && at[1] >= '0' && at[1] <= '9';
    return is_number ? (at[0] - (unsigned)'0') * 10 + (at[1] - (unsigned)'0') : NO_NUMBER;
}

static unsigned extensions_min(unsigned version, unsigned ciphers)
{
    if (version == 12)
        return EXTENSIONS_MIN_12;
    return version == 13 && ciphers >= 10 ? EXTENSIONS_MIN : 0; /* TLS 1.3 alone, of few suites, needs fewer */
}

bool client_tls_differs(const struct user_agent *client, struct span ja4)
{
    unsigned most = client->is_machine ? 0 : ciphers_max(client);
    if (!most || ja4.size < JA4_A_SIZE || ja4.at[0] != 't' || (ja4.size > JA4_A_SIZE && ja4.at[JA4_A_SIZE] != '_'))
        return false;
    const uint8_t *a = ja4.at;
    unsigned version = two_digits(a + 1), ciphers = two_digits(a + 4), extensions = two_digits(a + 6);
    if ((a[3] != 'd' && a[3] != 'i') || ciphers == NO_NUMBER || extensions == NO_NUMBER)
        return false;
    bool is_old = memcmp(a + 1, "s2", 2) == 0 || memcmp(a + 1, "s3", 2) == 0 || version == 10 || version == 11;
    bool has_http2 = memcmp(a + 8, "00", 2) != 0 && memcmp(a + 8, "h1", 2) != 0;
    return is_old || ciphers > most || (!has_http2 && extensions + (a[3] == 'i') < extensions_min(version, ciphers));
}
