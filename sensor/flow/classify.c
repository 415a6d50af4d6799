/* SPDX-License-Identifier: Apache-2.0
 * nDPI behind a small door: flow states from a pool of fixed size, a bounded number of packets for each flow, and no
 * guesses by port number. What nDPI allocates while packets come is of a heap of fixed size; it is freed with the flow. */
#include "flow/classify.h"

#include <stdlib.h>
#include <string.h>

#include <ndpi_api.h>

#include "base/pool.h"
#include "base/times.h"
#include "flow/classify_heap.h"

#define MAX_PACKETS 24u      /* of a flow; nDPI's own reader gives TLS about as many */
#define HEAP_KIB 16384u
#define MAX_IP_PACKET 65535u /* nDPI takes the size as 16 bits */

struct classify_flow {
    uint32_t packets[2]; /* by direction */
    uint8_t transport;   /* IP protocol number of the first packet */
    bool is_done, has_given_up;
    ndpi_protocol protocol;
    struct ndpi_flow_struct ndpi;
};

struct classify_counts {
    uint64_t flows, refused, packets, unfit, given_up, memory_refused;
};

static const struct counter_def counter_defs[] = {
    {"classify_flows", "flows", "flows that were looked at by nDPI"},
    {"classify_flows_refused", "flows", "flows not looked at because the pool was used up: raise the limit"},
    {"classify_packets", "packets", "packets that nDPI saw"},
    {"classify_packets_unfit", "packets", "packets without a transport header, or of another transport than their flow"},
    {"classify_flows_given_up", "flows", "flows still unknown after the packets a flow may have"},
    {"classify_memory_refused", "blocks", "memory that nDPI asked for and did not get; what it concerns stays unknown"},
};

struct classify {
    struct ndpi_detection_module_struct *ndpi;
    struct pool *flows;
    struct classify_heap *heap;
    bool is_broken; /* nDPI could not be made */
    struct classify_counts counts;
};

/* nDPI's allocator hooks have no argument to say for whom they are called: the thread's own entry into nDPI does. Outside
 * of one (start and end) it has the ordinary heap. */
static _Thread_local struct classify *entered;

static void *hook_take(size_t size)
{
    if (!entered)
        return malloc(size);
    void *block = classify_heap_take(entered->heap, size);
    entered->counts.memory_refused += !block;
    return block;
}

static void hook_give(void *block)
{
    if (block && !(entered && classify_heap_give(entered->heap, block)))
        free(block);
}

struct classify *classify_new(uint32_t max_flows, uint32_t heap_kib)
{
    if (ndpi_detection_get_sizeof_ndpi_flow_struct() != sizeof(struct ndpi_flow_struct))
        return NULL; /* the library is another version than the header */
    struct classify *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    set_ndpi_malloc(hook_take);
    set_ndpi_free(hook_give);
    set_ndpi_flow_malloc(hook_take);
    set_ndpi_flow_free(hook_give);
    c->flows = pool_new(sizeof(struct classify_flow), max_flows);
    c->heap = classify_heap_new(heap_kib ? heap_kib : HEAP_KIB);
    if (!c->flows || !c->heap) {
        classify_free(c);
        return NULL;
    }
    return c;
}

bool classify_prepare(struct classify *c)
{
    if (c->ndpi || c->is_broken)
        return c->ndpi != NULL;
    c->ndpi = ndpi_init_detection_module(ndpi_dont_load_tor_hosts);
    c->is_broken = !c->ndpi;
    if (c->is_broken)
        return false;
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(c->ndpi, &all);
    ndpi_finalize_initialization(c->ndpi);
    return true;
}

void classify_free(struct classify *c)
{
    if (!c)
        return;
    entered = c->heap ? c : NULL;
    if (c->ndpi)
        ndpi_exit_detection_module(c->ndpi);
    entered = NULL;
    pool_free(c->flows);
    classify_heap_free(c->heap);
    free(c);
}

