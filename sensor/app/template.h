/* SPDX-License-Identifier: Apache-2.0
 * Path templates ("/Ticket/Attachment/{txn}/{object}/{file}") and value patterns ("{public**}-{secret}"): compiled
 * once, matched without allocation. Paths are compared segment by segment after normalisation (RFC 3986, 6.2.2), so
 * that an encoded letter, a doubled slash or a dot segment does not lead around a route. */
#ifndef APP_TEMPLATE_H
#define APP_TEMPLATE_H

#include "base/arena.h"

#define TEMPLATE_SEGMENTS 12
#define TEMPLATE_CAPTURES 6
#define TEMPLATE_NAME 24 /* bytes of a capture's name */
#define PATH_SEGMENTS 32

/* A path in segments, decoded and without "." and ".."; the text after the last slash is a segment of its own, so
 * "/a/" is {"a", ""} and "/" is {""}. Segments borrow the path, or the arena where something had to be decoded. */
struct path {
    struct span segment[PATH_SEGMENTS];
    uint8_t n;
    uint8_t first; /* segments in front that no template sees: where the application is mounted */
    bool is_cut;   /* more segments than fit: matches no template */
};

void path_split(struct span path, struct arena *a, struct path *out);

enum part_kind { PART_LITERAL, PART_ONE, PART_MANY };

struct template_part { /* one segment: prefix, perhaps a capture, suffix */
    struct span prefix, suffix;
    uint8_t kind;   /* enum part_kind */
    bool is_number; /* only decimal digits */
    int8_t capture; /* index of the name, -1 = none kept */
};

struct template {
    struct template_part parts[TEMPLATE_SEGMENTS];
    uint8_t n, many; /* many: index of the part that takes any number of segments, or UINT8_MAX */
    uint8_t n_names;
    char names[TEMPLATE_CAPTURES][TEMPLATE_NAME];
};

struct captures {
    struct span value[TEMPLATE_CAPTURES];
};

/* Compiles a template; borrows 'text'. In a segment "*" or "{name}" stands for any text that is not empty, with
 * literal text around it; "**" or "{name**}" as a whole segment stands for any number of segments (once a template).
 * "{name#}" takes decimal digits only. E_BAD with a reason in *why. */
int template_compile(struct span text, struct template *out, const char **why);
bool template_match(const struct template *t, const struct path *path, struct captures *out);
/* The index of a capture's name, or -1. */
int template_capture(const struct template *t, struct span name);
/* The first segment when it is literal, else a span with at == NULL. */
struct span template_first(const struct template *t);
/* Whether every path that fits 'b' fits 'a'; false also when that cannot be told. */
bool template_covers(const struct template *a, const struct template *b);

#define PATTERN_PARTS 6

struct pattern {
    struct span literal[PATTERN_PARTS + 1]; /* before the first capture, between, and after the last */
    char names[PATTERN_PARTS][TEMPLATE_NAME];
    bool is_greedy[PATTERN_PARTS];
    uint8_t n;
};

/* Compiles "{kind}: {id}" over plain text: a capture ends at the first place where the next literal stands, one
 * written "{name**}" at the last. Borrows 'text'. E_BAD with a reason in *why. */
int pattern_compile(struct span text, struct pattern *out, const char **why);
/* The value of the capture called 'name'; at == NULL when the pattern does not fit or has no such capture. */
struct span pattern_take(const struct pattern *p, struct span text, struct span name);
/* Whether 'text' fits a glob: '*' any text, '?' one byte; ASCII-caseless when 'nocase'. */
bool glob_match(struct span glob, struct span text, bool nocase);

#endif
