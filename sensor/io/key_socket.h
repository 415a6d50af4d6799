/* SPDX-License-Identifier: Apache-2.0
 * A unix stream socket that programs write key log lines to; for the key feed alone. */
#ifndef IO_KEY_SOCKET_H
#define IO_KEY_SOCKET_H

#include "io/key_lines.h"

#define KEY_SOCKET_CLIENTS 64u /* at once */

struct key_socket;

/* Listens at 'path' (mode 0600). A socket of that name that nobody listens on is replaced; anything else is E_IO with
 * the reason. 'out' and 'buffer' (KEY_READ_SIZE bytes) are borrowed for its life. */
int key_socket_new(struct key_socket **to, struct loop *l, const char *path, struct key_lines_out *out, uint8_t *buffer,
                   struct text *why);
/* Closes and removes it. */
void key_socket_free(struct key_socket *s);

#endif
