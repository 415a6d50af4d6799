/* SPDX-License-Identifier: Apache-2.0
 * The honest work of one day, with everything that may look odd about it. */
#ifndef EVAL_WORK_H
#define EVAL_WORK_H

#include "eval/deeds.h"

/* Adds the acts of that person, or machine, on that day. */
void work_day(struct world *w, uint32_t who, int day);
/* IT helps at some workstations. */
void work_remote_help(struct world *w, int day);
/* Where a person is at home on that day. */
struct spot work_home(const struct world *w, uint32_t who, int day);

#endif
