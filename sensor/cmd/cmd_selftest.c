/* SPDX-License-Identifier: Apache-2.0
 * casetap selftest: one alert that says that it is none, to see that alerts arrive. */
#include "base/err.h"
#include "base/times.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "run/sinks.h"
#include "sink/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct usage usage = {
    "selftest", "",
    "Sends one test alert, clearly marked (rule TEST), to the sinks of the configuration, or to those that\n"
    "--sink names (or gives as URL), and says whether it arrived: exit 0 when all have it.",
    "examples:\n"
    "  casetap selftest --config /etc/casetap/casetap.yaml --sink siem\n"
    "  casetap selftest --sink 'syslog+tls://siem.example.com:6514#format=cef&ca=/etc/casetap/ca.pem'\n",
    SETTING_SELFTEST};

static const struct rule test_rule = {.id = "TEST",
                                      .name = "Test of a casetap sink, nothing happened",
                                      .action = "selftest",
                                      .category = "test",
                                      .description = "Somebody wanted to see whether alerts arrive.",
                                      .first_step = "Nothing is to be done.",
                                      .risk = 1};

static int send_test(const struct settings *s, struct text *why)
{
    struct alert *a = calloc(1, sizeof *a);
    struct text told = {0};
    struct timespec now;
    if (!a)
        return E_NOMEM;
    clock_gettime(CLOCK_REALTIME, &now);
    activity_init(&a->last);
    a->rule = &test_rule;
    a->risk = test_rule.risk;
    a->time_ns = a->start_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    for (int i = 0; i < 8; i++) /* another one each time */
        a->id[8 + i] = (uint8_t)(a->time_ns >> (56 - 8 * i));
    activity_set(&a->last, STR_USER, SPAN("casetap-selftest"));
    int rc = sinks_test(s, a, &told, why);
    fputs(text_str(&told), stderr);
    text_fini(&told);
    free(a);
    return rc;
}

int cmd_selftest(int argc, char **argv)
{
    return options_command(&usage, argc, argv, "", send_test);
}
