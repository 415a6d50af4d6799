/* SPDX-License-Identifier: Apache-2.0
 * Countries, their networks, and the addresses in them. Numbers are made up; what counts is who shares what. */
#ifndef EVAL_NETS_H
#define EVAL_NETS_H

#include "eval/world.h"

#define NETS_COUNTRIES 14
#define NETS_HOMES 6  /* networks 0 to 5 of a country are home connections, by size */
#define NETS_MOBILE 6 /* 6 and 7: mobile, carrier NAT in few prefixes */
#define NETS_BUSINESS 8
#define NETS_VPN 9 /* 9 and 10: commercial VPN and hosting */
#define NETS_CLOUD 11
#define NETS_PREFIXES 4096u

const char *nets_country(uint8_t country);
/* Hours ahead of UTC. */
int nets_offset(uint8_t country);
uint8_t nets_pick_country(struct prng *r);
uint8_t nets_pick_other(struct prng *r, uint8_t country);
uint32_t nets_pick_home(struct prng *r);
struct spot nets_spot(uint8_t country, uint32_t network, uint32_t prefix, uint32_t host);
/* The same connection over IPv6; the host part is a privacy address (RFC 8981) and changes with 'host'. */
struct spot nets_spot6(uint8_t country, uint32_t network, uint32_t prefix, uint64_t host);

#endif
