/* SPDX-License-Identifier: Apache-2.0
 * Who one request or answer names, through the shipped profiles: SAML, OpenID Connect, tokens, NTLM and the connections it
 * binds, names in heads; and what of it is told beside the name. */
#include "fake.h"

#include "app/cred.h"

#define NTLM_1 \
    "TlRMTVNTUAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NTLM_3 \
    "TlRMTVNTUAADAAAAAAAAAAAAAAAAAAAAAAAAAAgACABIAAAABgAGAFAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAA" \
    "AAAAAAQwBPAFIAUAB6AG8AZQA="
#define NTLM_3_EVE \
    "TlRMTVNTUAADAAAAAAAAAAAAAAAAAAAAAAAAAAgACABIAAAABgAGAFAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAA" \
    "AAAAAAQwBPAFIAUABlAHYAZQA="
#define KERBEROS \
    "YCAGCSqGSIb3EgECAmtra2tra2tra2tra2tra2tra2traw=="
#define JWT \
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInRpZCI6InQxIiwiZW1haWwiOiJ6b2VAe" \
    "C5leGFtcGxlIiwiaWF0IjoxLCJleHAiOjN9.c2ln"
#define JWE \
    "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d"
#define SAML_COMMENT \
    "PHA6UmVzcG9uc2UgeG1sbnM6cD0ndXJuOm9hc2lzOm5hbWVzOnRjOlNBTUw6Mi4wOnByb3RvY29sJyB4bWxuczphPS" \
    "d1cm46b2FzaXM6bmFtZXM6dGM6U0FNTDoyLjA6YXNzZXJ0aW9uJz48YTpBc3NlcnRpb24%2BPGE6SXNzdWVyPmh0dH" \
    "BzOi8vaWRwLmV4YW1wbGU8L2E6SXNzdWVyPjxhOlN1YmplY3Q%2BPGE6TmFtZUlEPnpvZTwhLS0gLS0%2BeDwvYTpO" \
    "YW1lSUQ%2BPC9hOlN1YmplY3Q%2BPC9hOkFzc2VydGlvbj48L3A6UmVzcG9uc2U%2B"
#define SAML_CLOSED \
    "PHA6UmVzcG9uc2UgeG1sbnM6cD0ndXJuOm9hc2lzOm5hbWVzOnRjOlNBTUw6Mi4wOnByb3RvY29sJyB4bWxuczphPS" \
    "d1cm46b2FzaXM6bmFtZXM6dGM6U0FNTDoyLjA6YXNzZXJ0aW9uJz48YTpJc3N1ZXI%2BaHR0cHM6Ly9pZHAuZXhhbX" \
    "BsZTwvYTpJc3N1ZXI%2BPGE6RW5jcnlwdGVkQXNzZXJ0aW9uLz48L3A6UmVzcG9uc2U%2B"
#define SAML_MAIL \
    "PHA6UmVzcG9uc2UgeG1sbnM6cD0ndXJuOm9hc2lzOm5hbWVzOnRjOlNBTUw6Mi4wOnByb3RvY29sJyB4bWxuczphPS" \
    "d1cm46b2FzaXM6bmFtZXM6dGM6U0FNTDoyLjA6YXNzZXJ0aW9uJz48YTpBc3NlcnRpb24%2BPGE6SXNzdWVyPmh0dH" \
    "BzOi8vaWRwLmV4YW1wbGU8L2E6SXNzdWVyPjxhOlN1YmplY3Q%2BPGE6TmFtZUlEIEZvcm1hdD0ndXJuOm9hc2lzOm" \
    "5hbWVzOnRjOlNBTUw6Mi4wOm5hbWVpZC1mb3JtYXQ6dHJhbnNpZW50Jz5fMTwvYTpOYW1lSUQ%2BPC9hOlN1YmplY3" \
    "Q%2BPGE6QXR0cmlidXRlU3RhdGVtZW50PjxhOkF0dHJpYnV0ZSBOYW1lPSdtYWlsJz48YTpBdHRyaWJ1dGVWYWx1ZT" \
    "56b2VAeC5leGFtcGxlPC9hOkF0dHJpYnV0ZVZhbHVlPjwvYTpBdHRyaWJ1dGU%2BPC9hOkF0dHJpYnV0ZVN0YXRlbW" \
    "VudD48L2E6QXNzZXJ0aW9uPjwvcDpSZXNwb25zZT4%3D"
