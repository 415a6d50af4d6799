/* SPDX-License-Identifier: Apache-2.0
 * A key log file that is followed, or a directory of them; for the key feed alone. Files are known by device and inode,
 * so that one that is renamed goes on where it was and is not read twice. */
#ifndef IO_KEY_FILES_H
#define IO_KEY_FILES_H

#include "io/key_lines.h"

struct key_files;

/* E_IO with the reason when the path cannot be looked at (a file that does not exist yet is fine). */
int key_files_new(struct key_files **out, const char *path, struct text *why);
void key_files_free(struct key_files *p);
/* Reads what has come: at most 'max' bytes of each file. 'why' may be NULL; else it gets warnings. */
void key_files_poll(struct key_files *p, struct key_lines_out *out, uint64_t max, uint8_t *buffer, struct text *why);

#endif
