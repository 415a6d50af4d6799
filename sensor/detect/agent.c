/* SPDX-License-Identifier: Apache-2.0
 * User-Agents without their numbers, hashed once each. */
#include "detect/agent.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/hash.h"

#define SLOTS 1024u
#define AGENT_MAX 256

struct slot {
    uint64_t full;
    uint32_t plain;
    bool is_used;
};

struct agents {
    struct slot slots[SLOTS];
};

struct agents *agents_new(void)
{
    return calloc(1, sizeof(struct agents));
}

void agents_free(struct agents *g)
{
    free(g);
}

static uint32_t plain_hash(struct span agent)
{
    uint8_t plain[AGENT_MAX];
    size_t n = 0;
    for (size_t i = 0; i < agent.size && n < sizeof plain; i++)
        if (!isdigit(agent.at[i]) && agent.at[i] != '.')
            plain[n++] = agent.at[i];
    return (uint32_t)hash64(span_of(plain, n), 0);
}

static uint32_t agent_hash(struct agents *g, struct span agent)
{
    uint64_t full = hash64(agent, 0);
    struct slot *slot = &g->slots[full % SLOTS];
    if (!slot->is_used || slot->full != full)
        *slot = (struct slot){full, plain_hash(agent), true};
    return slot->plain;
}

/* "Firefox 147" without the version; what does not print becomes '?'. */
static void copy_family(char out[BASELINE_CLIENT_NAME], struct span client)
{
    while (client.size && (isdigit(client.at[client.size - 1]) || client.at[client.size - 1] == '.'))
        client.size--;
    client = span_trim(client);
    for (size_t i = 0; i < client.size && i < BASELINE_CLIENT_NAME - 1; i++)
        out[i] = isprint(client.at[i]) ? (char)client.at[i] : '?';
}

struct client agents_client(struct agents *g, const struct activity *a)
{
    struct client c = {.family = a->client_family, .major = a->client_major};
    c.agent = agent_hash(g, activity_get(a, STR_AGENT));
    copy_family(c.name, activity_get(a, STR_CLIENT));
    return c;
}
