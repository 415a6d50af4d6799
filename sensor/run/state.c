/* SPDX-License-Identifier: Apache-2.0
 * One text line a session value (hashes, never the value), file or case; a first line with the version and a last one with
 * the count. */
#include "run/state.h"

#include "base/err.h"
#include "sink/sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LINE "casetap sessions 1"
#define LINE_MAX_SIZE 8192

static void path_of(struct text *path, const char *state)
{
    text_addf(path, "%s.sessions", state);
}

static int load_line(struct identity *id, struct memory *m, const char *line)
{
    bool is_session = strncmp(line, "session ", 8) == 0 || strncmp(line, "value ", 6) == 0;
    return is_session ? identity_load(id, line) : memory_load(m, line);
}

static int load_lines(FILE *f, const char *path, struct identity *id, struct memory *m, struct text *why)
{
    char line[LINE_MAX_SIZE];
    unsigned long n = 0, count;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (n++ == 0 && strcmp(line, FIRST_LINE) != 0)
            break;
        if (sscanf(line, "end %lu", &count) == 1 && count == n - 2)
            return 0;
        if (n > 1 && load_line(id, m, line)) {
            text_addf(why, "%s:%lu: not a line of a session, file or case", path, n);
            return E_BAD;
        }
    }
    text_addf(why, "%s:%lu: %s", path, n ? n : 1, n > 1 ? "cut: the end line is missing" : "not a casetap session state");
    return E_BAD;
}

int state_load(const char *state, struct identity *id, struct memory *m, struct text *why)
{
    struct text path = {0};
    path_of(&path, state);
    FILE *f = fopen(text_str(&path), "re");
    int rc = 0;
    if (f)
        rc = load_lines(f, text_str(&path), id, m, why);
    else if (errno != ENOENT) {
        text_addf(why, "%s: %s", text_str(&path), strerror(errno));
        rc = E_IO;
    }
    if (f)
        fclose(f);
    text_fini(&path);
    return rc;
}

struct saver {
    struct line_file *file;
    unsigned long n;
};

static void save_line(void *ctx, const char *text)
{
    struct saver *s = ctx;
    s->n++;
    (void)line_file_write(s->file, span_text(text)); /* sticky: told by line_file_close */
    (void)line_file_write(s->file, SPAN("\n"));
}

int state_save(const char *state, const struct identity *id, const struct memory *m, struct text *why)
{
    struct text path = {0}, end = {0};
    struct saver s = {0};
    path_of(&path, state);
    int rc = line_file_open(&s.file, text_str(&path), true, why);
    if (rc == 0) {
        (void)line_file_write(s.file, SPAN(FIRST_LINE "\n")); /* sticky, as above */
        identity_save(id, save_line, &s);
        memory_save(m, save_line, &s);
        text_addf(&end, "end %lu\n", s.n);
        (void)line_file_write(s.file, text_span(&end));
        rc = line_file_close(s.file, true, why);
    }
    text_fini(&path);
    text_fini(&end);
    return rc;
}
