/* SPDX-License-Identifier: Apache-2.0
 * The yardstick: reads a capture with libpcap and adds up the lengths, nothing else. */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char why[PCAP_ERRBUF_SIZE];
    unsigned long long packets = 0, bytes = 0;
    for (int i = 1; i < argc; i++) {
        pcap_t *p = pcap_open_offline(argv[i], why);
        struct pcap_pkthdr *head;
        const unsigned char *data;
        if (!p) {
            fprintf(stderr, "%s: %s\n", argv[i], why);
            return 1;
        }
        while (pcap_next_ex(p, &head, &data) == 1) {
            packets++;
            bytes += head->len;
        }
        pcap_close(p);
    }
    printf("%llu packets, %llu bytes\n", packets, bytes);
    return 0;
}
