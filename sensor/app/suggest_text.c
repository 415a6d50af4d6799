/* SPDX-License-Identifier: Apache-2.0
 * The draft: what was collected, in the language of profiles. More special addresses stand before more general ones, as
 * the first route that fits takes a request. */
#include "app/suggest_draft.h"

#include "base/err.h"

#include <math.h>
#include <stdlib.h>

#define LEFT_MAX 20  /* routes that were not drafted, shown */
#define HOSTS_SHOWN 10

static const char *const role_names[ROLES] = {"login", "saml", "id-token", "password", "upload", "logout", "file", "case", "files", "search",
                                              "list", "api"};
static const char *const role_actions[ROLES] = {"login", "login", "login", "password_change", "upload", "logout", "download",
                                                "view_case", "list_files", "search", "list", "api_call"};
static void put_quoted(struct text *out, struct span s)
{
    text_add_char(out, '\'');
    for (size_t i = 0; i < s.size; i++) {
        if (s.at[i] == '\'')
            text_add_char(out, '\'');
        text_add_char(out, (char)s.at[i]);
    }
    text_add_char(out, '\'');
}

static void put_key(struct text *out, const char *before, const char *name, const char *after)
{
    text_add_str(out, before);
    put_quoted(out, span_text(name));
    text_add_str(out, after);
}

/* Names of a template's captures by their places. */
struct naming {
    int case_at, object_at, file_at;
};

static struct naming name_captures(const struct seen_route *r, enum role role)
{
    struct naming n = {draft_case_part(r, role == VIEW && !draft_case_arg(r)), -1, -1};
    for (uint8_t k = 0; k < r->folded.n; k++) {
        if (!draft_is_captured(r, k) || (int)k == n.case_at || draft_is_secret_part(r, k))
            continue;
        if (role == DOWNLOAD && draft_is_file_part(r, k))
            n.file_at = k;
        else if (role == DOWNLOAD)
            n.object_at = k;
    }
    return n;
}

/* One segment: "ticket-{n}.html" with the capture's name; several captures become one. */
static void put_part(struct text *out, struct span part, const char *name)
{
    size_t open = span_find_byte(part, '{', 0), close = part.size;
    if (open == SIZE_MAX) {
        text_add(out, part);
        return;
    }
    while (close > open && part.at[close - 1] != '}')
        close--;
    text_add(out, span_sub(part, 0, open));
    text_addf(out, "{%s}", name);
    text_add(out, span_from(part, close));
}

static void put_template(struct text *out, const struct seen_route *r, const struct naming *names, bool is_case_only)
{
    struct text path = {0};
    unsigned n = 0;
    bool has_secret = false;
    for (uint8_t k = 0; k < r->folded.n; k++) {
        static const char *const others[] = {"part1", "part2", "part3"};
        bool is_secret = draft_is_secret_part(r, k) && !has_secret;
        const char *name = (int)k == names->case_at     ? "case"
                           : (int)k == names->object_at ? "object"
                           : (int)k == names->file_at   ? "file"
                           : is_secret                  ? "secret"
                           : n < 3                      ? others[n]
                                                        : NULL;
        bool is_other = draft_is_captured(r, k) && (!name || name == others[n < 3 ? n : 0]);
        text_add_char(&path, '/');
        if (is_other && (is_case_only || !name || draft_is_secret_part(r, k))) {
            text_add_char(&path, '*');
            continue;
        }
        n += is_other;
        has_secret |= is_secret;
        put_part(&path, draft_part_of(r, k), name ? name : "");
    }
    put_quoted(out, text_span(&path));
    text_fini(&path);
}

static unsigned credentials_of(const struct seen_route *r)
{
    unsigned unset = 0;
    for (size_t i = 0; i < 4; i++)
        unset += (unsigned)(64 - __builtin_popcountll(r->creds[i]));
    return (unsigned)lround(unset ? 256 * log(256.0 / unset) : 256 * log(512.0));
}

static void put_count(struct text *out, uint64_t n, const char *what)
{
    text_addf(out, "%llu %s%s", (unsigned long long)n, what, n == 1 ? "" : "s");
}

