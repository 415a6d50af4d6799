/* SPDX-License-Identifier: Apache-2.0
 * One table of fields, read both ways. Its order is the form: new fields go to its end, and raise the version. */
#include "record/activity_pack.h"

#include "base/assert.h"
#include "base/err.h"
#include "base/varint.h"

enum kind { NUMBER, SIGNED, BYTES };

struct packed_field {
    uint16_t at, size; /* in struct activity */
    uint8_t kind;
    uint8_t most; /* of an enum; 0: whatever fits */
};

#define FIELD(name, kind, most) {offsetof(struct activity, name), sizeof((struct activity *)0)->name, kind, most}
#define N(name) FIELD(name, NUMBER, 0)
#define E(name, count) FIELD(name, NUMBER, (count) - 1)
#define B(name) FIELD(name, BYTES, 0)

static const struct packed_field fields[] = {
    N(time_ns), N(done_ns), N(flow_hash), N(number), B(id), B(amends), E(action, ACTION_N), E(outcome, OUTCOME_FAILURE + 1),
    E(cred_kind, CRED_N), E(size_known, SIZE_REFRAMED + 1), N(flags), B(source.bytes), B(peer.ip.bytes), N(peer.port),
    B(server.ip.bytes), N(server.port), B(session), B(new_session), E(assertion, ASSERTION_N), N(asserted),
    FIELD(token_age_s, SIGNED, 0), FIELD(token_left_s, SIGNED, 0), E(doubt, 101), N(status), N(body_bytes), N(missing_bytes),
    N(file_size), N(range_from), N(resource), N(validator), N(total), B(other), B(remember), B(new_remember),
    N(remember_until_s), N(until_s), N(assets), N(hints), N(client_hints.family), N(client_hints.major),
    N(client_hints.chromium), N(client_hints.os_major), N(client_hints.os_minor), E(client_hints.os, OS_N),
    E(client_hints.is_seen, 2), N(rtt_us), E(file.type, FILE_TYPES), E(file.file_class, FILE_CLASSES), E(file.is_mismatch, 2),
    E(file.is_scanned, 2), E(file.is_cut, 2), E(file.has_sha256, 2), N(file.expired), N(file.secrets[0]), N(file.secrets[1]),
    N(file.secrets[2]), N(file.secrets[3]), N(file.secrets[4]), N(file.secrets[5]), N(file.secrets[6]), N(file.secrets[7]),
    B(file.sha256),
};
_Static_assert(SECRET_KINDS == 8, "each kind of secret stands in the table");

#define N_FIELDS (sizeof fields / sizeof *fields)

static uint64_t number_of(const uint8_t *at, const struct packed_field *f)
{
    uint64_t n8 = 0;
    uint32_t n4 = 0;
    uint16_t n2 = 0;
    int32_t s4 = 0;
    switch (f->size) {
    case 1: return *at;
    case 2: memcpy(&n2, at, 2); return n2;
    case 4:
        memcpy(&n4, at, 4);
        memcpy(&s4, at, 4);
        return f->kind == SIGNED ? varint_fold(s4) : n4;
    default: memcpy(&n8, at, 8); return n8;
    }
}

static bool set_number(uint8_t *at, const struct packed_field *f, uint64_t n)
{
    uint64_t most = f->most ? f->most : f->size == 8 ? UINT64_MAX : (UINT64_C(1) << f->size * 8) - 1;
    if (n == 0 || n > most)
        return false;
    uint8_t n1 = (uint8_t)n;
    uint16_t n2 = (uint16_t)n;
    uint32_t n4 = f->kind == SIGNED ? (uint32_t)(int32_t)varint_unfold(n) : (uint32_t)n;
    const void *from = f->size == 1 ? (const void *)&n1 : f->size == 2 ? (const void *)&n2 : f->size == 4 ? (const void *)&n4 : &n;
    memcpy(at, from, f->size);
    return true;
}

static bool is_zero(const uint8_t *at, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= at[i];
    return !any;
}

