/* SPDX-License-Identifier: Apache-2.0
 * One line per call, to stderr, in one write. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic int lowest = LOG_WARN;

void log_set_level(enum log_level level)
{
    atomic_store(&lowest, (int)level);
}

__attribute__((format(printf, 2, 0))) static void line(enum log_level level, const char *format, va_list args)
{
    static const char *const prefix[] = {"casetap: error: ", "casetap: ", "casetap: ", "casetap: debug: "};
    if ((int)level > atomic_load(&lowest))
        return;
    char text[1024];
    int head = snprintf(text, sizeof text - 1, "%s", prefix[level]);
    int size = vsnprintf(text + head, sizeof text - 1 - (size_t)head, format, args);
    size_t end = size < 0 ? (size_t)head : (size_t)(head + size);
    if (end > sizeof text - 2)
        end = sizeof text - 2;
    text[end++] = '\n';
    if (write(STDERR_FILENO, text, end) < 0) {
        /* nowhere left to say so */
    }
}

#define LOG_FUNCTION(name, level)                \
    void name(const char *format, ...)           \
    {                                            \
        va_list args;                            \
        va_start(args, format);                  \
        line(level, format, args);               \
        va_end(args);                            \
    }

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
