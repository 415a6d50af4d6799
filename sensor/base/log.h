/* SPDX-License-Identifier: Apache-2.0
 * Lines for the people who run the sensor, to stderr: "casetap: message key=value". Never for alerts, never for packets,
 * never with a secret. Constant message text first, so that it can be searched and counted. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* The lowest level that is printed; LOG_WARN at start. */
void log_set_level(enum log_level level);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
