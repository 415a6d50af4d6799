/* SPDX-License-Identifier: Apache-2.0
 * Reads capture files through one buffer in which each record is parsed in place. Our own reader and not libpcap's,
 * because that can neither put a pcapng file aside nor read one with several link types. */
#include "capture/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/times.h"
#include "capture/source_pcapng.h"

#define BUFFER_SIZE (64u * 1024u) /* larger ones read no faster */
#define BLOCK_MAX (SOURCE_FILE_MAX_FRAME + 512u * 1024u) /* a packet block with its options */
#define PCAP_HEAD_SIZE 24u
#define PIPE_WAIT_MS 100

enum pcap_magic {
    PCAP_MICRO = 0xA1B2C3D4u,
    PCAP_NANO = 0xA1B23C4Du,
    PCAP_KUZNETZOV = 0xA1B2CD34u, /* of old patched kernels: eight more bytes in each record head */
};

struct source_file {
    char *path;
    const char *name;
    int fd; /* -1 while suspended */
    bool is_pipe, is_eof;
    dev_t device;
    ino_t inode;
    uint64_t size;

    uint8_t *buffer;
    size_t capacity, from, to; /* unread bytes are [from, to) */
    uint64_t offset;           /* in the file, of the byte at 'to' */
    uint64_t record;           /* in the file, where the last packet's record began */
    uint32_t skip;             /* bytes of an unwanted block still to be passed over */

    bool is_pcapng;
    struct pcapng ng;
    source_secrets_fn *on_secrets;
    void *secrets_ctx;
    uint64_t other_secrets;
    bool is_swapped, has_swapped_lengths; /* pcap */
    uint32_t nanos; /* in a unit of the fraction: 1 or 1000 */
    uint32_t link;
    uint32_t head_size; /* of a record: 16 or 24 */

    uint64_t packets;
    enum source_file_end end;
};

/* Reads more behind 'to'; makes room first. 1: got some; 0: nothing now; E_END; E_IO. */
static int file_fill(struct source_file *f)
{
    if (f->from > 0) {
        memmove(f->buffer, f->buffer + f->from, f->to - f->from);
        f->to -= f->from;
        f->from = 0;
    }
    if (f->is_eof)
        return E_END;
    struct pollfd poll_fd = {.fd = f->fd, .events = POLLIN};
    if (f->is_pipe && poll(&poll_fd, 1, PIPE_WAIT_MS) <= 0)
        return 0;
    ssize_t got = read(f->fd, f->buffer + f->to, f->capacity - f->to);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : E_IO;
    f->is_eof = got == 0;
    f->to += (size_t)got;
    f->offset += (size_t)got;
    return got ? 1 : E_END;
}

/* Packets carry cookies and passwords: the heap gets none of them back. */
static void buffer_free(struct source_file *f)
{
    if (f->buffer)
        explicit_bzero(f->buffer, f->capacity);
    free(f->buffer);
    f->buffer = NULL;
}

static int file_grow(struct source_file *f, size_t size)
{
    size_t capacity = f->capacity;
    while (capacity < size)
        capacity *= 2;
    uint8_t *grown = malloc(capacity);
    if (!grown)
        return E_NOMEM;
    memcpy(grown, f->buffer, f->to);
    buffer_free(f);
    f->buffer = grown;
    f->capacity = capacity;
    return E_OK;
}

/* Makes 'size' bytes stand at 'from'. 1; 0: not all here yet; E_END: the file ends before; E_IO; E_NOMEM. */
static int file_need(struct source_file *f, size_t size)
{
    if (f->to - f->from >= size)
        return 1;
    if (f->capacity < size && file_grow(f, size) != E_OK)
        return E_NOMEM;
    while (f->to - f->from < size) {
        int rc = file_fill(f);
        if (rc != 1)
            return rc;
    }
    return 1;
}

static int file_stop(struct source_file *f, enum source_file_end end)
{
    f->end = end;
    f->is_eof = true;
    f->from = f->to;
    return E_END;
}

