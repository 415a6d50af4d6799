/* SPDX-License-Identifier: Apache-2.0
 * A compiled application profile: what rules/apps/NAME.yaml says, ready to be matched. Only for the packet side of this
 * folder; everybody else knows struct profiles. The language is described in rules/README.md. */
#ifndef APP_PROFILE_RULES_H
#define APP_PROFILE_RULES_H

#include <stdatomic.h>

#include "app/profile.h"
#include "app/template.h"
#include "base/yaml.h"
#include "record/activity.h"
#include "wire/jwt.h"

#define PROFILE_SLOTS 64   /* values of bodies one profile may ask for */
#define TEXT_MARKERS 4
#define TEXT_MARKER_MAX 63 /* bytes of a marker */

/* A value that stands in a body, with a number of its own in the profile. */
enum slot_kind { SLOT_FORM, SLOT_UPLOAD, SLOT_SAML, SLOT_ID_TOKEN, SLOT_REQUEST_JSON, SLOT_JSON, SLOT_TEXT, SLOT_KINDS };

enum decode { DECODE_NONE, DECODE_HTML, DECODE_JSON, DECODE_URL };

struct text_rule {
    struct span after[TEXT_MARKERS]; /* in this order, with anything between them */
    uint8_t n_after;
    struct span until, stop;         /* until.size 0: only whether the markers are there. stop: give up at it */
    uint32_t within;                 /* bytes of the body; 0 = all */
    uint8_t decode;
    uint8_t anchor[TEXT_MARKERS], until_anchor, stop_anchor; /* span_anchor of each */
};

struct slot {
    uint8_t kind;
    bool is_glob, is_secret, is_each; /* secret: only its size is kept; each: told value by value (lists) */
    struct span name;                 /* form field, JSON pointer, claim, SAML attribute */
    struct json_pointer pointer;
    struct text_rule text;
};

static inline bool slot_is_request(const struct slot *s)
{
    return s->kind <= SLOT_REQUEST_JSON;
}

enum source_kind {
    SOURCE_PATH, SOURCE_QUERY, SOURCE_COOKIE, SOURCE_HEADER, SOURCE_RESPONSE_HEADER, SOURCE_REFERER,
    SOURCE_REFERER_QUERY, SOURCE_LOCATION, SOURCE_LOCATION_QUERY, SOURCE_DISPOSITION, SOURCE_SLOT, SOURCE_VALUE,
};

/* Where a value stands. */
struct source {
    uint8_t kind;
    int8_t slot;               /* SOURCE_SLOT: its number; SOURCE_PATH: index of the capture */
    struct span name;          /* argument, field, cookie, capture; SOURCE_VALUE: the value */
    struct template *template; /* SOURCE_REFERER, SOURCE_LOCATION: path with a capture of that name */
    struct pattern *as;        /* takes the capture 'take' out of the value; NULL = the value as it is */
    struct span take;
    struct span *except;       /* globs of values that are none */
    uint8_t n_except;
};

struct sources { /* the first that yields something */
    struct source *list;
    uint8_t n;
};

enum test_kind { TEST_FILLED, TEST_EMPTY, TEST_MATCHES, TEST_NOT };

struct test {
    struct source source;
    uint8_t kind;
    uint8_t n_globs;
    struct span *globs; /* any of them */
};

struct status_range {
    uint16_t low, high;
};
#define STATUS_RANGES 4

enum cookie_state { COOKIE_ANY, COOKIE_CHANGED, COOKIE_SAME, COOKIE_FIRST, COOKIE_NONE };

/* One line of 'outcome'; all of what it names must hold. */
struct outcome_rule {
    uint8_t outcome; /* enum outcome */
    uint8_t cookie;  /* enum cookie_state: what the answer did to the session cookie */
    uint8_t n_status;
    int8_t first_line; /* slot, -1 = not asked */
    struct status_range status[STATUS_RANGES];
    uint64_t has, lacks; /* slots: any of them is there; none of them is */
    struct span line_glob, location, location_not, type;
};

