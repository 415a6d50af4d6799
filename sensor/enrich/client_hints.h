/* SPDX-License-Identifier: Apache-2.0
 * User-Agent client hints: what Chromium's browsers send beside their User-Agent, with the system's true version. Like
 * it, they are the client's own word. */
#ifndef ENRICH_CLIENT_HINTS_H
#define ENRICH_CLIENT_HINTS_H

#include "enrich/client.h"

/* The fields as they came; empty where there was none. */
struct client_hints_fields {
    struct span brands;   /* Sec-CH-UA */
    struct span full;     /* Sec-CH-UA-Full-Version-List: instead of the first, where that is missing or malformed */
    struct span platform; /* Sec-CH-UA-Platform */
    struct span platform_version;
};

/* Reads the hints (User-Agent Client Hints, 3; structured fields, RFC 8941); any bytes. Brands that nobody knows, so
 * those made up against sniffing ("Not A;Brand"), say nothing; a malformed field counts as none (RFC 8941, 4.2). */
void client_hints_parse(const struct client_hints_fields *fields, struct client_hints *out);
/* Adds to what a User-Agent says what only the hints say: browser and version where it names none, the system and its
 * version, which browsers freeze in the User-Agent. A browser it names stays: not every request carries hints. */
void client_hints_add(const struct client_hints *hints, struct user_agent *client);
/* True when a browser the User-Agent names is not the one that sent the hints: it has another engine or another version
 * of it, has another maker, has a window where they say it has none, or runs on another system. False for programs. */
bool client_hints_differ(const struct client_hints *hints, const struct user_agent *client);

#endif
