/* SPDX-License-Identifier: Apache-2.0
 * Rows of a list, as they come. */
#include "app/listing.h"

#include "app/extract.h"

#define NO_ELEMENT UINT32_MAX
#define ID_MAX 100

void listing_init(struct listing *l, const struct route *route)
{
    l->route = route;
    l->element = NO_ELEMENT;
    l->id_size = l->name_size = l->domain_size = l->next_size = l->size = 0;
    l->has_next = false;
    l->lost = 0;
}

static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.size; i++)
        if (s.at[i] < ' ' || s.at[i] == 0x7f)
            return false;
    return s.size > 0;
}

static bool is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

size_t listing_domain(struct span text, uint8_t *out, size_t max)
{
    size_t at = span_find_byte(text, '@', 0), n = 0;
    bool has_dot = false;
    if (at == SIZE_MAX || at == 0)
        return 0;
    struct span rest = span_from(text, at + 1);
    while (n < rest.size && is_host_byte(rest.at[n]))
        n++;
    while (n && rest.at[n - 1] == '.') /* the end of a sentence */
        n--;
    if (n == 0 || n > max || rest.at[0] == '.' || rest.at[0] == '-')
        return 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = rest.at[i];
        has_dot |= c == '.';
        out[i] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }
    return has_dot ? n : 0;
}

/* --- lines --- */

static void put(uint8_t *line, size_t *size, struct span bytes)
{
    if (bytes.size)
        memcpy(line + *size, bytes.at, bytes.size);
    *size += bytes.size;
}

static void add_line(struct listing *l, struct span line)
{
    if (span_find(span_of(l->lines, l->size), line, 0) != SIZE_MAX)
        return; /* a page often links one file twice */
    if (line.size > (size_t)(LISTING_BYTES - l->size)) {
        l->lost++;
        return;
    }
    memcpy(l->lines + l->size, line.at, line.size);
    l->size = (uint16_t)(l->size + line.size);
}

static void add_object(struct listing *l, struct span id, struct span name)
{
    uint8_t plain[LISTING_VALUE], line[2 * LISTING_VALUE + 4];
    struct span file = span_of(plain, extract_decode(DECODE_URL, name, plain, sizeof plain));
    size_t size = 0;
    if (!is_plain(id) || id.size > ID_MAX)
        return;
    put(line, &size, SPAN("o"));
    put(line, &size, id);
    if (is_plain(file)) {
        put(line, &size, SPAN("\t"));
        put(line, &size, file);
    }
    put(line, &size, SPAN("\n"));
    add_line(l, span_of(line, size));
}

static void add_case(struct listing *l)
{
    uint8_t line[ID_MAX + LISTING_VALUE + LISTING_DOMAIN + 4];
    struct span id = span_of(l->id, l->id_size), name = span_of(l->name, l->name_size);
    size_t size = 0;
    if (!is_plain(id) || id.size > ID_MAX || (!is_plain(name) && !l->domain_size))
        return;
    put(line, &size, SPAN("c"));
    put(line, &size, id);
    put(line, &size, SPAN("\t"));
    put(line, &size, is_plain(name) ? name : SPAN(""));
    put(line, &size, SPAN("\t"));
    put(line, &size, span_of(l->domain, l->domain_size));
    put(line, &size, SPAN("\n"));
    add_line(l, span_of(line, size));
}

/* --- rows --- */

static bool is_cases(const struct listing *l)
{
    return l->route && l->route->cases[LIST_CASE].n;
}

static void flush(struct listing *l)
{
    if (l->id_size && is_cases(l))
        add_case(l);
    else if (l->id_size)
        add_object(l, span_of(l->id, l->id_size), span_of(l->name, l->name_size));
    l->id_size = l->name_size = l->domain_size = 0;
}

/* The first of a row stands. */
static void keep(uint8_t *to, uint16_t *size, struct span value)
{
    if (*size)
        return;
    *size = (uint16_t)(value.size < LISTING_VALUE ? value.size : LISTING_VALUE);
    if (*size)
        memcpy(to, value.at, *size);
}

static void keep_column(struct listing *l, enum list_column column, struct span value)
{
    if (column == LIST_CASE)
        keep(l->id, &l->id_size, value);
    else if (column == LIST_CUSTOMER)
        keep(l->name, &l->name_size, value);
    else if (!l->domain_size)
        l->domain_size = (uint16_t)listing_domain(value, l->domain, sizeof l->domain);
}

/* Which column of the list of cases it is, and its value as the profile wants it. */
static bool read_column(const struct listing *l, unsigned slot, struct span *value, enum list_column *column)
{
    static const struct span names[LIST_COLUMNS] = {SPAN("case"), SPAN("customer"), SPAN("requestor")};
    for (unsigned i = 0; l->route && i < LIST_COLUMNS; i++) {
        const struct sources *s = &l->route->cases[i];
        if (!s->n || s->list[0].slot != (int8_t)slot)
            continue;
        *value = span_trim(s->list[0].as ? pattern_take(s->list[0].as, *value, names[i]) : *value);
        *column = (enum list_column)i;
        return true;
    }
    return false;
}

void listing_json(struct listing *l, unsigned slot, uint32_t element, struct span value)
{
    enum list_column column = LIST_CASE;
    if (element != l->element)
        flush(l);
    l->element = element;
    if (is_cases(l)) {
        if (read_column(l, slot, &value, &column))
            keep_column(l, column, value);
        return;
    }
    bool is_name = l->route && l->route->object_names == (int8_t)slot;
    if (is_name ? l->name_size : l->id_size)
        flush(l); /* several in one element: a message with two files */
    keep(is_name ? l->name : l->id, is_name ? &l->name_size : &l->id_size, value);
}

void listing_text(struct listing *l, unsigned slot, struct span value)
{
    enum list_column column = LIST_CASE;
    if (is_cases(l)) {
        if (!read_column(l, slot, &value, &column))
            return;
        if (column == LIST_CASE) {
            l->next_size = 0;
            keep(l->next, &l->next_size, value);
            l->has_next = true;
        } else {
            uint8_t plain[LISTING_VALUE];
            enum decode how = (enum decode)l->route->case_decode[column];
            keep_column(l, column, span_of(plain, extract_decode(how, value, plain, sizeof plain)));
        }
        return;
    }
    const struct pattern *as = l->route && l->route->objects.n ? l->route->objects.list[0].as : NULL;
    struct span id = as ? pattern_take(as, value, SPAN("object")) : value;
    add_object(l, span_trim(id), as ? span_trim(pattern_take(as, value, SPAN("file"))) : SPAN(""));
}

bool listing_turn(struct listing *l)
{
    if (!l->has_next)
        return false;
    flush(l);
    keep(l->id, &l->id_size, span_of(l->next, l->next_size));
    l->has_next = false;
    return true;
}

void listing_gap(struct listing *l)
{
    flush(l);
    l->element = NO_ELEMENT;
    l->has_next = false;
}

void listing_end(struct listing *l)
{
    flush(l);
    l->element = NO_ELEMENT;
}
