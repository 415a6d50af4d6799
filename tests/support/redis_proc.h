/* SPDX-License-Identifier: Apache-2.0
 * A redis-server of a test's own: in a temporary folder, on a unix socket, killed and stopped by its process id. */
#ifndef SUPPORT_REDIS_PROC_H
#define SUPPORT_REDIS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct redis_proc {
    char folder[64];
    char socket[96], url[128]; /* unix:///... */
    pid_t pid;                 /* 0 while it does not run */
};

/* Whether redis-server and redis-cli are installed. */
bool redis_proc_is_installed(void);
/* Makes the folder; nothing runs yet. False when that fails. */
bool redis_proc_init(struct redis_proc *p);
/* Starts it with further options ("--requirepass x --port 0"; no quotes, at most 30 words) and waits until it answers,
 * if only with an error. False when it does not. */
bool redis_proc_start(struct redis_proc *p, const char *options);
/* Ends it at once with SIGKILL, nothing saved. */
void redis_proc_kill(struct redis_proc *p);
void redis_proc_signal(const struct redis_proc *p, int signal_number);
/* Kills it and removes the folder. */
void redis_proc_fini(struct redis_proc *p);
/* The output of redis-cli with these arguments (as a shell reads them), at most size-1 bytes; returns out. */
char *redis_proc_cli(const struct redis_proc *p, const char *arguments, char *out, size_t size);

#endif
