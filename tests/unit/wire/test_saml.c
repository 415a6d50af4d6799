/* SPDX-License-Identifier: Apache-2.0
 * SAML responses: what they say, and every way known to make two readers see two people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/saml.h"
#include "wire/xml.h"

#define N(array) (sizeof(array) / sizeof *(array))
#define NS "xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol' xmlns:a='urn:oasis:names:tc:SAML:2.0:assertion' xmlns:d='http://www.w3.org/2000/09/xmldsig#'"
#define RESPONSE(inside) "<p:Response " NS " ID='r1'>" inside "</p:Response>"
#define SUBJECT(name) "<a:Subject><a:NameID Format='x'>" name "</a:NameID></a:Subject>"
#define ASSERTION(inside) "<a:Assertion ID='a1'><a:Issuer>https://idp.example</a:Issuer>" inside "</a:Assertion>"
#define SIGNATURE(uri) "<d:Signature><d:SignedInfo><d:Reference URI='" uri "'/></d:SignedInfo></d:Signature>"
#define PLAIN(name) RESPONSE(ASSERTION(SUBJECT(name)))
#define STATEMENT(inside) "<a:AttributeStatement>" inside "</a:AttributeStatement>"
#define ATTRIBUTE(name, inside) "<a:Attribute Name='" name "' FriendlyName='f-" name "'>" inside "</a:Attribute>"
#define VALUE(text) "<a:AttributeValue>" text "</a:AttributeValue>"

/* One line of what was read: "name issuer signed encrypted ambiguous", or the error. */
static void shown(const char *xml, char *out, size_t max)
{
    struct saml s;
    int rc = saml_read(span_text(xml), &s);
    if (rc)
        snprintf(out, max, "%s", rc == E_BAD ? "bad" : rc == E_LIMIT ? "limit" : "?");
    else
        snprintf(out, max, "%.*s|%.*s%s%s%s", (int)s.name_id.size, s.name_id.at ? (const char *)s.name_id.at : "",
                 (int)s.issuer.size, s.issuer.at ? (const char *)s.issuer.at : "", s.is_signed ? " signed" : "",
                 s.is_encrypted ? " encrypted" : "", s.is_ambiguous ? " ambiguous" : "");
}

static void reads_responses(void **state)
{
    static const struct {
        const char *xml, *want;
    } rows[] = {
        {PLAIN("zoe@x.example"), "zoe@x.example|https://idp.example"},
        {"\xef\xbb\xbf<?xml version='1.0'?>\n" PLAIN("\n zoe \n") "\n", "zoe|https://idp.example"},
        {PLAIN("a&amp;b&#x41;"), "a&amp;b&#x41;|https://idp.example"},
        {"<Response xmlns='urn:oasis:names:tc:SAML:2.0:protocol'><Assertion xmlns='urn:oasis:names:tc:SAML:2.0:assertion'><Subject>"
         "<NameID>zoe</NameID></Subject></Assertion></Response>", "zoe|"},
        {RESPONSE("<a:Issuer>outer</a:Issuer><a:Assertion>" SUBJECT("zoe") "</a:Assertion>"), "zoe|outer"},
        {RESPONSE("<a:Issuer>outer</a:Issuer>" ASSERTION(SUBJECT("zoe"))), "zoe|https://idp.example"},
        {RESPONSE(SIGNATURE("#r1") ASSERTION(SUBJECT("zoe"))), "zoe|https://idp.example signed"},
        {RESPONSE(ASSERTION(SIGNATURE("#a1") SUBJECT("zoe"))), "zoe|https://idp.example signed"},
        {RESPONSE(SIGNATURE("#r1") ASSERTION(SIGNATURE("#a1") SUBJECT("zoe"))), "zoe|https://idp.example signed"},
        {RESPONSE(SIGNATURE("") ASSERTION(SUBJECT("zoe"))), "zoe|https://idp.example signed"},
        {RESPONSE("<a:EncryptedAssertion><x/></a:EncryptedAssertion>"), "| encrypted"},
        {RESPONSE(ASSERTION("<a:Subject><a:EncryptedID/></a:Subject>")), "|https://idp.example encrypted"},
        {RESPONSE(ASSERTION("<a:Subject><a:NameID Format='urn:oasis:names:tc:SAML:2.0:nameid-format:transient'>_7f</a:NameID></a:Subject>")),
         "|https://idp.example"},
        {RESPONSE("<p:Status/>"), "|"}, /* refused by the identity provider */
        {PLAIN(""), "|https://idp.example"},
        /* a NameID in another place is somebody else's */
        {RESPONSE(ASSERTION("<a:Subject><a:NameID>zoe</a:NameID><a:SubjectConfirmation><a:NameID>proxy</a:NameID></a:SubjectConfirmation></a:Subject>")),
         "zoe|https://idp.example"},
        {RESPONSE(ASSERTION(SUBJECT("zoe") STATEMENT(ATTRIBUTE("t", VALUE("<a:NameID>eve</a:NameID>"))))), "zoe|https://idp.example"},
        /* the wrong namespace is another element */
        {RESPONSE("<a:Assertion xmlns:a='urn:x'>" SUBJECT("eve") "</a:Assertion>"), "|"},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        char got[512];
        shown(rows[i].xml, got, sizeof got);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s\ngot  %s\nwant %s", rows[i].xml, got, rows[i].want);
    }
}

