/* SPDX-License-Identifier: Apache-2.0
 * Compiles pointers once, so that the scanner compares bytes only. */
#include "wire/json_pointer.h"

#include "base/err.h"

static int put_step_text(struct span raw, char *to, uint8_t *size)
{
    *size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        uint8_t c = raw.at[i];
        if (c == '~') {
            if (++i == raw.size || (raw.at[i] != '0' && raw.at[i] != '1'))
                return E_BAD;
            c = raw.at[i] == '0' ? '~' : '/';
        }
        if (*size == JSON_POINTER_KEY_MAX)
            return E_LIMIT;
        to[(*size)++] = (char)c;
    }
    return E_OK;
}

static int compile_filter(struct span raw, struct json_step *step)
{
    struct span inside = span_sub(raw, 1, raw.size - 2);
    size_t equals = span_find_byte(inside, '=', 0);
    if (equals == SIZE_MAX || equals == 0)
        return E_BAD;
    step->kind = JSON_STEP_FILTER;
    int result = put_step_text(span_sub(inside, 0, equals), step->key, &step->key_size);
    return result ? result : put_step_text(span_from(inside, equals + 1), step->value, &step->value_size);
}

static int compile_step(struct span raw, struct json_step *step)
{
    uint64_t index;
    if (raw.size >= 2 && raw.at[0] == '[' && raw.at[raw.size - 1] == ']')
        return compile_filter(raw, step);
    step->kind = JSON_STEP_KEY;
    if (span_eq(raw, SPAN("*"))) {
        step->kind = JSON_STEP_ANY;
    } else if (span_u64(raw, &index) && index <= UINT32_MAX && (raw.size == 1 || raw.at[0] != '0')) {
        step->kind = JSON_STEP_NUMBER;
        step->index = (uint32_t)index;
    }
    return put_step_text(raw, step->key, &step->key_size);
}

int json_pointer_compile(struct span text, enum json_scan_want want, struct json_pointer *out, const char **why)
{
    const char *no_why;
    const char **say = why ? why : &no_why;
    *out = (struct json_pointer){.filter = UINT8_MAX, .want = (uint8_t)want};
    if (text.size < 2 || text.at[0] != '/') {
        *say = "a JSON pointer begins with '/' and names something";
        return E_BAD;
    }
    struct span rest = span_from(text, 1), raw;
    while (span_split(&rest, '/', &raw)) {
        if (out->n == JSON_POINTER_STEPS) {
            *say = "a JSON pointer has at most 8 steps";
            return E_LIMIT;
        }
        struct json_step *step = &out->steps[out->n];
        int result = compile_step(raw, step);
        if (result) {
            *say = result == E_LIMIT ? "a step of a JSON pointer is longer than 48 bytes"
                                     : "a step is a key, an index, * or [key=value], with ~0 for ~ and ~1 for /";
            return result;
        }
        if (step->kind == JSON_STEP_FILTER) {
            if (out->filter != UINT8_MAX || !rest.at) {
                *say = "a JSON pointer has at most one [key=value] step, and not as its last";
                return E_BAD;
            }
            out->filter = out->n;
        }
        out->n++;
    }
    return E_OK;
}

bool json_pointer_tells_element(const struct json_pointer *p, size_t step)
{
    for (size_t i = 0; i < step; i++)
        if (p->steps[i].kind == JSON_STEP_ANY || p->steps[i].kind == JSON_STEP_FILTER)
            return false;
    return true;
}
