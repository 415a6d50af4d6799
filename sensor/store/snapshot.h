/* SPDX-License-Identifier: Apache-2.0
 * State files: text in sections, written beside the old one and renamed over it, so that there is always a whole one.
 *
 *     casetap-state 1
 *     section baselines
 *       one line of the section, indented by two blanks
 *     section sessions
 *       ...
 *     end 4 9c3e0f8a5b6d7e21
 *
 * The last line holds the number of lines before it and a chained XXH3-64 of them: a file that was cut short or changed
 * is refused. */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "base/text.h"

#define SNAPSHOT_LINE_MAX 8192 /* bytes of a line with its newline */

struct snapshot; /* one being written */

/* E_OK when 'path' can be (over)written later: no file or a regular one, in a directory we may write to. Else E_IO. */
int snapshot_check_path(const char *path, struct text *why);

/* Begins a new file beside 'path'. E_IO with the reason in why. */
int snapshot_new(const char *path, struct snapshot **out, struct text *why);
void snapshot_section(struct snapshot *s, const char *name);
/* One line of the section, without newline or other control characters but tab. Too long or malformed: commit fails. */
void snapshot_line(struct snapshot *s, const char *line);
/* Ends, syncs and renames it: E_OK and 'path' holds all of it, or E_IO and 'path' is what it was. Frees s. */
int snapshot_commit(struct snapshot *s, struct text *why);

/* Gets the lines in order, without their indentation; number counts from 1. Another result than E_OK ends the reading;
 * the function then puts its reason (without file and line) into why. Borrowed during the call. */
typedef int snapshot_line_fn(void *ctx, const char *section, const char *line, uint32_t number, struct text *why);

/* E_NONE when there is no such file; E_IO when it cannot be read; E_BAD when it is not a whole state file, with
 * "file:line: reason" in why: by then some lines have been handed out. */
int snapshot_load(const char *path, snapshot_line_fn *fn, void *ctx, struct text *why);

#endif
