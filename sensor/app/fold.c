/* SPDX-License-Identifier: Apache-2.0
 * Folding of targets. */
#include "app/fold.h"

#include "base/hash.h"
#include "record/mask.h"

#define ID_MIN 8       /* hexadecimal with digits in it, from this size on */
#define RANDOM_MIN 16  /* letters and digits mixed */
#define WORD_MAX 32    /* a stem that is longer is no word */
#define ARGS_MAX 5
#define ARG_MAX 24

enum { DIGIT = 1, LOWER = 2, UPPER = 4, HEX = 8, DASH = 16, PLAIN = 32 };

static unsigned kind_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return DIGIT | HEX;
    if (c >= 'a' && c <= 'z')
        return LOWER | (c <= 'f' ? HEX : 0);
    if (c >= 'A' && c <= 'Z')
        return UPPER | (c <= 'F' ? HEX : 0);
    return c == '-' || c == '_' ? DASH : c > ' ' && c < 0x7f && c != '{' && c != '}' && c != '?' ? PLAIN : 0;
}

/* What a stem is made of. */
struct mix {
    size_t digits, letters, edges, humps; /* edges: places where letters and digits meet */
    bool is_hex, is_text, has_at;         /* only hexadecimal and dashes; only plain ASCII; an address */
};

static struct mix mix_of(struct span s)
{
    struct mix m = {.is_hex = true, .is_text = true};
    unsigned last = 0;
    for (size_t i = 0; i < s.size; i++) {
        unsigned kind = kind_of(s.at[i]);
        bool is_digit = kind & DIGIT, is_letter = kind & (LOWER | UPPER);
        m.digits += is_digit;
        m.letters += is_letter;
        m.edges += (is_digit && last & (LOWER | UPPER)) || (is_letter && last & DIGIT);
        m.humps += kind & UPPER && last & LOWER;
        m.is_hex &= (kind & (HEX | DASH)) != 0;
        m.is_text &= kind != 0;
        m.has_at |= s.at[i] == '@';
        last = kind;
    }
    return m;
}

static bool is_date(struct span s)
{
    static const char shape[] = "0000-00-00";
    if (s.size != 7 && s.size != 10)
        return false;
    for (size_t i = 0; i < s.size; i++)
        if (shape[i] == '-' ? s.at[i] != '-' : !(kind_of(s.at[i]) & DIGIT))
            return false;
    return s.at[0] == '1' || s.at[0] == '2';
}

/* What stands for any stem of its kind; NULL: it is a word. */
static const char *stand_in(struct span s, struct span before, const struct mix *m)
{
    if (m->digits == s.size)
        return "{n}";
    if (m->has_at)
        return "{mail}";
    if (!m->is_text)
        return "{text}";
    if (is_date(s))
        return "{date}";
    if (m->is_hex && m->digits && s.size >= ID_MIN)
        return "{id}";
    if (mask_is_secret_segment(s, before, MASK_LIKELY))
        return "{secret}";
    if (s.size >= RANDOM_MIN && m->digits > 1 && m->letters && m->edges * 8 >= s.size)
        return "{id}";
    if (s.size >= RANDOM_MIN && m->digits && (m->edges + m->humps) * 5 >= s.size)
        return "{id}";
    return s.size > WORD_MAX ? "{text}" : NULL;
}

static size_t put(char *out, size_t at, struct span s)
{
    s = span_sub(s, 0, FOLD_SEGMENT + 7 - at);
    if (s.size)
        memcpy(out + at, s.at, s.size);
    return at + s.size;
}

/* A word with its numbers folded: "PROJ-123" is "PROJ-{n}", "v2" and "2.0" stay. */
static size_t put_word(char *out, size_t at, struct span s)
{
    for (size_t i = 0; i < s.size && at < FOLD_SEGMENT;) {
        size_t end = i;
        while (end < s.size && kind_of(s.at[end]) & DIGIT)
            end++;
        bool is_number = end - i > 1 || (end > i && i && kind_of(s.at[i - 1]) & DASH);
        at = put(out, at, is_number ? SPAN("{n}") : span_sub(s, i, end > i ? end - i : 1));
        i = end > i ? end : i + 1;
    }
    return at;
}

static bool is_one_of(struct span word, const struct span *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq_nocase(word, list[i]))
            return true;
    return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof(list)[0])

/* Programs and forms of an answer: what stands before the dot is a route, not a file's name. */
static bool is_program(struct span extension)
{
    static const struct span list[] = {SPAN("php"), SPAN("html"), SPAN("htm"), SPAN("jsp"), SPAN("jspa"), SPAN("do"),
                                       SPAN("asp"), SPAN("aspx"), SPAN("cgi"), SPAN("pl"), SPAN("action"), SPAN("json"),
                                       SPAN("xml"), SPAN("atom"), SPAN("rss"), SPAN("ics")};
    return IS_ONE_OF(extension, list);
}