struct classify_flow *classify_flow_new(struct classify *c)
{
    struct classify_flow *f = classify_prepare(c) ? pool_take(c->flows) : NULL;
    if (!f) {
        c->counts.refused++;
        return NULL;
    }
    memset(f, 0, sizeof *f);
    c->counts.flows++;
    return f;
}

void classify_flow_free(struct classify *c, struct classify_flow *f)
{
    if (!f)
        return;
    entered = c;
    ndpi_free_flow_data(&f->ndpi);
    entered = NULL;
    pool_give(c->flows, f);
}

static bool is_known(const ndpi_protocol *p)
{
    return p->master_protocol != NDPI_PROTOCOL_UNKNOWN || p->app_protocol != NDPI_PROTOCOL_UNKNOWN;
}

/* Whether nDPI keeps a TLS server name for it; for other protocols the same place holds other things. */
static bool has_server_name(const ndpi_protocol *p)
{
    static const uint16_t kinds[] = {NDPI_PROTOCOL_TLS, NDPI_PROTOCOL_QUIC, NDPI_PROTOCOL_DTLS};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (p->master_protocol == kinds[i] || p->app_protocol == kinds[i])
            return true;
    return false;
}

/* nDPI keeps TCP and UDP state in one union and believes each packet's word on which it is: a packet of another kind
 * than the flow's first would make it free what is no pointer. */
static bool is_fit(struct classify_flow *f, struct span ip)
{
    const uint8_t *transport;
    uint16_t size;
    uint8_t number = 0;
    if (ip.size == 0 || ndpi_detection_get_l4(ip.at, (uint16_t)ip.size, &transport, &size, &number, 0) != 0)
        return false;
    if (f->packets[0] + f->packets[1] == 0)
        f->transport = number;
    return number == f->transport;
}

bool classify_packet(struct classify *c, struct classify_flow *f, struct span ip, int direction, uint64_t now_ns)
{
    if (f->is_done)
        return true;
    ip = span_sub(ip, 0, MAX_IP_PACKET);
    if (!is_fit(f, ip)) {
        c->counts.unfit++;
        return false;
    }
    c->counts.packets++;
    f->packets[direction != 0]++;
    entered = c;
    f->protocol = ndpi_detection_process_packet(c->ndpi, &f->ndpi, ip.at, (unsigned short)ip.size, now_ns / NS_PER_MS);
    entered = NULL;
    bool is_named = has_server_name(&f->protocol) && f->ndpi.host_server_name[0];
    if (is_known(&f->protocol))
        f->is_done = is_named || !ndpi_extra_dissection_possible(c->ndpi, &f->ndpi);
    if (f->packets[0] + f->packets[1] >= MAX_PACKETS)
        f->is_done = true;
    return f->is_done;
}

void classify_result(struct classify *c, struct classify_flow *f, char protocol[64], char sni[256])
{
    if (!is_known(&f->protocol) && !f->has_given_up && f->packets[0] + f->packets[1] > 0) {
        uint8_t was_guessed = 0;
        entered = c;
        f->protocol = ndpi_detection_giveup(c->ndpi, &f->ndpi, 0, &was_guessed);
        entered = NULL;
        f->has_given_up = f->is_done = true;
        c->counts.given_up += !is_known(&f->protocol);
    }
    ndpi_protocol2name(c->ndpi, f->protocol, protocol, 64);
    size_t n = 0;
    if (has_server_name(&f->protocol))
        for (; n < sizeof f->ndpi.host_server_name && f->ndpi.host_server_name[n]; n++)
            sni[n] = f->ndpi.host_server_name[n] > ' ' && f->ndpi.host_server_name[n] < 0x7f ? f->ndpi.host_server_name[n] : '?';
    sni[n] = 0;
}

struct counters classify_counters(const struct classify *c)
{
    return (struct counters){counter_defs, &c->counts.flows, sizeof counter_defs / sizeof counter_defs[0]};
}
