/* SPDX-License-Identifier: Apache-2.0
 * How long segments are kept. What was removed leaves a line in the file "removed": number, first record, how many, the chain's
 * head; so that the chain of what is left has a beginning. */
#include "base/err.h"
#include "base/log.h"
#include "store/log_parts.h"

#include <fcntl.h>
#include <unistd.h>

static bool is_held(struct log_writer *w)
{
    text_clear(&w->path);
    text_addf(&w->path, "%s/hold", w->dir);
    return access(text_str(&w->path), F_OK) == 0;
}

static void note_removed(struct log_writer *w, const struct segment *s)
{
    struct chain_file f;
    struct text ignored = {0};
    segment_path(w->dir, s, SEGMENT_CHAIN, &w->path);
    if (chain_file_read(text_str(&w->path), &f, &ignored) == E_OK) {
        text_clear(&w->line);
        text_addf(&w->line, "segment %llu first %llu ", (unsigned long long)f.segment, (unsigned long long)f.first);
        chain_file_line("end", &f.end, &w->line);
        chain_file_free(&f);
        text_clear(&w->path);
        text_addf(&w->path, "%s/removed", w->dir);
        int fd = open(text_str(&w->path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (fd < 0 || write(fd, text_str(&w->line), w->line.size) != (ssize_t)w->line.size)
            log_warn("activity log: %s cannot be written: the chain of what is left has no beginning", text_str(&w->path));
        if (fd >= 0)
            close(fd);
    }
    text_fini(&ignored);
}

bool log_remove_oldest(struct log_writer *w, int why_counter)
{
    static const char *const suffixes[] = {SEGMENT_PLAIN, SEGMENT_PACKED, SEGMENT_CHAIN};
    if (w->list.n == 0)
        return false;
    if (is_held(w)) {
        w->counts[LOG_HELD]++;
        return false;
    }
    struct segment oldest = w->list.at[0];
    if (w->packer && w->packing.number == oldest.number)
        return false;
    if (why_counter == LOG_AGED) /* on a full disk there is no room for a note until something is gone */
        note_removed(w, &oldest);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        bool is_chain = strcmp(suffixes[i], SEGMENT_CHAIN) == 0;
        if (is_chain && why_counter != LOG_AGED)
            note_removed(w, &oldest);
        segment_path(w->dir, &oldest, suffixes[i], &w->path);
        (void)unlink(text_str(&w->path)); /* one of the first two is not there */
    }
    w->list.n--;
    memmove(w->list.at, w->list.at + 1, w->list.n * sizeof *w->list.at);
    w->counts[why_counter]++;
    if (why_counter == LOG_MADE_ROOM)
        log_warn("activity log: the disk is full: segment %llu of day %u was removed", (unsigned long long)oldest.number, oldest.day);
    return true;
}

void log_retain(struct log_writer *w)
{
    uint32_t today = segment_days(w->today);
    while (w->options.keep_days && w->list.n && segment_days(w->list.at[0].day) + w->options.keep_days < today)
        if (!log_remove_oldest(w, LOG_AGED))
            return;
}
