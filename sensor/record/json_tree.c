/* SPDX-License-Identifier: Apache-2.0
 * Paths through what jansson has read. */
#include "record/json_tree.h"

#include "base/err.h"
#include "base/hex.h"
#include "base/times.h"

int tree_open(struct tree *t, struct span line, struct text *why)
{
    json_error_t error;
    *t = (struct tree){.why = why};
    t->root = json_loadb((const char *)line.at, line.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (!t->root) {
        text_addf(why, "column %d: %s", error.column, error.text);
        return E_BAD;
    }
    if (!json_is_object(t->root))
        tree_complain(t, "line", "expected an object");
    return E_OK;
}

void tree_close(struct tree *t)
{
    json_decref(t->root);
    t->root = NULL;
}

void tree_complain(struct tree *t, const char *path, const char *what)
{
    if (!t->is_bad)
        text_addf(t->why, "%s: %s", path, what);
    t->is_bad = true;
}

json_t *tree_find(const struct tree *t, const char *path)
{
    json_t *at = t->root;
    while (at && *path) {
        size_t size = strcspn(path, ".");
        at = json_object_getn(at, path, size);
        path += size + (path[size] == '.');
    }
    return at;
}

struct span tree_text(struct tree *t, const char *path)
{
    json_t *hit = tree_find(t, path);
    if (!hit)
        return span_of(NULL, 0);
    if (!json_is_string(hit)) {
        tree_complain(t, path, "expected a string");
        return span_of(NULL, 0);
    }
    return span_of(json_string_value(hit), json_string_length(hit));
}

bool tree_number(struct tree *t, const char *path, uint64_t max, uint64_t *value)
{
    json_t *hit = tree_find(t, path);
    *value = 0;
    if (!hit)
        return false;
    json_int_t n = json_is_integer(hit) ? json_integer_value(hit) : -1;
    if (n < 0 || (uint64_t)n > max) {
        tree_complain(t, path, "expected a whole number in range");
        return false;
    }
    *value = (uint64_t)n;
    return true;
}

uint64_t tree_number_or_0(struct tree *t, const char *path, uint64_t max)
{
    uint64_t value;
    return tree_number(t, path, max, &value) ? value : 0;
}

bool tree_hex(struct tree *t, const char *path, uint8_t *out, size_t size)
{
    struct span s = tree_text(t, path);
    if (!s.at)
        return false;
    if (hex_bytes(s, out, size))
        return true;
    tree_complain(t, path, "expected hexadecimal digits");
    return false;
}

int tree_name(struct tree *t, const char *path, const char *(*name)(int), int n)
{
    struct span s = tree_text(t, path);
    for (int i = 0; s.at && i < n; i++)
        if (name(i) && span_eq(s, span_text(name(i))))
            return i;
    return s.at ? -1 : 0;
}

void tree_ip(struct tree *t, const char *path, struct ipaddr *out)
{
    struct span s = tree_text(t, path);
    if (s.at && !ipaddr_parse(s, out))
        tree_complain(t, path, "expected an IP address");
}

void tree_time(struct tree *t, const char *path, uint64_t *out)
{
    struct span s = tree_text(t, path);
    if (!s.at || !time_parse(s, out))
        tree_complain(t, path, "expected an RFC 3339 time");
}
