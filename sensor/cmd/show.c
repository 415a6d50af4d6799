/* SPDX-License-Identifier: Apache-2.0
 * What a person at a terminal sees while it works. The clock here paces the display and decides nothing. */
#include "cmd/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define PROGRESS_MS 200u

void show_init(struct show *s, bool json, bool quiet)
{
    const char *no_color = getenv("NO_COLOR");
    *s = (struct show){.json = json};
    s->has_color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
    s->has_progress = !quiet && isatty(STDERR_FILENO);
}

void show_alert(struct show *s, const struct alert *alert)
{
    if (s->error)
        return;
    show_end(s);
    text_clear(&s->text);
    if (s->json)
        alert_json(alert, &s->text);
    else
        alert_paragraph(alert, s->has_color, &s->text);
    errno = 0;
    if (fwrite(text_str(&s->text), 1, s->text.size, stdout) != s->text.size || fflush(stdout) != 0)
        s->error = errno ? errno : EIO;
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

int show_fini(struct show *s, struct text *why)
{
    int error = s->error;
    show_end(s);
    text_fini(&s->text);
    *s = (struct show){0};
    if (!error || error == EPIPE)
        return 0;
    if (!why->size)
        text_addf(why, "standard output: %s", strerror(error));
    return E_IO;
}