static void put_seen(struct text *out, const struct seen_route *r)
{
    text_add_str(out, "  # seen ");
    put_count(out, r->requests, "time");
    if (r->files) {
        text_add_str(out, ", ");
        put_count(out, r->files, "file");
        text_addf(out, " (%llu with a disposition, up to %llu bytes)", (unsigned long long)r->whole, (unsigned long long)r->largest);
    }
    if (r->refused)
        text_addf(out, ", %llu refused", (unsigned long long)r->refused);
    if (r->referred) {
        text_add_str(out, ", ");
        put_count(out, r->referred, "file");
        text_add_str(out, " fetched from it");
    }
    text_add_str(out, ", ");
    put_count(out, credentials_of(r), "credential");
    text_add_char(out, '\n');
}

static void put_cases(struct draft *d, const struct seen_route *r, const struct naming *names)
{
    struct text list = {0};
    const struct seen_arg *own = draft_case_arg(r);
    const char *told[CASE_PAGES] = {0}, *comma = "";
    size_t n_told = 0;
    if (names->case_at >= 0) {
        text_add_str(&list, "{path: case}");
        comma = ", ";
    } else if (own && draft_says_case(span_text(own->name))) {
        put_key(&list, "{query: ", own->name, "}");
        comma = ", ";
    }
    for (size_t i = 0; i < d->n_pages; i++) {
        const struct seen_arg *a = draft_case_arg(d->pages[i]);
        bool is_told = false;
        for (size_t j = 0; a && j < n_told; j++)
            is_told |= strcmp(told[j], a->name) == 0;
        if (is_told)
            continue;
        text_add_str(&list, comma);
        comma = ", ";
        if (a) {
            put_key(&list, "{referer_query: ", a->name, "}");
            told[n_told++] = a->name;
        } else {
            struct naming page = name_captures(d->pages[i], VIEW);
            text_add_str(&list, "{referer: ");
            put_template(&list, d->pages[i], &page, true);
            text_add_char(&list, '}');
        }
    }
    if (list.size)
        text_addf(d->out, "    case: [%s]\n", text_str(&list));
    text_fini(&list);
}

static void put_file(struct draft *d, const struct seen_route *r, const struct naming *names)
{
    const struct seen_arg *own = draft_case_arg(r);
    const char *object = NULL;
    for (uint8_t i = 0; i < r->n_args; i++)
        if (r->args[i].ids * 10 >= r->requests * 9 && !(own == &r->args[i] && draft_says_case(span_text(own->name))))
            object = object ? object : r->args[i].name;
    if (names->object_at >= 0)
        text_add_str(d->out, "    object: {path: object}\n");
    else if (object)
        put_key(d->out, "    object: {query: ", object, "}\n");
    if (r->whole || names->file_at >= 0)
        text_addf(d->out, "    file: [%s%s%s]\n", r->whole ? "{disposition: name}" : "",
                  r->whole && names->file_at >= 0 ? ", " : "", names->file_at >= 0 ? "{path: file}" : "");
    put_cases(d, r, names);
}

static void put_outcome(struct text *out, const struct seen_login *l)
{
    text_addf(out, "    # %llu tries: %llu refused, %llu sent back to a login page, %llu led on, %llu answered by a page; %llu got a new cookie\n",
              (unsigned long long)l->tries, (unsigned long long)l->refused, (unsigned long long)l->back,
              (unsigned long long)l->redirected, (unsigned long long)l->pages, (unsigned long long)l->with_cookie);
    text_add_str(out, "    outcome:\n      - {is: failure, status: [4xx, 5xx]}\n");
    if (l->back)
        text_add_str(out, "      - {is: failure, status: [301, 302, 303, 307], location: '*log*'}\n");
    if (l->redirected || !l->pages)
        text_add_str(out, "      - {is: success, status: [301, 302, 303, 307]}\n");
    if (l->pages)
        text_add_str(out, "      - {is: failure, has: ['type=\"password\"', \"type='password'\", type=password]}\n"
                          "      - {is: success, cookie: changed}\n      - {is: success, cookie: first}\n");
    if (l->is_json)
        text_add_str(out, "      - {is: success, json: [/token, /access_token, /session, /user]}\n");
    text_add_str(out, "      - {is: failure}\n");
    if (l->page_with_cookie)
        text_addf(out, "    # uncertain: %llu of the pages came with a new cookie; a text of the error page tells better (has: [...])\n",
                  (unsigned long long)l->page_with_cookie);
    if (l->redirected && l->refused + l->back + l->pages == 0)
        text_add_str(out, "    # uncertain: no failure was seen\n");
}

