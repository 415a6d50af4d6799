/* SPDX-License-Identifier: Apache-2.0
 * The table of formats, and the two that are made of what record/ has. */
#include "sink/format.h"

#include "record/alert_words.h"
#include "record/shown.h"

#define TEXT_MAX 4096

static const struct {
    const char *name;
    void (*write)(const struct alert *a, struct text *out);
} formats[FORMAT_N] = {
    [FORMAT_ECS] = {"ecs", format_ecs},    [FORMAT_OCSF] = {"ocsf", format_ocsf}, [FORMAT_CEF] = {"cef", format_cef},
    [FORMAT_LEEF] = {"leef", format_leef}, [FORMAT_TEXT] = {"text", format_text},
};

const char *format_name(enum alert_format f)
{
    return formats[f].name;
}

enum alert_format format_of(struct span name)
{
    int f = 0;
    while (f < FORMAT_N && !span_eq(name, span_text(formats[f].name)))
        f++;
    return (enum alert_format)f;
}

void format_alert(enum alert_format f, const struct alert *a, struct text *out)
{
    formats[f].write(a, out);
}

void format_id(const struct alert *a, struct text *out)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof a->id; i++) {
        text_add_char(out, hex[a->id[i] >> 4]);
        text_add_char(out, hex[a->id[i] & 15]);
    }
}

void format_ecs(const struct alert *a, struct text *out)
{
    struct text line = {0};
    alert_json(a, &line);
    text_add(out, span_sub(text_span(&line), 0, line.size ? line.size - 1 : 0));
    text_fini(&line);
}

void format_text(const struct alert *a, struct text *out)
{
    struct text part = {.max = TEXT_MAX};
    for (const char *c = alert_severity(a); *c; c++)
        text_add_char(out, (char)(*c - 32));
    text_addf(out, " %s ", a->rule->id);
    words_message(a, &part);
    shown_add(text_span(&part), TEXT_MAX, out);
    text_clear(&part);
    words_reason(a, &part);
    if (part.size) {
        text_add_str(out, "; why: ");
        shown_add(text_span(&part), TEXT_MAX, out);
    }
    if (a->blind[0]) {
        text_add_str(out, "; unseen: ");
        shown_add(span_text(a->blind), TEXT_MAX, out);
    }
    if (a->rule->first_step[0]) {
        text_add_str(out, "; first: ");
        shown_add(span_text(a->rule->first_step), TEXT_MAX, out);
    }
    text_add_str(out, "; id ");
    format_id(a, out);
    if (a->update)
        text_addf(out, ", update %u", a->update);
    text_fini(&part);
}
