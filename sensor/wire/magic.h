/* SPDX-License-Identifier: Apache-2.0
 * The format of a file by its first bytes. A table of signatures and a few looks at text: no memory, no library (libmagic
 * allocates and compiles its data base, and takes milliseconds for a text), some hundred nanoseconds a file. The formats
 * are those a help desk gets. */
#ifndef WIRE_MAGIC_H
#define WIRE_MAGIC_H

#include "base/file_facts.h"
#include "base/span.h"

#define MAGIC_PREFIX 1024 /* bytes: with so many, more would not change the answer */

/* FILE_UNSEEN for no bytes, FILE_BINARY for a format not in the table. 'head' are the first bytes of the file, at best
 * MAGIC_PREFIX of them, else all there are; with fewer a text is told by what is there. */
enum file_type magic_type(struct span head);
/* Whether a declared media type (lower case, without parameters; may be empty) speaks of another family of formats than
 * the bytes: an image that is an archive. Types that say nothing (application/octet-stream) or that we do not know never
 * do; all texts are one family, and all that is packed. */
bool magic_disagrees(enum file_type type, struct span media);

#endif
