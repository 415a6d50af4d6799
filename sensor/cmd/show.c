/* SPDX-License-Identifier: Apache-2.0
 * What a person at a terminal sees while it works. The clock here paces the display and decides nothing. */
#include "cmd/show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define PROGRESS_MS 200u
#define MAX_WIDTH 120u /* longer lines are hard to read */
#define MAX_TOLD 65536u

void show_init(struct show *s, bool json, bool quiet)
{
    const char *no_color = getenv("NO_COLOR");
    *s = (struct show){.json = json};
    s->has_color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
    s->told = json ? NULL : map_new(16, 1, MAX_TOLD, 0);
    s->has_progress = !quiet && isatty(STDERR_FILENO);
}

/* Columns of the terminal, asked each time: windows change; 0 when it is none. */
static unsigned terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col < MAX_WIDTH ? size.ws_col : MAX_WIDTH;
}

static void add_paragraph(struct show *s, const struct alert *alert)
{
    struct alert_style style = {.has_color = s->has_color, .width = terminal_width()};
    if (s->told) {
        bool is_new;
        uint8_t *n_told = map_touch(s->told, alert->id, &is_new);
        style.n_told = *n_told;
        *n_told = alert->n_why;
    }
    alert_paragraph(alert, &style, &s->text);
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
        add_paragraph(s, alert);
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
    map_free(s->told);
    text_fini(&s->text);
    *s = (struct show){0};
    if (!error || error == EPIPE)
        return 0;
    if (!why->size)
        text_addf(why, "standard output: %s", strerror(error));
    return E_IO;
}