/* The same for downloads a program makes, when it is a plain word: "issues.csv". */
static bool is_report(struct span extension, const struct mix *stem, size_t size)
{
    static const struct span list[] = {SPAN("csv"), SPAN("pdf"), SPAN("xlsx"), SPAN("xls"), SPAN("zip"), SPAN("txt")};
    return stem->letters == size && !stem->humps && size <= FOLD_SEGMENT / 2 && IS_ONE_OF(extension, list);
}

/* Where the extension begins (behind its dot); 0 when there is none. */
static size_t extension_at(struct span s)
{
    size_t at = s.size;
    while (at > 1 && s.size - at < 8 && kind_of(s.at[at - 1]) & (DIGIT | LOWER | UPPER))
        at--;
    bool has_letter = false;
    for (size_t i = at; i < s.size; i++)
        has_letter |= !(kind_of(s.at[i]) & DIGIT);
    return at > 1 && at < s.size && has_letter && s.at[at - 1] == '.' ? at : 0;
}

size_t fold_segment(struct span segment, struct span before, char *out, bool *is_free)
{
    bool has_name = span_find_byte(segment, '@', 0) == SIZE_MAX && !mask_is_secret_segment(segment, SPAN(""), MASK_CERTAIN);
    size_t dot = has_name ? extension_at(segment) : 0;
    struct span stem = span_sub(segment, 0, dot ? dot - 1 : segment.size), ending = span_from(segment, dot);
    struct mix m = mix_of(stem);
    *is_free = false;
    if (!segment.size)
        return 0;
    const char *instead = stand_in(stem, before, &m);
    if (dot && !is_program(ending) && !is_report(ending, &m, stem.size) && (!instead || strcmp(instead, "{n}") != 0))
        instead = "{file}";
    size_t used = instead ? put(out, 0, span_text(instead)) : put_word(out, 0, stem);
    *is_free = instead && !dot;
    if (dot) {
        used = put(out, used, SPAN("."));
        used = put(out, used, ending);
    }
    return used;
}

/* Arguments whose value says what is done. */
static bool is_verb(struct span name)
{
    static const struct span list[] = {SPAN("action"), SPAN("subaction"), SPAN("do"), SPAN("a"), SPAN("op"), SPAN("cmd"),
                                       SPAN("mode"), SPAN("view"), SPAN("task"), SPAN("module"), SPAN("page"), SPAN("method")};
    return IS_ONE_OF(name, list);
}

static bool is_plain_word(struct span s)
{
    struct mix m = mix_of(s);
    size_t dashes = 0;
    for (size_t i = 0; i < s.size; i++)
        dashes += (kind_of(s.at[i]) & DASH) != 0;
    return s.size && s.size <= ARG_MAX && m.letters && m.letters + dashes == s.size;
}

static size_t put_arguments(char *out, struct span query)
{
    size_t used = 0, n = 0;
    while (query.size && used < FOLD_SEGMENT && n < ARGS_MAX) {
        size_t end = 0;
        while (end < query.size && query.at[end] != '&' && query.at[end] != ';')
            end++;
        struct span argument = span_sub(query, 0, end);
        query = span_from(query, end + 1);
        size_t equals = span_find_byte(argument, '=', 0);
        struct span name = span_sub(argument, 0, equals), value = equals == SIZE_MAX ? SPAN("") : span_from(argument, equals + 1);
        if (!name.size)
            continue;
        used = put(out, used, n++ ? SPAN("&") : SPAN("?"));
        used = put(out, used, is_plain_word(name) ? name : SPAN("{name}"));
        if (is_verb(name) && is_plain_word(value)) {
            used = put(out, used, SPAN("="));
            used = put(out, used, value);
        }
    }
    return used;
}

void fold_target(const struct path *path, struct span query, struct folded *out)
{
    struct span before = SPAN("");
    uint64_t hash = 0;
    out->n = 0;
    for (uint8_t i = path->first; i < path->n && out->n < FOLD_SEGMENTS; i++) {
        uint8_t k = out->n++;
        if (k == FOLD_SEGMENTS - 1 && (i + 1 < path->n || path->is_cut)) {
            out->size[k] = (uint8_t)put(out->text[k], 0, SPAN("**"));
            out->is_free[k] = true;
        } else {
            out->size[k] = (uint8_t)fold_segment(path->segment[i], before, out->text[k], &out->is_free[k]);
            before = path->segment[i];
        }
    }
    if (query.size) {
        uint8_t k = out->n++;
        out->size[k] = (uint8_t)put_arguments(out->text[k], query);
        out->is_free[k] = false;
    }
    for (uint8_t k = 0; k < out->n; k++)
        hash = hash64(span_of(out->text[k], out->size[k]), hash + k);
    out->hash = hash;
}

size_t fold_write(const struct folded *f, char *out)
{
    size_t used = 0;
    for (uint8_t k = 0; k < f->n; k++) {
        bool is_query = f->size[k] && f->text[k][0] == '?';
        if (used + 1 + f->size[k] > FOLD_TEXT - 4) {
            memcpy(out + used, "...", 3);
            return used + 3;
        }
        if (!is_query)
            out[used++] = '/';
        memcpy(out + used, f->text[k], f->size[k]);
        used += f->size[k];
    }
    return used;
}
