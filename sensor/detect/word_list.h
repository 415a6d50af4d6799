/* SPDX-License-Identifier: Apache-2.0
 * A set of words out of a file, one a line, for selections and for black and white lists. Case does not matter. */
#ifndef DETECT_WORD_LIST_H
#define DETECT_WORD_LIST_H

#include "base/text.h"

#define WORD_LIST_MAX 200000u

struct word_list;

/* Reads DIR/NAME.txt; '#' begins a comment. E_IO, or E_CONF with "file:line:column: ..." (a word twice, too many). */
int word_list_load(const char *dir, const char *name, struct word_list **out, struct text *why);
/* An empty one to add to; E_NOMEM. */
int word_list_new(struct word_list **out);
/* Adds a word; E_LIMIT over WORD_LIST_MAX, E_STATE when it is there already, E_NOMEM. */
int word_list_add(struct word_list *l, struct span word);
void word_list_free(struct word_list *l);
bool word_list_has(const struct word_list *l, struct span word);
size_t word_list_size(const struct word_list *l);

#endif
