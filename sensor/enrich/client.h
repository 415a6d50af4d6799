/* SPDX-License-Identifier: Apache-2.0
 * What kind of client a User-Agent names: family, major version, system, and whether it is a program rather than a browser.
 * The header is the client's own word; a thief may copy it, but then the rest of him must fit, too. */
#ifndef ENRICH_CLIENT_H
#define ENRICH_CLIENT_H

#include "enrich/client_os.h"

/* Values of activity.client_family. They are written to baselines: append, never renumber. */
enum client_family {
    CLIENT_UNKNOWN, /* not looked at */
    CLIENT_NONE,    /* no or an empty User-Agent */
    CLIENT_FIREFOX, CLIENT_CHROME, CLIENT_EDGE, CLIENT_SAFARI, CLIENT_OPERA, CLIENT_SAMSUNG, CLIENT_VIVALDI, CLIENT_IE,
    CLIENT_HEADLESS, /* Chromium without a window */
    CLIENT_CURL, CLIENT_WGET, CLIENT_PYTHON_REQUESTS, CLIENT_PYTHON_URLLIB, CLIENT_AIOHTTP, CLIENT_HTTPX, CLIENT_GO,
    CLIENT_OKHTTP, CLIENT_JAVA, CLIENT_APACHE_HTTP, CLIENT_RCLONE, CLIENT_ARIA2, CLIENT_POSTMAN, CLIENT_INSOMNIA,
    CLIENT_NODE, CLIENT_AXIOS, CLIENT_PERL, CLIENT_POWERSHELL, CLIENT_HTTPIE, CLIENT_RUBY, CLIENT_PHP, CLIENT_DOTNET,
    CLIENT_CFNETWORK, CLIENT_GIT, CLIENT_AWS, CLIENT_SCRAPY, CLIENT_SQLMAP, CLIENT_NMAP, CLIENT_NIKTO, CLIENT_ZGRAB,
    CLIENT_MOZILLA, /* says Mozilla and nothing more that is known */
    CLIENT_N,
    CLIENT_OTHER = 0x8000, /* and above: another program, the low 15 bits are a hash of its name */
};

#define CLIENT_LABEL_MAX 48

struct user_agent {
    uint16_t family; /* enum client_family */
    uint16_t major;  /* 0 = unknown */
    uint16_t chromium; /* the number behind "Chrome/", whoever built the browser on it; 0 = none */
    bool is_machine;
    bool is_webkit; /* Apple's engine, and so Apple's TLS, whatever the family: all browsers on iOS */
    struct client_system system;
    char label[CLIENT_LABEL_MAX]; /* "Firefox 147", "case-export 2" */
};

/* Reads a User-Agent (RFC 9110, 10.1.5); any bytes. The same bytes give the same answer. */
void client_parse(struct span agent, struct user_agent *out);
/* Names a client that its User-Agent does not name; 'family' is one of the table. */
void client_set_family(struct user_agent *client, uint16_t family, bool is_machine, uint16_t major);
/* The number at the front of a version ("v1.60" counts as 1), 0 when there is none; capped. */
uint16_t client_major(struct span version);
/* "Firefox", "curl", "other"; never NULL. */
const char *client_family_name(uint16_t family);

#endif
