/* SPDX-License-Identifier: Apache-2.0
 * The program: picks the command. */
#include "base/err.h"
#include "base/yaml.h"
#include "cmd/command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"replay", cmd_replay, "read recorded captures and tell who read which customers' files"},
    {"run", cmd_run, "the same live, on an interface"},
    {"check", cmd_check, "check configuration, rules and application profiles"},
    {"tune", cmd_tune, "judge a recording under other budgets and rules, and what to declare"},
    {"selftest", cmd_selftest, "send a test alert to the sinks and say whether it arrived"},
    {"feedback", cmd_feedback, "say what an alert was: benign, malicious, not to be told"},
    {"impact", cmd_impact, "which customers' files a credential, session or address got"},
    {"verify", cmd_verify, "whether an activity log is what was written"},
};
#define N_COMMANDS (sizeof commands / sizeof *commands)

static void print_help(FILE *to)
{
    fputs("usage: casetap COMMAND [option...]\n\n"
          "casetap watches the traffic of a help desk and tells when a credential reads customers' files\n"
          "from an unusual place, client or session.\n\ncommands:\n", to);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].about);
    fputs("\n'casetap COMMAND --help' says more; 'casetap --version' the version.\n", to);
}

int command_fail(int err, const char *why)
{
    fprintf(stderr, "casetap: %s\n", *why ? why : err_text(err));
    return err == E_USAGE ? EXIT_USAGE : err == E_CONF ? EXIT_CONF : EXIT_FAILED;
}

static int unknown(const char *word)
{
    const char *names[N_COMMANDS + 1] = {0};
    for (size_t i = 0; i < N_COMMANDS; i++)
        names[i] = commands[i].name;
    const char *nearest = yaml_nearest(word, names);
    if (nearest)
        fprintf(stderr, "casetap: unknown command '%s'; did you mean '%s'?\n", word, nearest);
    else
        fprintf(stderr, "casetap: unknown command '%s'; try 'casetap --help'\n", word);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* 'casetap replay ... | head' still finishes its files */
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("casetap " CASETAP_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return unknown(argv[1]);
}
