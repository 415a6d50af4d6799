/* SPDX-License-Identifier: Apache-2.0
 * Everything an operator can set, from the command line and from one YAML file; the command line wins. */
#ifndef RUN_SETTINGS_H
#define RUN_SETTINGS_H

#include "base/ipaddr.h"
#include "base/text.h"
#include "sink/config.h"

#define SETTINGS_MAX_LIST 256

/* A list of texts; the settings own copies. */
struct strings {
    char *at[SETTINGS_MAX_LIST];
    size_t n;
};

struct settings {
    struct strings apps;    /* "PROFILE=HOST" */
    struct strings aliases; /* "NAME=CREDENTIAL" */
    struct strings geoips;  /* files */
    struct strings lists;   /* "CLASS=FILE" of prefixes: own, vpn, hosting, tor */
    struct strings keylogs; /* files */
    struct strings customers; /* files: whose cases are whose */
    struct sink_configs *sinks; /* where alerts go, or NULL */
    struct strings picked;  /* selftest: names of sinks */
    struct strings read;    /* the configuration's files */
    struct prefix trusted[SETTINGS_MAX_LIST];
    size_t n_trusted;
    char *filter;     /* BPF, or NULL */
    char *roster;     /* file: who people are, or NULL */
    char *feedback;   /* file of verdicts, or NULL: 'run' looks for it in 'out' */
    char *rules;      /* directory with apps/, detections/ and detect.yaml, or NULL: found beside the program */
    uint64_t budget;  /* alerts a day; 0: as the rules say */
    char *detections; /* directory of the user's own, or NULL */
    char *redis;      /* URL, or NULL: baselines in memory */
    char *state;      /* file, or NULL */
    char *key_file;   /* deployment key for keyed hashes, or NULL: the documented default */
    char *out;        /* directory, or NULL */
    char *log;        /* directory of the activity log that is written ahead, or NULL */
    char *transactions; /* file, or NULL */
    char *counters;   /* file, or NULL */
    char *explain_routes; /* file, "-" for standard output, or NULL */
    char *suggest_profile; /* host, "-" for the busiest, or NULL: no draft */
    char *interface;  /* live */
    char *role;       /* "all", "sensor", "analyser" or NULL: all */
    char *name;       /* of the sensor or analyser, or NULL */
    char *user;       /* live: whom to become, or NULL */
    char *print_defaults; /* check: "yaml", "markdown", or NULL */
    uint64_t log_days;        /* the log is kept: days of packet time, 0: for ever */
    uint64_t max_flows;       /* 1,000 - 16,777,216 */
    uint64_t max_credentials; /* 100 - 10,000,000 */
    uint64_t max_sessions;    /* 100 - 10,000,000 */
    uint64_t scan_limit;      /* MiB of one file, 0 - 4096 */
    bool no_sandbox;  /* what the process may do is left as it was */
    bool reach;       /* check: connect to the sinks */
    bool sha256;      /* of every file seen whole */
    bool json;        /* alerts as JSON lines on standard output */
    bool quiet;       /* no summary, no progress */
    bool verify_tls;  /* decrypt and authenticate also what nobody reads */
};

void settings_init(struct settings *s);
void settings_fini(struct settings *s);
/* There is a list of sinks from here on, empty at first. E_NOMEM. */
int settings_make_sinks(struct settings *s);
/* Appends a copy of 'value'; E_LIMIT over SETTINGS_MAX_LIST, E_NOMEM. */
int strings_add(struct strings *list, const char *value);
/* Sets one item by its long option name ("trust", "app", ...) from text; the last value of a single item holds. E_USAGE with a line in why. */
int settings_set(struct settings *s, const char *name, const char *value, struct text *why);
/* Reads a YAML file with the same names as keys (lists where an option may be repeated), 'sinks' and 'include'. ${NAME} in a
 * value is a variable of the environment, ${file:PATH} the first line of a file that nobody else may read. Before the
 * command line, which so replaces single values and adds to lists. E_IO, E_CONF with file:line:column. */
int settings_load(struct settings *s, const char *path, struct text *why);

enum setting_command { SETTING_REPLAY = 1, SETTING_RUN = 2, SETTING_CHECK = 4, SETTING_SELFTEST = 8 };
enum setting_kind { SETTING_SWITCH, SETTING_NUMBER, SETTING_TEXT, SETTING_TEXTS, SETTING_PREFIXES, SETTING_SINKS };

/* One item that can be set. */
struct setting {
    const char *name;
    const char *argument; /* NULL: a switch; "[=X]": may be left out on the command line */
    const char *help;     /* with what holds when it is not set */
    const char *example;
    enum setting_kind kind;
    size_t at;            /* in struct settings */
    uint64_t least, most, usual; /* of a number */
    const char *unit;            /* of a number */
    unsigned commands;    /* bits of enum setting_command */
    bool is_reloaded;     /* could be taken up while the sensor works; others want a restart in any case */
};
/* The table of all settings, ended by a NULL name. */
const struct setting *settings_table(void);
/* Whether it may be given several times. */
static inline bool setting_is_list(const struct setting *item)
{
    return item->kind >= SETTING_TEXTS;
}
/* The names of those that differ and of which a running sensor takes up no change, separated by commas; appended. */
void settings_fixed(const struct settings *a, const struct settings *b, struct text *out);

/* A configuration file with every setting 'run' knows, at its default or as a commented example; E_USAGE when 'format' is neither
 * "yaml" nor "markdown" (a reference page). */
int settings_print(const char *format, struct text *out);

#endif
