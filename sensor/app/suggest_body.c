/* SPDX-License-Identifier: Apache-2.0
 * The names in a request's body: forms, multipart forms, JSON objects. */
#include "app/suggest_seen.h"

#include "record/mask.h"
#include "wire/content.h"
#include "wire/json_scan.h"
#include "wire/multipart.h"
#include "wire/url.h"

#include <string.h>

#define DIGITS_MAX 4 /* a name with more of them is an id */

bool suggest_name(struct span name, char out[SEEN_NAME])
{
    size_t digits = 0;
    if (!name.size || name.size >= SEEN_NAME)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.at[i];
        bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z', is_digit = c >= '0' && c <= '9';
        digits += is_digit;
        if (!is_letter && !is_digit && !(c && strchr("_.:[]-", c)))
            return false;
    }
    if (digits > DIGITS_MAX || mask_is_secret_segment(name, SPAN(""), MASK_LIKELY))
        return false;
    memcpy(out, name.at, name.size);
    out[name.size] = 0;
    return true;
}

bool suggest_has(struct span text, const char *const *words)
{
    for (; *words; words++)
        if (span_find_nocase(text, span_text(*words), 0) != SIZE_MAX)
            return true;
    return false;
}

/* How likely a field holds the name of who signs in; 0: not at all. */
static int user_rank(struct span name)
{
    static const char *const best[] = {"name", "mail", "email", "login_name", "user_name", "login", "user", "username"};
    int rank = 0;
    if (suggest_has(name, (const char *const[]){"mail", NULL}))
        rank = 1;
    if (suggest_has(name, (const char *const[]){"user", "login", "account", NULL}))
        rank = 2;
    for (size_t i = 0; i < sizeof best / sizeof *best; i++)
        if (span_eq_nocase(name, span_text(best[i])))
            rank = 3 + (int)i;
    return rank;
}

struct reading {
    struct body_names *names;
    int rank;
};

static void see_field(struct reading *r, struct span name, bool is_filled)
{
    struct body_names *n = r->names;
    char shown[SEEN_NAME];
    if (!is_filled || !suggest_name(name, shown))
        return;
    if (span_eq(name, SPAN("SAMLResponse")))
        n->has_saml = true;
    else if (span_eq(name, SPAN("id_token")))
        n->has_id_token = true;
    else if (suggest_has(name, (const char *const[]){"pass", "pwd", NULL})) {
        bool is_new = suggest_has(name, (const char *const[]){"new", "confirm", "repeat", "again", "pass1", "pass2", "password1",
                                                              "password2", NULL});
        char *to = is_new ? n->new_pass : n->pass;
        if (!*to)
            memcpy(to, shown, sizeof shown);
    } else if (user_rank(name) > r->rank) {
        r->rank = user_rank(name);
        memcpy(n->user, shown, sizeof shown);
    }
}

static void read_form(struct reading *r, struct span body)
{
    uint8_t memory[SEEN_NAME * 4];
    struct span name, value;
    while (url_next_pair(&body, &name, &value)) {
        struct arena arena;
        arena_init(&arena, memory, sizeof memory);
        see_field(r, url_decode(name, true, &arena), value.size > 0);
    }
}

static void on_part(void *ctx, const struct multipart_part *part)
{
    struct reading *r = ctx;
    if (part->has_filename && part->filename.size && !*r->names->upload)
        (void)suggest_name(part->name, r->names->upload);
    else if (!part->has_filename)
        see_field(r, part->name, part->size > 0);
}

static void read_parts(struct reading *r, struct span boundary, struct span body)
{
    struct multipart m;
    if (multipart_init(&m, boundary, NULL, 0, &(struct multipart_hooks){.ctx = r, .on_part = on_part}) != 0)
        return;
    multipart_feed(&m, body);
    multipart_end(&m);
}

/* Members of the outermost object that name a user or a password; of their values only the sizes. */
static void read_json(struct reading *r, struct span body)
{
    static const char *const members[] = {"username", "login", "email", "user", "name", "password", "passwd", "pass"};
    struct json_pointer pointers[JSON_SCAN_POINTERS];
    struct json_scan scan;
    size_t n = sizeof members / sizeof *members;
    for (size_t i = 0; i < n; i++) {
        char pointer[SEEN_NAME] = "/";
        memcpy(pointer + 1, members[i], strlen(members[i]) + 1);
        (void)json_pointer_compile(span_text(pointer), JSON_SCAN_SIZE, &pointers[i], NULL); /* good ones */
    }
    json_scan_init(&scan, pointers, n, NULL, NULL);
    json_scan_feed(&scan, body);
    for (size_t i = 0; i < n; i++)
        if (scan.values[i].kind == JSON_STRING)
            see_field(r, span_text(members[i]), scan.values[i].size > 0);
    explicit_bzero(&scan, sizeof scan);
    r->names->is_json = true;
}

void suggest_body(struct span content_type, struct span body, struct body_names *out)
{
    struct reading r = {out, 0};
    struct content_type type;
    *out = (struct body_names){0};
    (void)content_type_parse(content_type, &type); /* media is "" then */
    struct span media = content_type_media(&type);
    if (span_eq(media, SPAN("application/x-www-form-urlencoded")))
        read_form(&r, body);
    else if (span_eq(media, SPAN("multipart/form-data")))
        read_parts(&r, type.boundary, body);
    else if (span_eq(media, SPAN("application/json")))
        read_json(&r, body);
}
