/* SPDX-License-Identifier: Apache-2.0
 * Request targets without their secrets. */
#include "record/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

#define HEX32 "0f3b9c52d8e7a6410f3b9c52d8e7a641"
#define BASE64 "dGhpcyBpcyBub3QgYSBzZWNyZXQx"

static void assert_masked(const char *target, const char *expected)
{
    struct text out = {0};
    target_mask(span_text(target), &out);
    if (strcmp(text_str(&out), expected) != 0)
        fail_msg("%s became %s, not %s", target, text_str(&out), expected);
    text_fini(&out);
}

static void keeps_what_is_no_secret(void **state)
{
    (void)state;
    static const char *const same[] = {
        "",
        "/",
        "*",
        "support.example.test:443",
        "/Ticket/Display.html?id=2",
        "/Ticket/Attachment/123/456/" HEX32 ".tar.gz", /* paths stay: they name the object */
        "/REST/2.0/tickets?query=Owner+%3D+%27Nobody%27+AND+Status+%3D+%27open%27&page=2&per_page=100",
        "/Search/Results.html?Query=Subject%20LIKE%20%27crash%20after%20upgrade%20to%205.0.3%27&Order=DESC|ASC",
        "/a?file=core-dump-20260320-host17-vm3.tar.gz",
        "/a?file=IMG_20260320_121314_HDR.jpeg&x=y",
        "/a?from=2026-03-20T03:12:14.030714000Z&to=2026-03-21T03:12:14.030714000Z",
        "/a?tab=ShowHistoryOfAttachmentsAndTransactions",
        "/a?number=123456789012345678901234567890",
        "/a?",
        "/a?&&;",
        "/a?b=&c",
        "/a?token",
        "/a?token=",
        "/a?monkey=1&zipcode=2&sides=3&passage=4",
        "/a;v=1/b;w?x=1#frag",
        "http://h.example/a?b=1",
        "/a?u=http%3A%2F%2Fh.example%2Fb%3Fc%3D1",
        "/a?mail=ann@example.test",
        "\xff\xfe?\xff=\x01",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_masked(same[i], same[i]);
}

static void masks_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "token",
        "Token",
        "TOKEN",
        "access_token",
        "id_token",
        "csrf-token",
        "authToken",
        "key",
        "api_key",
        "apikey",
        "X-API-Key",
        "AWSAccessKeyId",
        "sig",
        "signature",
        "Signature",
        "X-Signature",
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "X-Goog-Signature",
        "X-Credential",
        "password",
        "pass",
        "pwd",
        "user[password]",
        "user%5Bpassword%5D",
        "passwd",
        "passphrase",
        "secret",
        "client_secret",
        "code",
        "session",
        "session_id",
        "sid",
        "PHPSESSID",
        "JSESSIONID",
        "auth",
        "Authorization",
        "jwt",
        "otp",
        "SAMLResponse",
        "%74oken",
        "to%6ben",
        "cookie",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct text target = {0}, expected = {0};
        text_addf(&target, "/a?b=1&%s=x&c=2;%s=a=b;%s=", names[i], names[i], names[i]);
        text_addf(&expected, "/a?b=1&%s=***&c=2;%s=***;%s=", names[i], names[i], names[i]);
        assert_masked(text_str(&target), text_str(&expected));
        text_fini(&target);
        text_fini(&expected);
    }
}

static void masks_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *target, *expected;
    } rows[] = {
        {"/NoAuth/Login.html?next=" HEX32, "/NoAuth/Login.html?next=***"},
        {"/Ticket/Display.html?id=2&results=" HEX32, "/Ticket/Display.html?id=2&results=***"},
        {"/a?results=0123456789abcdef0123456789abcdef", "/a?results=***"},
        {"/a?v=" BASE64 "%3D%3D&w=1", "/a?v=***&w=1"},
        {"/a?v=550e8400-e29b-41d4-a716-446655440000", "/a?v=***"},
        {"/a?v=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqdWxpYSJ9.c2lnbmF0dXJlMQ", "/a?v=***"},
        {"/a?v=sha256:" HEX32, "/a?v=***"},
        {"/a?v=%30%66%33%62%39%63%35%32%64%38%65%37%61%36%34%31%30%66%33%62%39%63%35%32", "/a?v=***"},
        {"/a?" HEX32, "/a?***"},
        {"/a?" HEX32 "&b=1", "/a?***&b=1"},
        {"/a?u=%2Fb%3Ftoken%3Dabc", "/a?u=***"},                   /* an address in an address */
        {"/a?u=%252Fb%253Ftoken%253Dabc%2526x%253D1", "/a?u=***"}, /* in an address */
        {"/a?u=https%3A%2F%2Fann%3Apw%40h%2Fb", "/a?u=***"},
        {"/a?b=1?token=abc", "/a?b=***"},
        {"/a??token=abc", "/a??token=***"},
        {"/a#access_token=abc&x=1", "/a#access_token=***&x=1"},
        {"/a?b=1#token=abc", "/a?b=1#token=***"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_masked(rows[i].target, rows[i].expected);
}

static void removes_users_and_path_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *target, *expected;
    } rows[] = {
        {"http://ann:pw@h.example/a?b=1", "http://h.example/a?b=1"},
        {"http://ann@h.example:81", "http://h.example:81"},
        {"http://a@b:c@h/x@y", "http://h/x@y"},
        {"http://ann:pw@h?token=x", "http://h?token=***"},
        {"ann:pw@h.example:443", "h.example:443"},
        {"http://ann:pw@", "http://"},
        {"/a;jsessionid=ABC123/b?c=1", "/a;jsessionid=***/b?c=1"},
        {"/a;jsessionid=ABC123", "/a;jsessionid=***"},
        {"/a;jsessionid=ABC;x=1;sid=2#t", "/a;jsessionid=***;x=1;sid=***#t"},
        {"/a;jsessionid=", "/a;jsessionid="},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_masked(rows[i].target, rows[i].expected);
}

