/* SPDX-License-Identifier: Apache-2.0
 * Lines out of bytes, and out of a descriptor. */
#include "io/key_lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void hand_out(struct key_lines *l, struct key_lines_out *out)
{
    if (l->is_overlong) {
        out->counts.overlong++;
    } else {
        out->counts.lines++;
        size_t size = l->size && l->part[l->size - 1] == '\r' ? l->size - 1 : l->size;
        out->fn(out->ctx, span_of(l->part, size));
    }
    key_lines_drop(l);
}

static void keep(struct key_lines *l, struct span bytes)
{
    l->is_overlong |= bytes.size > sizeof l->part - l->size;
    if (l->is_overlong || bytes.size == 0)
        return;
    memcpy(l->part + l->size, bytes.at, bytes.size);
    l->size += bytes.size;
}

void key_lines_add(struct key_lines *l, struct key_lines_out *out, struct span bytes)
{
    size_t end;
    while ((end = span_find_byte(bytes, '\n', 0)) != SIZE_MAX) {
        keep(l, span_sub(bytes, 0, end));
        hand_out(l, out);
        bytes = span_from(bytes, end + 1);
    }
    keep(l, bytes);
}

void key_lines_end(struct key_lines *l, struct key_lines_out *out)
{
    if (l->size > 0 || l->is_overlong)
        hand_out(l, out);
}

void key_lines_drop(struct key_lines *l)
{
    explicit_bzero(l->part, l->size);
    l->size = 0;
    l->is_overlong = false;
}

int64_t key_lines_read(struct key_lines *l, struct key_lines_out *out, int fd, uint64_t max, uint8_t *buffer,
                       bool *is_end)
{
    uint64_t total = 0;
    ssize_t got = 1;
    *is_end = false;
    while (total < max && (got = read(fd, buffer, KEY_READ_SIZE)) > 0) {
        key_lines_add(l, out, span_of(buffer, (size_t)got));
        explicit_bzero(buffer, (size_t)got);
        total += (uint64_t)got;
    }
    *is_end = got == 0;
    return got < 0 && errno != EAGAIN && errno != EINTR ? -1 : (int64_t)total;
}
