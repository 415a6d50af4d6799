/* SPDX-License-Identifier: Apache-2.0
 * What an operator could declare so that innocent alerts stay away: an organisation's way out, a service, a rule that is
 * wrong about one credential. Only what several alerts say is suggested. */
#include "run/tune.h"

#include <errno.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/times.h"
#include "enrich/roster.h"
#include "record/feedback.h"

#define OF_A_KIND 5u /* suggestions at most */
#define LEAST 2u     /* alerts, and for a way out credentials, that suggest something */
#define USERS 24u    /* of one way out */
#define HEAD "who,organisation,egress,service"

struct suggester {
    const struct tune_pass *p;
    const struct tune_labels *labels;
    const struct settings *s;
    const char *dir;
    struct roster *roster; /* NULL: none yet */
    char head[512];        /* of its columns */
    struct tune_suggestion *out;
    int n;
};

static void add_quoted(struct text *out, const char *value)
{
    if (!value[strcspn(value, ",\"\n\r")]) {
        text_add_str(out, value);
        return;
    }
    text_add_char(out, '"');
    for (; *value; value++) {
        if (*value == '"')
            text_add_char(out, '"');
        text_add_char(out, *value);
    }
    text_add_char(out, '"');
}

/* A record of the roster, its columns as the head has them. */
static void add_record(struct text *out, const char *head, const char *who, const char *organisation, const char *egress, const char *service)
{
    const struct {
        const char *name, *value;
    } columns[] = {{"who", who}, {"organisation", organisation}, {"egress", egress}, {"service", service}};
    for (const char *at = head; *at; at += *at == ',') {
        size_t size = strcspn(at, ",");
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
            if (strlen(columns[i].name) == size && memcmp(at, columns[i].name, size) == 0)
                add_quoted(out, columns[i].value);
        at += size;
        if (*at == ',')
            text_add_char(out, ',');
    }
    text_add_char(out, '\n');
}

static bool has_column(const char *head, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = head; (at = strstr(at, name)); at += n)
        if ((at == head || at[-1] == ',') && (at[n] == ',' || !at[n]))
            return true;
    return false;
}

/* The file at 'old' (NULL: none; then 'head' begins the new one) and 'more' behind it. */
static int write_with(const struct suggester *g, const char *old, const char *more, char *path, size_t size, struct text *why)
{
    char block[4096];
    size_t n;
    snprintf(path, size, "%s/suggestion%d", g->dir, g->n);
    FILE *to = fopen(path, "we"), *from = old ? fopen(old, "re") : NULL;
    bool is_good = to && (from || !old);
    char last = '\n';
    while (is_good && from && (n = fread(block, 1, sizeof block, from)) > 0) {
        is_good = fwrite(block, 1, n, to) == n;
        last = block[n - 1];
    }
    if (is_good && last != '\n')
        is_good = fputc('\n', to) != EOF;
    is_good = is_good && fputs(more, to) >= 0;
    if (!is_good)
        text_addf(why, "%s: %s", path, strerror(errno));
    if (from)
        fclose(from);
    if (to && fclose(to) != 0)
        is_good = false;
    return is_good ? 0 : E_IO;
}

/* 'lines' go into the file; what a person does instead of that is 'order', or NULL: the same. */
static int keep(struct suggester *g, enum tune_kind kind, const char *about, const struct text *lines, const char *order,
                unsigned alerts, struct text *why)
{
    struct tune_suggestion *s = &g->out[g->n];
    struct text all = {0};
    const char *old = kind == TUNE_SUPPRESS ? g->s->feedback : g->s->roster;
    if (lines->size >= sizeof s->lines)
        return 0;
    *s = (struct tune_suggestion){.kind = kind, .alerts = alerts};
    snprintf(s->about, sizeof s->about, "%s", about);
    text_addf(&all, "%s%s", kind != TUNE_SUPPRESS && !old ? HEAD "\n" : "", text_str(lines));
    snprintf(s->lines, sizeof s->lines, "%s", order ? order : text_str(&all));
    int rc = write_with(g, old, text_str(&all), s->path, sizeof s->path, why);
    text_fini(&all);
    g->n += rc == 0;
    return rc;
}

