/* SPDX-License-Identifier: Apache-2.0
 * What every kind of packet source has in common, for the files of capture/ only: the function table behind source.h,
 * the stop flag, the notes and the filter. */
#ifndef CAPTURE_SOURCE_IMPL_H
#define CAPTURE_SOURCE_IMPL_H

#include <stdatomic.h>

#include "capture/source.h"

#define SOURCE_SNAPLEN 262144 /* bytes; what libpcap and the field's tools use for "the whole frame" */

/* The first member of every kind's own struct. */
struct source {
    int (*next)(struct source *s, struct packet *p);
    void (*stop)(struct source *s); /* safe in a signal handler; may be NULL */
    void (*wake)(struct source *s); /* ends a wait; safe from any thread; NULL: it never waits for long */
    void (*stats)(struct source *s, struct source_stats *out);
    void (*close)(struct source *s);
    atomic_bool is_stopped;
    uint64_t packets, bytes; /* delivered */
    char **notes;
    size_t n_notes;
    uint64_t notes_left_out;
    source_secrets_fn *on_secrets; /* NULL until somebody asks: 'secrets' collects what comes before */
    void *secrets_ctx;
    struct text secrets;
};

/* Adds one line to the notes (copied); the list is bounded, what does not fit is counted in its last line. */
void source_add_note(struct source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands the text of a key log on, or keeps it (bounded, a note says so) until somebody asks; a source_secrets_fn. */
void source_hand_secrets(void *source, struct span text);

/* BPF text, compiled once for each link type that comes up. */
struct source_filter;

struct source_filter *source_filter_new(const char *expression);
void source_filter_free(struct source_filter *f);
/* E_CONF and a reason when the expression does not compile for this DLT_ value. */
int source_filter_check(struct source_filter *f, uint32_t link, struct text *why);
/* 1: the frame passes; 0: it does not; E_CONF: nor does any of its link type, which the expression does not fit (said
 * once for each link type, 0 afterwards). */
int source_filter_match(struct source_filter *f, const struct packet *p);

#endif
