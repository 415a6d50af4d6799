/* SPDX-License-Identifier: Apache-2.0
 * The command line: long options from the table of settings, and --config, --help, --verbose. */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "run/settings.h"

struct usage {
    const char *name;     /* "replay" */
    const char *operands; /* "FILE..." or "" */
    const char *about;    /* paragraphs before the options */
    const char *example;  /* lines after them */
    enum setting_command command;
};

/* Reads the file of --config, if any, then argv into settings; *first is the index of the first operand. E_END when --help was asked for and printed;
 * E_USAGE, E_CONF, E_IO with a line in why. */
int options_parse(const struct usage *usage, int argc, char **argv, struct settings *s, int *first, struct text *why);

/* The whole of a command that takes options and no operands: parses, runs 'fn', tells what failed. 'instead' follows what is
 * said of an operand ("" for nothing). Returns the exit code. */
int options_command(const struct usage *usage, int argc, char **argv, const char *instead,
                    int (*fn)(const struct settings *s, struct text *why));

#endif
