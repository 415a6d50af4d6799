/* SPDX-License-Identifier: Apache-2.0
 * Where alerts go, as an operator says it: a URL and options. */
#ifndef SINK_CONFIG_H
#define SINK_CONFIG_H

#include "base/yaml.h"
#include "sink/format.h"

#define SINKS_MAX 16
#define SINK_SECRET_MIN 16 /* bytes of a webhook's key */

enum sink_type {
    SINK_FILE,
    SINK_STDOUT,
    SINK_SYSLOG_UNIX,
    SINK_SYSLOG_UDP,
    SINK_SYSLOG_TCP,
    SINK_SYSLOG_TLS,
    SINK_REDIS,
    SINK_WEBHOOK,
    SINK_HEC,
    SINK_BULK,
};

struct sink_config {
    char name[33]; /* letters, digits, '-', '_': also of the file that keeps its position */
    enum sink_type type;
    bool is_tls;    /* of WEBHOOK, HEC, BULK */
    char url[512];  /* as it was given, without options */
    char host[256]; /* without brackets */
    uint16_t port;
    char path[512]; /* of a file or socket; of HTTP the target, from '/' */
    enum alert_format format;
    uint8_t least_risk;                /* of alerts it gets */
    bool no_updates;                   /* only the first line of each alert */
    char ca[512], cert[512], key[512]; /* files, or "" */
    char secret_at[512];               /* "env:NAME", "file:PATH" or "" */
    char secret[512];                  /* once it was read */
    char index[128];                   /* of BULK; of REDIS the stream; of HEC the index */
    uint32_t timeout_ms, retry_ms, retry_most_ms;
    uint32_t attempts; /* of an alert that the other end refuses */
    uint64_t spool;    /* bytes of the alert log that may wait */
    uint64_t rotate;   /* bytes of a FILE; 0: not rotated */
    char self[256];    /* this host's name, for syslog and HEC; "" = not known */
};

struct sink_configs {
    struct sink_config at[SINKS_MAX];
    size_t n;
};

/* "[NAME=]URL[#option=value&option=value]". E_USAGE with a line in why (never a secret). */
int sink_config_text(struct sink_configs *list, const char *text, struct text *why);
/* A map: name, url and options. E_CONF with file:line:column. */
int sink_config_yaml(struct sink_configs *list, const struct yaml_node *map, struct text *why);
/* Reads the secret from where it stands: a file that others may read is refused. E_CONF with a line in why. */
int sink_config_secret(struct sink_config *c, struct text *why);
/* The one of that name, or NULL. */
struct sink_config *sink_config_find(struct sink_configs *list, const char *name);
/* Whether one is of that type; 'list' may be NULL. */
bool sink_config_has(const struct sink_configs *list, enum sink_type type);
/* Overwrites secrets. */
void sink_configs_wipe(struct sink_configs *list);

/* What of an alert goes over the wire: its format, in what the sink wraps around it. A line with its end for files, a
 * message without framing for syslog, two lines for BULK, one object for HEC. */
void sink_wrap(const struct sink_config *c, const struct alert *a, struct text *out);

#endif
