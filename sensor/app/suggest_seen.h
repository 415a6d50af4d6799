/* SPDX-License-Identifier: Apache-2.0
 * What suggest_seen.c collects and suggest_text.c writes down: bounded tables of hosts, cookies, keys and routes. Of values
 * only hashes are kept, to count those that differ and to know one again. */
#ifndef APP_SUGGEST_SEEN_H
#define APP_SUGGEST_SEEN_H

#include "app/fold.h"
#include "app/suggest.h"

#define SEEN_HOSTS 64
#define SEEN_COOKIES 256
#define SEEN_KEYS 64
#define SEEN_TARGETS 128 /* of redirects */
#define SEEN_ROUTES 1024
#define SEEN_NAME 48     /* bytes of a name, with its NUL; longer ones are not kept */
#define SEEN_ARGS 8
#define SEEN_VALUES 16   /* cookie values to know again */
#define SEEN_BODY 16384  /* bytes of a request's body that are looked at for names of fields */

struct seen_host {
    char name[256];
    uint64_t requests, refused, files;
};

struct seen_cookie {
    uint8_t host;
    char name[SEEN_NAME]; /* variable parts are '*' */
    uint64_t sent, set, echoed, removed; /* echoed: sent with a value that an answer had set */
    uint64_t value[SEEN_VALUES]; /* hashes of the last ones set */
    uint32_t n_values;
    size_t least; /* bytes of the shortest value */
    bool is_hidden; /* set HttpOnly */
};

enum key_kind { KEY_SCHEME, KEY_HEADER, KEY_QUERY, KEY_LINK };

struct seen_key {
    uint8_t host;
    uint8_t kind; /* enum key_kind */
    char name[SEEN_NAME];
    uint64_t sent, jwt;
};

/* Where answers led to. */
struct seen_target {
    uint8_t host;
    char path[FOLD_TEXT];
    uint64_t times;
};

struct seen_arg {
    char name[SEEN_NAME];
    uint64_t times, ids, referred; /* ids: its value was a number or an id; referred: files were fetched from such a page */
};

/* What a form or a JSON object that carried a password was like. */
struct seen_login {
    char user[SEEN_NAME], pass[SEEN_NAME];
    uint64_t tries, refused, redirected, back, pages, with_cookie, page_with_cookie, with_token; /* back: to a login page */
    bool is_json;
};

struct seen_route {
    uint8_t host;
    char method[12];
    struct folded folded;   /* of the path alone */
    char verbs[FOLD_SEGMENT + 8]; /* "a=print&op=view", or empty */
    uint64_t requests, ok, refused, pages, json, files, whole, bytes, largest; /* whole: with a Content-Disposition */
    uint64_t referred;      /* files fetched from it */
    uint64_t by_key, uploads, removed, changes, saml, id_token; /* changes: of a password */
    uint64_t creds[4];      /* bits: how many credentials */
    char upload[SEEN_NAME], new_pass[SEEN_NAME];
    struct seen_login login;
    struct seen_arg args[SEEN_ARGS];
    uint8_t n_args;
};

struct suggest {
    struct pool *notes;
    struct seen_host hosts[SEEN_HOSTS];
    struct seen_cookie cookies[SEEN_COOKIES];
    struct seen_key keys[SEEN_KEYS];
    struct seen_target targets[SEEN_TARGETS];
    struct seen_route routes[SEEN_ROUTES];
    uint32_t n_hosts, n_cookies, n_keys, n_targets, n_routes;
    uint64_t no_room; /* sights that found their table full */
    uint8_t scratch[16384];
};

/* What the names of a request's body say; values are looked at for being empty or not, and not kept. */
struct body_names {
    char user[SEEN_NAME], pass[SEEN_NAME], new_pass[SEEN_NAME], upload[SEEN_NAME];
    bool is_json, has_saml, has_id_token;
};

/* 'body': its first SEEN_BODY bytes. */
void suggest_body(struct span content_type, struct span body, struct body_names *out);
/* Whether a name may be shown: letters, digits and _ . : [ ] -, short, and not random. Copies it with a NUL. */
bool suggest_name(struct span name, char out[SEEN_NAME]);
/* Whether 'text' has one of the words in it (any case); 'words' ends with NULL. */
bool suggest_has(struct span text, const char *const *words);
/* Whether a cookie carries the session, by what was seen of it. */
bool suggest_is_session(const struct seen_cookie *c);
/* Whether an address is that of a login page by its words. */
bool suggest_is_login_path(struct span path);
/* Routes that differ in nothing but one place that took many values, or in a file's name, become one. */
void suggest_merge(struct suggest *s);

#endif
