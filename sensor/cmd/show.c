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
#define MAX_TOLD 8192u
#define MAX_LISTED 20u

/* What was shown of an alert. */
struct told {
    char line[500];
    uint8_t n_why, risk;
};

void show_init(struct show *s, bool json, bool quiet)
{
    const char *no_color = getenv("NO_COLOR");
    *s = (struct show){.json = json, .unit = "packets"};
    s->has_color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
    s->told = json ? NULL : map_new(16, sizeof(struct told), MAX_TOLD, 0);
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
        struct told *told = map_touch(s->told, alert->id, &is_new);
        alert_line(alert, &(struct alert_style){.width = style.width}, &s->text);
        snprintf(told->line, sizeof told->line, "%s", text_str(&s->text));
        text_clear(&s->text);
        style.n_told = told->n_why;
        told->n_why = alert->n_why;
        told->risk = alert->risk;
    }
    alert_paragraph(alert, &style, &s->text);
}

/* The gravest of those that were not listed yet; among equals the one that was updated longest ago. */
static struct told *gravest(const struct map *all)
{
    struct told *found = NULL;
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(all, &at, &key, &value);) {
        struct told *told = value;
        if (told->line[0] && (!found || told->risk > found->risk))
            found = told;
    }
    return found;
}

void show_overview(struct show *s)
{
    struct told *told;
    uint32_t n = s->told ? map_size(s->told) : 0, listed = 0;
    if (n < 2)
        return;
    fputc('\n', stderr);
    for (; listed < MAX_LISTED && (told = gravest(s->told)); listed++) {
        fputs(told->line, stderr);
        told->line[0] = 0;
    }
    if (n > listed)
        fprintf(stderr, "          and %u more\n", n - listed);
    fputc('\n', stderr);
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
        fprintf(stderr, "\r%3d %%  %llu %s", (int)(100.0 * (double)stats->read_bytes / (double)stats->total_bytes),
                (unsigned long long)stats->packets, s->unit);
    else
        fprintf(stderr, "\r%llu %s", (unsigned long long)stats->packets, s->unit);
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