/* What source_file_next returns when file_need did not find a record whole. */
static int file_short(struct source_file *f, int rc)
{
    if (rc != E_END)
        return rc;
    return file_stop(f, f->to == f->from && f->skip == 0 ? FILE_END_CLEAN : FILE_END_CUT);
}

static uint32_t pcap_u32(const struct source_file *f, const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return f->is_swapped ? __builtin_bswap32(v) : v;
}

static int pcap_next(struct source_file *f, struct packet *p)
{
    int rc = file_need(f, f->head_size);
    if (rc != 1)
        return file_short(f, rc);
    const uint8_t *head = f->buffer + f->from;
    uint32_t caught = pcap_u32(f, head + 8), wire = pcap_u32(f, head + 12);
    if (f->has_swapped_lengths && caught > wire) {
        uint32_t other = caught;
        caught = wire;
        wire = other;
    }
    if (caught > SOURCE_FILE_MAX_FRAME)
        return file_stop(f, FILE_END_DAMAGED);
    size_t size = f->head_size + caught;
    rc = file_need(f, size);
    if (rc != 1)
        return file_short(f, rc);
    head = f->buffer + f->from; /* it may have moved */
    *p = (struct packet){.time_ns = pcap_u32(f, head) * NS_PER_S + (uint64_t)pcap_u32(f, head + 4) * f->nanos,
                         .bytes = head + f->head_size, .caught = caught, .wire = wire > caught ? wire : caught,
                         .link = f->link};
    f->record = f->offset - (f->to - f->from);
    f->from += size;
    f->packets++;
    return 1;
}

/* Passes over the rest of a block that nobody wants. */
static int file_skip(struct source_file *f)
{
    while (f->skip > 0) {
        if (f->from == f->to) {
            int rc = file_fill(f);
            if (rc != 1)
                return rc;
        }
        size_t step = f->to - f->from < f->skip ? f->to - f->from : f->skip;
        f->from += step;
        f->skip -= (uint32_t)step;
    }
    return 1;
}

static void hand_secrets(struct source_file *f)
{
    if (f->ng.secrets.size > 0 && f->ng.secrets_type == PCAPNG_SECRETS_TLS && f->on_secrets)
        f->on_secrets(f->secrets_ctx, f->ng.secrets);
    else
        f->other_secrets++;
}

/* One block; 1 with a packet, 0 or less as source_file_next, E_MORE when the block was no packet. */
static int pcapng_step(struct source_file *f, struct packet *p)
{
    int rc = file_skip(f);
    if (rc == 1)
        rc = file_need(f, PCAPNG_HEAD_SIZE);
    if (rc != 1)
        return file_short(f, rc);
    uint32_t type, size;
    if (source_pcapng_head(&f->ng, span_of(f->buffer + f->from, PCAPNG_HEAD_SIZE), &type, &size) != E_OK)
        return file_stop(f, FILE_END_DAMAGED);
    bool is_secrets = source_pcapng_is_secrets(type);
    if (!source_pcapng_is_wanted(type) || (is_secrets && size > SOURCE_FILE_MAX_SECRETS)) {
        f->other_secrets += is_secrets;
        f->skip = size;
        return E_MORE;
    }
    if (size > BLOCK_MAX && !is_secrets)
        return file_stop(f, FILE_END_DAMAGED);
    rc = file_need(f, size);
    if (rc != 1)
        return file_short(f, rc);
    struct span body = span_of(f->buffer + f->from + 8, size - PCAPNG_HEAD_SIZE);
    if (memcmp(f->buffer + f->from + 4, body.at + body.size, 4) != 0)
        return file_stop(f, FILE_END_DAMAGED);
    rc = source_pcapng_block(&f->ng, type, body, p);
    if (rc == E_NOMEM)
        return rc;
    if (rc < 0)
        return file_stop(f, rc == E_NONE ? FILE_END_VERSION : FILE_END_DAMAGED);
    if (is_secrets)
        hand_secrets(f);
    if (rc == 1) {
        f->record = f->offset - (f->to - f->from);
        f->packets++;
    }
    f->from += size;
    return rc == 1 ? 1 : E_MORE;
}