#define SAML_BROKEN \
    "PHA6UmVzcG9uc2U%3D"

#define HTML "\nContent-Type: text/html\n\n"
#define FORM "\nContent-Type: application/x-www-form-urlencoded\n\n"
#define VIEW(fields) "GET /case/7\n" fields "\n\n"

/* What vouches: "jwt https://i.example t1 signed age=1 left=1 expired for=..." of the activity told last. */
static const char *vouched(const struct fake *f)
{
    static char text[700];
    const struct activity *a = &f->got[0];
    size_t at = 0;
    text[0] = 0;
    if (!f->n || !a->assertion)
        return text;
    at += (size_t)snprintf(text + at, sizeof text - at, "%s %s %s", assertion_name((enum assertion)a->assertion), fake_str(a, STR_ISSUER),
                           fake_str(a, STR_TENANT));
    static const struct {
        uint8_t bit;
        const char *name;
    } bits[] = {{ASSERTED_SIGNED, "signed"}, {ASSERTED_ENCRYPTED, "encrypted"}, {ASSERTED_AMBIGUOUS, "ambiguous"}};
    for (size_t i = 0; i < 3; i++)
        if (a->asserted & bits[i].bit)
            at += (size_t)snprintf(text + at, sizeof text - at, " %s", bits[i].name);
    if (a->asserted & ASSERTED_AGE)
        at += (size_t)snprintf(text + at, sizeof text - at, " age=%d", a->token_age_s);
    if (a->asserted & ASSERTED_EXPIRY)
        at += (size_t)snprintf(text + at, sizeof text - at, " left=%d", a->token_left_s);
    if (a->flags & ACT_TOKEN_EXPIRED)
        snprintf(text + at, sizeof text - at, " expired");
    return text;
}

struct row {
    const char *request, *response, *says, *vouched;
};

static void run(const char *profile, const struct row *rows, size_t n)
{
    struct fake f;
    struct text why = {0};
    struct profiles *p = fake_rules();
    assert_int_equal(profiles_declare(p, profile, "desk.example", &why), 0);
    fake_init(&f, p);
    for (size_t i = 0; i < n; i++) {
        fake_exchange(&f, rows[i].request, rows[i].response);
        if (strcmp(fake_says(&f), rows[i].says) != 0 || strcmp(vouched(&f), rows[i].vouched) != 0)
            fail_msg("row %zu (%.60s)\n  says  %s (%s)\n  wants %s (%s)", i, rows[i].request, fake_says(&f), vouched(&f), rows[i].says,
                     rows[i].vouched);
    }
    fake_fini(&f);
}
#define RUN(profile, rows) run(profile, rows, sizeof(rows) / sizeof(rows)[0])

