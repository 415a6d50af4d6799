/* SPDX-License-Identifier: Apache-2.0
 * Prefixes in one array sorted by (address, length), each with the index of the prefix that encloses it: a binary search
 * finds the last one that begins at or before an address, and the chain outwards from there holds the longest match. */
#include "enrich/netlist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define NO_PARENT UINT32_MAX
#define LINE_MAX_SIZE 1024

struct net {
    struct prefix prefix;
    uint8_t class;
    uint8_t name_size;
    uint32_t name;   /* in 'names' */
    uint32_t order;  /* of addition */
    uint32_t parent; /* index of the enclosing prefix, or NO_PARENT */
};

struct netlist {
    struct net *nets;
    size_t n, max;
    struct text names;
    bool is_sorted;
};

struct netlist *netlist_new(void)
{
    struct netlist *l = calloc(1, sizeof *l);
    if (l)
        l->names.max = (size_t)NETLIST_MAX * NETLIST_NAME_MAX;
    return l;
}

void netlist_free(struct netlist *l)
{
    if (!l)
        return;
    free(l->nets);
    text_fini(&l->names);
    free(l);
}

/* Where 'name' stands in the names; lists repeat one name for many prefixes, so the last one is looked at first. */
static int add_name(struct netlist *l, struct span name, uint32_t *at)
{
    if (l->n > 0) {
        const struct net *last = &l->nets[l->n - 1];
        if (span_eq(span_sub(text_span(&l->names), last->name, last->name_size), name)) {
            *at = last->name;
            return E_OK;
        }
    }
    *at = (uint32_t)l->names.size;
    text_add(&l->names, name);
    return l->names.is_cut ? E_NOMEM : E_OK;
}

int netlist_add(struct netlist *l, const struct prefix *prefix, struct span name, uint8_t class)
{
    if (l->n == NETLIST_MAX)
        return E_LIMIT;
    if (l->n == l->max) {
        size_t max = l->max ? l->max * 2 : 64;
        void *grown = realloc(l->nets, max * sizeof *l->nets);
        if (!grown)
            return E_NOMEM;
        l->nets = grown;
        l->max = max;
    }
    struct net net = {.prefix = *prefix, .class = class, .order = (uint32_t)l->n, .parent = NO_PARENT};
    name = span_sub(name, 0, NETLIST_NAME_MAX);
    net.name_size = (uint8_t)name.size;
    int rc = add_name(l, name, &net.name);
    if (rc != E_OK)
        return rc;
    l->nets[l->n++] = net;
    l->is_sorted = false;
    return E_OK;
}

static int by_place(const void *left, const void *right)
{
    const struct net *a = left, *b = right;
    int order = memcmp(a->prefix.ip.bytes, b->prefix.ip.bytes, 16);
    if (order == 0)
        order = a->prefix.bits - b->prefix.bits;
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static bool is_inside(const struct net *inner, const struct net *outer)
{
    return outer->prefix.bits <= inner->prefix.bits && prefix_has(&outer->prefix, &inner->prefix.ip);
}

static void sort(struct netlist *l)
{
    l->is_sorted = true;
    if (l->n == 0)
        return;
    qsort(l->nets, l->n, sizeof *l->nets, by_place);
    size_t kept = 0;
    for (size_t i = 0; i < l->n; i++) { /* of equal prefixes the one added last stays */
        bool is_again = kept > 0 && l->nets[kept - 1].prefix.bits == l->nets[i].prefix.bits &&
                        ipaddr_eq(&l->nets[kept - 1].prefix.ip, &l->nets[i].prefix.ip);
        l->nets[is_again ? kept - 1 : kept++] = l->nets[i];
    }
    l->n = kept;
    for (size_t i = 0; i < l->n; i++) {
        uint32_t parent = i == 0 ? NO_PARENT : (uint32_t)(i - 1);
        while (parent != NO_PARENT && !is_inside(&l->nets[i], &l->nets[parent]))
            parent = l->nets[parent].parent;
        l->nets[i].parent = parent;
        l->nets[i].order = (uint32_t)i; /* what is added later comes after all of these */
    }
}

bool netlist_find(struct netlist *l, const struct ipaddr *ip, struct netlist_hit *hit)
{
    if (!l->is_sorted)
        sort(l);
    size_t low = 0, high = l->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(l->nets[middle].prefix.ip.bytes, ip->bytes, 16) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t at = low == 0 ? NO_PARENT : (uint32_t)(low - 1);
    while (at != NO_PARENT && !prefix_has(&l->nets[at].prefix, ip))
        at = l->nets[at].parent;
    if (at == NO_PARENT)
        return false;
    *hit = (struct netlist_hit){span_sub(text_span(&l->names), l->nets[at].name, l->nets[at].name_size),
                                l->nets[at].class};
    return true;
}

size_t netlist_size(const struct netlist *l)
{
    return l->n;
}

/* "lists/vpn.txt" -> "vpn" */
static struct span name_of_file(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct span name = span_text(slash ? slash + 1 : path);
    size_t dot = span_find_byte(name, '.', 1);
    return dot == SIZE_MAX ? name : span_sub(name, 0, dot);
}

static int add_line(struct netlist *l, struct span line, struct span default_name, uint8_t class)
{
    struct span text = span_trim(span_sub(line, 0, span_find_byte(line, '#', 0)));
    if (text.size == 0)
        return E_OK;
    size_t end = 0;
    while (end < text.size && text.at[end] != ' ' && text.at[end] != '\t')
        end++;
    struct prefix prefix;
    if (!prefix_parse(span_sub(text, 0, end), &prefix))
        return E_CONF;
    struct span name = span_trim(span_from(text, end));
    return netlist_add(l, &prefix, name.size ? name : default_name, class);
}

/* "FILE:LINE:COLUMN: expected ..., found ..." */
static void say_line(const char *path, unsigned number, const char *line, struct text *why)
{
    size_t from = strspn(line, " \t");
    size_t size = strcspn(line + from, " \t\r\n#");
    text_addf(why, "%s:%u:%zu: expected an address or prefix such as 198.51.100.0/24, found '", path, number, from + 1);
    for (size_t i = 0; i < size && i < 40; i++) {
        unsigned char c = (unsigned char)line[from + i];
        text_add_char(why, c >= ' ' && c < 0x7f ? (char)c : '?');
    }
    text_add_char(why, '\'');
}

static int add_lines(struct netlist *l, FILE *file, const char *path, uint8_t class, struct text *why)
{
    char line[LINE_MAX_SIZE];
    for (unsigned number = 1; fgets(line, sizeof line, file); number++) {
        if (!strchr(line, '\n') && !feof(file)) {
            text_addf(why, "%s:%u: line is longer than %d bytes", path, number, LINE_MAX_SIZE - 2);
            return E_CONF;
        }
        int rc = add_line(l, span_text(line), name_of_file(path), class);
        if (rc == E_CONF)
            say_line(path, number, line, why);
        else if (rc == E_LIMIT)
            text_addf(why, "%s:%u: more than %u prefixes in all lists", path, number, NETLIST_MAX);
        if (rc != E_OK)
            return rc == E_LIMIT ? E_CONF : rc;
    }
    if (!ferror(file))
        return E_OK;
    text_addf(why, "%s: %s", path, strerror(errno));
    return E_IO;
}

int netlist_add_file(struct netlist *l, const char *path, uint8_t class, struct text *why)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    size_t before = l->n;
    bool was_sorted = l->is_sorted;
    int rc = add_lines(l, file, path, class, why);
    fclose(file);
    if (rc != E_OK) {
        l->n = before;
        l->is_sorted = was_sorted;
    }
    return rc;
}
