/* SPDX-License-Identifier: Apache-2.0
 * Negotiate, NTLM and JSON Web Tokens: who they name, and when they name nobody. Messages are built field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/jwt.h"
#include "wire/negotiate.h"

#define N(array) (sizeof(array) / sizeof *(array))

static uint8_t memory[16384];

static struct arena fresh(void)
{
    struct arena a;
    arena_init(&a, memory, sizeof memory);
    return a;
}

static struct span base64(struct span raw, bool is_url, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    for (size_t i = 0; i < raw.size; i += 3) {
        size_t have = raw.size - i;
        uint32_t v = (uint32_t)raw.at[i] << 16 | (have > 1 ? (uint32_t)raw.at[i + 1] << 8 : 0) | (have > 2 ? raw.at[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) {
            char c = digits[v >> (18 - 6 * k) & 63];
            if (k > have)
                c = '=';
            else if (is_url && (c == '+' || c == '/'))
                c = c == '+' ? '-' : '_';
            if (!(is_url && c == '='))
                out[n++] = c;
        }
    }
    return span_of(out, n);
}

struct message {
    uint8_t bytes[4096];
    size_t size;
};

static void put_name(struct message *m, size_t at, const char *name, bool is_wide)
{
    size_t n = strlen(name), from = m->size;
    for (size_t i = 0; i < n; i++) {
        m->bytes[m->size++] = (uint8_t)name[i];
        if (is_wide)
            m->bytes[m->size++] = 0;
    }
    size_t size = m->size - from;
    const uint8_t field[8] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)from, (uint8_t)(from >> 8), 0, 0};
    memcpy(m->bytes + at, field, sizeof field);
}

static void ntlm(struct message *m, uint8_t type, const char *domain, const char *user, bool is_wide)
{
    memset(m, 0, sizeof *m);
    memcpy(m->bytes, "NTLMSSP", 8);
    m->bytes[8] = type;
    m->bytes[60] = is_wide ? 1 : 2;
    m->size = 72;
    put_name(m, 28, domain, is_wide);
    put_name(m, 36, user, is_wide);
}

/* Puts 'head' (tag) and a length around the message. */
static void wrap(struct message *m, uint8_t tag)
{
    uint8_t head[4] = {tag, 0x82, (uint8_t)(m->size >> 8), (uint8_t)m->size};
    memmove(m->bytes + 4, m->bytes, m->size);
    memcpy(m->bytes, head, 4);
    m->size += 4;
}

static void front(struct message *m, const void *bytes, size_t size)
{
    memmove(m->bytes + size, m->bytes, m->size);
    memcpy(m->bytes, bytes, size);
    m->size += size;
}

static int read_it(const struct message *m, struct negotiate *out)
{
    static char text[8192];
    struct arena a = fresh();
    return negotiate_read(base64(span_of(m->bytes, m->size), false, text), &a, out);
}

static void expect(const struct message *m, enum negotiate_kind kind, const char *domain, const char *user)
{
    struct negotiate n;
    assert_int_equal(read_it(m, &n), E_OK);
    assert_int_equal(n.kind, kind);
    assert_true(span_eq(n.domain, span_text(domain)) && span_eq(n.user, span_text(user)));
}

static void ntlm_names_its_user(void **state)
{
    struct message m;
    (void)state;
    ntlm(&m, 3, "CORP", "zoe", true);
    expect(&m, NEGOTIATE_NTLM, "CORP", "zoe");
    ntlm(&m, 3, "CORP", "zoe", false);
    expect(&m, NEGOTIATE_NTLM, "CORP", "zoe");
    ntlm(&m, 3, "", "zoe@corp.example", true);
    expect(&m, NEGOTIATE_NTLM, "", "zoe@corp.example");
    ntlm(&m, 3, "", "", true); /* anonymous */
    expect(&m, NEGOTIATE_NTLM, "", "");
    ntlm(&m, 1, "CORP", "zoe", true);
    expect(&m, NEGOTIATE_NTLM_STEP, "", "");
    ntlm(&m, 3, "D", "ab", true);
    memcpy(m.bytes + m.size - 4, "\x3d\xd8\x00\xde", 4); /* U+1F600 */
    expect(&m, NEGOTIATE_NTLM, "D", "\xf0\x9f\x98\x80");
}

