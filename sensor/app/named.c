/* SPDX-License-Identifier: Apache-2.0
 * One sorted array of exact keys, one list of patterns. */
#include "app/named.h"

#include "app/template.h"
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define EXACT_MAX 262144u
#define PATTERNS_MAX 1024u
#define LINE_MAX_SIZE 1024
#define KEY_MAX 253      /* of a domain: RFC 1035, 2.3.4 */
#define CUSTOMER_MAX 160

enum kind { KIND_CASE, KIND_DOMAIN, KIND_PATTERN };

struct entry {
    enum kind kind;
    char *key, *customer;
};

struct entries {
    struct entry *at;
    size_t n;
};

struct named {
    struct entries exact, patterns; /* sorted by kind and key; in the order of the files */
    size_t n_domains;
};

struct named *named_new(void)
{
    return calloc(1, sizeof(struct named));
}

static void entries_free(struct entries *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->at[i].key);
        free(list->at[i].customer);
    }
    free(list->at);
}

void named_free(struct named *n)
{
    if (!n)
        return;
    entries_free(&n->exact);
    entries_free(&n->patterns);
    free(n);
}

static int order(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return strcmp(a->key, b->key);
}

struct place {
    const char *path;
    unsigned long line;
};

static int fail(const struct place *at, size_t column, const char *says, struct text *why)
{
    text_addf(why, "%s:%lu:%zu: %s", at->path, at->line, column + 1, says);
    return E_CONF;
}

/* Takes one value off the front: bare, or in quotes with "" for a quote. Its text goes to 'out', which has room for the
 * line. False when a quote does not end. */
static bool take_value(const char **rest, char *out)
{
    const char *at = *rest;
    while (*at == ' ' || *at == '\t')
        at++;
    bool is_quoted = *at == '"', is_closed = !is_quoted;
    at += is_quoted;
    while (*at && (is_quoted ? !is_closed : *at != ',')) {
        if (is_quoted && *at == '"' && at[1] != '"') {
            is_closed = true;
        } else {
            at += is_quoted && *at == '"';
            *out++ = *at;
        }
        at++;
    }
    while (*at && *at != ',')
        at++;
    *out = 0;
    *rest = *at ? at + 1 : at;
    return is_closed;
}

static void trim_end(char *text)
{
    size_t n = strlen(text);
    while (n && strchr(" \t\r\n", text[n - 1]))
        text[--n] = 0;
}

