/* SPDX-License-Identifier: Apache-2.0
 * Walks an XML 1.0 document (with Namespaces in XML 1.0) that lies in memory, strictly and without allocation: elements
 * must nest and close, prefixes must be bound, attributes must be unique; a document type declaration is refused, so there
 * are no entities but the five of XML itself. For documents somebody is named by: what is odd is an error, not guessed. */
#ifndef WIRE_XML_H
#define WIRE_XML_H

#include "base/span.h"

#define XML_DEPTH 32      /* of elements inside each other */
#define XML_BINDINGS 48   /* prefixes in force at one place */
#define XML_ATTRIBUTES 24 /* of one element */

enum xml_kind {
    XML_END,   /* the document is over, and whole */
    XML_OPEN,  /* a start tag: 'uri', 'local', xml_attribute(), 'depth' is its own (the root's is 1) */
    XML_CLOSE, /* its end; of an empty element tag as well. 'depth' is still its own */
    XML_TEXT,  /* a run of characters, references undecoded */
    XML_ODD,   /* a comment, a processing instruction, or a CDATA section */
    XML_BAD,   /* malformed, cut, or beyond the limits above: nothing more comes */
};

struct xml_pair {
    struct span name, value; /* as written */
};

struct xml_binding {
    struct span prefix, uri;
    uint8_t depth; /* of the element that declares it */
};

struct xml {
    struct span uri, local, text; /* of the token; uri is empty where no namespace is */
    uint8_t depth;

    struct span left;
    bool has_root, is_closing, is_empty, is_bad; /* closing: the depth sinks before the next token */
    uint8_t n_bindings, n_attributes;
    struct span open[XML_DEPTH]; /* names of the elements that are open, as written */
    struct xml_binding bindings[XML_BINDINGS];
    struct xml_pair attributes[XML_ATTRIBUTES];
};

void xml_init(struct xml *x, struct span document);
enum xml_kind xml_next(struct xml *x);
/* The value of the start tag's attribute that is called so and has no prefix; at == NULL when there is none. */
struct span xml_attribute(const struct xml *x, struct span name);
/* Whether a run of text has no reference but &amp; &lt; &gt; &quot; &apos; and &#...;, and no control characters. */
bool xml_text_is_plain(struct span text);

#endif
