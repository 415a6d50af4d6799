/* SPDX-License-Identifier: Apache-2.0
 * The table of settings as a configuration file and as a page. */
#include "run/settings.h"

#include "base/err.h"

static void range(const struct setting *item, struct text *out)
{
    if (item->kind == SETTING_NUMBER)
        text_addf(out, "%llu to %llu %s, default %llu", (unsigned long long)item->least, (unsigned long long)item->most, item->unit,
                  (unsigned long long)item->usual);
    else if (item->kind == SETTING_SWITCH)
        text_add_str(out, "true or false, default false");
    else
        text_addf(out, "%s%s", item->argument, setting_is_list(item) ? ", a list" : "");
}

static void print_yaml(struct text *out)
{
    text_add_str(out, "# Every setting of casetap. What is commented out has no default; what is not stands at it.\n"
                      "# ${NAME} in a value is a variable of the environment, ${file:PATH} the first line of a file.\n"
                      "# include: [conf.d/*.yaml]\n");
    for (const struct setting *item = settings_table(); item->name; item++) {
        if (!(item->commands & SETTING_RUN) || item->kind == SETTING_SINKS)
            continue;
        text_addf(out, "\n# %s\n# ", item->help);
        range(item, out);
        text_add_char(out, '\n');
        if (item->kind == SETTING_NUMBER)
            text_addf(out, "%s: %llu\n", item->name, (unsigned long long)item->usual);
        else if (item->kind == SETTING_SWITCH)
            text_addf(out, "%s: false\n", item->name);
        else
            text_addf(out, setting_is_list(item) ? "#%s: ['%s']\n" : "#%s: '%s'\n", item->name, item->example ? item->example : "");
    }
    text_add_str(out, "\n# Where alerts go: docs/operations.md, 'Alerts into a SIEM'\n"
                      "#sinks:\n"
                      "#  - name: siem\n"
                      "#    url: syslog+tls://siem.example.com:6514\n"
                      "#    format: cef\n");
}

static void add_cell(struct text *out, const char *s)
{
    for (; *s; s++)
        text_addf(out, *s == '|' ? "\\%c" : "%c", *s);
}

static void print_markdown(struct text *out)
{
    text_add_str(out, "# Settings\n\n"
                      "Made by `casetap check --print-defaults=markdown`; not to be edited. Each stands in the configuration file under its name, and on the\n"
                      "command line as `--NAME`. `sinks` and `include` stand in the file alone ([operations](operations.md#settings)).\n\n"
                      "| setting | value | what it does | commands |\n|---|---|---|---|\n");
    for (const struct setting *item = settings_table(); item->name; item++) {
        struct text cell = {0};
        range(item, &cell);
        text_addf(out, "| `%s` | ", item->name);
        add_cell(out, text_str(&cell));
        text_add_str(out, " | ");
        add_cell(out, item->help);
        text_addf(out, " |%s%s%s%s |\n", item->commands & SETTING_RUN ? " run" : "", item->commands & SETTING_REPLAY ? " replay" : "",
                  item->commands & SETTING_CHECK ? " check" : "", item->commands & SETTING_SELFTEST ? " selftest" : "");
        text_fini(&cell);
    }
}

int settings_print(const char *format, struct text *out)
{
    if (strcmp(format, "yaml") == 0 || strcmp(format, "-") == 0)
        print_yaml(out);
    else if (strcmp(format, "markdown") == 0)
        print_markdown(out);
    else
        return E_USAGE;
    return E_OK;
}
