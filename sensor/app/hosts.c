/* SPDX-License-Identifier: Apache-2.0
 * Hosts and their applications. */
#include "app/hosts.h"

#include "base/hash.h"
#include "base/map.h"
#include "wire/cookie.h"

#include <stdio.h>
#include <stdlib.h>

#define HOST_MAX 96
#define LINES 256
#define LINE_MAX_SIZE 224

/* How well it is known. */
enum strength { UNKNOWN, BY_CLIENT, BY_SERVER, DECLARED };

struct host_key {
    uint8_t hash[16];
};

struct host {
    uint16_t profile;
    uint8_t strength;
};

struct line {
    struct host_key key;
    char text[LINE_MAX_SIZE];
};

struct hosts {
    const struct profiles *profiles;
    struct map *known, *servers;
    struct line *lines; /* sorted by text */
    size_t n_lines;
    /* the host asked for last: most requests are for one and the same */
    size_t last_size;
    uint8_t last[HOST_MAX]; /* as it was written */
    char last_name[HOST_MAX];
    struct host_key last_key;
};

struct hosts *hosts_new(const struct profiles *profiles, uint32_t max)
{
    struct hosts *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->profiles = profiles;
    h->known = map_new(sizeof(struct host_key), sizeof(struct host), max, 0);
    h->servers = map_new(sizeof(struct ipaddr), 1, max, 0);
    h->lines = calloc(LINES, sizeof *h->lines);
    if (!h->known || !h->servers || !h->lines) {
        hosts_free(h);
        return NULL;
    }
    return h;
}

void hosts_free(struct hosts *h)
{
    if (!h)
        return;
    if (h->known)
        map_free(h->known);
    if (h->servers)
        map_free(h->servers);
    free(h->lines);
    free(h);
}

static bool declare_the_same(const struct profiles *a, const struct profiles *b)
{
    bool is_same = a->n_declared == b->n_declared;
    for (size_t i = 0; is_same && i < a->n_declared; i++)
        is_same = a->declared[i].is_suffix == b->declared[i].is_suffix && strcmp(a->declared[i].host, b->declared[i].host) == 0 &&
                  span_eq(a->list[a->declared[i].profile]->name, b->list[b->declared[i].profile]->name);
    return is_same;
}

/* To the place of the same name in another set; where it is gone, nothing is known of the host. */
static void move(struct host *host, const struct profiles *was, const struct profiles *now)
{
    for (size_t i = 0; i < now->n; i++)
        if (span_eq(was->list[host->profile]->name, now->list[i]->name)) {
            host->profile = (uint16_t)i;
            return;
        }
    *host = (struct host){.profile = (uint16_t)now->generic, .strength = UNKNOWN};
}

void hosts_swap(struct hosts *h, const struct profiles *profiles)
{
    bool is_kept = declare_the_same(h->profiles, profiles);
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    while (map_walk(h->known, &at, &key, &value)) {
        if (is_kept)
            move(value, h->profiles, profiles);
        else
            map_remove(h->known, key); /* found again by its next request */
    }
    h->profiles = profiles;
}

/* The host's name in lower case; the server's address when the request named none. */
static struct span host_name(struct hosts *h, struct view *v, struct host_key *key)
{
    struct span host = v->t->host.size ? v->t->host : view_url(v)->host;
    if (!host.size) {
        struct span name = span_text(ipaddr_text(&v->t->server.ip, h->last_name));
        h->last_size = 0;
        hash128(name, 0, key->hash);
        return name;
    }
    if (host.size > 1 && host.at[host.size - 1] == '.')
        host = span_sub(host, 0, host.size - 1); /* fully qualified: the same host */
    host = span_sub(host, 0, HOST_MAX);
    if (!span_eq(host, span_of(h->last, h->last_size))) {
        for (size_t i = 0; i < host.size; i++)
            h->last_name[i] = (char)(host.at[i] >= 'A' && host.at[i] <= 'Z' ? host.at[i] | 0x20 : host.at[i]);
        memcpy(h->last, host.at, host.size);
        h->last_size = host.size;
        hash128(span_of(h->last_name, host.size), 0, h->last_key.hash);
    }
    *key = h->last_key;
    return span_of(h->last_name, host.size);
}

static bool declared_is(const struct declared_host *d, struct span name)
{
    struct span want = span_text(d->host);
    if (!d->is_suffix)
        return span_eq_nocase(want, name);
    return name.size > want.size && span_eq_nocase(want, span_from(name, name.size - want.size));
}

