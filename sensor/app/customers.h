/* SPDX-License-Identifier: Apache-2.0
 * Whose case it is. Learnt from what the desk itself shows (case pages, JSON of a case, lists and searches), from the
 * domain of the requestor's e-mail address where that is known to be one customer's, and read from the operator's file.
 * What was done before the customer was known waits here, and is completed once. */
#ifndef APP_CUSTOMERS_H
#define APP_CUSTOMERS_H

#include "base/counter.h"
#include "record/activity.h"

#define CUSTOMERS_NAME_MAX 160
#define CUSTOMERS_CASE_MAX 48

struct customers;

/* 'max_waiting': activities that wait for their customer at most; the oldest makes room (counted). NULL when memory
 * cannot be reserved. */
struct customers *customers_new(uint32_t max_waiting);
void customers_free(struct customers *c);

/* Reads the operator's file: lines of comma-separated values (RFC 4180) "case,PATTERN,CUSTOMER" ('*' and '?' stand for
 * anything) and "domain,NAME,CUSTOMER" ("*.NAME" for all below it); '#' begins a comment. Outweighs what is learnt.
 * E_IO, E_NOMEM, E_CONF with file:line:column in why. */
int customers_read(struct customers *c, const char *path, struct text *why);
/* How many cases (or patterns of them) and domains the operator named. */
void customers_named(const struct customers *c, size_t *cases, size_t *domains);

/* The desk itself says whose a case is: by name, by the domain of its requestor, or both; either may be empty. A
 * name of digits alone is an id: it never replaces a name, and tells nothing of the domain. 'by' is the activity that
 * shows it: cases mean something only within its application and host. */
void customers_learn(struct customers *c, const struct activity *by, struct span of_case, struct span name, struct span domain);
/* Sets the customer of the activity's case, if it is known. */
void customers_name(struct customers *c, struct activity *a);
/* Whether the operator named the case's customer: then no page outweighs it. */
bool customers_is_named(const struct customers *c, struct span of_case);

/* A settled activity whose case or customer is not known (or, 'is_guess', whose case is a guess) waits for it. */
void customers_wait(struct customers *c, const struct activity *a, bool is_guess);
/* The desk listed this object as a file of that case: who waits for it need not wait longer. */
void customers_place(struct customers *c, const struct activity *by, struct span object, struct span of_case);
/* The next activity that can be completed, as an amend told by 'by'; false when there is none. Of one case, what
 * was done first comes first. */
bool customers_take(struct customers *c, const struct activity *by, struct activity *amend);

/* What is known as lines of text, and back; customers_load gives E_BAD for a line that is none of customers_save's. */
void customers_save(const struct customers *c, void (*line)(void *ctx, const char *text), void *ctx);
int customers_load(struct customers *c, const char *line);
struct counters customers_counters(const struct customers *c);

#endif