static bool is_context(const struct tune_alert *a)
{
    return strstr(a->rules, "D01") || strstr(a->rules, "D15");
}

/* A name with control characters can stand in no file that a person writes. */
static bool is_usable(const struct suggester *g, const struct tune_alert *a)
{
    bool is_plain = a->user[0] != 0;
    for (const char *at = a->user; *at; at++)
        is_plain = is_plain && (unsigned char)*at >= 0x20 && *at != 0x7f;
    return is_plain && !tune_is_attack(a, g->labels);
}

/* Different credentials with alerts from that prefix, and their alerts. */
static unsigned users_of(const struct suggester *g, const struct prefix *place, const char *users[USERS], unsigned *alerts)
{
    unsigned n = 0;
    *alerts = 0;
    for (size_t i = 0; i < g->p->n; i++) {
        const struct tune_alert *a = &g->p->at[i];
        bool is_known = false;
        if (!is_usable(g, a) || !is_context(a) || !prefix_has(place, &a->source))
            continue;
        ++*alerts;
        for (unsigned k = 0; k < n; k++)
            is_known = is_known || strcmp(users[k], a->user) == 0;
        if (!is_known && n < USERS)
            users[n++] = a->user;
    }
    return n;
}

static int suggest_egress_of(struct suggester *g, const struct prefix *place, struct text *why)
{
    const char *users[USERS];
    char cidr[PREFIX_TEXT_MAX], about[200], declared[80];
    unsigned alerts, n = users_of(g, place, users, &alerts);
    struct text lines = {0};
    if (n < LEAST)
        return 0;
    prefix_text(place, cidr);
    snprintf(declared, sizeof declared, "users of %s", cidr);
    bool is_new = false;
    for (unsigned i = 0; i < n; i++) {
        const struct roster_person *p = roster_find(g->roster, span_text(users[i]));
        const char *organisation = p ? roster_organisation(g->roster, p->organisation) : "";
        if (!p) {
            add_record(&lines, g->head, users[i], declared, "", "");
            is_new = true;
        } else if (*organisation) {
            struct text row = {0};
            add_record(&row, g->head, "", organisation, cidr, "");
            if (!strstr(text_str(&lines), text_str(&row)))
                text_add(&lines, text_span(&row));
            text_fini(&row);
        }
    }
    if (is_new)
        add_record(&lines, g->head, "", declared, cidr, "");
    snprintf(about, sizeof about, "declare %s as a way out of its people: %u credentials have alerts from there", cidr, n);
    int rc = lines.size ? keep(g, TUNE_EGRESS, about, &lines, NULL, alerts, why) : 0;
    text_fini(&lines);
    return rc;
}

static int suggest_egress(struct suggester *g, struct text *why)
{
    int rc = 0, from = g->n;
    for (size_t i = 0; rc == 0 && i < g->p->n && g->n - from < (int)OF_A_KIND; i++) {
        const struct tune_alert *a = &g->p->at[i];
        struct prefix place = ipaddr_prefix(&a->source, 24, 48);
        bool is_first = is_usable(g, a) && is_context(a) && !ipaddr_is_zero(&a->source);
        for (size_t k = 0; k < i && is_first; k++)
            is_first = !(is_usable(g, &g->p->at[k]) && is_context(&g->p->at[k]) && prefix_has(&place, &g->p->at[k].source));
        if (is_first)
            rc = suggest_egress_of(g, &place, why);
    }
    return rc;
}

/* Alerts about the same credential (and, for a rule, begun by the same); 0 when an earlier one was the first of them. */
static unsigned same_as(const struct suggester *g, size_t at, bool is_by_rule, bool is_of_program)
{
    const struct tune_alert *a = &g->p->at[at];
    unsigned n = 0;
    for (size_t i = 0; i < g->p->n; i++) {
        const struct tune_alert *b = &g->p->at[i];
        bool is_same = strcmp(a->user, b->user) == 0 && (!is_by_rule || strcmp(a->rule, b->rule) == 0) &&
                       (!is_of_program || b->is_program) && is_usable(g, b);
        if (is_same && i < at)
            return 0;
        n += is_same;
    }
    return n;
}