int source_file_next(struct source_file *f, struct packet *p)
{
    if (!f->is_pcapng)
        return pcap_next(f, p);
    int rc;
    do
        rc = pcapng_step(f, p);
    while (rc == E_MORE);
    return rc;
}

/* Names what a file is that is no capture, from its first bytes. */
static void say_what_it_is(struct span head, struct text *why)
{
    static const struct {
        struct span magic;
        const char *name;
    } known[] = {
        {SPAN("\x1f\x8b"), "gzip"}, {SPAN("\x28\xb5\x2f\xfd"), "zstd"}, {SPAN("\xfd" "7zXZ"), "xz"},
        {SPAN("BZh"), "bzip2"}, {SPAN("\x04\x22\x4d\x18"), "lz4"}, {SPAN("PK\x03\x04"), "zip"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (span_starts(head, known[i].magic)) {
            text_addf(why, "compressed (%s): unpack it first", known[i].name);
            return;
        }
    }
    text_add_str(why, "not a capture file (starts with");
    for (size_t i = 0; i < head.size && i < 8; i++)
        text_addf(why, " %02x", head.at[i]);
    text_add_str(why, "): pcap and pcapng are read");
}

static int read_pcap_head(struct source_file *f, struct text *why)
{
    if (f->to - f->from < PCAP_HEAD_SIZE) {
        text_addf(why, "%s: not a capture file (ends inside the file header)", f->name);
        return E_BAD;
    }
    const uint8_t *head = f->buffer + f->from;
    uint32_t version = pcap_u32(f, head + 4);
    uint32_t major = f->is_swapped ? version >> 16 : version & 0xffffu;
    uint32_t minor = f->is_swapped ? version & 0xffffu : version >> 16;
    if (major != 2) {
        text_addf(why, "%s: pcap version %u.%u is not known", f->name, major, minor);
        return E_BAD;
    }
    f->has_swapped_lengths = minor <= 3; /* some programs wrote them in the other order up to 2.3 */
    f->link = source_pcapng_link(pcap_u32(f, head + 20) & 0x03ffffffu); /* above: the length of the frame check */
    f->from += PCAP_HEAD_SIZE;
    return E_OK;
}

static int read_pcapng_head(struct source_file *f, struct text *why)
{
    uint32_t type, size;
    uint16_t major, minor;
    struct span head = span_of(f->buffer + f->from, f->to - f->from);
    f->is_pcapng = true;
    if (source_pcapng_head(&f->ng, head, &type, &size) != E_OK) {
        text_addf(why, "%s: ", f->name);
        say_what_it_is(head, why);
        return E_BAD;
    }
    if (!source_pcapng_is_known(&f->ng, span_from(head, 8), &major, &minor)) {
        text_addf(why, "%s: pcapng version %u.%u is not known", f->name, major, minor);
        return E_BAD;
    }
    return E_OK;
}

/* Tells the format by the first four bytes; they are in the buffer. */
static int read_magic(struct source_file *f, struct text *why)
{
    uint32_t magic;
    memcpy(&magic, f->buffer + f->from, sizeof magic);
    f->head_size = 16;
    f->nanos = 1000;
    if (magic == PCAPNG_MAGIC)
        return read_pcapng_head(f, why);
    for (int i = 0; i < 2; i++, magic = __builtin_bswap32(magic)) {
        f->is_swapped = i == 1;
        if (magic == PCAP_NANO)
            f->nanos = 1;
        if (magic == PCAP_KUZNETZOV)
            f->head_size = 24;
        if (magic == PCAP_MICRO || magic == PCAP_NANO || magic == PCAP_KUZNETZOV)
            return read_pcap_head(f, why);
    }
    text_addf(why, "%s: ", f->name);
    say_what_it_is(span_of(f->buffer + f->from, f->to - f->from), why);
    return E_BAD;
}

static int file_fail(struct source_file *f, int code, const char *reason, struct text *why)
{
    text_addf(why, "%s: %s", f->name, reason);
    return code;
}

static int file_open_descriptor(struct source_file *f, const char *path, struct text *why)
{
    bool is_stdin = strcmp(path, "-") == 0;
    f->fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0)
        return file_fail(f, E_IO, strerror(errno), why);
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return file_fail(f, E_IO, strerror(errno), why);
    if (S_ISDIR(st.st_mode))
        return file_fail(f, E_IO, "is a directory", why);
    f->is_pipe = is_stdin || !S_ISREG(st.st_mode);
    f->size = f->is_pipe ? 0 : (uint64_t)st.st_size;
    f->device = st.st_dev;
    f->inode = st.st_ino;
    return E_OK;
}

