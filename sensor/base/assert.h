/* SPDX-License-Identifier: Apache-2.0
 * ASSERT is for what our own code guarantees, in every build. Nothing a packet, a file, Redis or a person can cause may
 * reach one. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

_Noreturn void assert_failed(const char *what, const char *file, int line);

#define ASSERT(condition) ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__))

#endif