#define TOKEN43 "Zk3vQ9xT1mB7nL2cR8wY5pHs0dFgJ4aUeXiKo6tNqMy"

/* Tokens in paths go, whatever their profile; ids of cases and files, words, versions, names of files stay. */
static void masks_tokens_in_paths(void **state)
{
    (void)state;
    static const struct {
        const char *target, *likely, *certain; /* NULL: as it is */
    } rows[] = {
        {"/attachments/token/hk2mP9sXw/?name=a.har", "/attachments/token/***/?name=a.har", "/attachments/token/***/?name=a.har"},
        {"/attachments/Token/6bk3gql82em5nmf/", "/attachments/Token/***/", "/attachments/Token/***/"},
        {"/attachments/token/%68k2mP9sXw", "/attachments/token/***", "/attachments/token/***"},
        {"/rails/active_storage/blobs/redirect/eyJfcmFpbHMiOnsibWVzc2FnZSI6IkJBaHBBZz09--0f3b9c52/a.pdf",
         "/rails/active_storage/blobs/redirect/***/a.pdf", "/rails/active_storage/blobs/redirect/***/a.pdf"},
        {"/sso/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/sso/***", "/sso/***"},
        {"/a/" TOKEN43 "/b", "/a/***/b", NULL},
        {"/a/" HEX32 "/b", "/a/***/b", NULL},
        {"/a/" HEX32 HEX32 "?x=1", "/a/***?x=1", NULL},
        {"/users/password/reset/" HEX32, "/users/password/reset/***", "/users/password/reset/***"},
        {"/invite/ab12cd34ef56gh78/x", "/invite/***/x", "/invite/***/x"},
        {"/token/" TOKEN43 ";v=1/b/" HEX32, "/token/***;v=1/b/***", "/token/***;v=1/b/" HEX32},
        {"http://ann:pw@h/token/hk2mP9sXw", "http://h/token/***", "http://h/token/***"},
        /* none */
        {"/api/v2/oauth/tokens/223443", NULL, NULL},
        {"/oauth/token/revoke", NULL, NULL},
        {"/oauth/token/introspection", NULL, NULL},
        {"/token/", NULL, NULL},
        {"/share/quarterly-report", NULL, NULL},
        {"/key/PROJ-1234", NULL, NULL},
        {"/sessions/switch/12", NULL, NULL},
        {"/Ticket/Attachment/123/456/" HEX32 ".tar.gz", NULL, NULL},
        {"/rest/api/3/attachment/content/550e8400-e29b-41d4-a716-446655440000", NULL, NULL},
        {"/a/123456789012345678901234567890123456", NULL, NULL},
        {"/a/how-to-configure-the-second-factor-on-windows-10-and-11", NULL, NULL},
        {"/a/core-dump-20260320-host17-vm3-of-the-second-node.tar.gz", NULL, NULL},
        {"/a/ShowHistoryOfAttachmentsAndTransactions", NULL, NULL},
        {"/sfc/servlet.shepherd/version/download/0685g00000ABCdEAAX", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = {0};
        assert_masked(rows[i].target, rows[i].likely ? rows[i].likely : rows[i].target);
        target_mask_at(span_text(rows[i].target), MASK_CERTAIN, &out);
        assert_string_equal(text_str(&out), rows[i].certain ? rows[i].certain : rows[i].target);
        text_fini(&out);
    }
}

/* What a route names as an id stays, what it names as a secret goes, also when it does not look so. */
static void heeds_what_is_known(void **state)
{
    (void)state;
    struct mask_known known = {.keep = {SPAN(HEX32)}, .hide = {SPAN("a b")}, .n_keep = 1, .n_hide = 1};
    struct text out = {0};
    target_mask_known(SPAN("/now/" HEX32 "/file/a%20b/c/" HEX32 HEX32), &known, &out);
    assert_string_equal(text_str(&out), "/now/" HEX32 "/file/***/c/***");
    text_fini(&out);
}

/* A value longer than is read is not trusted; long names and values come through whole otherwise. */
static void long_ones(void **state)
{
    (void)state;
    struct text target = {0}, expected = {0};
    text_add_str(&target, "/a?");
    for (int i = 0; i < 1000; i++)
        text_add_str(&target, "word ");
    text_add_str(&target, "=1&v=");
    text_add(&expected, text_span(&target));
    for (int i = 0; i < 1000; i++)
        text_add_str(&target, "word ");
    text_add_str(&expected, "***&z=1");
    text_add_str(&target, "&z=1");
    assert_masked(text_str(&target), text_str(&expected));
    text_clear(&target);
    text_clear(&expected);
    text_add_str(&target, "/a?");
    for (int i = 0; i < 300; i++)
        text_add_char(&target, 'x');
    text_add_str(&target, "[password]=");
    text_add(&expected, text_span(&target));
    text_add_str(&target, "abc");
    text_add_str(&expected, "***");
    assert_masked(text_str(&target), text_str(&expected));
    text_fini(&target);
    text_fini(&expected);
}

static uint64_t next(uint64_t *seed) /* xorshift64, Marsaglia 2003 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Random tokens of every common alphabet are caught, whatever the argument is called. */
static void random_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *alphabet;
        int missed_of_1000; /* the most that may pass for words */
    } rows[] = {
        {"0123456789abcdef", 0},
        {"0123456789ABCDEF", 0},
        {"abcdefghijklmnopqrstuvwxyz234567", 30},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 10},
    };
    uint64_t seed = 88172645463325252ULL;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        int missed = 0;
        for (int i = 0; i < 1000; i++) {
            char target[64] = "/a?v=";
            for (int k = 0; k < 32; k++)
                target[5 + k] = rows[r].alphabet[next(&seed) % strlen(rows[r].alphabet)];
            struct text out = {0};
            target_mask(span_text(target), &out);
            missed += strcmp(text_str(&out), "/a?v=***") != 0;
            text_fini(&out);
        }
        if (missed > rows[r].missed_of_1000)
            fail_msg("%d of 1000 over %s", missed, rows[r].alphabet);
    }
}

