/* SPDX-License-Identifier: Apache-2.0
 * Who there is: organisations and their people, and what is going to happen to each within the time. */
#ifndef EVAL_PEOPLE_H
#define EVAL_PEOPLE_H

#include "eval/world.h"

/* Fills orgs and people. */
void people_make(struct world *w);

#endif
