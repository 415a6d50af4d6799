/* SPDX-License-Identifier: Apache-2.0
 * Who a SAML 2.0 response names (OASIS saml-core-2.0-os, sections 2 and 3.2.2), read as a suspicious service provider
 * would: by the place an element stands in, not by its name alone. No signature is verified, so everything by which two
 * readers could see two people (XML signature wrapping, a comment inside a name, two of what there is one of) leaves the
 * response without a name. Nothing is copied: all spans borrow the document. */
#ifndef WIRE_SAML_H
#define WIRE_SAML_H

#include "base/span.h"

#define SAML_ATTRIBUTES 32

struct saml_attribute {
    struct span name, friendly; /* Name and FriendlyName, as written */
    struct span value;          /* of the one AttributeValue; at == NULL when it is none, several, or no plain text */
};

struct saml {
    /* character references undecoded; at == NULL when there is none */
    struct span name_id;   /* of the assertion's subject; none when its Format is transient (8.3.8) */
    struct span issuer;    /* of the assertion, else of the response */
    bool is_signed;        /* response or assertion carries a signature whose reference is to itself */
    bool is_encrypted;     /* assertion, subject or attributes are */
    bool is_ambiguous;     /* nobody is named: name_id and attributes are empty */
    uint8_t n_attributes;  /* of 'attributes' */
    struct saml_attribute attributes[SAML_ATTRIBUTES];
};

/* Reads a samlp:Response. E_BAD when it is none or is malformed; E_LIMIT when it has more attributes than fit. Then *out
 * is empty. */
int saml_read(struct span xml, struct saml *out);
/* The value of the one attribute with this Name or FriendlyName; at == NULL when there is none, or several. */
struct span saml_attribute(const struct saml *s, struct span name);

#endif
