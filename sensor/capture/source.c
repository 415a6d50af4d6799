/* SPDX-License-Identifier: Apache-2.0
 * The part of a packet source that does not depend on its kind: calls through the function table, delivery counts, the
 * stop flag and the notes. */
#include "capture/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "capture/source_impl.h"

#define NOTES_MAX 256u

int source_next(struct source *s, struct packet *p)
{
    if (atomic_load_explicit(&s->is_stopped, memory_order_relaxed))
        return E_END;
    int rc = s->next(s, p);
    if (rc == 1) {
        p->number = ++s->packets;
        s->bytes += p->wire;
    }
    return rc;
}

void source_stop(struct source *s)
{
    atomic_store(&s->is_stopped, true);
    if (s->stop)
        s->stop(s);
}

void source_stats(struct source *s, struct source_stats *out)
{
    *out = (struct source_stats){.packets = s->packets, .bytes = s->bytes};
    s->stats(s, out);
}

void source_add_note(struct source *s, const char *format, ...)
{
    if (s->n_notes + 1 >= NOTES_MAX)
        s->notes_left_out++;
    if (s->n_notes == NOTES_MAX)
        return;
    if (!s->notes)
        s->notes = calloc(NOTES_MAX, sizeof *s->notes);
    char *line = NULL;
    va_list args;
    va_start(args, format);
    int rc = s->notes_left_out ? asprintf(&line, "more notes are left out")
                               : vasprintf(&line, format, args);
    va_end(args);
    if (!s->notes || rc < 0)
        return; /* a note is the first thing to do without when memory is short */
    s->notes[s->n_notes++] = line;
}

const char *source_note(const struct source *s, size_t i)
{
    return i < s->n_notes ? s->notes[i] : NULL;
}

const char *source_last_note(const struct source *s, const char *otherwise)
{
    return s->n_notes ? s->notes[s->n_notes - 1] : otherwise;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_notes; i++)
        free(s->notes[i]);
    free(s->notes);
    s->close(s);
}
