/* SPDX-License-Identifier: Apache-2.0
 * PCRE2 behind four functions. Each expression has its own block for matches, so matching allocates nothing. */
#include "base/regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/err.h"

#define PATTERN_MAX 1024u

struct regex {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    uint64_t gave_up;
};

int regex_new(struct span pattern, bool nocase, struct regex **out, struct text *why)
{
    if (pattern.size == 0 || pattern.size > PATTERN_MAX) {
        text_addf(why, "a pattern has 1 to %u bytes", PATTERN_MAX);
        return E_CONF;
    }
    struct regex *r = calloc(1, sizeof *r);
    int error = 0;
    PCRE2_SIZE offset = 0;
    if (!r)
        return E_NOMEM;
    /* what came from the wire may be no UTF-8: such bytes match nothing instead of failing the match */
    uint32_t flags = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | (nocase ? PCRE2_CASELESS : 0);
    r->code = pcre2_compile(pattern.at, pattern.size, flags, &error, &offset, NULL);
    if (!r->code) {
        PCRE2_UCHAR reason[128];
        pcre2_get_error_message(error, reason, sizeof reason);
        text_addf(why, "'%.*s' at %zu: %s", (int)pattern.size, (const char *)pattern.at, (size_t)offset, (char *)reason);
        regex_free(r);
        return E_CONF;
    }
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* without it, it is interpreted: slower, the same answer */
    r->data = pcre2_match_data_create(1, NULL);
    r->context = pcre2_match_context_create(NULL);
    if (!r->data || !r->context) {
        regex_free(r);
        return E_NOMEM;
    }
    pcre2_set_match_limit(r->context, REGEX_MATCH_LIMIT);
    pcre2_set_depth_limit(r->context, 200);
    pcre2_set_heap_limit(r->context, 64); /* KiB */
    *out = r;
    return E_OK;
}

void regex_free(struct regex *r)
{
    if (!r)
        return;
    pcre2_code_free(r->code);
    pcre2_match_data_free(r->data);
    pcre2_match_context_free(r->context);
    free(r);
}

bool regex_match(struct regex *r, struct span s)
{
    PCRE2_SPTR at = s.at ? s.at : (PCRE2_SPTR) "";
    int rc = pcre2_match(r->code, at, s.size, 0, 0, r->data, r->context);
    r->gave_up += rc < 0 && rc != PCRE2_ERROR_NOMATCH;
    return rc >= 0;
}

uint64_t regex_gave_up(const struct regex *r)
{
    return r->gave_up;
}
