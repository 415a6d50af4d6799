/* SPDX-License-Identifier: Apache-2.0
 * casetap verify: whether an activity log is what was written. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "cmd/command.h"
#include "store/log_verify.h"

static void print_help(FILE *to)
{
    fputs("usage: casetap verify DIR\n\n"
          "Runs the hash chain of an activity log (the DIR of --log) again. Says of each segment and range of records in which a\n"
          "line was changed, removed or added, and prints the chain's last head: compare it with the one you keep elsewhere.\n\n"
          "exit codes: 0 the log is what was written, 1 it is not, or cannot be read, 2 wrong usage\n", to);
}

static int verify(const char *dir)
{
    struct log_verdict v = {0};
    struct text told = {0}, why = {0};
    char head[2 * DIGEST_SIZE + 1];
    int rc = log_verify(dir, &v, &told, &why), code = rc || v.faults ? EXIT_FAILED : EXIT_DONE;
    if (rc) {
        code = command_fail(rc, text_str(&why));
    } else {
        hex_text(span_of(v.head, sizeof v.head), head);
        fputs(text_str(&told), stdout);
        printf("%llu segments, %llu records from number %llu on, %llu erased, %llu not covered yet, %llu faults\nhead %s\n",
               (unsigned long long)v.segments, (unsigned long long)v.records, (unsigned long long)v.first,
               (unsigned long long)v.redacted, (unsigned long long)v.open, (unsigned long long)v.faults, head);
    }
    text_fini(&told);
    text_fini(&why);
    return code;
}

int cmd_verify(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (argc != 2 || argv[1][0] == '-')
        return command_fail(E_USAGE, "verify: the directory of one activity log is expected; try 'casetap verify --help'");
    return verify(argv[1]);
}
