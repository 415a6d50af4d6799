/* SPDX-License-Identifier: Apache-2.0
 * Profile files to compiled profiles: the file's head, its tell-tales and sessions, the table of routes. */
#include "app/profile.h"

#include "app/profile_rules.h"
#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void *profile_keep(struct profile *p, size_t size)
{
    if (p->n_blocks % 64 == 0) {
        void **grown = realloc(p->blocks, (p->n_blocks + 64) * sizeof *grown);
        if (!grown)
            return NULL;
        p->blocks = grown;
    }
    void *block = calloc(1, size ? size : 1);
    if (block)
        p->blocks[p->n_blocks++] = block;
    return block;
}

void profile_free(struct profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_blocks; i++)
        free(p->blocks[i]);
    free(p->blocks);
    yaml_close(p->yaml);
    free(p);
}

struct span node_span(const struct yaml_node *node)
{
    return node && node->kind == YAML_SCALAR ? span_of(node->scalar, node->scalar_size) : span_of(NULL, 0);
}

int node_scalar(const struct yaml_node *node, struct text *why)
{
    if (node->kind != YAML_SCALAR || node->scalar_size == 0)
        return yaml_fail(node, why, "expected a text");
    return E_OK;
}

size_t node_count(const struct yaml_node *node)
{
    size_t n = 0;
    if (!node)
        return 0;
    if (node->kind != YAML_LIST)
        return 1;
    for (const struct yaml_node *m = node->child; m; m = m->next)
        n++;
    return n;
}

const struct yaml_node *node_first(const struct yaml_node *node)
{
    return node && node->kind == YAML_LIST ? node->child : node;
}

int template_load(struct profile *p, const struct yaml_node *node, struct template **out, struct text *why)
{
    int rc = node_scalar(node, why);
    if (rc)
        return rc;
    const char *reason = "";
    *out = profile_keep(p, sizeof **out);
    if (!*out)
        return E_NOMEM;
    if (template_compile(node_span(node), *out, &reason))
        return yaml_fail(node, why, "'%s' is no path template: %s", node->scalar, reason);
    return E_OK;
}

static int tell_load(struct profile *p, const struct yaml_node *node, struct tell *out, struct text *why)
{
    static const char *const keys[] = {"cookie", "header", "response_header", "contains", "path", NULL};
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *what = node->child;
    if (!what)
        return yaml_fail(node, why, "expected one of cookie, header, response_header, path");
    const struct yaml_node *contains = yaml_get(node, "contains");
    rc = node_scalar(what, why);
    if (rc)
        return rc;
    out->name = node_span(what);
    out->value = contains ? node_span(contains) : SPAN("");
    if (!strcmp(what->key, "path")) {
        out->kind = TELL_PATH;
        return template_load(p, what, &out->path, why);
    }
    if (!strcmp(what->key, "contains"))
        return yaml_fail(what, why, "'contains' comes after header or response_header");
    out->kind = !strcmp(what->key, "cookie")   ? TELL_COOKIE
                : !strcmp(what->key, "header") ? TELL_HEADER
                                               : TELL_RESPONSE_HEADER;
    return E_OK;
}

static int tells_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    size_t n = node_count(node);
    p->tells = profile_keep(p, n * sizeof *p->tells);
    if (!p->tells)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && p->n_tells < n; m = m->next) {
        int rc = tell_load(p, m, &p->tells[p->n_tells++], why);
        if (rc)
            return rc;
    }
    return E_OK;
}

static int sessions_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    size_t n = node_count(node);
    if (n > 32)
        return yaml_fail(node, why, "at most 32 kinds of session");
    p->sessions = profile_keep(p, n * sizeof *p->sessions);
    if (!p->sessions)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && p->n_sessions < n; m = m->next) {
        int rc = session_load(p, m, &p->sessions[p->n_sessions++], why);
        if (rc)
            return rc;
    }
    return E_OK;
}

static int login_pages_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    size_t n = node_count(node);
    if (n > 16)
        return yaml_fail(node, why, "at most 16 login pages");
    p->login_pages = profile_keep(p, n * sizeof *p->login_pages);
    if (!p->login_pages)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && p->n_login_pages < n; m = m->next) {
        struct template *one;
        int rc = template_load(p, m, &one, why);
        if (rc)
            return rc;
        p->login_pages[p->n_login_pages++] = *one;
    }
    return E_OK;
}

/* Names of hosts it is served under: added to the declared ones when all profiles are there. */
static int hosts_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    size_t n = node_count(node);
    if (n > 16)
        return yaml_fail(node, why, "at most 16 hosts");
    p->hosts = profile_keep(p, n * sizeof *p->hosts);
    if (!p->hosts)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && p->n_hosts < n; m = m->next) {
        int rc = node_scalar(m, why);
        struct span name = node_span(m);
        size_t star = span_find_byte(name, '*', 0);
        if (!rc && star != SIZE_MAX && (!span_starts(name, SPAN("*.")) || span_find_byte(name, '*', 1) != SIZE_MAX))
            rc = yaml_fail(m, why, "'%s' is no host: a name or *.domain", m->scalar);
        if (rc)
            return rc;
        p->hosts[p->n_hosts++] = name;
    }
    return E_OK;
}

