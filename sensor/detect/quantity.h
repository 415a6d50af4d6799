/* SPDX-License-Identifier: Apache-2.0
 * Numbers in rule files: with their units, within their range, or told what is wrong and what would be right. */
#ifndef DETECT_QUANTITY_H
#define DETECT_QUANTITY_H

#include "base/yaml.h"

enum unit { UNIT_NUMBER, UNIT_TIME, UNIT_BYTES };

#define QUANTITY_TEXT 48

/* Reads a number (of seconds, of bytes) between min and max. E_CONF: "name: ...". */
int quantity_read(const struct yaml_node *n, const char *name, enum unit unit, double min, double max, double *out,
                  struct text *why);
/* As a person would write it: "90s", "50MB", "12". */
void quantity_text(enum unit unit, double value, char out[QUANTITY_TEXT]);

#endif