void activity_pack(const struct activity *a, struct text *out)
{
    varint_add(out, ACTIVITY_PACK_VERSION);
    for (size_t i = 0; i < N_FIELDS; i++) {
        const struct packed_field *f = &fields[i];
        const uint8_t *at = (const uint8_t *)a + f->at;
        if (is_zero(at, f->size))
            continue;
        varint_add(out, i + 1);
        if (f->kind == BYTES)
            text_add(out, span_of(at, f->size));
        else
            varint_add(out, number_of(at, f));
    }
    varint_add(out, 0);
    for (unsigned i = 0; i < STR_N; i++) {
        struct span s = activity_get(a, (enum activity_string)i);
        if (!s.size)
            continue;
        varint_add(out, i + 1);
        varint_add(out, s.size);
        text_add(out, s);
    }
    varint_add(out, 0);
}

static bool read_fields(struct reader *r, struct activity *a)
{
    uint64_t last = 0, n;
    while ((n = varint_read(r)) != 0) {
        if (n <= last || n > N_FIELDS)
            return false;
        const struct packed_field *f = &fields[n - 1];
        uint8_t *at = (uint8_t *)a + f->at;
        last = n;
        if (f->kind != BYTES) {
            if (!set_number(at, f, varint_read(r)))
                return false;
            continue;
        }
        struct span bytes = reader_span(r, f->size);
        if (bytes.size != f->size || is_zero(bytes.at, bytes.size))
            return false;
        memcpy(at, bytes.at, f->size);
    }
    return !r->is_bad;
}

/* Of a candidate the place of the AS holds what its page mentioned (app/candidate.h), as long as the tail has room. It stands
 * behind all other strings. */
static bool set_mentions(struct activity *a, struct span s)
{
    if (s.size > (size_t)(ACTIVITY_TAIL_MAX - a->tail_used))
        return false;
    a->at[STR_AS_ORG] = a->tail_used;
    a->size[STR_AS_ORG] = (uint16_t)s.size;
    if (s.size)
        memcpy(a->tail + a->tail_used, s.at, s.size);
    a->tail_used = (uint16_t)(a->tail_used + s.size);
    return true;
}

/* What activity_set would cut or mend is not as it was written. */
static bool read_strings(struct reader *r, struct activity *a, uint64_t *at)
{
    uint64_t last = 0, n;
    uint32_t flags = a->flags;
    struct span mentions = {0};
    while ((n = varint_read(r)) != 0) {
        if (n <= last || n > STR_N)
            return false;
        uint64_t size = varint_read(r);
        struct span s = reader_span(r, size);
        last = *at = n;
        if (r->is_bad || !s.size)
            return false;
        if (n - 1 == STR_AS_ORG) {
            mentions = s;
            continue;
        }
        activity_set(a, (enum activity_string)(n - 1), s);
        if (a->flags != flags && !(flags & ACT_CUT))
            return false;
        if (!span_eq(activity_get(a, (enum activity_string)(n - 1)), s))
            return false;
    }
    return !r->is_bad && !r->left.size && (!mentions.size || set_mentions(a, mentions));
}

int activity_unpack(struct span bytes, struct activity *a, struct text *why)
{
    struct reader r = reader_of(bytes);
    uint64_t version = varint_read(&r), at = 0;
    activity_init(a);
    if (!r.is_bad && version != ACTIVITY_PACK_VERSION) {
        text_addf(why, "a candidate of version %llu (this casetap knows %d)", (unsigned long long)version, ACTIVITY_PACK_VERSION);
        return E_STATE;
    }
    if (bytes.size > ACTIVITY_PACK_MAX || !read_fields(&r, a)) {
        text_add_str(why, "no candidate: a field is not what it can be");
        return E_BAD;
    }
    if (!read_strings(&r, a, &at)) {
        text_addf(why, "no candidate: string %llu is not what it can be", (unsigned long long)at);
        return E_BAD;
    }
    return E_OK;
}
