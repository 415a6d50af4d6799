/* SPDX-License-Identifier: Apache-2.0
 * An impact for people and for programs. What came from the wire is harmless in each form: no escape sequence on a terminal, no
 * formula in a spreadsheet, valid JSON. */
#ifndef RUN_IMPACT_SHOW_H
#define RUN_IMPACT_SHOW_H

#include "run/impact.h"

enum impact_form { IMPACT_TEXT, IMPACT_CSV, IMPACT_JSON };

/* All of it, or what is one customer's alone ('part' not NULL). */
void impact_show(const struct impact *i, const struct subject *s, enum impact_form form, const struct impact_part *part, struct text *out);
/* One file a customer into 'dir' (made if its parent exists); *n of them. E_IO with a line in why. */
int impact_packages(const struct impact *i, const struct subject *s, enum impact_form form, const char *dir, size_t *n, struct text *why);

/* One form each; for impact_show. */
void impact_text(const struct impact *i, const struct subject *s, const struct impact_part *part, struct text *out);
void impact_csv(const struct impact *i, const struct impact_part *part, struct text *out);
void impact_json(const struct impact *i, const struct subject *s, const struct impact_part *part, struct text *out);
/* What is to be shown. */
struct impact_part impact_range(const struct impact *i, const struct impact_part *part);
/* "complete", "partial", "preview", or why it did not leave: "refused", "unmodified" (the client had it already, or asked only for its head), "nothing came". */
const char *impact_state(const struct impact_file *f);

#endif
