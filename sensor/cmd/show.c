/* SPDX-License-Identifier: Apache-2.0
 * What a person at a terminal sees while it works. The clock here paces the display and decides nothing. */
#include "cmd/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_MS 200u

void show_init(struct show *s, bool json, bool quiet)
{
    *s = (struct show){.json = json};
    s->color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    s->has_progress = !quiet && isatty(STDERR_FILENO);
}

void show_alert(struct show *s, const struct alert *alert)
{
    if (s->is_deaf)
        return;
    show_end(s);
    text_clear(&s->text);
    if (s->json)
        alert_json(alert, &s->text);
    else
        alert_paragraph(alert, s->color, &s->text);
    fwrite(text_str(&s->text), 1, s->text.size, stdout);
    s->is_deaf = fflush(stdout) != 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void show_progress(struct show *s, const struct source_stats *stats)
{
    uint64_t now = s->has_progress ? now_ms() : 0;
    if (!s->has_progress || now - s->last_ms < PROGRESS_MS)
        return;
    s->last_ms = now;
    s->is_line_open = true;
    if (stats->total_bytes)
        fprintf(stderr, "\r%3d %%  %llu packets", (int)(100.0 * (double)stats->read_bytes / (double)stats->total_bytes),
                (unsigned long long)stats->packets);
    else
        fprintf(stderr, "\r%llu packets", (unsigned long long)stats->packets);
}

void show_end(struct show *s)
{
    if (s->is_line_open)
        fputs("\r\033[K", stderr);
    s->is_line_open = false;
}
