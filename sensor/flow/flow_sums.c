/* SPDX-License-Identifier: Apache-2.0
 * See flow_sums.h. */
#include "flow/flow_sums.h"

#include "wire/checksum.h"

#define ENOUGH 2u /* right ones in a row, the last with data: by chance once in 2^32 */

/* Once it is known what is usual, bare acknowledgements may say what they like: tcp.c does not believe them anyway. */
static bool is_harmless(const struct dissected *d)
{
    return d->payload_wire == 0 && !(d->tcp_flags & (DECAP_SYN | DECAP_FIN | DECAP_RST));
}

/* Data must be among those that are right: some hosts compute the sums of a handshake themselves and leave those of data to
 * their network card, and captures are edited. */
static uint8_t after_right(const struct dissected *d, uint8_t run)
{
    return d->payload_wire && run ? ENOUGH : 1;
}

bool flow_sums_is_refused(struct flow *f, int dir, const struct dissected *d)
{
    uint8_t *run = &f->right_sums[dir];
    bool is_known = *run == ENOUGH;
    if (is_known && (dir == CONN_SERVER || is_harmless(d)))
        return false;
    enum checksum sum = checksum_of_tcp(d);
    if (sum == CHECKSUM_WRONG && is_known)
        return f->right_sums[CONN_SERVER] > 0;
    if (!is_known && sum != CHECKSUM_UNKNOWN)
        *run = sum == CHECKSUM_RIGHT ? after_right(d, *run) : 0;
    return false;
}
