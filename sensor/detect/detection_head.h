/* SPDX-License-Identifier: Apache-2.0
 * The head of a detection's file: Sigma's attributes (title, id, status, level, tags ...), and what to do first. */
#ifndef DETECT_DETECTION_HEAD_H
#define DETECT_DETECTION_HEAD_H

#include "detect/detections.h"

/* Reads and checks the head and the names of the body's keys of one file. Borrows from the tree of 'root'. E_CONF. */
int detection_head(const struct yaml_node *root, struct detection *out, struct text *why);

#endif
