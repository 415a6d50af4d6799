/* SPDX-License-Identifier: Apache-2.0
 * Verdicts use the packet time they carry, not the one at which they are read. */
#include "detect/verdict.h"

#include <math.h>

#include "base/times.h"
#include "detect/learn.h"

#define WEIGHT 3 /* sessions, days */

/* It was done before: the place is usual and was used since. A log of verdicts is read again at each start. */
static bool is_done(const struct scene *s, const struct place *place, uint32_t at_s)
{
    const struct place *p = baseline_place(s->b, place);
    return p && p->trust == TRUST_USUAL && p->last_s >= at_s;
}

static void make_usual(struct scene *s, uint32_t at_s, struct peers *peers)
{
    struct place *p = baseline_place(s->b, &s->visit->place);
    struct client *c = baseline_client(s->b, &s->visit->client);
    bool had_place = p && p->trust == TRUST_USUAL, had_client = c && c->trust == TRUST_USUAL;
    for (int i = 0; i < WEIGHT; i++) {
        p = baseline_learn_place(s->b, &s->visit->place, at_s);
        c = baseline_learn_client(s->b, &s->visit->client, at_s);
    }
    p->trust = c->trust = TRUST_USUAL;
    if (!had_place)
        peers_add_place(peers, s->b, p);
    if (!had_client)
        peers_add_client(peers, s->b, c);
}

/* Of a volume's alert; the fleet learns nothing of one person's word. */
static void make_volume_usual(struct baseline *b, const struct feedback *f)
{
    for (int i = 0; i < WEIGHT; i++) {
        moments_add(&b->files_day, f->files);
        moments_add(&b->cases_day, f->cases);
        moments_add(&b->customers_day, f->customers);
        if (f->bytes)
            moments_add(&b->bytes_day, log2((double)f->bytes));
    }
    b->slow_cases = 0;
}

static bool is_volume_rule(const struct rules *r, const char *id)
{
    static const enum scored volumes[] = {SCORED_DOWNLOAD_BURST, SCORED_DAILY_VOLUME, SCORED_BREADTH};
    for (size_t i = 0; i < sizeof volumes / sizeof *volumes; i++)
        if (r->head[volumes[i]] && strcmp(r->head[volumes[i]]->id, id) == 0)
            return true;
    return false;
}

static bool is_of(struct story *story, const struct feedback *f)
{
    return story && memcmp(story_alert(story)->id, f->alert, sizeof f->alert) == 0;
}

/* No further line of the alert; the visit's acts are like any others from here on. */
static void settle(struct scene *s, const struct feedback *f)
{
    struct visit *v = s->visit;
    struct story *story = v->story.who ? stories_find(s->stories, &v->story, 0, UINT64_MAX / 2) : NULL;
    if (is_of(story, f))
        story_quiet(story);
    struct story *volume = s->live->volume.who ? stories_find(s->stories, &s->live->volume, 0, UINT64_MAX / 2) : NULL;
    if (is_of(volume, f))
        story_quiet(volume);
    v->story = (struct story_key){0};
    v->whose = 0;
    v->is_alerted = false;
    v->context = (struct context){0};
}

void verdict_benign(struct scene *s, const struct feedback *f, struct peers *peers)
{
    uint32_t at_s = time_s(f->time_ns);
    bool has_place = !ipaddr_is_zero(&f->source), is_volume = is_volume_rule(s->rules, f->rule);
    if (has_place && is_done(s, &s->visit->place, at_s))
        return;
    if (has_place)
        make_usual(s, at_s, peers);
    if (is_volume)
        make_volume_usual(s->b, f);
    if (s->b->alert_s <= time_s(f->alerted_ns)) { /* no other alert since: new values are no longer held back */
        s->b->alert_s = 0;
        s->b->today_alerted = 0;
    }
    settle(s, f);
}

void verdict_malicious(struct scene *s, const struct feedback *f, struct marks *marks)
{
    struct mark mark = {.from_ns = f->time_ns, .until_ns = f->until_ns};
    memcpy(mark.alert, f->alert, sizeof mark.alert);
    learn_undo(s, true);
    s->b->alert_s = time_s(f->time_ns);
    s->b->flags |= BASELINE_FROZEN;
    marks_source(marks, &f->source, &mark);
    marks_session(marks, f->session, &mark);
    if (f->agent[0])
        marks_client(marks, s->credential, s->visit->client.agent, &mark);
}

void verdict_thaw(struct scene *s)
{
    s->b->flags &= ~BASELINE_FROZEN;
}
