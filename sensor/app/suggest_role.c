/* SPDX-License-Identifier: Apache-2.0
 * What each route that was seen may be, and in which order they stand: more special addresses before more general ones. */
#include "app/suggest_draft.h"

#include <stdlib.h>

bool draft_says_case(struct span name)
{
    return suggest_has(name, (const char *const[]){"ticket", "case", "issue", "incident", "request", "conversation", "bug", NULL});
}

struct span draft_part_of(const struct seen_route *r, uint8_t k)
{
    return span_of(r->folded.text[k], r->folded.size[k]);
}

bool draft_is_captured(const struct seen_route *r, uint8_t k)
{
    return span_find_byte(draft_part_of(r, k), '{', 0) != SIZE_MAX;
}

bool draft_is_secret_part(const struct seen_route *r, uint8_t k)
{
    return span_find(draft_part_of(r, k), SPAN("{secret}"), 0) != SIZE_MAX;
}

bool draft_is_file_part(const struct seen_route *r, uint8_t k)
{
    return span_find(draft_part_of(r, k), SPAN("{file}"), 0) != SIZE_MAX;
}

/* Where the case stands in a path: behind a word that says so; of a page also the only id, or the last. -1: nowhere. */
int draft_case_part(const struct seen_route *r, bool is_page)
{
    int last = -1;
    for (uint8_t k = 0; k < r->folded.n; k++) {
        if (!draft_is_captured(r, k) || draft_is_file_part(r, k) || draft_is_secret_part(r, k))
            continue;
        bool is_named = (k && !draft_is_captured(r, k - 1u) && draft_says_case(draft_part_of(r, k - 1u))) ||
                        draft_says_case(draft_part_of(r, k));
        if (is_named)
            return k;
        last = k;
    }
    return is_page ? last : -1;
}

/* The argument that says which case a page shows, or NULL. */
const struct seen_arg *draft_case_arg(const struct seen_route *r)
{
    const struct seen_arg *best = NULL;
    for (uint8_t i = 0; i < r->n_args; i++) {
        const struct seen_arg *a = &r->args[i];
        bool is_likely = a->ids * 10 >= a->times * 9 && a->times * 2 >= r->requests &&
                         (draft_says_case(span_text(a->name)) || suggest_has(span_text(a->name), (const char *const[]){"id", NULL}));
        if ((a->referred || is_likely) && (!best || a->referred > best->referred))
            best = a;
    }
    return best;
}

static bool is_download(const struct seen_route *r)
{
    return r->files && r->files > 4 * (r->pages + r->json);
}

static bool has_case_word(const struct seen_route *r)
{
    for (uint8_t k = 0; k < r->folded.n; k++)
        if (draft_says_case(draft_part_of(r, k)))
            return true;
    const struct seen_arg *a = draft_case_arg(r);
    return (a && draft_says_case(span_text(a->name))) || draft_says_case(span_text(r->verbs));
}

/* 'is_known': of this host pages are known from which files were fetched; others are parts of them. */
static bool is_view(const struct seen_route *r, bool is_known)
{
    uint8_t last = (uint8_t)(r->folded.n - 1);
    bool has_id = draft_case_arg(r) || (r->folded.n && draft_case_part(r, true) >= 0);
    bool is_end = r->folded.n && draft_case_part(r, false) == last;
    if (strcmp(r->method, "GET") != 0 || !has_id)
        return false;
    return r->referred || (r->pages > r->json ? !is_known && has_case_word(r) : r->json && is_end);
}

static bool path_has(const struct seen_route *r, const char *const *words)
{
    for (uint8_t k = 0; k < r->folded.n; k++)
        if (suggest_has(draft_part_of(r, k), words))
            return true;
    return suggest_has(span_text(r->verbs), words);
}

/* The files of a case, told apart from the case by the last word. */
static bool is_files(const struct seen_route *r)
{
    static const char *const words[] = {"attachments", "files", "documents", NULL};
    uint8_t last = (uint8_t)(r->folded.n - 1);
    return strcmp(r->method, "GET") == 0 && r->json && r->folded.n && draft_case_part(r, false) >= 0 && !draft_is_captured(r, last) &&
           suggest_has(draft_part_of(r, last), words);
}

