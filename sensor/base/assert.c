/* SPDX-License-Identifier: Apache-2.0
 * Where a broken invariant ends. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "casetap: internal error: %s (%s:%d)\n", what, file, line);
    abort();
}
