/* SPDX-License-Identifier: Apache-2.0
 * What a command is: a name, one line of help, a function. Exit codes are shared by all. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

enum exit_code {
    EXIT_DONE = 0,   /* done; alerts or not */
    EXIT_FAILED = 1, /* an input, file, device or server failed */
    EXIT_USAGE = 2,  /* wrong command line */
    EXIT_CONF = 3,   /* configuration, rules or a profile are wrong */
    EXIT_SIGNAL = 128, /* and the signal's number: a replay that was stopped before the end */
};

/* argv[0] is the command's name. Returns the exit code. */
int cmd_replay(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_feedback(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_impact(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_tune(int argc, char **argv);

/* Prints "casetap: WHY" on one line to stderr and returns the exit code for an error code. */
int command_fail(int err, const char *why);

#endif