enum route_field {
    FIELD_CASE, FIELD_CUSTOMER, FIELD_FILE, FIELD_OBJECT, FIELD_USER, FIELD_TOKEN, FIELD_MIME, FIELD_SIGNED_IN,
    FIELD_REQUESTOR, FIELD_ACTS_FOR, FIELD_N,
};

/* Columns of a list of cases. */
enum list_column { LIST_CASE, LIST_CUSTOMER, LIST_REQUESTOR, LIST_COLUMNS };

enum measure { MEASURE_BODY, MEASURE_BASE64, MEASURE_FRAME, MEASURE_UPLOAD, MEASURE_NONE }; /* a file's size */

#define METHOD_GET 0x01u
#define METHOD_HEAD 0x02u
#define METHOD_POST 0x04u
#define METHOD_PUT 0x08u
#define METHOD_PATCH 0x10u
#define METHOD_DELETE 0x20u
#define METHOD_OTHER 0x40u
#define METHOD_ANY 0x7fu

struct route {
    const struct yaml_node *at; /* where it stands, for messages */
    struct span name;
    struct template path;
    uint8_t methods;
    uint8_t action; /* ACTION_NONE: known, and nothing to tell */
    bool is_late;   /* has tests that only a body or the answer decides */
    bool is_unseen; /* of a verified profile: no capture has it */
    struct test *tests;
    uint8_t n_tests;
    uint8_t n_status;
    struct status_range status[STATUS_RANGES];
    struct span type; /* glob of the answer's media type, or empty */
    struct sources fields[FIELD_N];
    struct sources objects;  /* list of objects (files) of the case; each value with 'as' {object}, {file} */
    int8_t object_names;     /* JSON: slot of the names that go with the objects, or -1 */
    struct sources cases[LIST_COLUMNS]; /* list of cases: at most one place each, all JSON or all text */
    uint8_t case_decode[LIST_COLUMNS];  /* enum decode of those in text */
    struct outcome_rule *outcomes;
    uint8_t n_outcomes;
    uint8_t measure;         /* enum measure */
    int8_t measure_slot;     /* not of MEASURE_BODY, MEASURE_NONE */
    uint16_t frame_tail;     /* MEASURE_FRAME: bytes after the file */
    uint32_t needs;          /* bits of enum route_field: without them nothing is told */
    uint64_t request_slots, response_slots;
};

enum session_kind { SESSION_COOKIE, SESSION_AUTHORIZATION, SESSION_HEADER, SESSION_QUERY, SESSION_LINK };

/* One way a credential shows itself. */
struct session_rule {
    uint8_t kind;
    uint16_t min_size;
    struct span name;          /* cookie glob, scheme, field, argument */
    struct span except;        /* cookie: a glob of names that are none; Basic: of user names that are no key */
    struct span key;           /* Basic: a glob of user names that are keys, and so secret */
    struct pattern *public;    /* which part of the value is no secret, or NULL */
    struct jwt_claims *jwt;    /* claims that name the user, in this order, or NULL */
    struct pattern *acts_for;  /* Basic: a user name of this form is whom a token claims to act for; the password is the token */
    bool is_remember;          /* cookie: a long-lived value that begins sessions without a login */
    bool is_rotating;          /* cookie: each answer replaces the value */
};

enum tell_kind { TELL_COOKIE, TELL_RESPONSE_HEADER, TELL_PATH, TELL_HEADER };

struct tell {
    uint8_t kind;
    struct span name, value; /* globs: cookie name; field name and value */
    struct template *path;
};

struct route_bucket { /* routes whose path begins with one literal segment, and those that begin with none */
    struct span first;
    uint16_t *routes;
    uint16_t n;
};

