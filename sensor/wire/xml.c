/* SPDX-License-Identifier: Apache-2.0
 * One token after the other; names stay spans of the document. */
#include "wire/xml.h"

void xml_init(struct xml *x, struct span document)
{
    x->uri = x->local = x->text = span_of(NULL, 0);
    x->depth = x->n_bindings = x->n_attributes = 0;
    x->has_root = x->is_closing = x->is_empty = x->is_bad = false;
    if (span_starts(document, SPAN("\xef\xbb\xbf")))
        document = span_from(document, 3);
    x->left = document;
}

static enum xml_kind bad(struct xml *x)
{
    x->is_bad = true;
    x->left = span_of(NULL, 0);
    return XML_BAD;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct span *s)
{
    while (s->size && is_space(s->at[0]))
        *s = span_from(*s, 1);
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || c == ':' || c >= 0x80;
}

/* A name off the front; empty when there is none. */
static struct span take_name(struct span *s)
{
    size_t size = 0;
    while (size < s->size && is_name_byte(s->at[size]))
        size++;
    struct span name = span_sub(*s, 0, size);
    bool is_good = size && name.at[0] != '-' && name.at[0] != '.' && !(name.at[0] >= '0' && name.at[0] <= '9');
    *s = span_from(*s, size);
    return is_good ? name : span_of(NULL, 0);
}

/* "prefix:local" in two; false when a half is empty or there are three. */
static bool split_name(struct span name, struct span *prefix, struct span *local)
{
    size_t colon = span_find_byte(name, ':', 0);
    *prefix = colon == SIZE_MAX ? SPAN("") : span_sub(name, 0, colon);
    *local = colon == SIZE_MAX ? name : span_from(name, colon + 1);
    bool is_bare = colon == SIZE_MAX;
    return local->size && (is_bare || prefix->size) && span_find_byte(*local, ':', 0) == SIZE_MAX;
}

static bool bind(struct xml *x, struct span prefix, struct span uri)
{
    if (x->n_bindings == XML_BINDINGS || span_find_byte(uri, '&', 0) != SIZE_MAX || (prefix.size && !uri.size))
        return false;
    x->bindings[x->n_bindings++] = (struct xml_binding){prefix, uri, x->depth};
    return true;
}

static bool resolve(const struct xml *x, struct span prefix, struct span *uri)
{
    for (size_t i = x->n_bindings; i-- > 0;)
        if (span_eq(x->bindings[i].prefix, prefix)) {
            *uri = x->bindings[i].uri;
            return true;
        }
    *uri = SPAN("");
    return prefix.size == 0 || span_eq(prefix, SPAN("xml"));
}

/* name = "value" off the front. */
static bool take_attribute(struct span *s, struct xml_pair *out)
{
    out->name = take_name(s);
    skip_space(s);
    if (!out->name.size || !s->size || s->at[0] != '=')
        return false;
    *s = span_from(*s, 1);
    skip_space(s);
    if (!s->size || (s->at[0] != '"' && s->at[0] != '\''))
        return false;
    size_t end = span_find_byte(*s, s->at[0], 1);
    if (end == SIZE_MAX)
        return false;
    out->value = span_sub(*s, 1, end - 1);
    *s = span_from(*s, end + 1);
    return span_find_byte(out->value, '<', 0) == SIZE_MAX;
}

static bool attribute_add(struct xml *x, struct xml_pair pair)
{
    struct span prefix, local;
    if (x->n_attributes == XML_ATTRIBUTES || !split_name(pair.name, &prefix, &local))
        return false;
    for (uint8_t i = 0; i < x->n_attributes; i++)
        if (span_eq(x->attributes[i].name, pair.name))
            return false;
    x->attributes[x->n_attributes++] = pair;
    if (span_eq(pair.name, SPAN("xmlns")))
        return bind(x, SPAN(""), pair.value);
    return !span_eq(prefix, SPAN("xmlns")) || bind(x, local, pair.value);
}

/* All that stands in a start tag behind its name; *left is behind its '>'. */
static bool take_attributes(struct xml *x, struct span *left)
{
    x->n_attributes = 0;
    for (;;) {
        size_t before = left->size;
        skip_space(left);
        bool has_space = left->size < before;
        if (!left->size)
            return false;
        x->is_empty = left->at[0] == '/';
        if (x->is_empty || left->at[0] == '>') {
            bool is_whole = !x->is_empty || (left->size > 1 && left->at[1] == '>');
            *left = span_from(*left, x->is_empty ? 2 : 1);
            return is_whole;
        }
        struct xml_pair pair;
        if (!has_space || !take_attribute(left, &pair) || !attribute_add(x, pair))
            return false;
    }
}