static int mounts_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    size_t n = node_count(node);
    if (n > 16)
        return yaml_fail(node, why, "at most 16 mounts");
    p->mounts = profile_keep(p, n * sizeof *p->mounts);
    if (!p->mounts)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && p->n_mounts < n; m = m->next) {
        int rc = node_scalar(m, why);
        struct span path = node_span(m);
        if (!rc && (path.at[0] != '/' || path.size < 2 || span_find_byte(path, '/', 1) != SIZE_MAX))
            rc = yaml_fail(m, why, "'%s' is no mount: one segment, like /desk", m->scalar);
        if (rc)
            return rc;
        p->mounts[p->n_mounts++] = span_from(path, 1);
    }
    return E_OK;
}

static int separator_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    if (!span_eq(node_span(node), SPAN(";")))
        return yaml_fail(node, why, "expected ';', which then separates arguments as '&' does");
    p->is_semicolon = true;
    return E_OK;
}

static int bucket_add(struct profile *p, struct span first)
{
    for (uint16_t i = 1; i < p->n_buckets; i++)
        if (span_eq(p->buckets[i].first, first))
            return E_OK;
    p->buckets[p->n_buckets++].first = first;
    return E_OK;
}

/* Every bucket lists its routes in the file's order, those that begin with a capture in each of them. */
static int buckets_fill(struct profile *p)
{
    p->buckets = profile_keep(p, (p->n_routes + 1u) * sizeof *p->buckets);
    if (!p->buckets)
        return E_NOMEM;
    p->n_buckets = 1;
    for (uint16_t i = 0; i < p->n_routes; i++)
        if (template_first(&p->routes[i].path).at)
            bucket_add(p, template_first(&p->routes[i].path));
    for (uint16_t b = 0; b < p->n_buckets; b++) {
        struct route_bucket *bucket = &p->buckets[b];
        bucket->routes = profile_keep(p, (p->n_routes + 1u) * sizeof *bucket->routes);
        if (!bucket->routes)
            return E_NOMEM;
        for (uint16_t i = 0; i < p->n_routes; i++) {
            struct span first = template_first(&p->routes[i].path);
            if (!first.at || (b && span_eq(first, bucket->first)))
                bucket->routes[bucket->n++] = i;
        }
    }
    return E_OK;
}

static int routes_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    if (node->kind != YAML_LIST)
        return yaml_fail(node, why, "expected a list of routes");
    size_t n = node_count(node);
    if (n > 1000)
        return yaml_fail(node, why, "at most 1000 routes");
    p->routes = profile_keep(p, n * sizeof *p->routes);
    if (!p->routes)
        return E_NOMEM;
    for (const struct yaml_node *m = node->child; m; m = m->next) {
        int rc = route_load(p, m, &p->routes[p->n_routes], why);
        if (rc)
            return rc;
        for (uint16_t i = 0; i < p->n_routes; i++)
            if (span_eq(p->routes[i].name, p->routes[p->n_routes].name))
                return yaml_fail(m, why, "a route of this name stands in line %u", p->routes[i].at->line);
        p->n_routes++;
    }
    return E_OK;
}

static int head_load(struct profile *p, const struct yaml_node *root, struct text *why)
{
    const struct yaml_node *name = yaml_get(root, "profile"), *status = yaml_get(root, "status");
    if (!name)
        return yaml_fail(root, why, "'profile' (the name) is missing");
    int rc = node_scalar(name, why);
    if (rc)
        return rc;
    p->name = node_span(name);
    for (size_t i = 0; i < p->name.size; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", p->name.at[i]))
            return yaml_fail(name, why, "a profile's name has only a-z, 0-9, '-' and '_'");
    p->title = yaml_get(root, "title") ? node_span(yaml_get(root, "title")) : p->name;
    p->status = node_span(status);
    if (!status || (!span_eq(p->status, SPAN("verified")) && !span_eq(p->status, SPAN("documentation"))))
        return yaml_fail(status ? status : root, why, "'status' must be verified or documentation");
    return E_OK;
}

static int signed_in_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    struct sources *all = &p->signed_in, *heads = &p->signed_in_heads;
    int rc = sources_load(p, NULL, node, "user", all, why);
    heads->list = rc ? NULL : profile_keep(p, all->n * sizeof *heads->list);
    if (rc || !heads->list)
        return rc ? rc : E_NOMEM;
    for (uint8_t i = 0; i < all->n; i++) {
        p->signed_in_slots |= source_slots(&all->list[i]);
        if (all->list[i].kind == SOURCE_RESPONSE_HEADER)
            heads->list[heads->n++] = all->list[i];
    }
    return E_OK;
}

