/* SPDX-License-Identifier: Apache-2.0
 * What a subject did, as it stands at the end: who sessions turned out to be, what was said of an activity later. */
#include "run/impact.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "run/impact_parts.h"

#define MAX_NAMED (1u << 20)
#define MAX_ACTS (1u << 22)
#define MAX_NAMES ((size_t)1 << 30)

/* Names come again and again: each is kept once. */
static uint32_t keep(struct owned *own, struct span s)
{
    uint8_t key[16];
    bool is_new;
    if (!s.size || own->names.size + s.size + 1 >= MAX_NAMES)
        return 0; /* "" stands there */
    hash128(s, 0, key);
    uint32_t *at = map_touch(own->once, key, &is_new);
    if (is_new) {
        *at = (uint32_t)own->names.size;
        text_add(&own->names, s);
        text_add_char(&own->names, 0);
    }
    return *at;
}

int impact_begin(struct impact *out, const struct subject *s)
{
    *out = (struct impact){0};
    struct owned *own = out->owned = calloc(1, sizeof *own);
    if (!own)
        return E_NOMEM;
    own->subject = s;
    own->names.max = MAX_NAMES;
    own->once = map_new(16, sizeof(uint32_t), MAX_NAMED, 0);
    own->named = map_new(SESSION_HASH_SIZE, sizeof(uint32_t), MAX_NAMED, 0);
    own->by_id = map_new(16, sizeof(uint32_t), MAX_ACTS, 0);
    text_add_char(&own->names, 0);
    return own->once && own->named && own->by_id ? E_OK : E_NOMEM;
}

void impact_name(struct impact *out, const struct activity *a)
{
    bool is_new;
    struct owned *own = out->owned;
    if (a->action == ACTION_IDENTIFY)
        *(uint32_t *)map_touch(own->named, a->session, &is_new) = keep(own, activity_get(a, STR_USER));
}

static struct span user_of(const struct owned *own, const struct activity *a)
{
    struct span user = activity_get(a, STR_USER);
    bool is_unnamed = !user.size || span_starts(user, SPAN("session:"));
    const uint32_t *named = is_unnamed ? map_find(own->named, a->session) : NULL;
    return named ? span_text(own->names.at + *named) : user;
}

static struct act *new_act(struct owned *own)
{
    if ((own->n & (own->n - 1)) == 0) {
        struct act *more = own->n < MAX_ACTS ? realloc(own->acts, (own->n ? 2 * own->n : 1) * sizeof *more) : NULL;
        if (!more)
            return NULL;
        own->acts = more;
    }
    struct act *act = &own->acts[own->n++];
    memset(act, 0, sizeof *act);
    return act;
}

static void complete_names(struct owned *own, struct act *act, const struct activity *a)
{
    const struct {
        enum activity_string which;
        uint32_t *at;
    } strings[] = {{STR_CASE, &act->kase}, {STR_CUSTOMER, &act->customer}, {STR_FILE, &act->name}, {STR_OBJECT, &act->object},
                   {STR_APP, &act->app}};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (a->size[strings[i].which])
            *strings[i].at = keep(own, activity_get(a, strings[i].which));
}

/* What is said of it, at first and by an amend. */
static void complete(struct owned *own, struct act *act, const struct activity *a)
{
    complete_names(own, act, a);
    if (a->flags & ACT_HAS_BODY)
        act->body_bytes = a->body_bytes;
    if (a->flags & ACT_HAS_FILE_SIZE)
        act->file_size = a->file_size;
    if (a->flags & (ACT_HAS_BODY | ACT_COMPLETE)) {
        act->missing = a->missing_bytes;
        act->size_known = a->size_known;
    }
    if (a->flags & ACT_TRANSFER) {
        memcpy(act->transfer, a->transfer_id, sizeof act->transfer);
        act->transfer_bytes = a->transfer_bytes;
    }
    act->flags |= a->flags;
    if (a->flags & ACT_TRANSFER_BYTES)
        act->is_whole = a->flags & ACT_TRANSFER_COMPLETE;
    else if (a->flags & ACT_COMPLETE)
        act->is_whole = !(act->flags & (ACT_RANGE | ACT_PARTIAL | ACT_ABORTED));
    act->doubt = a->doubt > act->doubt ? a->doubt : act->doubt;
    if (file_facts_any(&a->file))
        act->file = a->file;
}

static bool amend(struct owned *own, const struct activity *a)
{
    const uint32_t *number = map_find(own->by_id, a->amends);
    if (!number || own->acts[*number].is_amended)
        return false;
    complete(own, &own->acts[*number], a);
    own->acts[*number].is_amended = a->flags & (ACT_HAS_BODY | ACT_COMPLETE | ACT_TRANSFER_BYTES);
    return true;
}

bool impact_take(struct impact *out, const struct activity *a)
{
    bool is_new;
    struct owned *own = out->owned;
    if (a->action == ACTION_AMEND)
        return amend(own, a);
    if (!subject_is(own->subject, a, user_of(own, a)))
        return false;
    if (a->action == ACTION_IDENTIFY)
        return true; /* impact_name had it */
    if (map_find(own->by_id, a->id)) /* the same log named twice */
        return false;
    struct act *act = new_act(own);
    if (!act) {
        out->forgotten++;
        return false;
    }
    *(uint32_t *)map_touch(own->by_id, a->id, &is_new) = (uint32_t)(own->n - 1);
    act->time_ns = a->time_ns;
    act->action = a->action;
    act->outcome = a->outcome;
    act->status = a->status;
    act->is_head = span_eq(activity_get(a, STR_METHOD), SPAN("HEAD"));
    complete(own, act, a);
    out->activities++;
    out->first_ns = !out->first_ns || a->time_ns < out->first_ns ? a->time_ns : out->first_ns;
    out->last_ns = a->time_ns > out->last_ns ? a->time_ns : out->last_ns;
    return true;
}

int impact_end(struct impact *out)
{
    return impact_sum(out, out->owned);
}

void impact_fini(struct impact *i)
{
    struct owned *own = i->owned;
    if (own) {
        text_fini(&own->names);
        map_free(own->once);
        map_free(own->named);
        map_free(own->by_id);
        free(own->acts);
    }
    free(own);
    free(i->files);
    free(i->cases);
    *i = (struct impact){0};
}

bool impact_next(const struct impact *i, struct impact_part *part)
{
    part->files = part->files_end;
    part->cases = part->cases_end;
    const char *file = part->files < i->n_files ? i->files[part->files].customer : NULL;
    const char *kase = part->cases < i->n_cases ? i->cases[part->cases].customer : NULL;
    if (!file && !kase)
        return false;
    part->customer = !kase || (file && strcmp(file, kase) <= 0) ? file : kase;
    while (part->files_end < i->n_files && strcmp(i->files[part->files_end].customer, part->customer) == 0)
        part->files_end++;
    while (part->cases_end < i->n_cases && strcmp(i->cases[part->cases_end].customer, part->customer) == 0)
        part->cases_end++;
    return true;
}
