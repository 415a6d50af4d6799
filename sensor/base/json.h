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

/* The comma and the key that stand before a value; when they do not fit, as much as fits. */
void json_cut_head(struct json *j, const char *key);

/* The same, in the header: keys are literals, so that their lengths are known and their bytes are stored, not copied. */
static inline __attribute__((always_inline)) void json_head(struct json *j, const char *key)
{
    size_t size = key ? strlen(key) : 0;
    char *start = text_room(j->out, size + 4), *at = start;
    if (!start) {
        json_cut_head(j, key);
        return;
    }
    *at = ',';
    at += j->need_comma;
    if (key) {
        *at++ = '"';
        memcpy(at, key, size);
        at += size;
        *at++ = '"';
        *at++ = ':';
    }
    j->need_comma = true;
    text_grew(j->out, (size_t)(at - start));
}

/* Values, behind their head. */
void json_put_span(struct json *j, struct span value);
void json_put_u64(struct json *j, uint64_t value);
void json_put_i64(struct json *j, int64_t value);
void json_put_fixed(struct json *j, double value, int digits);
void json_put_time(struct json *j, uint64_t ns);
void json_put_ip(struct json *j, const struct ipaddr *ip);
void json_put_hex(struct json *j, struct span bytes);

/* Members. 'key' is NULL for those of arrays and for the outermost value. */
static inline void json_open(struct json *j, const char *key, char bracket) /* '{' or '[' */
{
    json_head(j, key);
    text_add_char(j->out, bracket);
    j->need_comma = false;
}

static inline void json_close(struct json *j, char bracket) /* '}' or ']' */
{
    text_add_char(j->out, bracket);
    j->need_comma = true;
}

static inline void json_span(struct json *j, const char *key, struct span value)
{
    json_head(j, key);
    json_put_span(j, value);
}

static inline void json_str(struct json *j, const char *key, const char *value)
{
    json_span(j, key, span_text(value));
}

static inline void json_u64(struct json *j, const char *key, uint64_t value)
{
    json_head(j, key);
    json_put_u64(j, value);
}

static inline void json_i64(struct json *j, const char *key, int64_t value)
{
    json_head(j, key);
    json_put_i64(j, value);
}

static inline void json_fixed(struct json *j, const char *key, double value, int digits) /* NaN and infinities: null */
{
    json_head(j, key);
    json_put_fixed(j, value, digits);
}

static inline void json_bool(struct json *j, const char *key, bool value)
{
    json_head(j, key);
    text_add(j->out, value ? SPAN("true") : SPAN("false"));
}

static inline void json_time(struct json *j, const char *key, uint64_t ns)
{
    json_head(j, key);
    json_put_time(j, ns);
}

static inline void json_ip(struct json *j, const char *key, const struct ipaddr *ip)
{
    json_head(j, key);
    json_put_ip(j, ip);
}

static inline void json_hex(struct json *j, const char *key, struct span bytes)
{
    json_head(j, key);
    json_put_hex(j, bytes);
}

#endif