static struct host *host_find(struct hosts *h, struct span name, const struct host_key *key)
{
    bool is_new;
    struct host *host = map_touch(h->known, key, &is_new);
    if (!is_new)
        return host;
    host->profile = (uint16_t)h->profiles->generic;
    for (size_t i = h->profiles->n_declared; i-- > 0;) /* what the operator says comes last, and wins */
        if (declared_is(&h->profiles->declared[i], name)) {
            host->profile = h->profiles->declared[i].profile;
            host->strength = DECLARED;
            break;
        }
    return host;
}

static bool sent_cookie(struct view *v, struct span glob)
{
    const struct request_head *head = view_request(v);
    for (uint8_t i = 0; i < head->n_cookies; i++) {
        struct span rest = head->cookies[i], name, value;
        while (cookie_next(&rest, &name, &value))
            if (glob_match(glob, name, false))
                return true;
    }
    return false;
}

static bool set_cookie(struct view *v, struct span glob)
{
    struct cookie_set set;
    const struct response_head *head = view_response(v);
    for (uint8_t i = 0; i < head->n_cookies; i++)
        if (cookie_set_parse(head->cookies[i], &set) && glob_match(glob, set.name, false))
            return true;
    return false;
}

static bool has_field(const struct fields *fields, const struct tell *tell)
{
    for (uint16_t i = 0; i < fields->n; i++) {
        const struct field *f = &fields->list[i];
        if (span_eq_nocase(f->name, tell->name) && span_find_nocase(f->value, tell->value, 0) != SIZE_MAX)
            return true;
    }
    return false;
}

static bool client_tells(struct view *v, const struct profile *p, const struct tell *tell)
{
    struct captures captures;
    switch (tell->kind) {
    case TELL_COOKIE:
        return sent_cookie(v, tell->name);
    case TELL_PATH:
        return template_match(tell->path, view_path_in(v, p), &captures);
    case TELL_HEADER:
        return has_field(&v->t->request_fields, tell);
    default:
        return false;
    }
}

static bool server_tells(struct view *v, const struct tell *tell)
{
    if (tell->kind == TELL_COOKIE)
        return set_cookie(v, tell->name);
    return tell->kind == TELL_RESPONSE_HEADER && has_field(&v->t->response_fields, tell);
}

/* The same as tell_find of an answer that sets no cookie, as most are. */
static size_t field_tell_find(const struct hosts *h, struct view *v, const struct tell **which)
{
    const struct fields *fields = &v->t->response_fields;
    uint64_t sizes = 0; /* of their names: rules most tell-tales out */
    for (uint16_t i = 0; i < fields->n; i++)
        sizes |= 1ULL << (fields->list[i].name.size & 63);
    for (size_t i = 0; i < h->profiles->n_field_tells; i++) {
        const struct field_tell *one = &h->profiles->field_tells[i];
        if ((sizes >> (one->tell->name.size & 63) & 1) && has_field(fields, one->tell)) {
            *which = one->tell;
            return one->profile;
        }
    }
    return SIZE_MAX;
}

/* The first profile one of whose tell-tales is there; its index, or SIZE_MAX. */
static size_t tell_find(const struct hosts *h, struct view *v, bool by_server, const struct tell **which)
{
    if (by_server && !view_response(v)->n_cookies)
        return field_tell_find(h, v, which);
    for (size_t i = 0; i < h->profiles->n; i++) {
        const struct profile *p = h->profiles->list[i];
        for (uint16_t k = 0; k < p->n_tells; k++)
            if (by_server ? server_tells(v, &p->tells[k]) : client_tells(v, p, &p->tells[k])) {
                *which = &p->tells[k];
                return i;
            }
    }
    return SIZE_MAX;
}

static void line_set(struct hosts *h, const struct host_key *key, const char *text)
{
    size_t at = 0;
    while (at < h->n_lines && memcmp(h->lines[at].key.hash, key->hash, sizeof key->hash) != 0)
        at++;
    if (at < h->n_lines)
        memmove(&h->lines[at], &h->lines[at + 1], (--h->n_lines - at) * sizeof *h->lines);
    if (h->n_lines == LINES)
        return;
    for (at = 0; at < h->n_lines && strcmp(h->lines[at].text, text) < 0;)
        at++;
    memmove(&h->lines[at + 1], &h->lines[at], (h->n_lines++ - at) * sizeof *h->lines);
    h->lines[at].key = *key;
    snprintf(h->lines[at].text, sizeof h->lines[at].text, "%s", text);
}

