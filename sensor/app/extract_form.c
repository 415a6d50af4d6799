/* SPDX-License-Identifier: Apache-2.0
 * A urlencoded form that has ended: its fields, and the assertion (SAML, OpenID Connect) it may post. */
#include "app/extract_parts.h"

#include "wire/url.h"

static void asserted(void *ctx, unsigned slot, struct span value)
{
    struct scan *s = ctx;
    extract_keep(s->owner, s->x, slot, DECODE_NONE, value, value.size);
}

/* A copy among the transaction's values. */
static struct span text_keep(struct extract *x, struct span text, size_t max)
{
    struct arena a = {x->bytes + x->used, (size_t)(EXTRACT_BYTES - x->used), 0, false};
    struct span kept = text.size ? arena_copy(&a, span_sub(text, 0, max)) : text;
    x->used = (uint16_t)(x->used + a.used);
    return kept;
}

/* The assertion a form holds, in the field that stands there 'n' times. */
static void assertion_end(struct scan *s, enum assertion kind, struct span field, unsigned n)
{
    struct vouched v;
    struct arena a;
    arena_init(&a, s->form->plain, sizeof s->form->plain);
    if (!assertion_read(kind, s->profile, s->slots, field, n, &a, &v, asserted, s))
        s->owner->counts[COUNT_MALFORMED]++;
    v.issuer = text_keep(s->x, v.issuer, ASSERTION_ISSUER);
    v.tenant = text_keep(s->x, v.tenant, ASSERTION_TENANT);
    s->x->vouched = v;
}

static void note_twice(struct extract *x, unsigned slot, struct span value)
{
    int rank = extract_rank(x, slot);
    if (rank >= 0 && x->found[rank].is_there && !span_eq(extract_value(x, slot), value))
        x->found[rank].is_twice = true;
}

static void form_pair(struct scan *s, struct span name, struct span value)
{
    for (uint64_t left = s->slots; left; left &= left - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(left);
        const struct slot *want = &s->profile->slots[slot];
        if (want->kind != SLOT_FORM ||
            !(want->is_glob ? glob_match(want->name, name, true) : url_decodes_to(name, true, want->name)))
            continue;
        struct arena a;
        arena_init(&a, s->form->plain, sizeof s->form->plain);
        struct span plain = want->is_secret ? SPAN("") : url_decode(value, true, &a);
        note_twice(s->x, slot, span_trim(plain.size > EXTRACT_VALUE ? SPAN("") : plain));
        extract_keep(s->owner, s->x, slot, DECODE_NONE, plain, value.size);
    }
}

void extract_form_end(struct scan *s)
{
    static const struct span names[2] = {SPAN("SAMLResponse"), SPAN("id_token")};
    struct span rest = span_of(s->form->raw, s->form->size), name, value, asserted_in[2] = {0};
    unsigned n[2] = {s->form->is_cut, s->form->is_cut}; /* what is cut may hold another */
    if (s->form->is_cut)
        s->owner->counts[COUNT_FORM_CUT]++;
    while (url_next_pair(&rest, &name, &value))
        if (!s->form->is_cut || rest.at) { /* the last pair of a cut form is not whole */
            form_pair(s, name, value);
            for (int i = 0; i < 2; i++)
                if (url_decodes_to(name, true, names[i]) && n[i]++ <= s->form->is_cut)
                    asserted_in[i] = value;
        }
    for (int i = 0; i < 2; i++)
        if (n[i] > s->form->is_cut && extract_slots(s->profile, s->slots, i ? KIND(SLOT_ID_TOKEN) : KIND(SLOT_SAML)))
            assertion_end(s, i ? ASSERTION_ID_TOKEN : ASSERTION_SAML, asserted_in[i], n[i]);
    memset(s->form->plain, 0, s->form->size < EXTRACT_FORM / 2 ? 2 * s->form->size : EXTRACT_FORM);
}