/* The packet time of exchange n is n seconds. */
static void assertions_are_told(void **state)
{
    static const struct row rows[] = {
        {VIEW("Authorization: Bearer " JWT), "200" HTML "x", "view_case+ case case=7 user=zoe@x.example proven",
         "jwt https://i.example t1 signed age=0 left=2"},
        {VIEW("Authorization: Bearer " JWT), "200" HTML "x", "view_case+ case case=7 user=zoe@x.example proven",
         "jwt https://i.example t1 signed age=1 left=1"},
        {VIEW("Authorization: Bearer " JWE), "200" HTML "x", "view_case+ case case=7", "jwt   encrypted"},
        {VIEW("Authorization: Bearer " JWT), "401\n\n", "view_case- case case=7 user=zoe@x.example refused",
         "jwt https://i.example t1 signed age=3 left=-1 expired"},
        {VIEW("Authorization: Bearer 0123456789abcdef"), "200" HTML "x", "view_case+ case case=7", ""},
        {VIEW("Authorization: Bearer 0123456789abcdef\nX-On-Behalf-Of: eve"), "200" HTML "x", "view_case+ case case=7 for=eve", ""},
        {"POST /acs" FORM "SAMLResponse=" SAML_COMMENT, "302\nLocation: /\n\n", "login+ saml", "saml https://idp.example  ambiguous"},
        {"POST /acs" FORM "SAMLResponse=" SAML_CLOSED, "302\nLocation: /\n\n", "login+ saml", "saml https://idp.example  encrypted"},
        {"POST /acs" FORM "SAMLResponse=" SAML_MAIL, "302\nLocation: /\n\n", "login+ saml user=zoe@x.example proven",
         "saml https://idp.example "},
        {"POST /acs" FORM "SAMLResponse=" SAML_MAIL "&SAMLResponse=" SAML_MAIL, "302\nLocation: /\n\n", "login+ saml", "saml   ambiguous"},
        {"POST /acs" FORM "SAMLResponse=" SAML_BROKEN, "302\nLocation: /\n\n", "login+ saml", "saml  "},
        {"POST /acs" FORM "SAMLResponse=*", "302\nLocation: /\n\n", "login+ saml", "saml  "},
        {"POST /cb" FORM "id_token=" JWT "&state=1", "302\nLocation: /\n\n", "login+ id-token user=zoe@x.example proven",
         "id_token https://i.example t1 signed age=12 left=-10 expired"},
        {"POST /cb" FORM "id_token=" JWE "&state=1", "302\nLocation: /\n\n", "login+ id-token", "id_token   encrypted"},
        {"POST /cb" FORM "id_token=x.y.z", "302\nLocation: /\n\n", "login+ id-token", "id_token  "},
    };
    (void)state;
    RUN("generic", rows);
}

/* All of one connection. */
static void ntlm_names_a_connection(void **state)
{
    static const struct row rows[] = {
        {VIEW("Authorization: NTLM " NTLM_1), "401\nWWW-Authenticate: NTLM x\n\n", "view_case- case case=7 refused", ""},
        {VIEW("Authorization: NTLM " NTLM_3), "200" HTML "x", "view_case+ case case=7 user=CORP\\zoe proven", ""},
        {VIEW("Accept: */*"), "200" HTML "x", "view_case+ case case=7 user=CORP\\zoe proven", ""},
        {VIEW("Cookie: sid=0123456789abcdef"), "200" HTML "x", "view_case+ case case=7 user=CORP\\zoe proven", ""},
        {VIEW("Authorization: Basic bWFyaWE6eA=="), "200" HTML "x", "view_case+ case case=7 user=maria proven", ""},
        {VIEW("X-Forwarded-For: 198.51.100.7"), "200" HTML "x", "view_case+ case case=7", ""}, /* somebody else's */
        {VIEW("Authorization: Negotiate " NTLM_1), "401\n\n", "view_case- case case=7 refused", ""},
        {VIEW("Accept: */*"), "200" HTML "x", "view_case+ case case=7", ""}, /* the handshake has begun anew */
        {VIEW("Authorization: Negotiate " NTLM_3_EVE), "401\n\n", "login- case case=7 user=CORP\\eve", ""},
        {VIEW("Accept: */*"), "200" HTML "x", "view_case+ case case=7", ""},
        {VIEW("Authorization: Negotiate " NTLM_3), "200" HTML "x", "view_case+ case case=7 user=CORP\\zoe proven", ""},
        {VIEW("Accept: */*"), "401\n\n", "view_case- case case=7 user=CORP\\zoe refused", ""},
        {VIEW("Accept: */*"), "200" HTML "x", "view_case+ case case=7", ""},
        {VIEW("Authorization: Negotiate " KERBEROS), "200" HTML "x", "view_case+ case case=7", ""},
        {VIEW("Authorization: NTLM TlRMTVNTUAADAAAA"), "200" HTML "x", "view_case+ case case=7", ""},
    };
    (void)state;
    RUN("generic", rows);
}

