/* SPDX-License-Identifier: Apache-2.0
 * The detections as files, one rule a file: a head in Sigma's words and a typed body. The shipped ones lie in detections/ of
 * the rules directory; a file of the same id in the user's own directory replaces one. */
#ifndef DETECT_DETECTIONS_H
#define DETECT_DETECTIONS_H

#include "detect/rules.h"

#define DETECTIONS_MAX 512u

struct detection {
    struct rule rule;               /* what alerts say of it */
    const char *status, *level, *type;
    bool is_enabled, is_own;        /* is_own: from the user's directory */
    const struct yaml_node *root;   /* the whole file; "file:line:column" of each part is in it */
};

struct detections;

/* Reads the files of DIR/detections and, when own_dir is not NULL, those (.yaml) of that directory. E_IO, or E_CONF with "file:line:column: ...". */
int detections_load(const char *dir, const char *own_dir, struct detections **out, struct text *why);
void detections_free(struct detections *d);
size_t detections_count(const struct detections *d);
/* Ordered by id. */
const struct detection *detections_at(const struct detections *d, size_t i);
/* Puts the heads and parameters of those of 'type: scored' into r, which borrows from d. */
int detections_scored(const struct detections *d, struct rules *r, struct text *why);

#endif