static enum xml_kind take_open(struct xml *x)
{
    struct span left = span_from(x->left, 1), name = take_name(&left), prefix;
    if (!name.size || x->depth == XML_DEPTH || (x->depth == 0 && x->has_root) || !split_name(name, &prefix, &x->local))
        return bad(x);
    x->open[x->depth++] = name;
    x->has_root = true;
    if (!take_attributes(x, &left) || !resolve(x, prefix, &x->uri))
        return bad(x);
    x->left = left;
    return XML_OPEN;
}

static enum xml_kind take_close(struct xml *x)
{
    struct span left = span_from(x->left, 2), name = take_name(&left);
    skip_space(&left);
    if (!left.size || left.at[0] != '>' || x->depth == 0 || !span_eq(name, x->open[x->depth - 1]))
        return bad(x);
    x->left = span_from(left, 1);
    x->is_closing = true;
    return XML_CLOSE;
}

/* What begins with 'head' and ends with 'tail'. */
static bool take_odd(struct xml *x, struct span head, struct span tail)
{
    size_t end = span_starts(x->left, head) ? span_find(x->left, tail, head.size) : SIZE_MAX;
    if (end != SIZE_MAX)
        x->left = span_from(x->left, end + tail.size);
    return end != SIZE_MAX;
}

static enum xml_kind take_text(struct xml *x)
{
    size_t end = span_find_byte(x->left, '<', 0);
    x->text = span_sub(x->left, 0, end);
    x->left = end == SIZE_MAX ? span_of(NULL, 0) : span_from(x->left, end);
    if (x->depth == 0 && span_trim(x->text).size)
        return bad(x);
    return XML_TEXT;
}

static void sink(struct xml *x)
{
    x->depth--;
    while (x->n_bindings && x->bindings[x->n_bindings - 1].depth > x->depth)
        x->n_bindings--;
    x->is_closing = false;
}

enum xml_kind xml_next(struct xml *x)
{
    if (x->is_bad)
        return XML_BAD;
    if (x->is_closing)
        sink(x);
    if (x->is_empty) { /* the end of an empty element tag */
        x->is_empty = false;
        x->is_closing = true;
        return XML_CLOSE;
    }
    if (!x->left.size)
        return x->has_root && x->depth == 0 ? XML_END : bad(x);
    if (x->left.at[0] != '<')
        return take_text(x);
    if (x->left.size < 2)
        return bad(x);
    if (x->left.at[1] == '/')
        return take_close(x);
    if (x->left.at[1] != '!' && x->left.at[1] != '?')
        return take_open(x);
    bool is_odd = take_odd(x, SPAN("<?"), SPAN("?>")) || take_odd(x, SPAN("<!--"), SPAN("-->")) ||
                  (x->depth && take_odd(x, SPAN("<![CDATA["), SPAN("]]>")));
    return is_odd ? XML_ODD : bad(x);
}

struct span xml_attribute(const struct xml *x, struct span name)
{
    for (uint8_t i = 0; i < x->n_attributes; i++)
        if (span_eq(x->attributes[i].name, name))
            return x->attributes[i].value.at ? x->attributes[i].value : SPAN("");
    return span_of(NULL, 0);
}

/* The size of a character reference at the front, '&' and ';' included; 0 when it is none. */
static size_t reference(struct span s)
{
    static const struct span named[] = {SPAN("&amp;"), SPAN("&lt;"), SPAN("&gt;"), SPAN("&quot;"), SPAN("&apos;")};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (span_starts(s, named[i]))
            return named[i].size;
    bool is_hex = s.size > 2 && s.at[2] == 'x';
    size_t from = is_hex ? 3 : 2, at = from;
    if (s.size < 4 || s.at[1] != '#')
        return 0;
    for (; at < s.size && at < from + 7; at++) {
        uint8_t c = s.at[at], low = c | 0x20;
        if (!(c >= '0' && c <= '9') && !(is_hex && low >= 'a' && low <= 'f'))
            break;
    }
    return at > from && at < s.size && s.at[at] == ';' ? at + 1 : 0;
}

bool xml_text_is_plain(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.at[i];
        if (c < ' ' || c == 0x7f)
            return false;
        if (c != '&')
            continue;
        size_t size = reference(span_from(text, i));
        if (!size)
            return false;
        i += size - 1;
    }
    return true;
}
