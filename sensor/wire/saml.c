/* SPDX-License-Identifier: Apache-2.0
 * One pass over the document; an element counts by the path it stands at. */
#include "wire/saml.h"

#include "base/err.h"
#include "wire/xml.h"

#define NS_ASSERTION "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"
#define FORMAT_TRANSIENT "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" /* another one each time: no name */
#define NS_SIGNATURE "http://www.w3.org/2000/09/xmldsig#"

enum element {
    OTHER, RESPONSE, ASSERTION, ENCRYPTED_ASSERTION, ISSUER, SUBJECT, NAME_ID, ENCRYPTED_ID, STATEMENT, ATTRIBUTE,
    ENCRYPTED_ATTRIBUTE, VALUE, SIGNATURE, SIGNED_INFO, REFERENCE,
};

static const struct {
    struct span uri, local;
    enum element element;
} elements[] = {
    {SPAN(NS_PROTOCOL), SPAN("Response"), RESPONSE},
    {SPAN(NS_ASSERTION), SPAN("Assertion"), ASSERTION},
    {SPAN(NS_ASSERTION), SPAN("EncryptedAssertion"), ENCRYPTED_ASSERTION},
    {SPAN(NS_ASSERTION), SPAN("Issuer"), ISSUER},
    {SPAN(NS_ASSERTION), SPAN("Subject"), SUBJECT},
    {SPAN(NS_ASSERTION), SPAN("NameID"), NAME_ID},
    {SPAN(NS_ASSERTION), SPAN("EncryptedID"), ENCRYPTED_ID},
    {SPAN(NS_ASSERTION), SPAN("AttributeStatement"), STATEMENT},
    {SPAN(NS_ASSERTION), SPAN("Attribute"), ATTRIBUTE},
    {SPAN(NS_ASSERTION), SPAN("EncryptedAttribute"), ENCRYPTED_ATTRIBUTE},
    {SPAN(NS_ASSERTION), SPAN("AttributeValue"), VALUE},
    {SPAN(NS_SIGNATURE), SPAN("Signature"), SIGNATURE},
    {SPAN(NS_SIGNATURE), SPAN("SignedInfo"), SIGNED_INFO},
    {SPAN(NS_SIGNATURE), SPAN("Reference"), REFERENCE},
};

struct leaf { /* text of one element, as long as nothing but text is in it */
    struct span text;
    bool is_odd;
};

struct reading {
    struct xml xml;
    struct saml *out;
    uint8_t path[XML_DEPTH + 1]; /* enum element by depth */
    struct span id[4];           /* ID of the elements at depth 1 and 2 */
    struct leaf leaf;
    uint8_t leaf_depth; /* of the element whose text is collected; 0 = none */
    unsigned n_assertions, n_encrypted, n_subjects, n_names, n_values, n_references;
    bool has_assertion_issuer, is_full;
};

static enum element element_of(const struct xml *x)
{
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++)
        if (span_eq(x->local, elements[i].local) && span_eq(x->uri, elements[i].uri))
            return elements[i].element;
    return OTHER;
}

/* Whether the element that is open stands in this place: names of its ancestors from the root, then its own. */
static bool is_at(const struct reading *r, const uint8_t *path, uint8_t depth)
{
    return r->xml.depth == depth && memcmp(r->path + 1, path, depth) == 0;
}
#define IS_AT(r, ...) is_at(r, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void collect(struct reading *r)
{
    r->leaf = (struct leaf){{NULL, 0}, false};
    r->leaf_depth = r->xml.depth;
}

static void attribute_open(struct reading *r)
{
    if (r->out->n_attributes == SAML_ATTRIBUTES) {
        r->is_full = true;
        return;
    }
    struct saml_attribute *a = &r->out->attributes[r->out->n_attributes++];
    *a = (struct saml_attribute){xml_attribute(&r->xml, SPAN("Name")), xml_attribute(&r->xml, SPAN("FriendlyName")), {NULL, 0}};
    r->n_values = 0;
}

/* A signature has to speak of the element it stands in: response (depth 1) or assertion (depth 2). */
static void reference_open(struct reading *r)
{
    uint8_t at = (uint8_t)(r->xml.depth - 3);
    struct span uri = xml_attribute(&r->xml, SPAN("URI")), id = r->id[at < 3 ? at : 0];
    bool is_whole = uri.at && uri.size == 0 && at == 1; /* the document itself */
    bool is_own = uri.size > 1 && uri.at[0] == '#' && id.size && span_eq(span_from(uri, 1), id);
    if (r->n_references++ || (!is_whole && !is_own))
        r->out->is_ambiguous = true;
    r->out->is_signed = true;
}

static void signature_open(struct reading *r)
{
    if (!IS_AT(r, RESPONSE, SIGNATURE) && !IS_AT(r, RESPONSE, ASSERTION, SIGNATURE))
        r->out->is_ambiguous = true;
    r->n_references = 0;
}

