/* SPDX-License-Identifier: Apache-2.0
 * What this process may still do once it has opened what needs a privilege: which user it is, which files it reaches,
 * which system calls it makes. It parses what anybody may send; whoever takes it over shall find nothing. All of it is for
 * good, for all threads begun later, and is entered by the only thread there is. */
#ifndef GUARD_GUARD_H
#define GUARD_GUARD_H

#include "base/text.h"

#define GUARD_PATHS 512

struct guard_paths {
    struct text names[GUARD_PATHS];
    bool is_written[GUARD_PATHS];
    size_t n;
};

/* A file or directory that will be read (all below it), or written; a NULL path is none. E_LIMIT over GUARD_PATHS. */
int guard_path_add(struct guard_paths *p, const char *path, bool is_written);
/* The directory a file lies in: files are replaced by renaming, and then are others. */
int guard_file_add(struct guard_paths *p, const char *path, bool is_written);
void guard_paths_fini(struct guard_paths *p);

/* The steps. Each appends to 'told' a phrase that says what is in force, or what is not and why: an old kernel is no
 * error. Errors leave a line in 'why'. */

/* No core dumps, no debugger, no privilege by executing a file (prctl(2): PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE). E_DENIED. */
int guard_process(struct text *told, struct text *why);
/* Becomes 'user' with that user's groups, unless it is NULL; either way no capability is left (capabilities(7)). E_NONE
 * when there is no such user, E_DENIED. */
int guard_user(const char *user, struct text *told, struct text *why);
/* Only these paths, and what the libraries of the system read (/usr, /etc, ...), by Landlock (landlock(7)). E_DENIED. */
int guard_files(const struct guard_paths *paths, struct text *told, struct text *why);
/* An allow-list of system calls (seccomp(2)): others fail with EPERM, those that only a burglar makes (execve, ptrace, ...)
 * end the process. E_DENIED. */
int guard_calls(struct text *told, struct text *why);

#endif
