/* SPDX-License-Identifier: Apache-2.0
 * getopt_long over the table of settings. */
#include "cmd/options.h"

#include "base/err.h"
#include "base/log.h"
#include "base/yaml.h"
#include "cmd/command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_OPTIONS 64
enum { OPT_SETTING = 256, OPT_CONFIG = 512, OPT_HELP, OPT_VERBOSE };

static void print_help(const struct usage *u)
{
    printf("usage: casetap %s [option...]%s%s\n\n%s\n\noptions:\n", u->name, *u->operands ? " " : "", u->operands, u->about);
    printf("  --%-28s%s\n", "config FILE", "settings from a YAML file; the command line wins");
    for (const struct setting *item = settings_table(); item->name; item++) {
        char left[64];
        if (!(item->commands & u->command))
            continue;
        bool is_apart = item->argument && item->argument[0] != '[';
        snprintf(left, sizeof left, "%s%s%s", item->name, is_apart ? " " : "", item->argument ? item->argument : "");
        printf("  --%-28s%s%s\n", left, item->help, setting_is_list(item) ? " (repeatable)" : "");
    }
    printf("  --%-28s%s\n  --%-28s%s\n", "verbose", "say more on standard error", "help", "this text");
    if (u->command & SETTING_RUN)
        puts("  -i IFACE                      same as --interface");
    printf("\n%s\nexit codes: 0 done, 1 an input, file or server failed, 2 wrong usage, 3 wrong configuration or rules%s\n",
           u->example, u->command & SETTING_REPLAY ? ",\n130 or 143 stopped by SIGINT or SIGTERM before the end" : "");
}

/* "FILE" must follow, "[=FILE]" may. */
static int has_argument(const struct setting *item)
{
    return !item->argument ? no_argument : item->argument[0] == '[' ? optional_argument : required_argument;
}

static size_t fill(const struct usage *u, struct option *options)
{
    size_t n = 0, i = 0;
    for (const struct setting *item = settings_table(); item->name; item++, i++)
        if (item->commands & u->command)
            options[n++] = (struct option){item->name, has_argument(item), NULL, OPT_SETTING + (int)i};
    options[n++] = (struct option){"config", required_argument, NULL, OPT_CONFIG};
    options[n++] = (struct option){"help", no_argument, NULL, OPT_HELP};
    options[n++] = (struct option){"verbose", no_argument, NULL, OPT_VERBOSE};
    return n;
}

/* Names the long options that 'bare' is the beginning of; how many. */
static int add_candidates(const char *const *names, const char *bare, struct text *out)
{
    int n = 0;
    for (; *names; names++)
        if (strncmp(*names, bare, strlen(bare)) == 0)
            text_addf(out, "%s--%s", n++ ? ", " : "", *names);
    return n;
}

/* Why getopt_long refused argv[optind - 1]: 'c' is what it returned, optopt what it left. */
static int refuse(const struct usage *u, const struct option *options, size_t n, const char *word, int c, struct text *why)
{
    const char *names[MAX_OPTIONS + 1] = {0};
    for (size_t i = 0; i < n; i++)
        names[i] = options[i].name;
    bool is_long = strncmp(word, "--", 2) == 0;
    const char *bare = is_long ? word + 2 : word, *nearest = is_long ? yaml_nearest(bare, names) : NULL;
    struct text candidates = {0};
    if (c == ':')
        text_addf(why, "option '%s' needs a value; try 'casetap %s --help'", word, u->name);
    else if (optopt >= OPT_SETTING)
        text_addf(why, "option '%.*s' takes no value", (int)strcspn(word, "="), word);
    else if (is_long && *bare && add_candidates(names, bare, &candidates) > 1)
        text_addf(why, "option '%s' may mean any of %s", word, text_str(&candidates));
    else if (nearest)
        text_addf(why, "unknown option '%s'; did you mean '--%s'?", word, nearest);
    else
        text_addf(why, "unknown option '%s'; try 'casetap %s --help'", word, u->name);
    text_fini(&candidates);
    return E_USAGE;
}

/* One walk over the command line: the first finds --config and --help, the second sets what else is there, so that the
 * command line comes after the file and wins. */
static int walk(const struct usage *usage, int argc, char **argv, struct settings *s, const char **config, struct text *why)
{
    struct option options[MAX_OPTIONS] = {0};
    size_t n = fill(usage, options);
    int c, rc = 0;
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while (rc == 0 && (c = getopt_long(argc, argv, usage->command & SETTING_RUN ? ":hi:" : ":h", options, NULL)) != -1) {
        if (c == '?' || c == ':')
            rc = refuse(usage, options, n, argv[optind - 1], c, why);
        else if (c == OPT_HELP || c == 'h')
            rc = E_END;
        else if (c == OPT_CONFIG)
            *config = optarg;
        else if (c == OPT_VERBOSE)
            log_set_level(LOG_INFO);
        else if (s)
            rc = settings_set(s, c == 'i' ? "interface" : settings_table()[c - OPT_SETTING].name, optarg, why);
    }
    return rc;
}

int options_parse(const struct usage *usage, int argc, char **argv, struct settings *s, int *first, struct text *why)
{
    const char *config = NULL;
    int rc = walk(usage, argc, argv, NULL, &config, why);
    if (rc == E_END)
        print_help(usage);
    if (rc == 0 && config)
        rc = settings_load(s, config, why);
    if (rc == 0)
        rc = walk(usage, argc, argv, s, &config, why);
    *first = optind;
    return rc;
}

int options_command(const struct usage *usage, int argc, char **argv, const char *instead,
                    int (*fn)(const struct settings *s, struct text *why))
{
    struct settings s;
    struct text why = {0};
    int first;
    settings_init(&s);
    int rc = options_parse(usage, argc, argv, &s, &first, &why);
    if (rc == 0 && first != argc) {
        text_addf(&why, "'%s' is not expected here%s", argv[first], instead);
        rc = E_USAGE;
    }
    if (rc == 0)
        rc = fn(&s, &why);
    int code = rc == 0 || rc == E_END ? EXIT_DONE : command_fail(rc, text_str(&why));
    settings_fini(&s);
    text_fini(&why);
    return code;
}
