/* SPDX-License-Identifier: Apache-2.0
 * Where the shipped rules lie. */
#ifndef RUN_RULES_DIR_H
#define RUN_RULES_DIR_H

#include "base/text.h"

/* The directory with apps/, detections/ and detect.yaml: 'asked' (may be NULL), else $CASETAP_RULES, else rules/ up to three levels above
 * the program, else share/casetap/rules beside its bin/. E_NONE with what was tried. */
int rules_dir_find(const char *asked, struct text *path, struct text *why);

#endif