static bool is_domain(char *key)
{
    size_t dots = 0;
    for (char *c = key; *c; c++) {
        dots += *c == '.';
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
        bool is_star = *c == '*' && c == key && c[1] == '.';
        if (!is_star && *c != '.' && *c != '-' && !(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9'))
            return false;
    }
    return dots > 0;
}

static int add(struct entries *list, size_t max, const struct place *at, const struct entry *new, struct text *why)
{
    if (list->n == max)
        return fail(at, 0, new->kind == KIND_PATTERN ? "more than 1024 patterns of cases" : "more than 262144 lines", why);
    if (!(list->n & (list->n - 1))) {
        struct entry *more = realloc(list->at, (list->n ? 2 * list->n : 1) * sizeof *more);
        if (!more)
            return E_NOMEM;
        list->at = more;
    }
    struct entry *to = &list->at[list->n++]; /* named_free has it from here on */
    *to = (struct entry){new->kind, strdup(new->key), strdup(new->customer)};
    return to->key && to->customer ? E_OK : E_NOMEM;
}

static int read_line(struct named *n, const struct place *at, char *line, struct text *why)
{
    char value[3][LINE_MAX_SIZE];
    const char *rest = line;
    size_t column[3];
    trim_end(line);
    if (!*line || *line == '#')
        return E_OK;
    for (int i = 0; i < 3; i++) {
        column[i] = (size_t)(rest - line);
        if (!take_value(&rest, value[i]))
            return fail(at, column[i], "the quote does not end", why);
        trim_end(value[i]);
    }
    if (at->line == 1 && !strcmp(value[0], "kind"))
        return E_OK;
    bool is_case = !strcmp(value[0], "case");
    if (!is_case && strcmp(value[0], "domain") != 0)
        return fail(at, column[0], "expected 'case' or 'domain'", why);
    if (!*value[1] || strlen(value[1]) > KEY_MAX)
        return fail(at, column[1], is_case ? "expected a case or a pattern of cases" : "expected a domain", why);
    if (!is_case && !is_domain(value[1]))
        return fail(at, column[1], "no domain: name.example or *.name.example", why);
    if (!*value[2] || strlen(value[2]) > CUSTOMER_MAX)
        return fail(at, column[2], "expected the customer's name, at most 160 bytes", why);
    if (*rest)
        return fail(at, (size_t)(rest - line), "nothing is expected behind the customer", why);
    bool is_pattern = is_case && strpbrk(value[1], "*?");
    struct entry new = {is_pattern ? KIND_PATTERN : is_case ? KIND_CASE : KIND_DOMAIN, value[1], value[2]};
    n->n_domains += !is_case;
    return is_pattern ? add(&n->patterns, PATTERNS_MAX, at, &new, why) : add(&n->exact, EXACT_MAX, at, &new, why);
}

/* The same key with two customers: which of them holds is not known. */
static int settle(struct named *n, const char *path, struct text *why)
{
    if (n->exact.n)
        qsort(n->exact.at, n->exact.n, sizeof *n->exact.at, order);
    for (size_t i = 1; i < n->exact.n; i++) {
        const struct entry *a = &n->exact.at[i - 1], *b = &n->exact.at[i];
        if (order(a, b) == 0 && strcmp(a->customer, b->customer) != 0) {
            text_addf(why, "%s: '%s' has two customers: '%s' and '%s'", path, a->key, a->customer, b->customer);
            return E_CONF;
        }
    }
    return E_OK;
}

int named_read(struct named *n, const char *path, struct text *why)
{
    char line[LINE_MAX_SIZE];
    struct place at = {path, 0};
    FILE *f = fopen(path, "re");
    if (!f) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    int rc = E_OK;
    while (rc == E_OK && fgets(line, sizeof line, f)) {
        at.line++;
        if (strlen(line) == sizeof line - 1 && line[sizeof line - 2] != '\n')
            rc = fail(&at, 0, "longer than 1022 bytes", why);
        else
            rc = read_line(n, &at, line, why);
    }
    if (rc == E_OK && ferror(f)) {
        text_addf(why, "%s: %s", path, strerror(errno));
        rc = E_IO;
    }
    fclose(f);
    return rc ? rc : settle(n, path, why);
}

static struct span find_exact(const struct named *n, enum kind kind, struct span key)
{
    char text[KEY_MAX + 1];
    if (!n->exact.n || !key.size || key.size > KEY_MAX)
        return SPAN("");
    memcpy(text, key.at, key.size);
    text[key.size] = 0;
    struct entry wanted = {kind, text, NULL};
    const struct entry *hit = bsearch(&wanted, n->exact.at, n->exact.n, sizeof wanted, order);
    return hit ? span_text(hit->customer) : SPAN("");
}

struct span named_case(const struct named *n, struct span of_case)
{
    struct span found = find_exact(n, KIND_CASE, of_case);
    for (size_t i = 0; !found.size && of_case.size && i < n->patterns.n; i++)
        if (glob_match(span_text(n->patterns.at[i].key), of_case, false))
            found = span_text(n->patterns.at[i].customer);
    return found;
}

struct span named_domain(const struct named *n, struct span domain)
{
    char star[KEY_MAX + 1] = "*";
    struct span found = find_exact(n, KIND_DOMAIN, domain);
    for (size_t dot = span_find_byte(domain, '.', 0); !found.size && dot != SIZE_MAX && domain.size - dot < KEY_MAX;
         dot = span_find_byte(domain, '.', dot + 1)) {
        memcpy(star + 1, domain.at + dot, domain.size - dot);
        found = find_exact(n, KIND_DOMAIN, span_of(star, 1 + domain.size - dot));
    }
    return found;
}

size_t named_cases(const struct named *n)
{
    return n->exact.n + n->patterns.n - n->n_domains;
}

size_t named_domains(const struct named *n)
{
    return n->n_domains;
}
