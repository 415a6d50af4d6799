/* SPDX-License-Identifier: Apache-2.0
 * Alerts on standard output and progress on standard error, for replay and run. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "base/map.h"
#include "capture/source.h"
#include "record/alert.h"

struct show {
    bool json, has_color, has_progress;
    const char *unit;  /* what is counted for progress: "packets" */
    uint64_t last_ms;  /* when progress was printed last */
    bool is_line_open; /* a progress line stands on the terminal */
    int error;         /* why standard output took no more (errno), 0 */
    struct map *told;  /* alert id -> what was shown of it; NULL: every alert is shown in full */
    struct text text;
};

/* 'quiet' turns progress off; colours and progress appear on terminals only. */
void show_init(struct show *s, bool json, bool quiet);
/* An alert as a paragraph that keeps to the terminal's width (an update: what is new in it), or as a JSON line. */
void show_alert(struct show *s, const struct alert *alert);
/* The alerts as they stand at the end, the gravest first, a line each, on standard error. */
void show_overview(struct show *s);
void show_progress(struct show *s, const struct source_stats *stats);
/* Takes the progress line away. */
void show_end(struct show *s);
/* Frees. E_IO with a line in why (if that is empty) when standard output took not all; a reader who had enough
 * ('| head') is no failure. */
int show_fini(struct show *s, struct text *why);

#endif
