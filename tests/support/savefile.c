/* SPDX-License-Identifier: Apache-2.0
 * Capture files from scratch. Written from the format descriptions, independently of the reader under test. */
#include "support/savefile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(struct savefile *f, uint64_t value, int size)
{
    for (int i = 0; i < size; i++) {
        int shift = 8 * (f->is_big ? size - 1 - i : i);
        text_add_char(&f->out, (char)(uint8_t)(value >> shift));
    }
}

void savefile_u16(struct savefile *f, uint16_t value)
{
    put(f, value, 2);
}

void savefile_u32(struct savefile *f, uint32_t value)
{
    put(f, value, 4);
}

void savefile_u64(struct savefile *f, uint64_t value)
{
    put(f, value, 8);
}

static void put_frame(struct savefile *f, uint8_t first, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++)
        text_add_char(&f->out, (char)(uint8_t)(first + i));
}

void savefile_pcap(struct savefile *f, uint32_t magic, uint32_t link)
{
    savefile_u32(f, magic);
    savefile_u16(f, 2);
    savefile_u16(f, 4);
    savefile_u32(f, 0);
    savefile_u32(f, 0);
    savefile_u32(f, 65535);
    savefile_u32(f, link);
}

void savefile_record(struct savefile *f, uint32_t seconds, uint32_t fraction, uint8_t first, uint32_t size)
{
    savefile_u32(f, seconds);
    savefile_u32(f, fraction);
    savefile_u32(f, size);
    savefile_u32(f, size);
    put_frame(f, first, size);
}

void savefile_block(struct savefile *f, uint32_t type, struct span body)
{
    uint32_t pad = (uint32_t)(4 - body.size % 4) % 4;
    uint32_t size = 12 + (uint32_t)body.size + pad;
    savefile_u32(f, type);
    savefile_u32(f, size);
    text_add(&f->out, body);
    text_add(&f->out, span_of("\0\0\0", pad));
    savefile_u32(f, size);
}

void savefile_section(struct savefile *f)
{
    struct savefile body = {.is_big = f->is_big};
    savefile_u32(&body, 0x1A2B3C4D);
    savefile_u16(&body, 1);
    savefile_u16(&body, 0);
    savefile_u64(&body, UINT64_MAX);
    savefile_block(f, 0x0A0D0D0A, text_span(&body.out));
    text_fini(&body.out);
}

void savefile_interface(struct savefile *f, uint16_t link, uint32_t snaplen, struct span options)
{
    struct savefile body = {.is_big = f->is_big};
    savefile_u16(&body, link);
    savefile_u16(&body, 0);
    savefile_u32(&body, snaplen);
    text_add(&body.out, options);
    savefile_block(f, 1, text_span(&body.out));
    text_fini(&body.out);
}

void savefile_packet(struct savefile *f, uint32_t interface, uint64_t ticks, uint8_t first, uint32_t size)
{
    struct savefile body = {.is_big = f->is_big};
    savefile_u32(&body, interface);
    savefile_u32(&body, (uint32_t)(ticks >> 32));
    savefile_u32(&body, (uint32_t)ticks);
    savefile_u32(&body, size);
    savefile_u32(&body, size);
    put_frame(&body, first, size);
    savefile_block(f, 6, text_span(&body.out));
    text_fini(&body.out);
}

static void give_up(const char *what)
{
    perror(what);
    exit(2);
}

const char *scratch_make(char path[64])
{
    snprintf(path, 64, "/tmp/casetap-test-XXXXXX");
    if (!mkdtemp(path))
        give_up(path);
    return path;
}

void scratch_remove(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (const struct dirent *d; (d = readdir(directory));)
        (void)unlinkat(dirfd(directory), d->d_name, 0); /* "." and ".." stay */
    closedir(directory);
    (void)rmdir(path);
}

const char *scratch_write(const char *directory, const char *name, struct span bytes, char path[512])
{
    snprintf(path, 512, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (!file || (bytes.size && fwrite(bytes.at, 1, bytes.size, file) != bytes.size) || fclose(file) != 0)
        give_up(path);
    return path;
}
