/* SPDX-License-Identifier: Apache-2.0
 * An alert as a paragraph on a terminal. Everything that came from the wire is made harmless first: no control
 * character, escape sequence or direction override reaches the screen. */
#include "base/times.h"
#include "record/alert.h"
#include "record/alert_words.h"
#include "record/shown.h"

#include <math.h>
#include <stdio.h>

#define WIDTH 100
#define WIDTH_MIN 40
#define INDENT 10

struct page {
    struct text *out;
    size_t column, width;
    bool has_color;
};

static void paint(struct page *p, const char *code)
{
    if (p->has_color)
        text_addf(p->out, "\x1b[%sm", code);
}

static void new_line(struct page *p)
{
    text_add_char(p->out, '\n');
    p->column = 0;
}

static void pad_to(struct page *p, size_t column)
{
    for (; p->column < column; p->column++)
        text_add_char(p->out, ' ');
}

/* A word, on the next line when this one has no room for it, broken when no line has. */
static void put_word(struct page *p, struct span word)
{
    char shown[SHOWN_MAX];
    size_t width = 0;
    for (struct span s = word; s.size && width <= p->width;)
        width += shown_next(&s, shown);
    size_t space = p->column > INDENT ? 1 : 0;
    if (p->column + space + width > p->width && p->column > INDENT) {
        new_line(p);
        space = 0;
    }
    pad_to(p, p->column < INDENT ? INDENT : p->column + space);
    while (word.size) {
        size_t columns = shown_next(&word, shown);
        if (p->column + columns > p->width) {
            new_line(p);
            pad_to(p, INDENT);
        }
        text_add_str(p->out, shown);
        p->column += columns;
    }
}

/* Text in words, wrapped behind the label. */
static void put_text(struct page *p, struct span s)
{
    struct span word;
    while (span_split(&s, ' ', &word)) {
        if (word.size)
            put_word(p, word);
    }
}

static void put_label(struct page *p, const char *label)
{
    paint(p, "2");
    p->column = 2;
    text_add_str(p->out, "  ");
    text_add_str(p->out, label);
    p->column += strlen(label);
    paint(p, "0");
    pad_to(p, INDENT);
}

static void put_line(struct page *p, const char *label, struct span s)
{
    if (!s.size)
        return;
    put_label(p, label);
    put_text(p, s);
    new_line(p);
}

/* "CRITICAL" */
static void put_severity(struct page *p, const struct alert *a)
{
    const char *severity = alert_severity(a);
    paint(p, a->risk >= 80 ? "1;31" : a->risk >= 60 ? "31" : a->risk >= 40 ? "33" : "36");
    for (const char *c = severity; *c; c++)
        text_add_char(p->out, *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c);
    paint(p, "0");
    p->column += strlen(severity);
}

/* "2026-03-20 03:12:14", cut behind 'n' characters. */
static void time_words(uint64_t ns, size_t n, char when[TIME_TEXT_MAX])
{
    time_text(ns, when);
    when[10] = ' ';
    when[n] = 0;
}

static void put_head(struct page *p, const struct alert *a)
{
    char when[TIME_TEXT_MAX], update[32] = "";
    put_severity(p, a);
    text_addf(p->out, "  %s  ", a->rule->id);
    paint(p, "1");
    text_add_str(p->out, a->rule->name);
    paint(p, "0");
    p->column += 4 + strlen(a->rule->id) + strlen(a->rule->name);
    time_words(a->time_ns, 19, when);
    if (a->update)
        snprintf(update, sizeof update, "   (update %u)", a->update);
    bool has_room = p->column + 3 + strlen(when) + 4 + strlen(update) <= p->width;
    if (!has_room)
        new_line(p);
    pad_to(p, has_room ? p->column + 3 : INDENT);
    text_addf(p->out, "%s UTC%s", when, update);
    new_line(p);
}

static void put_who(struct page *p, const struct alert *a, struct text *t)
{
    struct span client = activity_get(&a->last, STR_CLIENT);
    text_clear(t);
    words_who(&a->last, 0, t);
    if (!client.size)
        client = activity_get(&a->last, STR_AGENT);
    if (client.size) {
        text_add_str(t, " with ");
        text_add(t, client);
    }
    put_line(p, "who", text_span(t));
}

/* "also:" and a list of names, those that were given. */
static void put_list(struct page *p, const char *label, const char names[][ALERT_TEXT], size_t n, struct span but,
                     struct text *t)
{
    text_clear(t);
    for (size_t i = 0; i < n; i++) {
        if (span_eq(span_text(names[i]), but))
            continue;
        text_add_str(t, t->size ? ", " : "");
        text_add_str(t, names[i]);
    }
    put_line(p, label, text_span(t));
}

