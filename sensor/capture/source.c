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
#define SECRETS_MAX (64u << 20) /* bytes kept until somebody asks */

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

void source_wake(struct source *s)
{
    if (s->wake)
        s->wake(s);
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

static void drop_secrets(struct source *s)
{
    if (s->secrets.at)
        explicit_bzero(s->secrets.at, s->secrets.size);
    text_fini(&s->secrets);
}

void source_hand_secrets(void *source, struct span text)
{
    struct source *s = source;
    if (s->on_secrets) {
        s->on_secrets(s->secrets_ctx, text);
        return;
    }
    if (text.size >= SECRETS_MAX - s->secrets.size) {
        source_add_note(s, "embedded key logs of more than %u MiB: the rest is left out", SECRETS_MAX >> 20);
        return;
    }
    s->secrets.max = SECRETS_MAX + 1;
    text_add(&s->secrets, text);
    text_add_str(&s->secrets, "\n"); /* a last line without its end must not run into the next block */
}

void source_on_secrets(struct source *s, source_secrets_fn *fn, void *ctx)
{
    s->on_secrets = fn;
    s->secrets_ctx = ctx;
    if (fn && s->secrets.size)
        fn(ctx, text_span(&s->secrets));
    drop_secrets(s);
}

void source_close(struct source *s)
{
    if (!s)
        return;
    drop_secrets(s);
    for (size_t i = 0; i < s->n_notes; i++)
        free(s->notes[i]);
    free(s->notes);
    s->close(s);
}