static void spnego_is_opened(void **state)
{
    static const uint8_t oid[] = {0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
    static const uint8_t mechanisms[] = {0xa0, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
    struct message m;
    (void)state;
    ntlm(&m, 3, "CORP", "zoe", true); /* negTokenResp { responseToken } */
    wrap(&m, 0x04);
    wrap(&m, 0xa2);
    wrap(&m, 0x30);
    wrap(&m, 0xa1);
    expect(&m, NEGOTIATE_NTLM, "CORP", "zoe");
    ntlm(&m, 1, "", "", true); /* negTokenInit { mechToken } */
    wrap(&m, 0x04);
    wrap(&m, 0xa2);
    wrap(&m, 0x30);
    wrap(&m, 0xa0);
    front(&m, oid, sizeof oid);
    wrap(&m, 0x60);
    expect(&m, NEGOTIATE_NTLM_STEP, "", "");
    memset(&m, 'k', sizeof m); /* a ticket, much larger than what is looked at */
    m.size = 4000;
    wrap(&m, 0x04);
    wrap(&m, 0xa2);
    front(&m, mechanisms, sizeof mechanisms);
    wrap(&m, 0x30);
    wrap(&m, 0xa0);
    front(&m, oid, sizeof oid);
    wrap(&m, 0x60);
    expect(&m, NEGOTIATE_KERBEROS, "", "");
    m.size = 12; /* nothing to tell it by */
    expect(&m, NEGOTIATE_OTHER, "", "");
}

static void malformed_ntlm_names_nobody(void **state)
{
    static const struct {
        uint8_t at, value;
    } rows[] = {
        {28, 0xff}, {32, 0xff}, {33, 0xff}, {35, 0xff}, {40, 12}, {36, 5}, /* outside, in the head, half a character */
        {84, 0x0a}, {85, 0xd8},                                            /* a control character, half a pair */
    };
    struct message m;
    struct negotiate n;
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        ntlm(&m, 3, "CORP", "zoe", true);
        m.bytes[rows[i].at] = rows[i].value;
        assert_int_equal(read_it(&m, &n), E_BAD);
        assert_int_equal(n.user.size, 0);
    }
    ntlm(&m, 3, "CORP", "zo\xe9", false); /* of an unknown code page */
    assert_int_equal(read_it(&m, &n), E_BAD);
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    for (int is_wide = 0; is_wide < 2; is_wide++) {
        ntlm(&m, 3, "CORP", longer, is_wide);
        assert_int_equal(read_it(&m, &n), E_BAD);
    }
    ntlm(&m, 3, "CORP", "zoe", true);
    for (m.size--; m.size; m.size--)
        assert_true(read_it(&m, &n) != E_OK || (n.kind != NEGOTIATE_NTLM && !n.user.size));
    struct arena small = {memory, 16, 0, false};
    assert_int_equal(negotiate_read(SPAN("TlRMTVNTUAADAAAAAAAAAAAAAAAAAAAA"), &small, &n), E_LIMIT);
    struct arena a = fresh();
    assert_int_equal(negotiate_read(SPAN("not base64!"), &a, &n), E_BAD);
}

static int token(const char *head, const char *claims, const char *signature, struct jwt *out)
{
    static char text[3][4096];
    char whole[12400];
    struct span h = base64(span_text(head), true, text[0]), c = base64(span_text(claims), true, text[1]);
    struct jwt_claims wanted;
    const char *why;
    jwt_claims_init(&wanted);
    assert_int_equal(jwt_claims_add(&wanted, SPAN("email"), &why), E_OK);
    assert_int_equal(jwt_claims_add(&wanted, SPAN("sub"), &why), E_OK);
    snprintf(whole, sizeof whole, "%.*s.%.*s.%s", (int)h.size, (const char *)h.at, (int)c.size, (const char *)c.at, signature);
    struct arena a = fresh();
    return jwt_read(span_text(whole), &wanted, &a, out);
}

static void tokens_say_who_and_since_when(void **state)
{
    static const struct {
        const char *head, *claims, *signature, *want; /* email|sub|issuer|tenant|iat|exp|signed */
    } rows[] = {
        {"{\"alg\":\"RS256\"}", "{\"iss\":\"https://i.example\",\"tid\":\"t1\",\"sub\":\"s1\",\"email\":\"z@x.example\",\"iat\":17,\"exp\":18}", "c2ln",
         "z@x.example|s1|https://i.example|t1|17|18|1"},
        {"{\"alg\":\"none\"}", "{\"sub\":\"s1\"}", "", "|s1|||-|-|0"},
        {"{\"alg\":\"NoNe\"}", "{\"sub\":\"s1\"}", "c2ln", "|s1|||-|-|0"},
        {"{\"alg\":\"RS256\"}", "{\"sub\":\"s1\"}", "", "|s1|||-|-|0"},
        {"{\"typ\":\"JWT\"}", "{\"sub\":\"s1\"}", "c2ln", "|s1|||-|-|0"},
        {"{\"alg\":\"RS256\"}", "{\"sub\":\"s1\",\"sub\":\"s2\",\"iat\":1,\"iat\":2}", "c2ln", "||||-|-|1"},
        {"{\"alg\":\"RS256\"}", "{\"sub\":17,\"iat\":\"17\",\"exp\":18.5}", "c2ln", "||||-|18|1"},
        {"{\"alg\":\"RS256\"}", "{\"sub\":\"a\\nb\",\"exp\":1e9,\"iat\":-4}", "c2ln", "||||-|-|1"},
        {"{\"alg\":\"RS256\"}", "{\"user\":{\"sub\":\"s1\"},\"exp\":99999999999999999999}", "c2ln", "||||-|-|1"},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct jwt j;
        char got[512], iat[24] = "-", exp[24] = "-";
        assert_int_equal(token(rows[i].head, rows[i].claims, rows[i].signature, &j), E_OK);
        if (j.has_issued)
            snprintf(iat, sizeof iat, "%d", (int)j.issued_s);
        if (j.has_expires)
            snprintf(exp, sizeof exp, "%d", (int)j.expires_s);
        snprintf(got, sizeof got, "%.*s|%.*s|%.*s|%.*s|%s|%s|%d", (int)j.names[0].size, (const char *)j.names[0].at,
                 (int)j.names[1].size, (const char *)j.names[1].at, (int)j.issuer.size, (const char *)j.issuer.at,
                 (int)j.tenant.size, (const char *)j.tenant.at, iat, exp, j.is_signed);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: got %s, want %s", rows[i].claims, got, rows[i].want);
    }
}

static void odd_tokens_say_nothing(void **state)
{
    static const char *const claims[] = {"", "x", "[]", "{", "{\"sub\":\"s1\"", "{\"sub\":\"s1\"]"};
    struct jwt j;
    (void)state;
    for (size_t i = 0; i < N(claims); i++)
        assert_int_equal(token("{\"alg\":\"RS256\"}", claims[i], "c2ln", &j), E_BAD);
    assert_int_equal(token("[]", "{\"sub\":\"s1\"}", "c2ln", &j), E_BAD);
    assert_int_equal(token("{}", "{\"sub\":\"s1\"}", "c2ln.eA", &j), E_BAD);
    assert_true(jwt_is_encrypted(SPAN("eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d")));
    assert_false(jwt_is_encrypted(SPAN("eyJhbGciOiJSU0EtT0FFUCJ9.a.b")));
    assert_false(jwt_is_encrypted(SPAN("a.b.c.d.e")));
    assert_false(jwt_is_encrypted(SPAN("")));
    struct jwt_claims c;
    const char *why;
    jwt_claims_init(&c);
    for (int i = 0; i < JWT_NAMES; i++)
        assert_int_equal(jwt_claims_add(&c, SPAN("sub"), &why), E_OK);
    assert_int_equal(jwt_claims_add(&c, SPAN("sub"), &why), E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntlm_names_its_user),           cmocka_unit_test(spnego_is_opened),
        cmocka_unit_test(malformed_ntlm_names_nobody),   cmocka_unit_test(tokens_say_who_and_since_when),
        cmocka_unit_test(odd_tokens_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