static void names_nobody_when_in_doubt(void **state)
{
    static const char *const ambiguous[] = {
        PLAIN("zoe<!---->.eve"),                                   /* comment injection */
        PLAIN("<!-- -->zoe"),
        PLAIN("zoe<?x ?>"),
        PLAIN("<![CDATA[zoe]]>"),
        PLAIN("zoe<b>eve</b>"),
        PLAIN("zo&e;"),
        PLAIN("zoe\x01"),
        RESPONSE(ASSERTION(SUBJECT("zoe") SUBJECT("eve"))),
        RESPONSE(ASSERTION(SUBJECT("zoe") SUBJECT("zoe"))),
        RESPONSE(ASSERTION("<a:Subject><a:NameID>zoe</a:NameID><a:NameID>eve</a:NameID></a:Subject>")),
        RESPONSE(ASSERTION(SUBJECT("zoe")) ASSERTION(SUBJECT("eve"))),
        RESPONSE(ASSERTION(SUBJECT("zoe")) "<a:EncryptedAssertion/>"),
        RESPONSE("<a:EncryptedAssertion/><a:EncryptedAssertion/>"),
        /* signature wrapping: the signed assertion moved aside, a forged one in its place (and the other way round) */
        RESPONSE("<a:Assertion ID='evil'>" SUBJECT("eve") "</a:Assertion><p:Extensions>" ASSERTION(SIGNATURE("#a1") SUBJECT("zoe"))
                 "</p:Extensions>"),
        RESPONSE("<a:Assertion ID='evil'>" SIGNATURE("#a1") SUBJECT("eve") "</a:Assertion>"),
        RESPONSE("<a:Assertion ID='evil'><d:Signature><d:SignedInfo><d:Reference URI='#a1'/></d:SignedInfo><d:Object>"
                 ASSERTION(SUBJECT("zoe")) "</d:Object></d:Signature>" SUBJECT("eve") "</a:Assertion>"),
        RESPONSE(ASSERTION(SUBJECT("zoe") "<a:Advice>" ASSERTION(SUBJECT("eve")) "</a:Advice>")),
        RESPONSE(SIGNATURE("#r1") "<x>" PLAIN("zoe") "</x>" ASSERTION(SUBJECT("eve"))),
        RESPONSE(SIGNATURE("#other") ASSERTION(SUBJECT("zoe"))),
        RESPONSE(ASSERTION(SIGNATURE("") SUBJECT("zoe"))),
        RESPONSE("<d:Signature><d:SignedInfo><d:Reference URI='#r1'/><d:Reference URI='#r1'/></d:SignedInfo></d:Signature>"
                 ASSERTION(SUBJECT("zoe"))),
        RESPONSE("<x>" SIGNATURE("#r1") "</x>" ASSERTION(SUBJECT("zoe"))),
    };
    static const char *const bad[] = {
        "", " ", "zoe", "<", "<>", "</p:Response>", "<a", "<a b", "<a b=", "<a b='", "<a b='c'", "<a/", "<a><b></a></b>",
        "<a></a><b/>", "<a/>text", "<1/>", "<a b='1' b='2'/>", "<a b='<'/>", "<a b=1/>", "<a b='1'c='2'/>", "<x:a/>", "<:a/>",
        "<a:b:c xmlns:a='u'/>", "<a xmlns:x=''/>", "<a xmlns='&amp;'/>", "<a><!--</a>", "<a><![CDATA[</a>", "<![CDATA[x]]>", "<a>",
        "<a><", "<!DOCTYPE a [<!ENTITY e 'eve'>]><a/>",
        "<!DOCTYPE p><p:Response " NS "/>",
        "<a:Assertion " NS ">" SUBJECT("zoe") "</a:Assertion>", /* no response around it */
        "<Response>" ASSERTION(SUBJECT("zoe")) "</Response>",
        RESPONSE(ASSERTION("<a:Subject><a:NameID>zoe</a:NameID>")),
        "<?xml version='1.0'?>",
        "\xff\xfe<\0R\0",
    };
    (void)state;
    for (size_t i = 0; i < N(ambiguous); i++) {
        struct saml s;
        int rc = saml_read(span_text(ambiguous[i]), &s);
        if (rc || !s.is_ambiguous || s.name_id.at || s.n_attributes)
            fail_msg("%s: %d %.*s", ambiguous[i], rc, (int)s.name_id.size, (const char *)s.name_id.at);
    }
    for (size_t i = 0; i < N(bad); i++) {
        struct saml s;
        if (saml_read(span_text(bad[i]), &s) != E_BAD || s.name_id.at)
            fail_msg("%s", bad[i]);
    }
}

