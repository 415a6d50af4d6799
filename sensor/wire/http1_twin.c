/* SPDX-License-Identifier: Apache-2.0
 * A table of heads by their size. What tells fields apart are colons, line ends and blanks: where two heads differ in none
 * of these, the places of all fields are the same. */
#include "wire/http1_twin.h"

#include "base/err.h"

/* What of 16 bytes tells fields apart: control characters, blanks and the colon; all others are a part of something. */
static inline void outline16(const uint8_t *at, uint8_t out[16])
{
    uint8_t in[16];
    memcpy(in, at, sizeof in);
    for (unsigned i = 0; i < 16; i++) { /* no branch, so that the compiler takes all 16 at once */
        uint8_t keeps = (uint8_t)-(in[i] <= ' ') | (uint8_t)-(in[i] == ':');
        out[i] = (uint8_t)((in[i] & keeps) | ('x' & (uint8_t)~keeps));
    }
}

/* Whether 16 bytes of a head have this outline. */
static inline bool is_alike(const uint8_t *outline, const uint8_t *at)
{
    uint8_t other[16];
    uint64_t x[2], y[2];
    outline16(at, other);
    memcpy(x, outline, sizeof x);
    memcpy(y, other, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static bool is_twin(const struct http1_twin *t, struct span fields, enum http1_role role)
{
    if (t->size != fields.size || t->role != role)
        return false;
    size_t i = 0;
    for (; i + 16 <= fields.size; i += 16)
        if (!is_alike(t->outline + i, fields.at + i))
            return false;
    return i == fields.size || is_alike(t->outline + fields.size - 16, fields.at + fields.size - 16);
}

static bool is_fit(struct span fields)
{
    return fields.size >= 16 && fields.size <= HTTP1_TWIN_SIZE;
}

static void learn(struct http1_twin *t, struct span fields, enum http1_role role, const struct http1_head *head)
{
    t->size = 0;
    if (head->fields.is_cut || head->fields.n > HTTP1_TWIN_FIELDS)
        return;
    for (uint16_t i = 0; i < head->fields.n; i++) {
        const struct field *f = &head->fields.list[i];
        if (!f->value.at)
            return;
        t->fields[i].name = (uint16_t)(f->name.at - fields.at);
        t->fields[i].name_size = (uint16_t)f->name.size;
        t->fields[i].value = (uint16_t)(f->value.at - fields.at);
        t->fields[i].value_size = (uint16_t)f->value.size;
    }
    for (size_t i = 0; i + 16 <= fields.size; i += 16)
        outline16(fields.at + i, t->outline + i);
    outline16(fields.at + fields.size - 16, t->outline + fields.size - 16);
    t->n = (uint8_t)head->fields.n;
    t->has_folds = head->has_folds;
    t->has_bad_lines = head->has_bad_lines;
    t->role = (uint8_t)role;
    t->size = (uint16_t)fields.size;
}

static void recall(const struct http1_twin *t, struct span fields, struct http1_head *out)
{
    struct field *list = out->fields.list;
    for (uint8_t i = 0; i < t->n; i++)
        list[i] = (struct field){span_of(fields.at + t->fields[i].name, t->fields[i].name_size),
                                 span_of(fields.at + t->fields[i].value, t->fields[i].value_size)};
    out->fields.n = t->n;
    out->has_folds = t->has_folds;
    out->has_bad_lines = t->has_bad_lines;
}

/* A status line may end at a bare CR: what follows it would be a field that stands in no twin. */
static bool is_one_line(struct span line)
{
    size_t cr = span_find_byte(line, '\r', 0);
    return cr == SIZE_MAX || cr + 2 == line.size;
}

int http1_twins_parse(struct http1_twins *twins, struct span bytes, enum http1_role role, struct http1_head *out)
{
    size_t end = span_find_byte(bytes, '\n', 0);
    struct span line = span_sub(bytes, 0, end == SIZE_MAX ? 0 : end + 1), fields = span_from(bytes, line.size);
    bool is_plain = role == HTTP1_REQUEST    ? http1_head_is_plain_request_line(line)
                    : role == HTTP1_RESPONSE ? http1_head_is_plain_status_line(line)
                                             : false;
    if (!is_plain || !is_one_line(line) || !is_fit(fields) || out->fields.max < HTTP1_TWIN_FIELDS)
        return http1_head_parse(bytes, role, out);
    size_t slot = role == HTTP1_REQUEST ? fields.size : fields.size + HTTP1_TWINS / 2;
    struct http1_twin *t = &twins->known[slot % HTTP1_TWINS];
    if (is_twin(t, fields, role) && http1_head_parse(line, role, out) == E_OK) {
        recall(t, fields, out);
        return E_OK;
    }
    int rc = http1_head_parse(bytes, role, out);
    if (rc == E_OK)
        learn(t, fields, role, out);
    return rc;
}
