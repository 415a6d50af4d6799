/* SPDX-License-Identifier: Apache-2.0
 * Reads the hops of forwarding fields in one pass, remembering the last few. */
#include "wire/forwarded.h"

#include "wire/param.h"

static bool read_port(struct span text, uint16_t *port)
{
    uint64_t number;
    *port = 0;
    if (text.size && text.at[0] == '_') /* an obfuscated port is allowed, and says nothing */
        return true;
    if (text.size > 5 || !span_u64(text, &number) || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool read_ip(struct span text, struct ipaddr *ip)
{
    return ipaddr_parse(span_sub(text, 0, span_find_byte(text, '%', 0)), ip);
}

struct forwarded_hop forwarded_node(struct span text)
{
    struct forwarded_hop hop = {.kind = FORWARDED_BAD};
    text = span_trim(param_inside(span_trim(text)));
    struct span address = text, port = {0};
    if (text.size && text.at[0] == '[') {
        size_t end = span_find_byte(text, ']', 0);
        address = span_sub(text, 1, end == SIZE_MAX ? 0 : end - 1);
        port = end == SIZE_MAX ? port : span_from(text, end + 1);
        if (port.size && port.at[0] != ':')
            return hop;
    } else {
        size_t colon = span_find_byte(text, ':', 0);
        /* more than one colon: IPv6 without brackets, as X-Forwarded-For usually has it */
        if (colon != SIZE_MAX && span_find_byte(text, ':', colon + 1) == SIZE_MAX) {
            address = span_sub(text, 0, colon);
            port = span_from(text, colon);
        }
    }
    if (port.size && !read_port(span_from(port, 1), &hop.port))
        return hop;
    if (read_ip(address, &hop.ip))
        hop.kind = FORWARDED_ADDRESS;
    else if (span_eq_nocase(address, SPAN("unknown")))
        hop.kind = FORWARDED_UNKNOWN;
    else if (address.size > 1 && address.at[0] == '_')
        hop.kind = FORWARDED_HIDDEN;
    if (hop.kind != FORWARDED_ADDRESS)
        hop.port = 0;
    return hop;
}

/* The "for" of one Forwarded element. */
static struct forwarded_hop element_hop(struct span element)
{
    struct span name, value;
    while (param_next(&element, &name, &value))
        if (span_eq_nocase(name, SPAN("for")))
            return forwarded_node(value);
    return (struct forwarded_hop){.kind = FORWARDED_UNKNOWN};
}

size_t forwarded_hops(const struct fields *fields, struct span name, struct forwarded_hop *hops, size_t max,
                      size_t *n_all)
{
    struct span last[FORWARDED_MAX]; /* ring */
    size_t n = 0;
    bool is_rfc = span_eq_nocase(name, SPAN("Forwarded"));
    uint16_t from = 0;
    if (max > FORWARDED_MAX)
        max = FORWARDED_MAX;
    for (const struct field *f; (f = fields_next(fields, name, &from)) != NULL;) {
        struct span rest = f->value, part;
        while (is_rfc ? param_split(&rest, ',', &part) : span_split(&rest, ',', &part)) {
            part = span_trim(part);
            if (part.size) /* empty list members are to be ignored (RFC 9110, 5.6.1) */
                last[n++ % FORWARDED_MAX] = part;
        }
    }
    size_t count = n < max ? n : max;
    for (size_t i = 0; i < count; i++) {
        struct span part = last[(n - 1 - i) % FORWARDED_MAX];
        hops[i] = is_rfc ? element_hop(part) : forwarded_node(part);
    }
    if (n_all)
        *n_all = n;
    return count;
}
