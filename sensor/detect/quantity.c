/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/quantity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* A multiplier by suffix, the least of a unit first. */
static const struct {
    enum unit unit;
    const char *suffix;
    double factor;
} suffixes[] = {
    {UNIT_TIME, "s", 1},    {UNIT_TIME, "m", 60},   {UNIT_TIME, "h", 3600}, {UNIT_TIME, "d", 86400}, {UNIT_BYTES, "B", 1},
    {UNIT_BYTES, "kB", 1e3}, {UNIT_BYTES, "MB", 1e6}, {UNIT_BYTES, "GB", 1e9}, {UNIT_BYTES, "TB", 1e12},
};

static const char *const examples[] = {"a number", "a time like 90s, 10m, 3h or 7d", "a size like 500kB, 50MB or 2GB"};

/* False when the text is no value of that unit. */
static bool value_of(const char *text, enum unit unit, double *value)
{
    char *end = NULL;
    *value = strtod(text, &end);
    if (end == text || !isfinite(*value))
        return false;
    if (unit == UNIT_NUMBER)
        return *end == 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (suffixes[i].unit == unit && strcmp(end, suffixes[i].suffix) == 0) {
            *value *= suffixes[i].factor;
            return true;
        }
    return false;
}

void quantity_text(enum unit unit, double value, char out[QUANTITY_TEXT])
{
    snprintf(out, QUANTITY_TEXT, "%g", value);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++)
        if (suffixes[i].unit == unit && (value >= suffixes[i].factor || suffixes[i].factor <= 1))
            snprintf(out, QUANTITY_TEXT, "%g%s", value / suffixes[i].factor, suffixes[i].suffix);
}

int quantity_read(const struct yaml_node *n, const char *name, enum unit unit, double min, double max, double *out,
                  struct text *why)
{
    char low[QUANTITY_TEXT], high[QUANTITY_TEXT];
    if (n->kind != YAML_SCALAR || n->is_quoted || !value_of(n->scalar, unit, out))
        return yaml_fail(n, why, "%s: expected %s", name, examples[unit]);
    if (*out >= min && *out <= max)
        return E_OK;
    quantity_text(unit, min, low);
    quantity_text(unit, max, high);
    return yaml_fail(n, why, "%s: %s is out of range, expected %s to %s", name, n->scalar, low, high);
}