static void put_login(struct text *out, const struct seen_login *l)
{
    const char *place = l->is_json ? "request_json" : "form", *slash = l->is_json ? "/" : "";
    text_addf(out, "    user: {%s: '%s%s'}\n    needs: user\n", place, slash, l->user);
    if (l->is_json)
        text_add_str(out, "    token: [{json: /token}, {json: /access_token}]\n");
    put_outcome(out, l);
}

static void put_when(struct text *out, const struct draft_route *e)
{
    const struct seen_route *r = e->r;
    const struct seen_arg *a = draft_case_arg(r);
    struct span rest = span_text(r->verbs), verb;
    const char *open = "    when: [";
    while (rest.size && span_split(&rest, '&', &verb)) {
        size_t equals = span_find_byte(verb, '=', 0);
        text_add_str(out, open);
        text_add_str(out, "{query: ");
        put_quoted(out, span_sub(verb, 0, equals));
        text_add_str(out, ", matches: ");
        put_quoted(out, span_from(verb, equals + 1));
        text_add_str(out, "}");
        open = ", ";
    }
    text_add_str(out, e->role <= UPLOAD || (e->role == VIEW && a) ? open : "");
    if (e->role == LOGIN)
        text_addf(out, "{%s: '%s%s'}", r->login.is_json ? "request_json" : "form", r->login.is_json ? "/" : "", r->login.pass);
    else if (e->role <= ID_TOKEN)
        text_addf(out, "{form: %s}", e->role == SAML ? "SAMLResponse" : "id_token");
    else if (e->role == PASSWORD)
        put_key(out, "{form: ", r->new_pass, "}");
    else if (e->role == UPLOAD)
        put_key(out, "{upload: ", r->upload, "}");
    else if (e->role == VIEW && a)
        put_key(out, "{query: ", a->name, "}");
    if (e->role <= UPLOAD || (e->role == VIEW && a) || *r->verbs)
        text_add_str(out, "]\n");
}

static bool is_known_method(const char *method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i], method) == 0)
            return true;
    return false;
}

static void put_route(struct draft *d, const struct draft_route *e)
{
    const struct seen_route *r = e->r;
    struct naming names = name_captures(r, e->role);
    struct text *out = d->out;
    put_seen(out, r);
    if (e->role == VIEW && !r->referred)
        text_add_str(out, "  # uncertain: no file was fetched from it\n");
    text_addf(out, "  - route: %s", role_names[e->role]);
    if (d->numbered[e->role]++)
        text_addf(out, "-%u", d->numbered[e->role]);
    text_addf(out, "\n    method: %s\n    path: ", is_known_method(r->method) ? r->method : "OTHER");
    put_template(out, r, &names, false);
    text_add_char(out, '\n');
    put_when(out, e);
    text_addf(out, "    action: %s\n", role_actions[e->role]);
    if (e->role == LOGIN)
        put_login(out, &r->login);
    else if (e->role == SAML)
        text_add_str(out, "    user: [{saml: name_id}, {saml: mail}, {saml: email}, {saml: uid}]\n");
    else if (e->role == ID_TOKEN)
        text_add_str(out, "    user: [{id_token: email}, {id_token: preferred_username}, {id_token: sub}]\n");
    else if (e->role == DOWNLOAD)
        put_file(d, r, &names);
    else if (e->role == UPLOAD)
        put_key(out, "    file: {upload: ", r->upload, "}\n"), put_key(out, "    size: {upload: ", r->upload, "}\n"), put_cases(d, r, &names);
    else if (e->role == VIEW && draft_case_arg(r))
        put_key(out, "    case: {query: ", draft_case_arg(r)->name, "}\n");
    else if (e->role == VIEW || e->role == FILES)
        text_add_str(out, "    case: {path: case}\n");
}

