/* SPDX-License-Identifier: Apache-2.0
 * Why a transaction took its route: what was tried before and where it failed, which line decided the outcome, and from
 * which place each name came. For people who write profiles; nothing of it runs unless somebody asks. */
#ifndef APP_EXPLAIN_H
#define APP_EXPLAIN_H

#include "app/hosts.h"

struct explain_in {
    struct view *view;         /* at the transaction's end, bodies still there */
    const struct hosts *hosts;
    const struct route *route; /* taken, or NULL */
    const char *action;        /* "none" when nothing is to be told */
    bool is_told;
};

/* Appends a paragraph, or one JSON line. Secrets never: the address is masked, of tokens only the place is said. */
void explain_write(const struct explain_in *in, bool is_json, struct text *out);

#endif
