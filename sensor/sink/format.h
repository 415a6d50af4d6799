/* SPDX-License-Identifier: Apache-2.0
 * An alert in the languages of the systems that collect alerts. Pure: the same alert gives the same bytes, always one
 * line of valid UTF-8 without its end, whatever the wire put into the alert. */
#ifndef SINK_FORMAT_H
#define SINK_FORMAT_H

#include "record/alert.h"

enum alert_format { FORMAT_ECS, FORMAT_OCSF, FORMAT_CEF, FORMAT_LEEF, FORMAT_TEXT, FORMAT_N };

/* "ecs", "ocsf", "cef", "leef", "text". */
const char *format_name(enum alert_format f);
/* FORMAT_N when there is none of that name. */
enum alert_format format_of(struct span name);
void format_alert(enum alert_format f, const struct alert *a, struct text *out);

/* Elastic Common Schema 9.4: the line of the alert log. */
void format_ecs(const struct alert *a, struct text *out);
/* Open Cybersecurity Schema Framework 1.8.0, Detection Finding (class 2004). */
void format_ocsf(const struct alert *a, struct text *out);
/* ArcSight Common Event Format, version 0: in the header '\' and '|' are escaped, in values '\', '=', CR and LF. Other
 * control characters, and those that reorder or hide text, are written as "\x1b", "\u202e" (and that backslash
 * escaped). */
void format_cef(const struct alert *a, struct text *out);
/* Log Event Extended Format 2.0 with tab as delimiter. It has no escapes: tab, CR, LF and other control characters are
 * written as "\x09"; '|' in the header becomes '/'. */
void format_leef(const struct alert *a, struct text *out);
/* A sentence for a person: severity, rule, message, reasons, what to do first, id. */
void format_text(const struct alert *a, struct text *out);

/* The alert's id as 32 hexadecimal digits. */
void format_id(const struct alert *a, struct text *out);

#endif