static void element_open(struct reading *r, enum element e)
{
    struct saml *out = r->out;
    switch (e) {
    case RESPONSE:
        out->is_ambiguous |= r->xml.depth != 1;
        break;
    case ASSERTION: /* one more, anywhere, is somebody's trick */
        out->is_ambiguous |= r->n_assertions++ || !IS_AT(r, RESPONSE, ASSERTION);
        break;
    case ENCRYPTED_ASSERTION:
        out->is_ambiguous |= r->n_encrypted++ || !IS_AT(r, RESPONSE, ENCRYPTED_ASSERTION);
        out->is_encrypted = true;
        break;
    case ISSUER:
        if (IS_AT(r, RESPONSE, ISSUER) || IS_AT(r, RESPONSE, ASSERTION, ISSUER))
            collect(r);
        break;
    case SUBJECT:
        out->is_ambiguous |= r->n_subjects++ || !IS_AT(r, RESPONSE, ASSERTION, SUBJECT);
        break;
    case NAME_ID: /* stands in other places too: who confirms, values of attributes */
        if (IS_AT(r, RESPONSE, ASSERTION, SUBJECT, NAME_ID)) {
            out->is_ambiguous |= r->n_names++ > 0;
            if (!span_eq(xml_attribute(&r->xml, SPAN("Format")), SPAN(FORMAT_TRANSIENT)))
                collect(r);
        }
        break;
    case ENCRYPTED_ID:
    case ENCRYPTED_ATTRIBUTE:
        out->is_encrypted = true;
        break;
    case ATTRIBUTE:
        if (IS_AT(r, RESPONSE, ASSERTION, STATEMENT, ATTRIBUTE))
            attribute_open(r);
        break;
    case VALUE:
        if (IS_AT(r, RESPONSE, ASSERTION, STATEMENT, ATTRIBUTE, VALUE)) {
            r->n_values++;
            collect(r);
        }
        break;
    case SIGNATURE:
        signature_open(r);
        break;
    case REFERENCE:
        if (IS_AT(r, RESPONSE, SIGNATURE, SIGNED_INFO, REFERENCE) ||
            IS_AT(r, RESPONSE, ASSERTION, SIGNATURE, SIGNED_INFO, REFERENCE))
            reference_open(r);
        break;
    case STATEMENT:
    case SIGNED_INFO:
    case OTHER:
        break;
    }
}

/* The end of an element whose text was collected. */
static void leaf_close(struct reading *r)
{
    struct saml *out = r->out;
    enum element e = (enum element)r->path[r->xml.depth];
    bool is_plain = !r->leaf.is_odd && xml_text_is_plain(span_trim(r->leaf.text));
    struct span text = is_plain ? span_trim(r->leaf.text) : span_of(NULL, 0);
    r->leaf_depth = 0;
    if (!text.size)
        text = span_of(NULL, 0);
    if (e == NAME_ID) {
        out->is_ambiguous |= !is_plain;
        out->name_id = text;
    } else if (e == ISSUER && (!r->has_assertion_issuer || r->xml.depth == 3)) {
        out->issuer = text;
        r->has_assertion_issuer |= r->xml.depth == 3;
    } else if (e == VALUE && !r->is_full) {
        out->attributes[out->n_attributes - 1].value = r->n_values == 1 ? text : span_of(NULL, 0);
    }
}

static void token(struct reading *r, enum xml_kind kind)
{
    struct xml *x = &r->xml;
    if (kind == XML_OPEN) {
        enum element e = element_of(x);
        r->leaf.is_odd = true; /* an element inside a text */
        r->path[x->depth] = (uint8_t)e;
        if (x->depth < 3)
            r->id[x->depth] = xml_attribute(x, SPAN("ID"));
        element_open(r, e);
    } else if (kind == XML_TEXT && r->leaf_depth == x->depth) {
        r->leaf.is_odd |= r->leaf.text.at != NULL;
        r->leaf.text = x->text;
    } else if (kind == XML_ODD) {
        r->leaf.is_odd = true;
    } else if (kind == XML_CLOSE && r->leaf_depth == x->depth) {
        leaf_close(r);
    }
}

int saml_read(struct span xml, struct saml *out)
{
    struct reading r = {.out = out};
    *out = (struct saml){.n_attributes = 0};
    xml_init(&r.xml, xml);
    enum xml_kind kind;
    for (kind = xml_next(&r.xml); kind != XML_END && kind != XML_BAD; kind = xml_next(&r.xml))
        token(&r, kind);
    bool is_bad = kind == XML_BAD || r.path[1] != RESPONSE;
    if (is_bad || r.is_full) {
        *out = (struct saml){.n_attributes = 0};
        return is_bad ? E_BAD : E_LIMIT;
    }
    out->is_ambiguous |= r.n_assertions && r.n_encrypted;
    if (out->is_ambiguous) {
        out->name_id = span_of(NULL, 0);
        out->n_attributes = 0;
    }
    return E_OK;
}

struct span saml_attribute(const struct saml *s, struct span name)
{
    const struct saml_attribute *hit = NULL;
    for (uint8_t i = 0; i < s->n_attributes; i++) {
        const struct saml_attribute *a = &s->attributes[i];
        if (!span_eq(a->name, name) && !(a->friendly.size && span_eq(a->friendly, name)))
            continue;
        if (hit)
            return span_of(NULL, 0);
        hit = a;
    }
    return hit ? hit->value : span_of(NULL, 0);
}