static int file_read_head(struct source_file *f, struct text *why)
{
    int rc;
    do
        rc = file_need(f, PCAP_HEAD_SIZE); /* the smallest pcapng has more */
    while (rc == 0);
    if (rc == E_IO || rc == E_NOMEM)
        return file_fail(f, rc, rc == E_IO ? strerror(errno) : err_text(rc), why);
    if (f->to == 0)
        return file_fail(f, E_BAD, "empty", why);
    if (f->to < 4) {
        text_addf(why, "%s: ", f->name);
        say_what_it_is(span_of(f->buffer, f->to), why);
        return E_BAD;
    }
    return read_magic(f, why);
}

int source_file_open(struct source_file **out, const char *path, struct text *why)
{
    struct source_file *f = calloc(1, sizeof *f);
    if (!f)
        return E_NOMEM;
    f->fd = -1;
    f->capacity = BUFFER_SIZE;
    f->buffer = malloc(f->capacity);
    f->path = strdup(path);
    f->name = strcmp(path, "-") == 0 ? "standard input" : f->path;
    int rc = f->buffer && f->path ? file_open_descriptor(f, path, why) : E_NOMEM;
    if (rc == E_OK)
        rc = file_read_head(f, why);
    if (rc != E_OK) {
        source_file_close(f);
        return rc;
    }
    *out = f;
    return E_OK;
}

void source_file_close(struct source_file *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    source_pcapng_fini(&f->ng);
    buffer_free(f);
    free(f->path);
    free(f);
}

void source_file_suspend(struct source_file *f)
{
    close(f->fd);
    f->fd = -1;
    buffer_free(f);
    if (f->packets > 0) {
        f->packets--;
        f->offset = f->record;
    } else {
        f->offset -= f->to - f->from;
    }
    f->from = f->to = 0;
    f->is_eof = false;
}

int source_file_resume(struct source_file *f)
{
    f->capacity = BUFFER_SIZE;
    f->buffer = malloc(f->capacity);
    if (!f->buffer)
        return E_NOMEM;
    f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || lseek(f->fd, (off_t)f->offset, SEEK_SET) < 0)
        return E_IO;
    return E_OK;
}

void source_file_on_secrets(struct source_file *f, source_secrets_fn *fn, void *ctx)
{
    f->on_secrets = fn;
    f->secrets_ctx = ctx;
}

uint64_t source_file_other_secrets(const struct source_file *f)
{
    return f->other_secrets;
}

bool source_file_can_suspend(const struct source_file *f)
{
    return !f->is_pipe;
}

bool source_file_is_suspended(const struct source_file *f)
{
    return f->fd < 0;
}

bool source_file_same(const struct source_file *a, const struct source_file *b)
{
    return a->device == b->device && a->inode == b->inode;
}

const char *source_file_name(const struct source_file *f)
{
    return f->name;
}

uint64_t source_file_packets(const struct source_file *f)
{
    return f->packets;
}

uint64_t source_file_size(const struct source_file *f)
{
    return f->size;
}

uint64_t source_file_position(const struct source_file *f)
{
    return f->is_pipe ? 0 : f->offset - (f->to - f->from);
}

enum source_file_end source_file_ended(const struct source_file *f)
{
    return f->end;
}
