/* SPDX-License-Identifier: Apache-2.0
 * Writes a capture of many connections that are open at the same time: all handshakes, then one small request and its answer
 * on each in turn, and no end. Nothing in it is of interest to any profile, so what it costs is the flows' alone.
 * usage: many_flows FLOWS >CAPTURE */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYN 2
#define PSH 8
#define ACK 16
#define STEP_US 10 /* between packets: a million flows fit into a minute, so that none is idle for long */

static const char request[] = "GET /health HTTP/1.1\r\nHost: intranet.example.test\r\nUser-Agent: probe/1.0\r\nAccept: */*\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok";

static uint64_t now_us = 1700000000ull * 1000000;

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

/* One frame of flow 'i': Ethernet, IPv4, TCP, payload, behind a record head in this machine's byte order. */
static void send_frame(uint32_t i, int from_server, uint32_t seq, uint32_t ack, unsigned flags, const char *text)
{
    uint8_t f[14 + 20 + 20] = {0};
    size_t size = strlen(text);
    uint8_t *ip = f + 14, *tcp = ip + 20;
    uint32_t client = 0x0a000000u + i / 50000 * 256 + 1, server = 0x0aff0001u;
    unsigned port = 10000 + i % 50000;
    put16(f + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, (unsigned)(40 + size));
    put16(ip + 4, i & 0xffff);
    ip[8] = 64;
    ip[9] = 6;
    put32(ip + 12, from_server ? server : client);
    put32(ip + 16, from_server ? client : server);
    put16(tcp, from_server ? 80 : port);
    put16(tcp + 2, from_server ? port : 80);
    put32(tcp + 4, seq);
    put32(tcp + 8, flags & ACK ? ack : 0);
    tcp[12] = 5 << 4;
    tcp[13] = (uint8_t)flags;
    put16(tcp + 14, 65535);
    uint32_t whole = (uint32_t)(sizeof f + size);
    uint32_t head[4] = {(uint32_t)(now_us / 1000000), (uint32_t)(now_us % 1000000), whole, whole};
    now_us += STEP_US;
    fwrite(head, sizeof head, 1, stdout);
    fwrite(f, sizeof f, 1, stdout);
    fwrite(text, size, 1, stdout);
}

int main(int argc, char **argv)
{
    uint32_t flows = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
    if (flows == 0) {
        fprintf(stderr, "usage: many_flows FLOWS >CAPTURE\n");
        return 2;
    }
    const uint32_t file_head[6] = {0xa1b2c3d4u, 2 | 4u << 16, 0, 0, 65535, 1};
    fwrite(file_head, sizeof file_head, 1, stdout);
    for (uint32_t i = 0; i < flows; i++) {
        send_frame(i, 0, i, 0, SYN, "");
        send_frame(i, 1, ~i, i + 1, SYN | ACK, "");
        send_frame(i, 0, i + 1, ~i + 1, ACK, "");
    }
    for (uint32_t i = 0; i < flows; i++) {
        uint32_t client = i + 1 + (uint32_t)sizeof request - 1;
        send_frame(i, 0, i + 1, ~i + 1, PSH | ACK, request);
        send_frame(i, 1, ~i + 1, client, PSH | ACK, answer);
        send_frame(i, 0, client, ~i + 1 + (uint32_t)sizeof answer - 1, ACK, "");
    }
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
