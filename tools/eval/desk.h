/* SPDX-License-Identifier: Apache-2.0
 * The desk's cases and files: none is stored, each is a function of its number. And its calendar. */
#ifndef EVAL_DESK_H
#define EVAL_DESK_H

#include "eval/world.h"

/* A case of the customer (an organisation) on which work goes on that day. */
uint32_t desk_case(const struct world *w, struct prng *r, uint32_t customer, int day);
bool desk_is_big(const struct world *w, uint32_t case_id);
/* How many files a big case has. */
uint32_t desk_bundle(const struct world *w, uint32_t case_id);
uint64_t desk_file_bytes(const struct world *w, uint32_t case_id, uint32_t file);
bool desk_is_holiday(uint8_t country, int day);
bool desk_is_weekend(int day);
/* The last working days of a month. */
bool desk_is_month_end(int day);
/* Whether who works there works that day. */
bool desk_is_workday(const struct world *w, uint32_t who, int day);

#endif
