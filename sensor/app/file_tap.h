/* SPDX-License-Identifier: Apache-2.0
 * Where in a transaction a file's content stands, and what of it is looked at: the body itself, a part of a multipart
 * form, base64 in JSON, behind an application's own first line. It listens beside whoever else wants the body. */
#ifndef APP_FILE_TAP_H
#define APP_FILE_TAP_H

#include "app/file_content.h"
#include "app/route.h"

struct file_taps; /* the pool of one worker */
struct file_tap;  /* one body at work */

struct file_tap_options {
    uint64_t budget; /* bytes of one file's text that are looked through for secrets; 0 = none */
    bool has_hash;   /* SHA-256 of every file */
    uint32_t max;    /* bodies at the same time */
};

/* NULL when memory cannot be reserved. */
struct file_taps *file_taps_new(const struct file_tap_options *options);
void file_taps_free(struct file_taps *taps);
struct counters file_taps_counters(const struct file_taps *taps);
struct counters file_taps_reader_counters(const struct file_taps *taps); /* of the contents */

/* The request may bring files: a multipart form with file parts the routes in 'choice' ask for, JSON with base64, or the
 * file as the body. NULL (and *tap as it was) when it does not, or no more bodies can be watched (counted). */
struct file_tap *file_tap_request(struct file_taps *taps, struct view *v, const struct route_choice *choice,
                                  struct body_tap *tap);
/* The answer brings a file by this route (NULL: by its response alone). */
struct file_tap *file_tap_response(struct file_taps *taps, struct view *v, const struct route *route, struct body_tap *tap);
/* The body is over. May be called again; 'tap' may be NULL. */
void file_tap_end(struct file_tap *tap, const struct body_measure *body);
/* Gives it back. NULL does nothing. */
void file_tap_free(struct file_taps *taps, struct file_tap *tap);

/* Sets a->file from what was seen ('tap' NULL: nothing) and from the file's name and declared type in 'a'. */
void file_tap_tell(const struct file_tap *tap, struct activity *a);

#endif