static int acts_for_load(struct profile *p, const struct yaml_node *node, struct text *why)
{
    int rc = sources_load(p, NULL, node, "acts_for", &p->acts_for, why);
    for (uint8_t i = 0; !rc && i < p->acts_for.n; i++)
        if (source_is_late(&p->acts_for.list[i]))
            rc = yaml_fail(node, why, "here only what stands in every request's head: header, query, cookie");
    return rc;
}

int profile_compile(struct yaml *yaml, struct profile **out, struct text *why)
{
    static const char *const keys[] = {"profile", "title", "status", "about", "hosts", "mounts", "separator", "tells",
                                       "sessions", "signed_in", "acts_for", "login_pages", "routes", NULL};
    struct profile *p = calloc(1, sizeof *p);
    if (!p) {
        yaml_close(yaml);
        return E_NOMEM;
    }
    p->yaml = yaml;
    const struct yaml_node *root = yaml_root(yaml);
    int rc = yaml_check_keys(root, keys, why);
    if (!rc)
        rc = head_load(p, root, why);
    if (!rc && yaml_get(root, "hosts"))
        rc = hosts_load(p, yaml_get(root, "hosts"), why);
    if (!rc && yaml_get(root, "mounts"))
        rc = mounts_load(p, yaml_get(root, "mounts"), why);
    if (!rc && yaml_get(root, "separator"))
        rc = separator_load(p, yaml_get(root, "separator"), why);
    if (!rc && yaml_get(root, "tells"))
        rc = tells_load(p, yaml_get(root, "tells"), why);
    if (!rc && yaml_get(root, "sessions"))
        rc = sessions_load(p, yaml_get(root, "sessions"), why);
    if (!rc && yaml_get(root, "login_pages"))
        rc = login_pages_load(p, yaml_get(root, "login_pages"), why);
    if (!rc && yaml_get(root, "signed_in"))
        rc = signed_in_load(p, yaml_get(root, "signed_in"), why);
    if (!rc && yaml_get(root, "acts_for"))
        rc = acts_for_load(p, yaml_get(root, "acts_for"), why);
    if (!rc && yaml_get(root, "routes"))
        rc = routes_load(p, yaml_get(root, "routes"), why);
    if (!rc)
        rc = buckets_fill(p);
    if (rc) {
        profile_free(p);
        return rc;
    }
    *out = p;
    return E_OK;
}

static int profile_add(struct profiles *all, struct yaml *yaml, struct text *why)
{
    struct profile *one;
    int rc = profile_compile(yaml, &one, why);
    if (rc)
        return rc;
    for (size_t i = 0; i < all->n; i++)
        if (span_eq(all->list[i]->name, one->name)) {
            rc = yaml_fail(yaml_root(one->yaml), why, "profile '%.*s' is also in %s", (int)one->name.size,
                           (const char *)one->name.at, yaml_root(all->list[i]->yaml)->file);
            profile_free(one);
            return rc;
        }
    struct profile **grown = realloc(all->list, (all->n + 1) * sizeof *grown);
    if (!grown) {
        profile_free(one);
        return E_NOMEM;
    }
    all->list = grown;
    all->list[all->n++] = one;
    return E_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct profile *x = *(struct profile *const *)a, *y = *(struct profile *const *)b;
    return strcmp((const char *)x->name.at, (const char *)y->name.at);
}

static int host_add(struct profiles *p, size_t profile, const char *host)
{
    bool is_suffix = host[0] == '*' && host[1] == '.';
    struct declared_host *grown = realloc(p->declared, (p->n_declared + 1) * sizeof *grown);
    char *copy = strdup(is_suffix ? host + 1 : host);
    if (grown)
        p->declared = grown;
    if (!grown || !copy) {
        free(copy);
        return E_NOMEM;
    }
    p->declared[p->n_declared++] = (struct declared_host){copy, is_suffix, (uint16_t)profile};
    return E_OK;
}

static int field_tells_collect(struct profiles *all)
{
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        n += all->list[i]->n_tells;
    if (!(all->field_tells = calloc(n + 1, sizeof *all->field_tells)))
        return E_NOMEM;
    for (size_t i = 0; i < all->n; i++)
        for (uint16_t k = 0; k < all->list[i]->n_tells; k++)
            if (all->list[i]->tells[k].kind == TELL_RESPONSE_HEADER)
                all->field_tells[all->n_field_tells++] = (struct field_tell){&all->list[i]->tells[k], (uint16_t)i};
    return E_OK;
}

