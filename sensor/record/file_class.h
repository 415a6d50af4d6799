/* SPDX-License-Identifier: Apache-2.0
 * What a file is for a desk: from its format, its name and its declared type. The format outweighs the name, so that a
 * renamed file stays what it is; the name refines what a format leaves open (a text is a log, a configuration), and
 * stands alone where the content was not seen or is of no known format. */
#ifndef RECORD_FILE_CLASS_H
#define RECORD_FILE_CLASS_H

#include "base/file_facts.h"
#include "base/span.h"

/* 'name': of the file, may be empty. 'media': its declared type, lower case, without parameters; may be empty. */
enum file_class file_class_of(enum file_type type, struct span name, struct span media);
/* Whether files of that format may hold secrets as text, and are worth looking through. */
bool file_class_is_scanned(enum file_type type, enum file_class c);

#endif
