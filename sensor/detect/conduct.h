/* SPDX-License-Identifier: Apache-2.0
 * How a credential works through its day: how many customers, cases and files, how fast, whether it looks at a case before it
 * takes files out of it, whether it knows the customers. What one big case or a sync client does is explained by there being
 * one case or one customer; what is left is surprise, in bits. */
#ifndef DETECT_CONDUCT_H
#define DETECT_CONDUCT_H

#include "detect/norms.h"
#include "detect/scene.h"

struct tally;

double conduct_amount(const struct conduct *c);
/* All of it. */
double conduct_bits(const struct conduct *c);

/* Whether nothing of the day is fast, unseen or strange: so the owner works. And what of it speaks for a thief in a visit from a new place: amounts that come at the owner's own pace say little. */
bool conduct_is_calm(const struct conduct *c, bool is_program);
double conduct_haste(const struct conduct *c, bool is_program);
/* What a day is judged by: the same, and slow collection, which is in no hurry, in full. */
double conduct_of_day(const struct conduct *c, bool is_program);

/* Notes the act in the credential's day, after tally_act. */
void conduct_note(struct scene *s, struct tally *t);
/* The day so far. */
struct conduct conduct_judge(const struct scene *s);
/* Teaches everybody's norms the credential's finished day and clears it. An alert about it makes no difference: one day of one
 * credential weighs little, and what is often told would else stay unusual for ever. */
void conduct_end_day(struct live_day *day, const struct baseline *b, struct norms *norms);
/* The reasons that gave bits, strongest amounts first. */
void conduct_why(const struct scene *s, const struct conduct *c, struct finding *f);
/* Tells the credential's day under that rule, with the reasons above. */
void conduct_report(struct scene *s, const struct rule *rule);

/* Whether the credential has looked at the act's case today. */
bool conduct_has_viewed(const struct scene *s);
/* How often the credential takes files of cases that it has not looked at, everybody's share weighing eight cases. */
double conduct_unseen_share(const struct scene *s);
enum peer_group conduct_group(const struct baseline *b);

#endif