/* Sorts, and sees to it that there is a 'generic' one. */
static int profiles_finish(struct profiles *all, struct text *why)
{
    bool has = false;
    for (size_t i = 0; i < all->n; i++)
        has |= span_eq(all->list[i]->name, SPAN("generic"));
    if (!has) {
        struct yaml *y;
        int rc = yaml_parse("built-in", SPAN("profile: generic\nstatus: verified\n"), &y, why);
        rc = rc ? rc : profile_add(all, y, why);
        if (rc)
            return rc;
    }
    qsort(all->list, all->n, sizeof *all->list, by_name);
    for (size_t i = 0; i < all->n; i++)
        for (uint8_t k = 0; k < all->list[i]->n_hosts; k++) {
            int rc = host_add(all, i, (const char *)all->list[i]->hosts[k].at);
            if (rc)
                return rc;
        }
    for (size_t i = 0; i < all->n; i++)
        if (span_eq(all->list[i]->name, SPAN("generic")))
            all->generic = i;
    return field_tells_collect(all);
}

static int is_profile_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size > 5 && !strcmp(entry->d_name + size - 5, ".yaml");
}

int profiles_load(const char *directory, struct profiles **out, struct text *why)
{
    struct dirent **names = NULL;
    int n = scandir(directory, &names, is_profile_file, alphasort);
    struct profiles *all = calloc(1, sizeof *all);
    int rc = !all ? E_NOMEM : n < 0 ? E_IO : E_OK;
    if (rc == E_IO)
        text_addf(why, "%s: %s", directory, strerror(errno));
    if (!rc && n == 0) {
        text_addf(why, "%s: no profile (*.yaml) in this directory", directory);
        rc = E_IO;
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct yaml *y;
        if (!rc && snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name) >= (int)sizeof path)
            rc = E_LIMIT;
        if (!rc)
            rc = yaml_load(path, &y, why);
        if (!rc)
            rc = profile_add(all, y, why);
        free(names[i]);
    }
    free(names);
    rc = rc ? rc : profiles_finish(all, why);
    if (rc) {
        profiles_free(all);
        return rc;
    }
    *out = all;
    return E_OK;
}

int profiles_parse(const char *name, struct span content, struct profiles **out, struct text *why)
{
    struct profiles *all = calloc(1, sizeof *all);
    struct yaml *y;
    int rc = all ? yaml_parse(name, content, &y, why) : E_NOMEM;
    rc = rc ? rc : profile_add(all, y, why);
    rc = rc ? rc : profiles_finish(all, why);
    if (rc) {
        profiles_free(all);
        return rc;
    }
    *out = all;
    return E_OK;
}

int profiles_declare(struct profiles *p, const char *name, const char *host, struct text *why)
{
    size_t at = 0;
    while (at < p->n && !span_eq(p->list[at]->name, span_text(name)))
        at++;
    if (at == p->n) {
        const char **names = calloc(p->n + 1, sizeof *names);
        for (size_t i = 0; names && i < p->n; i++)
            names[i] = (const char *)p->list[i]->name.at;
        const char *nearest = names ? yaml_nearest(name, names) : NULL;
        text_addf(why, "no profile is called '%s'%s%s%s", name, nearest ? " (did you mean '" : "",
                  nearest ? nearest : "", nearest ? "'?)" : "");
        free(names);
        return E_NONE;
    }
    return host_add(p, at, host);
}

void profiles_hold(struct profiles *p)
{
    atomic_fetch_add_explicit(&p->users, 1, memory_order_relaxed);
}

bool profiles_are_used(const struct profiles *p)
{
    return atomic_load_explicit(&p->users, memory_order_acquire) > 0;
}

void profiles_free(struct profiles *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n; i++)
        profile_free(p->list[i]);
    for (size_t i = 0; i < p->n_declared; i++)
        free(p->declared[i].host);
    free(p->declared);
    free(p->field_tells);
    free(p->list);
    free(p);
}

size_t profiles_count(const struct profiles *p)
{
    return p->n;
}

const char *profiles_name(const struct profiles *p, size_t i)
{
    return i < p->n ? (const char *)p->list[i]->name.at : NULL;
}

const char *profiles_status(const struct profiles *p, size_t i)
{
    return i < p->n ? (const char *)p->list[i]->status.at : NULL;
}

size_t profiles_routes(const struct profiles *p, size_t i)
{
    return i < p->n ? p->list[i]->n_routes : 0;
}

size_t profiles_unseen(const struct profiles *p, size_t i)
{
    size_t n = 0, all = profiles_routes(p, i);
    for (size_t k = 0; k < all; k++)
        n += p->list[i]->routes[k].is_unseen;
    return all && !span_eq(p->list[i]->status, SPAN("verified")) ? all : n;
}

const char *profiles_route(const struct profiles *p, size_t i, size_t k)
{
    return k < profiles_routes(p, i) ? (const char *)p->list[i]->routes[k].name.at : NULL;
}
