/* SPDX-License-Identifier: Apache-2.0
 * Secrets in texts: each kind where it stands in real ones, what redactors leave, what looks alike and is none, what has
 * expired; the same whatever the slices. */
#include "wire/secret_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define NOW 1773000000u /* 2026-03-08T20:00:00Z */
/* {"alg":"RS256"} . {"sub":"a@b.example","exp":1772700000} (past) or 1999999999 (to come) . signature */
#define JWT_PAST "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhQGIuZXhhbXBsZSIsImV4cCI6MTc3MjcwMDAwMH0.c2lnbmF0dXJlLW9mLXRoYXQtdG9rZW4"
#define JWT_LIVE "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhQGIuZXhhbXBsZSIsImV4cCI6MTk5OTk5OTk5OX0.c2lnbmF0dXJlLW9mLXRoYXQtdG9rZW4"
#define JWT_BARE "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhQGIuZXhhbXBsZSIsImV4cCI6MTk5OTk5OTk5OX0"
#define HEX "3f9a1c5e7b2d4860a1b2c3d4e5f60718"
#define HEX2 "0f9a1c5e7b2d4860a1b2c3d4e5f60719"

static const struct {
    const char *text;
    const char *expected; /* "cookie 1 bearer 1 expired 1" */
} cases[] = {
    /* HAR */
    {"{\"headers\": [{\"name\": \"authorization\", \"value\": \"Bearer " JWT_LIVE "\"}]}", "bearer 1"},
    {"{\"headers\": [{\"name\": \"Authorization\",\n  \"value\": \"Bearer " JWT_PAST "\"}]}", "bearer 1 expired 1"},
    {"{\"headers\":[{\"name\":\"cookie\",\"value\":\"theme=dark12345; sid=" HEX "; XSRF-TOKEN=" HEX2 "\"}]}", "cookie 1"},
    {"{\"headers\":[{\"name\":\"Set-Cookie\",\"value\":\"JSESSIONID=" HEX "; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT\"}]}", "cookie 1"},
    {"{\"headers\":[{\"name\":\"Set-Cookie\",\"value\":\"JSESSIONID=" HEX "; Path=/; Expires=Wed, 21 Oct 2020 07:28:00 GMT\"}]}", "cookie 1 expired 1"},
    {"{\"headers\":[{\"name\":\"Set-Cookie\",\"value\":\"JSESSIONID=" HEX "; Max-Age=0\"}]}", ""},
    {"\"cookies\": [{\"name\": \"sid\", \"value\": \"" HEX "\", \"httpOnly\": true}]", "cookie 1"},
    {"\"cookies\": [{\"name\": \"sid\", \"value\": \"" HEX "\", \"expires\": \"2026-01-01T00:00:00.000Z\"}]", "cookie 1 expired 1"},
    {"\"cookies\": [{\"name\": \"sid\", \"expires\": \"2026-04-01T00:00:00.000Z\", \"value\": \"" HEX "\"}]", "cookie 1"},
    {"\"cookies\":[{\"name\":\"sid\",\"value\":\"" HEX "\",\"expires\":1772700000.5},{\"name\":\"auth\",\"value\":\"" HEX2 "\",\"expires\":-1}]", "cookie 2 expired 1"},
    {"\"cookies\": [{\"name\": \"theme\", \"value\": \"" HEX "\"}]", ""},
    {"\"cookies\": [{\"name\": \"sid\", \"value\": \"" JWT_PAST "\"}]", "cookie 1 expired 1"},
    {"{\"headers\":[{\"name\":\"Cookie\",\"value\":\"sid=" HEX "\"}],\"cookies\":[{\"name\":\"sid\",\"value\":\"" HEX "\"}]}", "cookie 1"},
    {"{\"headers\":[{\"name\":\"x-api-key\",\"value\":\"" HEX "\"},{\"name\":\"x-request-id\",\"value\":\"" HEX2 "\"}]}", "api_key 1"},
    {"\"postData\":{\"mimeType\":\"x\",\"params\":[{\"name\":\"user\",\"value\":\"ann\"},{\"name\":\"password\",\"value\":\"Tr0ub4dor\"}]}", "password 1"},
    {"\"postData\":{\"text\":\"user=ann&password=Tr0ub4dor&x=1\"}", "password 1"},
    {"\"postData\":{\"text\":\"{\\\"user\\\":\\\"ann\\\",\\\"password\\\":\\\"Tr0ub4dor\\\"}\"}", "password 1"},
    {"\"content\":{\"text\":\"{\\\"password\\\":\\\"Passwort\\\",\\\"access_token\\\":\\\"" HEX "\\\"}\"}", "token 1"},
    {"\"content\":{\"text\":\"{password:'Kennwort1'}\"}", ""},
    {"\"queryString\":[{\"name\":\"access_token\",\"value\":\"" HEX "\"},{\"name\":\"page\",\"value\":\"" HEX2 "\"}]", "token 1"},
    {"\"url\":\"https://x.example/?a=1&access_token=" HEX "&b=" JWT_LIVE "\"", "token 1 jwt 1"},
    /* what redactors leave */
    {"{\"headers\":[{\"name\":\"authorization\",\"value\":\"Bearer [REDACTED]\"},{\"name\":\"cookie\",\"value\":\"sid=***\"}]}", ""},
    {"{\"headers\":[{\"name\":\"authorization\",\"value\":\"Bearer " JWT_BARE ".redacted\"}]}", ""},
    {"{\"headers\":[{\"name\":\"authorization\",\"value\":\"\"},{\"name\":\"cookie\",\"value\":\"sid=xxxxxxxxxxxxxxxx1\"}]}", ""},
    {"Authorization: <removed1234567890>\nCookie: sid=; token=deleted\n", ""},
    {"password=********&pass=%{PASS}&pwd=${DB_PWD}", ""},
    {"{\"password\": null, \"passwd\": \"\", \"client_secret\": \"YOUR_CLIENT_SECRET_1\"}", ""},
    {JWT_BARE "\n" JWT_BARE ".short\n", ""},
    /* header lines and logs */
    {"> GET / HTTP/1.1\r\n> Authorization: Basic YWxpY2U6czNjcjN0\r\n> Cookie: connect.sid=s%3A" HEX "\r\n", "basic 1 cookie 1"},
    {"curl -H 'Authorization: Bearer " HEX "' -H \"X-Auth-Token: " HEX2 "\"", "bearer 1 token 1"},
    {"Authorization: SSWS 00" HEX "\n", "bearer 1"},
    {"Authorization: Digest username=\"a\", response=\"" HEX "\"\n", ""},
    {"Authorization: Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa+\n", ""},
    {"Authorization: Basic notbase64!!\n", ""},
    {"Set-Cookie: sessionid=" HEX "; Secure; Max-Age=1209600\n", "cookie 1"},
    {"the password: must be changed, the token=12 and session_id=42\n", ""},
    {"text \"GET /x\\r\\nAuthorization: Bearer " HEX "\\r\\nCookie: sid=" HEX2 "\\r\\n\"", "bearer 1 cookie 1"},
    {"Authorization:Bearer " HEX "\n", "bearer 1"},
    {"http.Header{\"Authorization\":[\"Bearer " HEX "\"]}", "bearer 1"},
    /* configurations */
    {"DB_PASSWORD=hunter22\nMYSQL_ROOT_PASSWORD = \"q7!x\"\n", "password 2"},
    {"spring.datasource.password=hunter22\n", "password 1"},
    {"client_secret: abcdEFGH12345678ijkl\n", "api_key 1"},
    {"{\"password\":\"a\\\"b\\/c\\u0026d\"}", "password 1"},
    {"aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYkkkkkkkkkkk1\n", "api_key 1"},
    {"password\\u003dhunter22\\u0026x", "password 1"},
    /* keys by their form */
    {"key AKIAQ3EGRZ7V2LJ5PXYT, AKIAIOSFODNN7EXAMPLE and AKIAQ3EGRZ7V2LJ5PXYTX", "api_key 1"},
    {"ghp_16C7e42F292c6912E7710c838347Ae178B4a and xoxb-123456789012-abcdefGHIJKL.", "api_key 2"},
    {"AIzaSyA1234567890abcdefghijklmnopqrstuv sk_live_4eC39HqLyjWDarjtT1zdp7dc sk_test_4eC39HqLyjWDarjtT1zdp7dc", "api_key 2"},
    {"token: " JWT_LIVE ".", "jwt 1"},
    {"-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAoIBAQC1\n-----END RSA PRIVATE KEY-----\n", "private_key 1"},
    {"{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0\\nBAQEFAASC\\n-----END PRIVATE KEY-----\\n\"}", "private_key 1"},
    {"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAAAAAAAAAAAA11\n-----END PRIVATE KEY-----\n"
     "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAAAAAAAAAAAA22\n-----END PRIVATE KEY-----\n", "private_key 2"},
    {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END ENCRYPTED PRIVATE KEY-----\n", ""},
    {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEvQIBADANBgkqhkiG9w0\n-----END RSA PRIVATE KEY-----\n", ""},
    {"-----BEGIN PRIVATE KEY-----\n[REDACTED]\n-----END PRIVATE KEY-----\n", ""},
    {"-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END CERTIFICATE-----\n", ""},
    {"no secrets here, only words: a=b, c: d {\"e\":\"f\"}", ""},
    {"", ""},
};

static void words_of(const struct file_facts *f, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    static const enum secret_kind order[] = {SECRET_TOKEN, SECRET_BASIC, SECRET_BEARER, SECRET_COOKIE, SECRET_JWT,
                                             SECRET_API_KEY, SECRET_PASSWORD, SECRET_PRIVATE_KEY};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (f->secrets[order[i]])
            used += (size_t)snprintf(out + used, size - used, "%s%s %u", used ? " " : "", secret_kind_name(order[i]),
                                     f->secrets[order[i]]);
    if (f->expired)
        snprintf(out + used, size - used, "%sexpired %u", used ? " " : "", f->expired);
}

static bool same_words(const char *a, const char *b)
{
    /* in any order: every pair of the one stands in the other, and both are of one length */
    if (strlen(a) != strlen(b))
        return false;
    char copy[128], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", a);
    for (char *kind = strtok_r(copy, " ", &rest), *n; kind; kind = strtok_r(NULL, " ", &rest)) {
        char pair[64];
        n = strtok_r(NULL, " ", &rest);
        snprintf(pair, sizeof pair, "%s %s", kind, n ? n : "");
        if (!strstr(b, pair))
            return false;
    }
    return true;
}

static void scan(struct secret_scan *s, struct span text, size_t step, struct file_facts *out)
{
    *out = (struct file_facts){0};
    secret_scan_init(s, NOW);
    for (size_t at = 0; at < text.size; at += step)
        secret_scan_feed(s, span_sub(text, at, step));
    secret_scan_end(s, out);
}

static void kinds(void **state)
{
    static struct secret_scan s;
    static const size_t steps[] = {65536, 1, 2, 3, 7, 64};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            struct file_facts f;
            char words[128];
            scan(&s, span_text(cases[i].text), steps[k], &f);
            words_of(&f, words, sizeof words);
            if (!same_words(words, cases[i].expected))
                fail_msg("case %zu, slices of %zu: '%s', expected '%s' in %s", i, steps[k], words, cases[i].expected,
                         cases[i].text);
            assert_true(f.is_scanned && !f.is_cut);
        }
}

/* Distinct values count once each; more than can be told apart are said to be more. */
static void distinct(void **state)
{
    static struct secret_scan s;
    static char text[200000];
    (void)state;
    for (unsigned n = 1; n <= 2000; n = n * 10 / 2) {
        size_t used = 0;
        for (unsigned i = 0; i < 2 * n; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "Cookie: sid=a%05xb%05x\n", i % n, i % n);
        struct file_facts f;
        scan(&s, span_of(text, used), used, &f);
        assert_int_equal(f.secrets[SECRET_COOKIE], n < 384 ? n : 384);
        assert_int_equal(f.is_cut, n > 384);
    }
}

static void nothing_stays(void **state)
{
    static struct secret_scan s;
    static const struct secret_scan zero;
    struct file_facts f;
    (void)state;
    scan(&s, SPAN("Cookie: sid=" HEX "\nAuthorization: Bearer " HEX2), 5, &f);
    assert_int_equal(file_facts_secrets(&f), 2);
    assert_memory_equal(&s, &zero, sizeof s);
}

/* What stands on both sides of a hole is not one value. */
static void holes(void **state)
{
    static struct secret_scan s;
    struct file_facts f = {0};
    (void)state;
    secret_scan_init(&s, NOW);
    secret_scan_feed(&s, SPAN("Cookie: sid=3f9a1c5e"));
    secret_scan_break(&s, true);
    secret_scan_feed(&s, SPAN("7b2d4860\nCookie: sid=" HEX "\n"));
    secret_scan_end(&s, &f);
    assert_int_equal(f.secrets[SECRET_COOKIE], 1);
    assert_true(f.is_cut);
}

static void long_values(void **state)
{
    static struct secret_scan s;
    static char text[200000];
    struct file_facts f;
    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "{\"password\":\"", 13); /* its quotation mark never comes */
    scan(&s, span_of(text, sizeof text), 1000, &f);
    assert_int_equal(file_facts_secrets(&f), 0);
    memcpy(text + 150000, "\nCookie: sid=" HEX "\n", 13 + 32 + 1);
    scan(&s, span_of(text, sizeof text), 1000, &f);
    assert_int_equal(f.secrets[SECRET_COOKIE], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds), cmocka_unit_test(distinct), cmocka_unit_test(nothing_stays), cmocka_unit_test(holes),
        cmocka_unit_test(long_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
