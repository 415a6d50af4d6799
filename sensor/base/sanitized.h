/* SPDX-License-Identifier: Apache-2.0
 * Whether this is a build with a sanitizer, whose run-time does what the program itself never does. */
#ifndef BASE_SANITIZED_H
#define BASE_SANITIZED_H

#include <stdbool.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BASE_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BASE_SANITIZED 1
#endif
#ifndef BASE_SANITIZED
#define BASE_SANITIZED 0
#endif

static const bool is_sanitized = BASE_SANITIZED;

#endif