static bool is_search(const struct seen_route *r)
{
    for (uint8_t i = 0; i < r->n_args; i++)
        if ((r->pages || r->json) && r->args[i].times * 2 > r->requests &&
            (span_eq_nocase(span_text(r->args[i].name), SPAN("q")) || span_eq_nocase(span_text(r->args[i].name), SPAN("query"))))
            return true;
    return (r->pages || r->json) && path_has(r, (const char *const[]){"search", "query", NULL});
}

static bool is_list(const struct seen_route *r)
{
    if (strcmp(r->method, "GET") != 0 || !(r->pages || r->json) || !r->folded.n)
        return false;
    return !draft_is_captured(r, (uint8_t)(r->folded.n - 1)) &&
           suggest_has(draft_part_of(r, (uint8_t)(r->folded.n - 1)), (const char *const[]){"tickets", "cases", "issues", "incidents", "requests",
                                                                                       "queue", NULL});
}

static bool is_logout(const struct seen_route *r)
{
    bool is_word = path_has(r, (const char *const[]){"logout", "signout", "sign_out", "sign-out", "logoff", NULL});
    return is_word || (r->removed * 2 > r->requests && !r->login.tries);
}

static size_t literal_of(const struct seen_route *r)
{
    size_t n = 0;
    for (uint8_t k = 0; k < r->folded.n; k++) {
        bool is_in = false;
        n++;
        for (uint8_t i = 0; i < r->folded.size[k]; i++) {
            char c = r->folded.text[k][i];
            is_in |= c == '{';
            n += !is_in && c != '*';
            is_in &= c != '}';
        }
    }
    return n;
}

static void draft_add(struct draft *d, const struct seen_route *r, enum role role)
{
    if (d->n == ROUTES_MAX) {
        d->cut++;
        return;
    }
    d->list[d->n++] = (struct draft_route){r, role, literal_of(r)};
}

/* Whether it is one; the last of the list, which has no conditions on bodies, at most once. */
static void classify(struct draft *d, const struct seen_route *r)
{
    bool has_id = draft_case_arg(r) || draft_case_part(r, true) >= 0;
    if (r->login.tries)
        draft_add(d, r, LOGIN);
    if (r->saml)
        draft_add(d, r, SAML);
    if (r->id_token)
        draft_add(d, r, ID_TOKEN);
    if (r->changes)
        draft_add(d, r, PASSWORD);
    if (r->uploads)
        draft_add(d, r, UPLOAD);
    if (is_logout(r))
        draft_add(d, r, LOGOUT);
    else if (is_download(r))
        draft_add(d, r, DOWNLOAD);
    else if (is_view(r, d->has_referred))
        draft_add(d, r, VIEW);
    else if (is_files(r))
        draft_add(d, r, FILES);
    else if (is_search(r))
        draft_add(d, r, SEARCH);
    else if (is_list(r))
        draft_add(d, r, LIST);
    else if (r->json && r->by_key * 2 > r->requests)
        draft_add(d, r, API);
    if (r->referred && has_id && d->n_pages < CASE_PAGES && !is_download(r))
        d->pages[d->n_pages++] = r;
}

static int by_address(const struct seen_route *a, const struct seen_route *b)
{
    char left[FOLD_TEXT + 1], right[FOLD_TEXT + 1];
    left[fold_write(&a->folded, left)] = 0;
    right[fold_write(&b->folded, right)] = 0;
    int order = strcmp(left, right);
    order = order ? order : strcmp(b->verbs, a->verbs); /* those without verbs last */
    return order ? order : strcmp(a->method, b->method);
}

static int by_order(const void *left, const void *right)
{
    const struct draft_route *a = left, *b = right;
    bool fixed_a = a->role <= LOGOUT, fixed_b = b->role <= LOGOUT;
    if (a->literal != b->literal)
        return a->literal < b->literal ? 1 : -1;
    if (!*a->r->verbs != !*b->r->verbs)
        return *a->r->verbs ? -1 : 1;
    if (fixed_a != fixed_b)
        return fixed_a ? -1 : 1;
    int order = by_address(a->r, b->r);
    return order ? order : (int)a->role - (int)b->role;
}

void draft_routes(struct draft *d)
{
    const struct suggest *s = d->s;
    for (uint32_t i = 0; i < s->n_routes; i++)
        d->has_referred |= s->routes[i].host == d->host && s->routes[i].referred && !is_download(&s->routes[i]);
    for (uint32_t i = 0; i < s->n_routes; i++)
        if (s->routes[i].host == d->host)
            classify(d, &s->routes[i]);
    qsort(d->list, d->n, sizeof *d->list, by_order);
}
