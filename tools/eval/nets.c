/* SPDX-License-Identifier: Apache-2.0
 * Addresses by country, network, prefix and host. */
#include "eval/nets.h"

static const struct {
    const char *name;
    int offset;
    double weight;
} countries[NETS_COUNTRIES] = {
    {"US", -6, 30}, {"GB", 0, 12}, {"DE", 1, 12}, {"IN", 5, 10}, {"FR", 1, 7}, {"CA", -5, 6}, {"NL", 1, 5},
    {"PH", 8, 5},   {"AU", 10, 4}, {"JP", 9, 3},  {"ES", 1, 2},  {"PL", 1, 2}, {"BR", -3, 1}, {"SG", 8, 1},
};

const char *nets_country(uint8_t country)
{
    return countries[country].name;
}

int nets_offset(uint8_t country)
{
    return countries[country].offset;
}

uint8_t nets_pick_country(struct prng *r)
{
    double weights[NETS_COUNTRIES];
    for (int i = 0; i < NETS_COUNTRIES; i++)
        weights[i] = countries[i].weight;
    return (uint8_t)prng_pick(r, weights, NETS_COUNTRIES);
}

uint8_t nets_pick_other(struct prng *r, uint8_t country)
{
    return (uint8_t)((country + 1 + prng_below(r, NETS_COUNTRIES - 1)) % NETS_COUNTRIES);
}

uint32_t nets_pick_home(struct prng *r)
{
    static const double share[NETS_HOMES] = {36, 26, 16, 11, 7, 4};
    return prng_pick(r, share, NETS_HOMES);
}

static uint32_t asn_of(uint8_t country, uint32_t network)
{
    return 4200000000u + country * 16u + network; /* RFC 6996: private use */
}

struct spot nets_spot(uint8_t country, uint32_t network, uint32_t prefix, uint32_t host)
{
    prefix %= NETS_PREFIXES;
    const uint8_t bytes[4] = {(uint8_t)(20 + country), (uint8_t)(network * 16 + (prefix >> 8)), (uint8_t)prefix,
                              (uint8_t)(1 + host % 254)};
    return (struct spot){ipaddr_from4(bytes), asn_of(country, network), country};
}

struct spot nets_spot6(uint8_t country, uint32_t network, uint32_t prefix, uint64_t host)
{
    uint8_t bytes[16] = {0x2a, (uint8_t)(0x10 + country), (uint8_t)network, 0, (uint8_t)(prefix >> 8), (uint8_t)prefix};
    for (int i = 0; i < 8; i++)
        bytes[8 + i] = (uint8_t)(host >> (8 * i));
    return (struct spot){ipaddr_from6(bytes), asn_of(country, network), country};
}