static void put_what(struct page *p, const struct alert *a, struct text *t)
{
    const struct activity *act = &a->last;
    text_clear(t);
    words_taken(a, t);
    if (act->action != ACTION_NONE) {
        text_add_str(t, t->size ? "; last: " : "");
        text_add_str(t, words_action((enum action)act->action));
    }
    if (act->size[STR_FILE]) {
        text_add_str(t, " of ");
        text_add(t, activity_get(act, STR_FILE));
        if (act->flags & ACT_HAS_FILE_SIZE) {
            text_add_str(t, " (");
            words_bytes(act->file_size, t);
            text_add_char(t, ')');
        }
    }
    if (!act->size[STR_FILE] && !act->size[STR_CASE] && act->size[STR_TARGET]) {
        text_add_str(t, ", ");
        text_add(t, activity_get(act, STR_METHOD));
        text_add_char(t, ' ');
        text_add(t, activity_get(act, STR_TARGET));
    }
    if (act->size[STR_CASE]) {
        text_add_str(t, ", case ");
        text_add(t, activity_get(act, STR_CASE));
    }
    if (act->size[STR_CUSTOMER]) {
        text_add_str(t, ", customer ");
        text_add(t, activity_get(act, STR_CUSTOMER));
    }
    put_line(p, "what", text_span(t));
}

static void put_why(struct page *p, const struct alert *a, uint8_t n_told, struct text *t)
{
    for (int i = n_told; i < a->n_why; i++) {
        text_clear(t);
        words_why(&a->why[i], t);
        put_label(p, i > n_told ? "" : "why");
        put_text(p, text_span(t));
        if (isfinite(a->why[i].bits) && a->why[i].bits != 0) {
            char bits[32];
            snprintf(bits, sizeof bits, "  %+.1f bits", a->why[i].bits);
            if (p->column + strlen(bits) > p->width) {
                new_line(p);
                pad_to(p, INDENT);
            }
            text_add_str(p->out, bits);
        }
        new_line(p);
    }
}

static void put_id(struct page *p, const struct alert *a, struct text *t)
{
    static const char hex[] = "0123456789abcdef";
    text_clear(t);
    for (size_t i = 0; i < sizeof a->id; i++) {
        text_add_char(t, hex[a->id[i] >> 4]);
        text_add_char(t, hex[a->id[i] & 15]);
    }
    put_line(p, "id", text_span(t));
}

static struct page page_of(struct text *out, const struct alert_style *style)
{
    size_t width = style->width == 0 ? WIDTH : style->width < WIDTH_MIN ? WIDTH_MIN : style->width;
    return (struct page){out, 0, width, style->has_color};
}

void alert_line(const struct alert *a, const struct alert_style *style, struct text *out)
{
    struct text t = {.max = 16384};
    struct page p = page_of(out, style);
    char when[TIME_TEXT_MAX];
    time_words(a->start_ns, 16, when);
    put_severity(&p, a);
    pad_to(&p, INDENT);
    text_addf(&t, "%s %s ", a->rule->id, when);
    words_who(&a->last, 0, &t);
    size_t size = t.size;
    text_add_str(&t, ", ");
    words_taken(a, &t);
    if (t.size == size + 2)
        t.size = size; /* nothing was taken */
    put_text(&p, text_span(&t));
    new_line(&p);
    text_fini(&t);
}

/* What could not be seen, and what that leaves. */
static void put_unseen(struct page *p, const struct alert *a, struct text *t)
{
    text_clear(t);
    text_add_str(t, a->blind);
    if (a->doubt)
        text_addf(t, "%sconfidence %u %%", t->size ? "; " : "", 100u - a->doubt);
    put_line(p, "unseen", text_span(t));
}

void alert_paragraph(const struct alert *a, const struct alert_style *style, struct text *out)
{
    struct text t = {.max = 16384};
    struct page p = page_of(out, style);
    put_head(&p, a);
    put_who(&p, a, &t);
    put_list(&p, "also", a->users, a->n_users, activity_get(&a->last, STR_USER), &t);
    put_what(&p, a, &t);
    put_list(&p, "whose", a->customers, a->n_listed_customers, span_of(NULL, 0), &t);
    put_why(&p, a, style->n_told, &t);
    if (!style->n_told)
        put_line(&p, "first", span_text(a->rule->first_step));
    put_unseen(&p, a, &t);
    if (!style->n_told)
        put_id(&p, a, &t);
    text_add_char(out, '\n');
    text_fini(&t);
}