/* Names that many frameworks share say nothing of the application. */
static bool is_telling(const char *name)
{
    static const char *const shared[] = {"PHPSESSID", "JSESSIONID", "connect.sid", "ASP.NET_SessionId", "sid", "session", "sessionid",
                                         "session_id", "token", "access_token", "auth", "remember_token", "rack.session", NULL};
    for (size_t i = 0; shared[i]; i++)
        if (span_eq_nocase(span_text(shared[i]), span_text(name)))
            return false;
    return true;
}

static void put_tells(struct draft *d)
{
    const char *title = "\ntells:\n";
    for (uint32_t i = 0; i < d->s->n_cookies; i++) {
        const struct seen_cookie *c = &d->s->cookies[i];
        if (c->host != d->host || !c->set || !suggest_is_session(c) || !is_telling(c->name))
            continue;
        text_add_str(d->out, title);
        put_key(d->out, "  - cookie: ", c->name, "\n");
        title = "";
    }
}

static void put_key_entry(struct text *out, const struct seen_key *key)
{
    static const char *const kinds[] = {[KEY_SCHEME] = "authorization", [KEY_HEADER] = "header", [KEY_QUERY] = "query",
                                        [KEY_LINK] = "link"};
    text_addf(out, "  # seen %llu times\n  - %s: ", (unsigned long long)key->sent, kinds[key->kind]);
    put_quoted(out, span_text(key->name));
    text_add_char(out, '\n');
    if (key->kind == KEY_SCHEME && key->jwt)
        text_add_str(out, "    jwt: [email, preferred_username, upn, sub]\n");
}

static void put_sessions(struct draft *d)
{
    size_t n = 0;
    for (uint32_t i = 0; i < d->s->n_cookies; i++) {
        const struct seen_cookie *c = &d->s->cookies[i];
        if (c->host != d->host || !suggest_is_session(c))
            continue;
        text_addf(d->out, "%s  # sent %llu times, %llu of these with a value an answer had set; set %llu times, removed %llu times\n",
                  n++ ? "" : "\nsessions:\n", (unsigned long long)c->sent, (unsigned long long)c->echoed,
                  (unsigned long long)c->set, (unsigned long long)c->removed);
        put_key(d->out, "  - cookie: ", c->name, "\n");
        if (suggest_has(span_text(c->name), (const char *const[]){"remember", NULL}))
            text_add_str(d->out, "    remember: true\n");
    }
    for (uint32_t i = 0; i < d->s->n_keys; i++) {
        if (d->s->keys[i].host != d->host)
            continue;
        text_add_str(d->out, n++ ? "" : "\nsessions:\n");
        put_key_entry(d->out, &d->s->keys[i]);
    }
    if (!n)
        text_add_str(d->out, "\n# No session cookie and no key was seen: who acts stays unknown.\n");
}

static bool is_login_address(const struct draft *d, const char *path)
{
    char text[FOLD_TEXT + 1];
    for (size_t i = 0; i < d->n; i++) {
        text[fold_write(&d->list[i].r->folded, text)] = 0;
        if (d->list[i].role == LOGIN && strcmp(text, path) == 0)
            return true;
    }
    return suggest_is_login_path(span_text(path));
}

static void put_login_pages(struct draft *d)
{
    size_t n = 0;
    for (uint32_t i = 0; i < d->s->n_targets && n < 16; i++) {
        const struct seen_target *t = &d->s->targets[i];
        if (t->host != d->host || !is_login_address(d, t->path))
            continue;
        text_addf(d->out, "%s  # %llu answers led there\n", n++ ? "" : "\nlogin_pages:\n", (unsigned long long)t->times);
        put_key(d->out, "  - ", t->path, "\n");
    }
}

