/* SPDX-License-Identifier: Apache-2.0
 * Link layers met now and then: wireless frames in the clear, packets logged by netfilter, ARCnet. */
#include "wire/decap_walk.h"

/* IEEE 802.11, 9.2: data frames that are not encrypted; LLC follows. */
enum layer link_wlan(struct walk *w)
{
    if (w->left.size < 24)
        return walk_short(w);
    uint8_t kind = w->left.at[0], flags = w->left.at[1];
    bool is_data = (kind & 0x0f) == 0x08, is_empty = kind & 0x40, is_encrypted = flags & 0x40;
    if (!is_data || is_empty || is_encrypted)
        return END_NOT_IP;
    size_t size = 24;
    size += (flags & 3) == 3 ? 6 : 0; /* between access points: a fourth address */
    if (kind & 0x80)
        size += flags & 0x80 ? 6 : 2; /* quality of service, high throughput */
    return walk_take(w, size) ? LAYER_LLC : walk_short(w);
}

/* radiotap.org: version, padding, length of all of it in little-endian order. */
enum layer link_radiotap(struct walk *w)
{
    if (w->left.size < 4)
        return walk_short(w);
    return walk_take(w, w->left.at[2] | (size_t)w->left.at[3] << 8) ? LAYER_WLAN : walk_short(w);
}

/* LINKTYPE_NFLOG: 4 bytes, then type-length-values in the byte order of the machine that captured, padded to 4; type 9
 * is the packet. A length below 256 tells the order: its low byte comes first or second. */
enum layer link_nflog(struct walk *w)
{
    if (!walk_take(w, 4))
        return walk_short(w);
    while (w->left.size >= 4) {
        const uint8_t *h = w->left.at;
        bool is_big = h[2] == 0 && h[3] != 0;
        size_t size = is_big ? be16(h) : (size_t)(h[0] | h[1] << 8);
        unsigned type = (is_big ? h[3] : h[2]) & 0x3fu;
        if (size < 4)
            return END_BAD;
        if (type == 9) {
            walk_skip(w, 4);
            return LAYER_IP;
        }
        if (!walk_take(w, (size + 3) & ~(size_t)3))
            break;
    }
    return walk_short(w);
}

/* LINKTYPE_ARCNET_LINUX: source, destination, offset, type, split flag, sequence number; type 212 is IP (RFC 1201). */
enum layer link_arcnet(struct walk *w)
{
    if (w->left.size < 8)
        return walk_short(w);
    uint8_t type = w->left.at[4];
    walk_skip(w, 8);
    return type == 212 ? LAYER_IP4 : END_NOT_IP;
}
