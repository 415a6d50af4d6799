/* SPDX-License-Identifier: Apache-2.0
 * Which application each host runs: declared, or told by the traffic itself. */
#ifndef APP_HOSTS_H
#define APP_HOSTS_H

#include "app/route.h"

struct hosts;

struct hosts *hosts_new(const struct profiles *profiles, uint32_t max); /* 'profiles' is borrowed */
void hosts_free(struct hosts *h);
/* Goes on with other profiles; what is known of each host stays, unless other hosts are declared now. Allocates nothing. */
void hosts_swap(struct hosts *h, const struct profiles *profiles);
/* The profile of a host as far as it is known, or as this request's own tell-tales suggest it: never NULL. */
const struct profile *hosts_request(struct hosts *h, struct view *v);
/* The same once the answer is there, which may settle it: a cookie or field only the server can set outweighs what a
 * client sent, and a client's tell-tale counts when the server answers it as the application would (not 4xx, 5xx). */
const struct profile *hosts_response(struct hosts *h, struct view *v);
/* Whether this server address was seen with an application that has a profile of its own. */
bool hosts_serves(const struct hosts *h, const struct ipaddr *server);
/* The same by name: of a TLS handshake, where nothing else can be seen. */
bool hosts_serves_name(const struct hosts *h, struct span name);
/* Whether a host was declared, but no request to it was ever read: all that is seen of it stays closed. */
bool hosts_is_closed(const struct hosts *h, struct span name);
/* What was assumed, one line each, in byte order; NULL after the last. */
const char *hosts_assumption(const struct hosts *h, size_t i);
/* How the host of a transaction got its profile ("cookie RT_SID_*", "declared", ...), appended. */
void hosts_how(const struct hosts *h, struct view *v, struct text *out);
uint64_t hosts_evicted(const struct hosts *h);

#endif