/* What nobody could make sense of, for the reader. */
static void put_left(struct draft *d)
{
    size_t n = 0;
    for (uint32_t i = 0; i < d->s->n_routes; i++) {
        const struct seen_route *r = &d->s->routes[i];
        char text[FOLD_TEXT + 1];
        bool is_drafted = r->host != d->host || r->requests == 0;
        for (size_t j = 0; j < d->n && !is_drafted; j++)
            is_drafted = d->list[j].r == r;
        if (is_drafted)
            continue;
        text[fold_write(&r->folded, text)] = 0;
        if (n++ < LEFT_MAX)
            text_addf(d->out, "%s#   %s %s%s%s: %llu times%s\n", n == 1 ? "\n# Not drafted:\n" : "", r->method, text, *r->verbs ? "?" : "",
                      r->verbs, (unsigned long long)r->requests, r->files ? ", sometimes a file" : "");
    }
    if (n > LEFT_MAX)
        text_addf(d->out, "#   and %zu more\n", n - LEFT_MAX);
}

static void put_head(struct draft *d)
{
    const struct seen_host *h = &d->s->hosts[d->host];
    text_addf(d->out, "# Drafted from a capture: %llu requests to this host, %llu of them refused, %llu files. Read every line before use.\n",
              (unsigned long long)h->requests, (unsigned long long)h->refused, (unsigned long long)h->files);
    for (uint32_t i = 0; i < d->s->n_hosts && i < HOSTS_SHOWN; i++)
        if (i != d->host)
            text_addf(d->out, "# Also seen: %s (%llu requests, %llu files)\n", d->s->hosts[i].name,
                      (unsigned long long)d->s->hosts[i].requests, (unsigned long long)d->s->hosts[i].files);
    if (d->s->no_room)
        text_addf(d->out, "# %llu sights found no room and are not in here\n", (unsigned long long)d->s->no_room);
    if (d->cut)
        text_addf(d->out, "# %zu routes are left out: too many\n", d->cut);
    text_add_str(d->out, "profile: draft\ntitle: a draft\nstatus: documentation\nabout: drafted from a capture\nhosts: [");
    put_quoted(d->out, span_text(h->name));
    text_add_str(d->out, "]\n");
}

static int host_choose(const struct suggest *s, struct span name, uint8_t *out, struct text *why)
{
    int best = -1;
    for (uint32_t i = 0; i < s->n_hosts; i++) {
        const struct seen_host *h = &s->hosts[i], *b = best < 0 ? NULL : &s->hosts[best];
        bool is_better = !b || h->files > b->files || (h->files == b->files && h->requests > b->requests);
        if (name.size ? span_eq_nocase(span_text(h->name), name) : is_better)
            best = (int)i;
    }
    if (best < 0 && !s->n_hosts)
        text_add_str(why, "no profile can be drafted: no HTTP request was seen");
    else if (best < 0)
        text_addf(why, "no profile can be drafted: no request to '%.*s' was seen (but to '%s')", (int)name.size,
                  (const char *)name.at, s->hosts[0].name);
    *out = (uint8_t)best;
    return best < 0 ? E_NONE : 0;
}

int suggest_write(struct suggest *s, struct span host, struct text *out, struct text *why)
{
    struct draft *d = calloc(1, sizeof *d);
    if (!d)
        return E_NOMEM;
    d->s = s;
    d->out = out;
    int rc = host_choose(s, host, &d->host, why);
    if (rc == 0)
        suggest_merge(s);
    if (rc == 0)
        draft_routes(d);
    if (rc == 0 && !d->n) {
        text_addf(why, "no profile can be drafted: nothing at '%s' looks like a login, a case or a file", s->hosts[d->host].name);
        rc = E_NONE;
    }
    if (rc == 0) {
        put_head(d);
        put_tells(d);
        put_sessions(d);
        put_login_pages(d);
        text_add_str(out, "\nroutes:\n");
        for (size_t i = 0; i < d->n; i++)
            put_route(d, &d->list[i]);
        put_left(d);
    }
    free(d);
    return rc;
}
