/* SPDX-License-Identifier: Apache-2.0
 * A JSON writer into a text: no white space, keys in the order they are written, always valid UTF-8 (bytes that are not
 * become U+FFFD). The same calls give the same bytes. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/ipaddr.h"
#include "base/text.h"

struct json {
    struct text *out;
    bool need_comma;
};

static inline struct json json_on(struct text *out)
{
    return (struct json){out, false};
}

/* 'key' is NULL for members of arrays and for the outermost value. */
void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);                 /* '}' or ']' */
void json_span(struct json *j, const char *key, struct span value);
void json_str(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_fixed(struct json *j, const char *key, double value, int digits); /* NaN and infinities become null */
void json_bool(struct json *j, const char *key, bool value);
void json_time(struct json *j, const char *key, uint64_t ns);
void json_ip(struct json *j, const char *key, const struct ipaddr *ip);
void json_hex(struct json *j, const char *key, struct span bytes);

#endif
