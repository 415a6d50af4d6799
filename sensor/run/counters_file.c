/* SPDX-License-Identifier: Apache-2.0
 * The counters file: those of the source first, then module by module in the order of a packet's way. */
#include "run/counters_file.h"

static const struct counter_def source_defs[] = {
    {"source_packets", "packets", "frames read"},
    {"source_bytes", "bytes", "of these frames on the wire"},
    {"source_kernel_drops", "packets", "dropped by the kernel: the sensor is too slow, or its buffer too small"},
    {"source_interface_drops", "packets", "dropped by the interface"},
};

#define N_SOURCE (sizeof source_defs / sizeof *source_defs)

static void write_module(struct line_file *f, struct text *line, struct counters c)
{
    for (size_t i = 0; i < c.n; i++) {
        text_clear(line);
        text_addf(line, "%s %llu %s: %s\n", c.defs[i].name, (unsigned long long)c.values[i], c.defs[i].unit,
                  c.defs[i].help);
        (void)line_file_write(f, text_span(line)); /* sticky: told at close */
    }
}

void counters_file_write(struct line_file *f, const struct source_stats *stats, struct counters feed, const struct pipeline *p,
                         const struct analysis *a)
{
    struct text line = {0};
    struct counters c;
    uint64_t values[N_SOURCE] = {stats->packets, stats->bytes, stats->kernel_drops, stats->interface_drops};
    write_module(f, &line, (struct counters){source_defs, values, N_SOURCE});
    write_module(f, &line, feed);
    for (size_t i = 0; p && (c = pipeline_counters(p, i)).defs; i++)
        write_module(f, &line, c);
    for (size_t i = 0; a && (c = analysis_counters(a, i)).defs; i++)
        write_module(f, &line, c);
    text_fini(&line);
}

void counters_file_more(struct line_file *f, struct counters c)
{
    struct text line = {0};
    write_module(f, &line, c);
    text_fini(&line);
}

int counters_file_add(const char *path, struct counters c, struct text *why)
{
    struct line_file *f = NULL;
    int rc = line_file_open(&f, path, false, why);
    if (rc)
        return rc;
    counters_file_more(f, c);
    return line_file_close(f, true, why);
}