static void kinds_are_told(void **state)
{
    static const struct {
        const char *request;
        enum cred_kind kind;
    } rows[] = {
        {VIEW("Authorization: NTLM " NTLM_3), CRED_NTLM},
        {VIEW("Accept: */*"), CRED_NTLM},
        {VIEW("Authorization: Negotiate " KERBEROS), CRED_KERBEROS},
        {VIEW("Authorization: Negotiate " KERBEROS "\nCookie: sid=0123456789abcdef"), CRED_COOKIE},
        {"POST /acs" FORM "SAMLResponse=" SAML_CLOSED, CRED_SAML},
        {"POST /cb" FORM "id_token=" JWT, CRED_OIDC},
    };
    struct fake f;
    (void)state;
    fake_init(&f, fake_rules());
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake_exchange(&f, rows[i].request, "200" HTML "x");
        assert_int_equal(f.n, 1);
        assert_int_equal(f.got[0].cred_kind, rows[i].kind);
    }
    fake_fini(&f);
}

/* A key that may act as anyone: it is one credential, whoever it says it acts for; and it stands nowhere. */
static void keys_are_not_whom_they_act_for(void **state)
{
    struct fake f;
    struct text why = {0};
    struct profiles *p = fake_rules();
    uint8_t first[SESSION_HASH_SIZE];
    (void)state;
    assert_int_equal(profiles_declare(p, "zendesk", "desk.example", &why), 0);
    fake_init(&f, p);
    fake_exchange(&f, "GET /api/v2/tickets/7\nAuthorization: Basic YW5uQHguZXhhbXBsZS90b2tlbjpTRUNSRVQxMjM0NTY3ODkw\n\n", "200" HTML "x");
    memcpy(first, f.got[0].session, sizeof first);
    assert_string_equal(fake_str(&f.got[0], STR_ACTS_FOR), "ann@x.example");
    assert_string_equal(fake_str(&f.got[0], STR_CLAIM), "");
    assert_true(span_find(span_of(&f.got[0], activity_size(&f.got[0])), SPAN("SECRET"), 0) == SIZE_MAX);
    fake_exchange(&f, "GET /api/v2/tickets/7\nAuthorization: Basic ZXZlQHguZXhhbXBsZS90b2tlbjpTRUNSRVQxMjM0NTY3ODkw\n\n", "200" HTML "x");
    assert_string_equal(fake_str(&f.got[0], STR_ACTS_FOR), "eve@x.example");
    assert_memory_equal(first, f.got[0].session, sizeof first);
    fake_exchange(&f, "GET /api/v2/tickets/7\nAuthorization: Basic YW5uQHguZXhhbXBsZTpwdw==\n\n", "200" HTML "x"); /* a password */
    assert_string_equal(fake_str(&f.got[0], STR_CLAIM), "ann@x.example");
    assert_int_equal(f.got[0].cred_kind, CRED_BASIC);
    fake_fini(&f);
}

static void certificates_have_names(void **state)
{
    static const struct {
        const char *subject, *name;
    } rows[] = {
        {"CN=zoe,OU=Support,O=X", "zoe"},
        {"O=X,CN=zoe hart", "zoe hart"},
        {"O=XCN=no,OU=CNCN=no", "O=XCN=no,OU=CNCN=no"},
        {"CN=zoe,CN=eve", "CN=zoe,CN=eve"},                 /* two of them */
        {"CN=zoe\\,eve,O=X", "CN=zoe\\,eve,O=X"},           /* escaped */
        {"CN=zoe+UID=7,O=X", "CN=zoe+UID=7,O=X"},
        {"CN=,O=X", "CN=,O=X"},
        {"O=X", "O=X"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span got = cred_certificate_name(span_text(rows[i].subject));
        if (!span_eq(got, span_text(rows[i].name)))
            fail_msg("%s: %.*s", rows[i].subject, (int)got.size, (const char *)got.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assertions_are_told), cmocka_unit_test(ntlm_names_a_connection),
        cmocka_unit_test(kinds_are_told),      cmocka_unit_test(keys_are_not_whom_they_act_for),
        cmocka_unit_test(certificates_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
