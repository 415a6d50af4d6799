/* SPDX-License-Identifier: Apache-2.0
 * Tools with which somebody works a computer from afar: told by what nDPI calls the flow, or by the server name of its TLS. */
#ifndef ENRICH_REMOTE_TOOL_H
#define ENRICH_REMOTE_TOOL_H

#include "base/span.h"

struct remote_tool {
    const char *name;
    bool is_relayed; /* the worked computer itself connects to a relay of the tool's maker; else it is the server */
};

/* NULL when it is none. 'protocol' is nDPI's name ("RDP", "TLS.AnyDesk"), 'server_name' of TLS; either may be empty. SSH is
 * none: it shows no screen, and machines are administered with it all day. Borrowed, static. */
const struct remote_tool *remote_tool_of(struct span protocol, struct span server_name);

#endif