static void bind(struct hosts *h, struct host *host, struct span name, const struct host_key *key, size_t profile,
                 enum strength strength, const struct tell *tell)
{
    static const char *const kinds[] = {"cookie", "response field", "path", "field"};
    char text[LINE_MAX_SIZE];
    host->profile = (uint16_t)profile;
    host->strength = (uint8_t)strength;
    for (size_t i = 0; i < name.size; i++)
        if (name.at[i] <= ' ' || name.at[i] >= 0x7f)
            return; /* not fit to be shown */
    const struct profile *p = h->profiles->list[profile];
    snprintf(text, sizeof text, "%.*s is %.*s: %s %.*s%s", (int)name.size, (const char *)name.at, (int)p->name.size,
             (const char *)p->name.at, kinds[tell->kind], (int)(tell->name.size < 60 ? tell->name.size : 60),
             (const char *)tell->name.at, strength == BY_CLIENT ? " (asked for, and answered)" : "");
    line_set(h, key, text);
}

const struct profile *hosts_request(struct hosts *h, struct view *v)
{
    struct host_key key;
    struct span name = host_name(h, v, &key);
    struct host *host = host_find(h, name, &key);
    const struct tell *tell;
    if (host->strength == UNKNOWN) {
        size_t found = tell_find(h, v, false, &tell);
        if (found != SIZE_MAX)
            return h->profiles->list[found];
    }
    return h->profiles->list[host->profile];
}

const struct profile *hosts_response(struct hosts *h, struct view *v)
{
    struct host_key key;
    struct span name = host_name(h, v, &key);
    struct host *host = host_find(h, name, &key);
    const struct tell *tell = NULL;
    size_t found = SIZE_MAX;
    if (host->strength < BY_SERVER && (found = tell_find(h, v, true, &tell)) != SIZE_MAX)
        bind(h, host, name, &key, found, BY_SERVER, tell);
    else if (host->strength == UNKNOWN && v->t->status && v->t->status < 400 &&
             (found = tell_find(h, v, false, &tell)) != SIZE_MAX)
        bind(h, host, name, &key, found, BY_CLIENT, tell);
    if (host->profile != h->profiles->generic) {
        bool is_new;
        (void)map_touch(h->servers, &v->t->server.ip, &is_new);
    }
    return h->profiles->list[host->profile];
}

bool hosts_serves(const struct hosts *h, const struct ipaddr *server)
{
    return map_find(h->servers, server) != NULL;
}

static bool is_declared(const struct hosts *h, struct span name)
{
    for (size_t i = 0; i < h->profiles->n_declared; i++)
        if (declared_is(&h->profiles->declared[i], name))
            return true;
    return false;
}

/* Of a host that requests were read of. */
static const struct host *seen(const struct hosts *h, struct span name)
{
    uint8_t lower[HOST_MAX];
    struct host_key key;
    if (!name.size || name.size > sizeof lower)
        return NULL;
    hash128(span_lower(name, lower, sizeof lower), 0, key.hash);
    return map_find(h->known, &key);
}

bool hosts_serves_name(const struct hosts *h, struct span name)
{
    const struct host *host = seen(h, name);
    return name.size && (is_declared(h, name) || (host && host->profile != h->profiles->generic));
}

bool hosts_is_closed(const struct hosts *h, struct span name)
{
    return name.size && is_declared(h, name) && !seen(h, name);
}

const char *hosts_assumption(const struct hosts *h, size_t i)
{
    return i < h->n_lines ? h->lines[i].text : NULL;
}

void hosts_how(const struct hosts *h, struct view *v, struct text *out)
{
    struct span name = v->t->host.size ? v->t->host : view_url(v)->host;
    const struct host *host = seen(h, name);
    if (!host || h->profiles->list[host->profile] != v->profile) {
        text_add_str(out, "this request's own tell-tale, not taken for the host's");
        return;
    }
    if (host->strength == DECLARED) {
        text_add_str(out, "declared, or named by the profile");
        return;
    }
    for (size_t i = 0; i < h->n_lines; i++) {
        const char *line = h->lines[i].text, *how = strstr(line, ": ");
        if (how && span_starts_nocase(span_text(line), name) && strncmp(line + name.size, " is ", 4) == 0) {
            text_add_str(out, how + 2);
            return;
        }
    }
    text_add_str(out, "no tell-tale of any profile was seen");
}

uint64_t hosts_evicted(const struct hosts *h)
{
    return map_evicted(h->known);
}