struct profile {
    struct yaml *yaml; /* owns the text everything borrows */
    struct span name, title, status;
    struct tell *tells;
    uint16_t n_tells;
    struct session_rule *sessions;
    uint8_t n_sessions;
    struct sources signed_in;
    struct sources signed_in_heads; /* of these, what stands in the answer's head: looked at in every answer */
    struct sources acts_for;        /* where a request says whom it acts for */
    uint64_t signed_in_slots;
    struct template *login_pages;
    uint8_t n_login_pages;
    struct span *hosts; /* "name" or "*.domain" */
    uint8_t n_hosts;
    struct span *mounts; /* first segments of a path under which the application may be mounted */
    uint8_t n_mounts;
    bool is_semicolon;   /* ';' separates arguments as well */
    struct route *routes;
    uint16_t n_routes;
    struct route_bucket *buckets; /* bucket 0: paths whose first segment has none */
    uint16_t n_buckets;
    struct slot slots[PROFILE_SLOTS];
    uint8_t n_slots;
    void **blocks; /* what profile_keep handed out */
    size_t n_blocks;
};

struct declared_host {
    char *host;
    bool is_suffix; /* "*.domain" */
    uint16_t profile;
};

/* A tell-tale in the field of an answer. */
struct field_tell {
    const struct tell *tell;
    uint16_t profile;
};

struct profiles {
    struct profile **list; /* by name */
    size_t n, generic;     /* generic: its index; always there */
    struct declared_host *declared;
    size_t n_declared;
    struct field_tell *field_tells; /* of all, in their order */
    size_t n_field_tells;
    _Atomic uint32_t users;         /* apps */
};

/* profile_load.c: compiles one parsed file (the profile owns 'yaml' from then on, also on failure). */
int profile_compile(struct yaml *yaml, struct profile **out, struct text *why);
void profile_free(struct profile *p);
/* profile_match.c: the bucket for a path's first segment. */
const struct route_bucket *profile_bucket(const struct profile *p, struct span first);
/* How many segments in front of a path say where the application is mounted: 0 or 1. */
uint8_t profile_mount(const struct profile *p, const struct path *path);
bool status_in(const struct status_range *ranges, uint8_t n, uint16_t status);
uint8_t method_bit(struct span method);

/* Building blocks of the compiler, shared by profile_load.c, profile_source.c and profile_route.c. */
void *profile_keep(struct profile *p, size_t size); /* zeroed; lives as long as the profile; NULL when out of memory */
struct span node_span(const struct yaml_node *node);
int node_scalar(const struct yaml_node *node, struct text *why);
/* Number of members, or 1 for a single value that stands for a list of one. */
size_t node_count(const struct yaml_node *node);
const struct yaml_node *node_first(const struct yaml_node *node);
int template_load(struct profile *p, const struct yaml_node *node, struct template **out, struct text *why);
/* A source; 'route' gives the path captures (NULL: none), 'field' the name of the capture an 'as' or template takes.
 * *slots gets the bit of a body value. */
int source_load(struct profile *p, const struct route *route, const struct yaml_node *node, const char *field,
                bool is_secret, struct source *out, struct text *why);
int sources_load(struct profile *p, const struct route *route, const struct yaml_node *node, const char *field,
                 struct sources *out, struct text *why);
/* 'as': the pattern that takes the capture 'field' out of the value. */
int pattern_load(struct profile *p, const struct yaml_node *node, const char *field, struct source *out,
                 struct text *why);
int test_load(struct profile *p, const struct route *route, const struct yaml_node *node, struct test *out,
              struct text *why);
/* A slot for this value, found again when it stands there already; -1 with a message. */
int slot_add(struct profile *p, const struct yaml_node *node, const struct slot *slot, struct text *why);
int text_rule_load(const struct yaml_node *node, struct text_rule *out, struct text *why);
/* The bits of the request's or the answer's slots among those of a source. */
uint64_t source_slots(const struct source *s);
/* Whether only a body or the answer shows it. */
bool source_is_late(const struct source *s);
int status_load(const struct yaml_node *node, struct status_range *out, uint8_t *n, struct text *why);
/* profile_session.c */
int session_load(struct profile *p, const struct yaml_node *node, struct session_rule *out, struct text *why);
int route_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why);

#endif
