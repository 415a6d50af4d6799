/* SPDX-License-Identifier: Apache-2.0
 * The directory results are written to. */
#ifndef RUN_OUT_DIR_H
#define RUN_OUT_DIR_H

#include "base/text.h"

/* Makes the directory (its parent must exist) unless it is there already; E_IO when it cannot be made or written. */
int out_dir_make(const char *path, struct text *why);

#endif
