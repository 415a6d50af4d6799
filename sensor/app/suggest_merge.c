/* SPDX-License-Identifier: Apache-2.0
 * Routes that are one: whatever took too many values at one place stands for any text from there on. */
#include "app/suggest_seen.h"

#define WORDS_MAX 32 /* different words at one place of an address */
#define FILES_MAX 3  /* different names at the last place of a file's address */

static bool is_alike(const struct seen_route *a, const struct seen_route *b)
{
    return a->host == b->host && strcmp(a->method, b->method) == 0 && strcmp(a->verbs, b->verbs) == 0 &&
           a->folded.n == b->folded.n;
}

static bool is_same_part(const struct seen_route *a, const struct seen_route *b, uint8_t i)
{
    return a->folded.size[i] == b->folded.size[i] && memcmp(a->folded.text[i], b->folded.text[i], a->folded.size[i]) == 0;
}

/* Whether they differ at most at place 'k'. */
static bool is_same_beside(const struct seen_route *a, const struct seen_route *b, uint8_t k)
{
    for (uint8_t i = 0; i < a->folded.n; i++)
        if (i != k && !is_same_part(a, b, i))
            return false;
    return true;
}

static void add_args(struct seen_route *to, const struct seen_route *from)
{
    for (uint8_t j = 0; j < from->n_args; j++) {
        uint8_t i = 0;
        while (i < to->n_args && strcmp(to->args[i].name, from->args[j].name) != 0)
            i++;
        if (i == SEEN_ARGS)
            return;
        if (i == to->n_args) {
            to->args[to->n_args++] = from->args[j];
            continue;
        }
        to->args[i].times += from->args[j].times;
        to->args[i].ids += from->args[j].ids;
        to->args[i].referred += from->args[j].referred;
    }
}

static void add_login(struct seen_login *to, const struct seen_login *from)
{
    if (!to->tries) {
        *to = *from;
        return;
    }
    to->tries += from->tries;
    to->refused += from->refused;
    to->redirected += from->redirected;
    to->back += from->back;
    to->pages += from->pages;
    to->with_cookie += from->with_cookie;
    to->page_with_cookie += from->page_with_cookie;
}

static void add(struct seen_route *to, const struct seen_route *from)
{
    to->requests += from->requests;
    to->ok += from->ok;
    to->refused += from->refused;
    to->pages += from->pages;
    to->json += from->json;
    to->files += from->files;
    to->whole += from->whole;
    to->bytes += from->bytes;
    to->largest = from->largest > to->largest ? from->largest : to->largest;
    to->referred += from->referred;
    to->by_key += from->by_key;
    to->uploads += from->uploads;
    to->removed += from->removed;
    to->changes += from->changes;
    to->saml += from->saml;
    to->id_token += from->id_token;
    for (size_t i = 0; i < sizeof to->creds / sizeof *to->creds; i++)
        to->creds[i] |= from->creds[i];
    if (!*to->upload)
        memcpy(to->upload, from->upload, sizeof to->upload);
    if (!*to->new_pass)
        memcpy(to->new_pass, from->new_pass, sizeof to->new_pass);
    add_login(&to->login, &from->login);
    add_args(to, from);
}

static void free_part(struct folded *f, uint8_t k, struct span any)
{
    memcpy(f->text[k], any.at, any.size);
    f->size[k] = (uint8_t)any.size;
    f->is_free[k] = true;
}

/* The rows that differ from row 'at' at place 'k' alone, when they are too many. */
static void fold_place(struct suggest *s, uint32_t at, uint8_t k)
{
    const struct seen_route like = s->routes[at];
    bool is_last = k + 1 == like.folded.n;
    uint32_t n = 0, files = 0;
    for (uint32_t i = 0; i < s->n_routes; i++) {
        const struct seen_route *r = &s->routes[i];
        if (!is_alike(r, &like) || r->folded.is_free[k] || !r->folded.size[k] || !is_same_beside(r, &like, k))
            continue;
        n++;
        files += r->files > 0;
    }
    bool is_files = is_last && files > FILES_MAX && files * 2 > n;
    if (n <= WORDS_MAX && !is_files)
        return;
    for (uint32_t i = 0; i < s->n_routes; i++) {
        struct seen_route *r = &s->routes[i];
        if (is_alike(r, &like) && !r->folded.is_free[k] && r->folded.size[k] && is_same_beside(r, &like, k))
            free_part(&r->folded, k, is_files ? SPAN("{file}") : SPAN("{text}"));
    }
}

/* Whether every address of 'b' is one of 'a'. */
static bool covers(const struct seen_route *a, const struct seen_route *b)
{
    if (!is_alike(a, b))
        return false;
    for (uint8_t i = 0; i < a->folded.n; i++)
        if (!is_same_part(a, b, i) && (!a->folded.is_free[i] || !b->folded.size[i]))
            return false;
    return true;
}

static bool is_one(const struct seen_route *a, const struct seen_route *b)
{
    return covers(a, b) && (covers(b, a) || (a->files && b->files));
}

void suggest_merge(struct suggest *s)
{
    for (uint32_t i = 0; i < s->n_routes; i++)
        for (uint8_t k = 1; k < s->routes[i].folded.n; k++)
            if (!s->routes[i].folded.is_free[k] && s->routes[i].folded.size[k])
                fold_place(s, i, k);
    for (uint32_t i = 0; i < s->n_routes; i++)
        for (uint32_t j = 0; j < s->n_routes;) {
            if (i == j || !is_one(&s->routes[i], &s->routes[j])) {
                j++;
                continue;
            }
            add(&s->routes[i], &s->routes[j]);
            s->routes[j] = s->routes[--s->n_routes];
            i = i == s->n_routes ? j : i; /* the row itself moved to where the other was */
        }
}