/* The transaction log keeps what merely looks random: ids of objects do. */
static void certain_secrets_only(void **state)
{
    (void)state;
    static const struct {
        const char *target, *expected;
    } rows[] = {{"/a?id=" HEX32 "&clientSessionId=" HEX32, NULL},
                {"/a?id=" HEX32 "&sid=" HEX32 "&X-Amz-Signature=ab12cd34ef56", "/a?id=" HEX32 "&sid=***&X-Amz-Signature=***"},
                {"/a?sid=159106&key=3b5502cc&pass=x", "/a?sid=159106&key=3b5502cc&pass=***"},
                {"/a?x=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/a?x=***"},
                {"/a?x=eyJhbGciOiJIUzI1NiJ9", NULL},
                {"/a?u=http%3A%2F%2Fh%2Fb%3Ftoken%3Dx", "/a?u=***"},
                {"http://ann:pw@h.example/a", "http://h.example/a"},
                {"/a;jsessionid=0A1B2C3D4E5F/b?Password=x", "/a;jsessionid=***/b?Password=***"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = {0};
        target_mask_at(span_text(rows[i].target), MASK_CERTAIN, &out);
        assert_string_equal(text_str(&out), rows[i].expected ? rows[i].expected : rows[i].target);
        text_fini(&out);
    }
}

/* No target makes it loop, read beyond its end, or come out longer than its secrets' stars allow. */
static void any_bytes(void **state)
{
    (void)state;
    static const char parts[] = "/?&;#=%@:.*2a A\\\xff\x00http://token=x%3f%40";
    uint64_t seed = 1234567;
    for (int i = 0; i < 20000; i++) {
        size_t size = next(&seed) % 60;
        uint8_t *target = malloc(size + 1);
        assert_non_null(target);
        for (size_t k = 0; k < size; k++)
            target[k] = (uint8_t)parts[next(&seed) % (sizeof parts - 1)];
        struct text out = {0};
        target_mask(span_of(target, size), &out);
        assert_true(out.size <= 3 * size);
        text_fini(&out);
        free(target);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_no_secret),
        cmocka_unit_test(masks_by_name),
        cmocka_unit_test(masks_by_value),
        cmocka_unit_test(removes_users_and_path_secrets),
        cmocka_unit_test(masks_tokens_in_paths),
        cmocka_unit_test(heeds_what_is_known),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(random_tokens),
        cmocka_unit_test(certain_secrets_only),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
