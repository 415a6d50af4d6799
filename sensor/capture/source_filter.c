/* SPDX-License-Identifier: Apache-2.0
 * BPF filters over frames of any link type: the expression means other offsets on each, so libpcap compiles it once for
 * each link type that turns up. */
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "base/err.h"
#include "capture/source_impl.h"

#define FILTER_MAX_LINKS 16

struct filter_program {
    uint32_t link;
    bool is_usable;
    struct bpf_program bpf;
};

struct source_filter {
    char *expression;
    size_t n, oldest; /* when all places are taken, the oldest one is used again */
    struct filter_program programs[FILTER_MAX_LINKS];
};

struct source_filter *source_filter_new(const char *expression)
{
    struct source_filter *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->expression = strdup(expression);
    if (!f->expression) {
        free(f);
        return NULL;
    }
    return f;
}

void source_filter_free(struct source_filter *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++)
        if (f->programs[i].is_usable)
            pcap_freecode(&f->programs[i].bpf);
    free(f->expression);
    free(f);
}

static struct filter_program *filter_find(struct source_filter *f, uint32_t link)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->programs[i].link == link)
            return &f->programs[i];
    return NULL;
}

static struct filter_program *filter_compile(struct source_filter *f, uint32_t link, struct text *why)
{
    struct filter_program *program = &f->programs[f->n == FILTER_MAX_LINKS ? f->oldest++ % FILTER_MAX_LINKS : f->n++];
    if (program->is_usable)
        pcap_freecode(&program->bpf);
    program->is_usable = false;
    program->link = link;
    pcap_t *dead = pcap_open_dead((int)link, SOURCE_SNAPLEN);
    if (!dead)
        return program;
    program->is_usable = pcap_compile(dead, &program->bpf, f->expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!program->is_usable && why)
        text_addf(why, "filter '%s': %s", f->expression, pcap_geterr(dead));
    pcap_close(dead);
    return program;
}

int source_filter_check(struct source_filter *f, uint32_t link, struct text *why)
{
    struct filter_program *program = filter_find(f, link);
    if (!program)
        program = filter_compile(f, link, why);
    return program->is_usable ? E_OK : E_CONF;
}

int source_filter_match(struct source_filter *f, const struct packet *p)
{
    struct filter_program *program = filter_find(f, p->link);
    if (!program) {
        program = filter_compile(f, p->link, NULL);
        if (!program->is_usable)
            return E_CONF;
    }
    return program->is_usable && bpf_filter(program->bpf.bf_insns, p->bytes, p->wire, p->caught) != 0;
}

const char *source_link_name(uint32_t link)
{
    const char *name = link <= INT32_MAX ? pcap_datalink_val_to_name((int)link) : NULL;
    return name ? name : "";
}
