/* SPDX-License-Identifier: Apache-2.0
 * A live interface through libpcap: frames in blocks every 100 ms at the latest, nanoseconds where the kernel has them. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/err.h"
#include "base/times.h"
#include "capture/source_impl.h"

#define LIVE_TIMEOUT_MS 100
#define LIVE_BUFFER_MIB 64
#define LIVE_BUFFER_MIB_MAX 2047 /* libpcap takes the size in bytes as an int */

struct live {
    struct source base;
    pcap_t *pcap;
    char *interface;
    int fd;      /* to wait on */
    int wake_fd; /* somebody else wants the thread that waits */
    uint32_t link;
    uint32_t nanos; /* in a unit of the fraction: 1 or 1000 */
};

/* Waits here and not in libpcap: there the time-out only runs from the first frame on. */
static void live_wait(struct live *l)
{
    struct pollfd waiting[] = {{.fd = l->fd, .events = POLLIN}, {.fd = l->wake_fd, .events = POLLIN}};
    uint64_t rung;
    if (poll(waiting, 2, LIVE_TIMEOUT_MS) > 0 && waiting[1].revents) /* of the other the next read tells */
        (void)!read(l->wake_fd, &rung, sizeof rung);
}

static void live_wake(struct source *s)
{
    uint64_t one = 1;
    (void)!write(((struct live *)s)->wake_fd, &one, sizeof one); /* full: it is awake anyway */
}

static int live_next(struct source *s, struct packet *p)
{
    struct live *l = (struct live *)s;
    struct pcap_pkthdr *head;
    const unsigned char *bytes;
    int rc = pcap_next_ex(l->pcap, &head, &bytes);
    if (rc == 0) {
        live_wait(l);
        rc = pcap_next_ex(l->pcap, &head, &bytes);
    }
    if (rc == 0)
        return 0;
    if (rc == PCAP_ERROR_BREAK || (rc != 1 && atomic_load_explicit(&s->is_stopped, memory_order_relaxed)))
        return E_END;
    if (rc != 1) {
        source_add_note(s, "%s: %s", l->interface, pcap_geterr(l->pcap));
        return E_IO;
    }
    *p = (struct packet){.time_ns = (uint64_t)head->ts.tv_sec * NS_PER_S + (uint64_t)head->ts.tv_usec * l->nanos,
                         .bytes = bytes, .caught = head->caplen,
                         .wire = head->len > head->caplen ? head->len : head->caplen, .link = l->link};
    return 1;
}

static void live_stop(struct source *s)
{
    pcap_breakloop(((struct live *)s)->pcap);
}

static void live_stats(struct source *s, struct source_stats *out)
{
    struct pcap_stat stat;
    if (pcap_stats(((struct live *)s)->pcap, &stat) == 0) {
        out->kernel_drops = stat.ps_drop;
        out->interface_drops = stat.ps_ifdrop;
    }
}

static void live_close(struct source *s)
{
    struct live *l = (struct live *)s;
    if (l->pcap)
        pcap_close(l->pcap);
    if (l->wake_fd >= 0)
        close(l->wake_fd);
    free(l->interface);
    free(l);
}

/* "no such interface; there are: eth0, lo" */
static void say_interfaces(struct text *why)
{
    char reason[PCAP_ERRBUF_SIZE];
    pcap_if_t *list = NULL;
    text_add_str(why, "no such interface");
    if (pcap_findalldevs(&list, reason) != 0 || !list)
        return;
    const char *separator = "; there are: ";
    for (const pcap_if_t *i = list; i; i = i->next) {
        if (strncmp(i->name, "dbus", 4) == 0 || strncmp(i->name, "nf", 2) == 0 || strncmp(i->name, "usbmon", 6) == 0 ||
            strncmp(i->name, "bluetooth", 9) == 0)
            continue; /* nothing that carries cases */
        text_addf(why, "%s%s", separator, i->name);
        separator = ", ";
    }
    pcap_freealldevs(list);
}

static int live_activate(struct live *l, struct text *why)
{
    int rc = pcap_activate(l->pcap);
    if (rc >= 0)
        return E_OK; /* a warning, such as no promiscuous mode here, still captures */
    text_addf(why, "%s: ", l->interface);
    if (rc == PCAP_ERROR_NO_SUCH_DEVICE) {
        say_interfaces(why);
        return E_NONE;
    }
    if (rc == PCAP_ERROR_PERM_DENIED || rc == PCAP_ERROR_PROMISC_PERM_DENIED) {
        text_add_str(why, "no permission to capture: run as root or give the program the capability CAP_NET_RAW");
        return E_DENIED;
    }
    if (rc == PCAP_ERROR_IFACE_NOT_UP) {
        text_add_str(why, "the interface is down");
        return E_IO;
    }
    const char *detail = pcap_geterr(l->pcap);
    text_add_str(why, rc == PCAP_ERROR && detail[0] ? detail : pcap_statustostr(rc));
    return E_IO;
}

static int live_set_filter(struct live *l, const char *filter, struct text *why)
{
    struct bpf_program program;
    if (!filter || !filter[0])
        return E_OK;
    if (pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        text_addf(why, "filter '%s': %s", filter, pcap_geterr(l->pcap));
        return E_CONF;
    }
    int rc = pcap_setfilter(l->pcap, &program);
    if (rc != 0)
        text_addf(why, "filter '%s': %s", filter, pcap_geterr(l->pcap));
    pcap_freecode(&program);
    return rc == 0 ? E_OK : E_CONF;
}

static int live_start(struct live *l, const char *interface, const struct source_live_options *options, struct text *why)
{
    char reason[PCAP_ERRBUF_SIZE] = "";
    l->interface = strdup(interface);
    l->pcap = pcap_create(interface, reason);
    if (!l->interface || !l->pcap) {
        text_addf(why, "%s: %s", interface, reason);
        return E_IO;
    }
    int mib = options->buffer_mib > 0 ? options->buffer_mib : LIVE_BUFFER_MIB;
    mib = mib < LIVE_BUFFER_MIB_MAX ? mib : LIVE_BUFFER_MIB_MAX;
    /* before activation these only fail on a handle that is already active */
    (void)pcap_set_snaplen(l->pcap, options->snaplen > 0 ? options->snaplen : SOURCE_SNAPLEN);
    (void)pcap_set_promisc(l->pcap, !options->no_promiscuous);
    (void)pcap_set_timeout(l->pcap, LIVE_TIMEOUT_MS);
    (void)pcap_set_buffer_size(l->pcap, mib * 1024 * 1024);
    (void)pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO); /* else microseconds: asked below */
    int rc = live_activate(l, why);
    if (rc != E_OK)
        return rc;
    l->nanos = pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
    l->link = (uint32_t)pcap_datalink(l->pcap);
    l->fd = pcap_get_selectable_fd(l->pcap);
    if (l->fd < 0 || l->wake_fd < 0 || pcap_setnonblock(l->pcap, 1, reason) != 0) {
        text_addf(why, "%s: cannot wait for frames on it", interface);
        return E_IO;
    }
    return live_set_filter(l, options->filter, why);
}

int source_open_live(struct source **out, const char *interface, const struct source_live_options *options, struct text *why)
{
    struct live *l = calloc(1, sizeof *l);
    if (!l)
        return E_NOMEM;
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->base.next = live_next;
    l->base.stats = live_stats;
    l->base.close = live_close;
    int rc = live_start(l, interface, options, why);
    if (rc != E_OK) {
        source_close(&l->base);
        return rc;
    }
    l->base.stop = live_stop;
    l->base.wake = live_wake;
    *out = &l->base;
    return E_OK;
}
