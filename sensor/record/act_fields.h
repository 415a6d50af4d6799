/* SPDX-License-Identifier: Apache-2.0
 * What a line of the activity log and one of the alert log say of an act in the same words. Inside record/ only. */
#ifndef RECORD_ACT_FIELDS_H
#define RECORD_ACT_FIELDS_H

#include "record/activity.h"
#include "record/json_tree.h"

/* Strings, sizes, status, addresses and AS number into the act; what is absent stays as it is. */
void act_fields_read(struct tree *t, struct activity *a);

/* The string at a path into the act, when there is one. */
void act_string_read(struct tree *t, const char *path, enum activity_string which, struct activity *a);

/* Names by their numbers, for tree_name. */
const char *outcome_at(int i);
const char *client_os_at(int i);
const char *network_class_at(int i);

#endif