/* Every cut of a good response is bad, and names nobody. */
static void cuts_name_nobody(void **state)
{
    struct span whole = SPAN(PLAIN("zoe@x.example"));
    struct saml s;
    (void)state;
    for (size_t size = 0; size < whole.size; size++) {
        assert_int_equal(saml_read(span_sub(whole, 0, size), &s), E_BAD);
        assert_null(s.name_id.at);
    }
}

static void finds_attributes(void **state)
{
    static const char xml[] = RESPONSE(ASSERTION(STATEMENT(
        ATTRIBUTE("mail", VALUE(" zoe@x.example ")) ATTRIBUTE("two", VALUE("a") VALUE("b")) ATTRIBUTE("none", "")
        ATTRIBUTE("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", VALUE("zoe@corp.example"))
        ATTRIBUTE("odd", VALUE("z<!-- -->oe")) ATTRIBUTE("deep", VALUE("<x>zoe</x>")) ATTRIBUTE("twice", VALUE("a"))
        ATTRIBUTE("twice", VALUE("a")))));
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"mail", "zoe@x.example"}, {"f-mail", "zoe@x.example"}, {"Mail", NULL}, {"two", NULL}, {"none", NULL}, {"odd", NULL},
        {"deep", NULL}, {"twice", NULL}, {"", NULL},
        {"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "zoe@corp.example"},
    };
    struct saml s;
    (void)state;
    assert_int_equal(saml_read(SPAN(xml), &s), E_OK);
    for (size_t i = 0; i < N(rows); i++) {
        struct span got = saml_attribute(&s, span_text(rows[i].name));
        if (rows[i].value ? !span_eq(got, span_text(rows[i].value)) : got.at != NULL)
            fail_msg("%s: %.*s", rows[i].name, (int)got.size, (const char *)got.at);
    }
}

static void add(char *text, size_t max, const char *more)
{
    size_t size = strlen(text);
    snprintf(text + size, max - size, "%s", more);
}

/* At the bounds and beyond: elements inside each other, attributes of an element, of a subject. */
static void is_bounded(void **state)
{
    static char text[65536];
    struct saml s;
    (void)state;
    for (int n = XML_DEPTH - 1; n <= XML_DEPTH; n++) {
        snprintf(text, sizeof text, "<p:Response %s>", NS);
        for (int i = 1; i < n + 0; i++)
            add(text, sizeof text, "<x>");
        for (int i = 1; i < n + 0; i++)
            add(text, sizeof text, "</x>");
        add(text, sizeof text, "</p:Response>");
        assert_int_equal(saml_read(span_text(text), &s), E_OK);
    }
    memset(text, '<', sizeof text - 1);
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "<a>", 3);
    text[sizeof text - 1] = 0;
    assert_int_equal(saml_read(span_text(text), &s), E_BAD);
    for (int n = SAML_ATTRIBUTES; n <= SAML_ATTRIBUTES + 1; n++) {
        snprintf(text, sizeof text, "<p:Response %s><a:Assertion>" SUBJECT("zoe") "<a:AttributeStatement>", NS);
        for (int i = 0; i < n; i++)
            add(text, sizeof text, ATTRIBUTE("m", VALUE("v")));
        add(text, sizeof text, "</a:AttributeStatement></a:Assertion></p:Response>");
        assert_int_equal(saml_read(span_text(text), &s), n > SAML_ATTRIBUTES ? E_LIMIT : E_OK);
        assert_true(n > SAML_ATTRIBUTES ? !s.name_id.at : s.name_id.at != NULL);
    }
    for (int n = XML_ATTRIBUTES; n <= XML_ATTRIBUTES + 1; n++) {
        snprintf(text, sizeof text, "<p:Response xmlns:p='urn:oasis:names:tc:SAML:2.0:protocol'");
        for (int i = 1; i < n; i++)
            snprintf(text + strlen(text), 32, " a%d='v'", i);
        add(text, sizeof text, "/>");
        assert_int_equal(saml_read(span_text(text), &s), n > XML_ATTRIBUTES ? E_BAD : E_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_responses), cmocka_unit_test(names_nobody_when_in_doubt), cmocka_unit_test(cuts_name_nobody),
        cmocka_unit_test(finds_attributes), cmocka_unit_test(is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
