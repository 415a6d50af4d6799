/* SPDX-License-Identifier: Apache-2.0
 * What the engine has learned of everybody together, as lines of a state file: the levels of the budget's channels, and the
 * norms. Without it a restart would go back to provisional levels. */
#ifndef DETECT_LEVELS_H
#define DETECT_LEVELS_H

#include "detect/budget.h"
#include "detect/norms.h"

struct levels {
    struct budget *budget; /* both borrowed */
    struct norms *norms;
};

/* Hands out every line, always in the same order; 'levels' is a struct levels. */
void levels_save(void *levels, void (*line)(void *line_ctx, const char *text), void *line_ctx);
/* Takes one line back. E_BAD, with nothing changed, for a line that levels_save does not write. */
int levels_load(void *levels, const char *line);

#endif