static int suggest_services(struct suggester *g, struct text *why)
{
    int rc = 0, from = g->n;
    for (size_t i = 0; rc == 0 && i < g->p->n && g->n - from < (int)OF_A_KIND; i++) {
        const struct tune_alert *a = &g->p->at[i];
        char about[200];
        struct text lines = {0};
        if (!a->is_program || !is_usable(g, a) || roster_find(g->roster, span_text(a->user)))
            continue;
        unsigned n = same_as(g, i, false, true);
        if (n < LEAST)
            continue;
        add_record(&lines, g->head, a->user, "", "", "yes");
        snprintf(about, sizeof about, "declare %.120s a service, if it is one: a program acts in its alerts", a->user);
        rc = keep(g, TUNE_SERVICE, about, &lines, NULL, n, why);
        text_fini(&lines);
    }
    return rc;
}

static int suggest_suppressions(struct suggester *g, struct text *why)
{
    int rc = 0, from = g->n;
    for (size_t i = 0; rc == 0 && i < g->p->n && g->n - from < (int)OF_A_KIND; i++) {
        const struct tune_alert *a = &g->p->at[i];
        char about[200];
        struct text lines = {0}, order = {0};
        unsigned n = is_usable(g, a) ? same_as(g, i, true, false) : 0;
        if (n < LEAST)
            continue;
        struct feedback f = {.verdict = VERDICT_SUPPRESS, .time_ns = g->p->first_ns, .until_ns = g->p->last_ns + NS_PER_S};
        snprintf(f.user, sizeof f.user, "%s", a->user);
        snprintf(f.rule, sizeof f.rule, "%s", a->rule);
        feedback_seal(&f);
        feedback_json(&f, &lines);
        snprintf(about, sizeof about, "suppress %s about %.120s", a->rule, a->user);
        text_addf(&order, "casetap feedback suppress --rule %s --user '", a->rule);
        for (const char *at = a->user; *at; at++) /* as a shell takes it */
            *at == '\'' ? text_add_str(&order, "'\\''") : text_add_char(&order, *at);
        text_add_str(&order, "' --until 30d");
        rc = keep(g, TUNE_SUPPRESS, about, &lines, text_str(&order), n, why);
        text_fini(&order);
        text_fini(&lines);
    }
    return rc;
}

/* The columns of the roster there is, and what it says. */
static int open_roster(struct suggester *g, struct text *why)
{
    snprintf(g->head, sizeof g->head, HEAD);
    if (!g->s->roster)
        return 0;
    int rc = roster_load(g->s->roster, &g->roster, why);
    FILE *f = rc == 0 ? fopen(g->s->roster, "re") : NULL;
    struct csv *csv = f ? malloc(sizeof *csv) : NULL;
    if (csv) {
        csv_init(csv, f, g->s->roster);
        rc = csv_next(csv, why);
        g->head[0] = 0;
        for (uint32_t i = 0; rc == 0 && i < csv->n; i++) {
            size_t used = strlen(g->head);
            snprintf(g->head + used, sizeof g->head - used, "%s%s", i ? "," : "", csv->values[i].text);
        }
    }
    free(csv);
    if (f)
        fclose(f);
    return rc;
}

static int by_alerts(const void *a, const void *b)
{
    const struct tune_suggestion *x = a, *y = b;
    return x->alerts != y->alerts ? (x->alerts < y->alerts ? 1 : -1) : strcmp(x->about, y->about);
}

int tune_suggest(const struct tune_pass *p, const struct tune_labels *labels, const struct settings *s, const char *dir,
                 struct tune_suggestion out[TUNE_SUGGESTIONS_MAX], struct text *why)
{
    struct suggester g = {.p = p, .labels = labels, .s = s, .dir = dir, .out = out};
    int rc = open_roster(&g, why);
    if (rc == 0 && has_column(g.head, "who") && has_column(g.head, "organisation") && has_column(g.head, "egress"))
        rc = suggest_egress(&g, why);
    if (rc == 0 && has_column(g.head, "service"))
        rc = suggest_services(&g, why);
    if (rc == 0)
        rc = suggest_suppressions(&g, why);
    roster_free(g.roster);
    qsort(out, (size_t)g.n, sizeof *out, by_alerts);
    return rc ? rc : g.n;
}
