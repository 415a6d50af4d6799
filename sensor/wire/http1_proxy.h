/* SPDX-License-Identifier: Apache-2.0
 * The PROXY protocol preface, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): who the client of a proxy is. */
#ifndef WIRE_HTTP1_PROXY_H
#define WIRE_HTTP1_PROXY_H

#include "base/ipaddr.h"

/* The source of a preface as HTTP1_PROXY hands it out: a v1 line, or v2 from its 13th byte on. True when it names an IP
 * address; false for LOCAL, UNKNOWN, UNIX and what is malformed (*source is then left alone). */
bool http1_proxy_source(struct span preface, struct endpoint *source);

/* Bytes of the preface that these first bytes of a connection begin with; 0: there is none, or not all of it. */
size_t http1_proxy_size(struct span bytes);

#endif
