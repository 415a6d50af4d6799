/* SPDX-License-Identifier: Apache-2.0
 * One transaction as a line of the transaction log. */
#include "record/ecs.h"
#include "record/mask.h"
#include "record/transaction.h"

#define TARGET_ON_STACK 8192

static void write_event(struct json *j, const struct transaction *t, uint64_t start_ns)
{
    uint8_t id[16];
    transaction_id(t, id);
    if (t->closed)
        ecs_raw(j, SPAN("\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"connection\",\"end\"]"));
    else
        ecs_raw(j, SPAN("\"event\":{\"kind\":\"event\",\"category\":[\"web\"],\"type\":[\"access\"]"));
    if (t->status)
        json_str(j, "outcome", t->status < 400 ? "success" : "failure");
    ecs_hash128(j, "id", id);
    ecs_raw(j, SPAN("\"module\":\"casetap\",\"dataset\":\"casetap.transaction\""));
    if (start_ns) {
        json_time(j, "start", start_ns);
        if (t->end_ns >= start_ns) {
            json_time(j, "end", t->end_ns);
            json_u64(j, "duration", t->end_ns - start_ns);
        }
    }
    json_close(j, '}');
}

/* 'closed': what this end sent in a connection that stayed closed. */
/* An IPv4-mapped address of IPv6 packets. */
static void write_mapped(struct json *j, const struct ipaddr *ip)
{
    static const char prefix[] = "::ffff:";
    char text[IPADDR_TEXT_MAX + sizeof prefix];
    memcpy(text, prefix, sizeof prefix);
    ipaddr_text(ip, text + sizeof prefix - 1);
    json_str(j, "ip", text);
}

static void write_endpoint(struct json *j, const char *key, const struct endpoint *e, bool is_ip6, const uint64_t *closed)
{
    json_open(j, key, '{');
    if (is_ip6 && ipaddr_is4(&e->ip))
        write_mapped(j, &e->ip);
    else
        ecs_ip(j, "ip", &e->ip);
    json_u64(j, "port", e->port);
    if (closed)
        json_u64(j, "bytes", count_long(*closed));
    json_close(j, '}');
}

/* The masked target, without a copy on the heap unless it is very long. */
static void write_target(struct json *j, struct span target)
{
    uint8_t masked[TARGET_ON_STACK];
    size_t used = 0;
    struct mask_iter m = mask_begin(target, MASK_CERTAIN);
    for (struct span piece; mask_next(&m, &piece);) {
        if (piece.size > sizeof masked - used) {
            struct text whole = {.max = SIZE_MAX / 4};
            target_mask_at(target, MASK_CERTAIN, &whole);
            json_span(j, "original", text_span(&whole));
            text_fini(&whole);
            return;
        }
        memcpy(masked + used, piece.at, piece.size);
        used += piece.size;
    }
    json_span(j, "original", span_of(masked, used));
}

static void write_url(struct json *j, const struct transaction *t)
{
    if (!t->host.size && !t->target.size)
        return;
    json_open(j, "url", '{');
    if (t->host.size)
        json_span(j, "domain", t->host);
    if (t->target.size)
        write_target(j, t->target);
    json_close(j, '}');
}

static void write_size(struct json *j, const struct body_measure *body)
{
    if (body->known == SIZE_UNKNOWN)
        return;
    json_open(j, "body", '{');
    json_u64(j, "bytes", count_long(body->bytes));
    json_close(j, '}');
}

static void write_version(struct json *j, const struct transaction *t)
{
    char text[4] = {(char)('0' + t->version_major % 10), '.', (char)('0' + t->version_minor % 10), 0};
    if (t->version_major >= 2 && t->version_minor == 0)
        text[1] = 0;
    if (t->version_major)
        json_str(j, "version", text);
}

static void write_http(struct json *j, const struct transaction *t)
{
    json_open(j, "http", '{');
    write_version(j, t);
    if (t->method.size || t->request_body.known != SIZE_UNKNOWN) {
        json_open(j, "request", '{');
        if (t->method.size)
            json_span(j, "method", t->method);
        write_size(j, &t->request_body);
        json_close(j, '}');
    }
    if (t->status || t->response_body.known != SIZE_UNKNOWN) {
        json_open(j, "response", '{');
        if (t->status)
            json_u64(j, "status_code", t->status);
        write_size(j, &t->response_body);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void write_measure(struct json *j, const char *key, const struct body_measure *body)
{
    json_open(j, key, '{');
    json_str(j, "known", size_known_name(body->known));
    json_u64(j, "missing_bytes", count_long(body->missing));
    if (body->has_declared)
        json_u64(j, "declared_bytes", count_long(body->declared));
    if (body->has_decoded)
        json_u64(j, "decoded_bytes", count_long(body->decoded));
    json_bool(j, "complete", body->is_complete);
    json_close(j, '}');
}

static void write_flags(struct json *j, uint32_t flags)
{
    if (!flags)
        return;
    json_open(j, "flags", '[');
    for (uint32_t bit = 1; bit && bit <= flags; bit <<= 1) {
        const char *name = flags & bit ? transaction_flag_name(bit) : NULL;
        if (name)
            json_str(j, NULL, name);
    }
    json_close(j, ']');
}

static void write_bodies(struct json *j, const struct transaction *t)
{
    write_measure(j, "body", &t->response_body);
    bool is_plain = t->request_body.missing == 0 && t->request_body.is_complete;
    if (!is_plain && t->request_body.known != SIZE_UNKNOWN)
        write_measure(j, "request_body", &t->request_body);
}

static void write_closed(struct json *j, const struct closed_flow *c)
{
    json_open(j, "closed", '{');
    json_u64(j, "missing_bytes", count_long(c->missing[0] + c->missing[1]));
    if (c->first_byte_ns)
        json_u64(j, "first_byte_ns", count_long(c->first_byte_ns));
    json_u64(j, "bursts", c->bursts);
    json_u64(j, "largest_burst_bytes", count_long(c->largest));
    json_u64(j, "downloads", c->downloads);
    json_u64(j, "download_bytes", count_long(c->download_bytes));
    json_close(j, '}');
}

static void write_tls(struct json *j, const struct tls_facts *f)
{
    json_open(j, "tls", '{');
    json_str(j, "sight", tls_facts_sight((enum tls_sight)f->sight));
    if (f->ja4[0])
        json_str(j, "ja4", f->ja4);
    if (f->has_ech)
        json_bool(j, "ech", true);
    if (f->has_early_data)
        json_bool(j, "early_data", true);
    json_close(j, '}');
}

static void write_own(struct json *j, const struct transaction *t)
{
    ecs_raw(j, SPAN("\"observer\":" ECS_OBSERVER ",\"casetap\":{\"schema\":" RECORD_SCHEMA));
    if (t->closed)
        write_closed(j, t->closed);
    else
        write_bodies(j, t);
    write_flags(j, t->flags);
    if (t->vlan[0]) {
        json_open(j, "vlan", '[');
        for (int i = 0; i < 2 && t->vlan[i]; i++)
            json_u64(j, NULL, t->vlan[i]);
        json_close(j, ']');
    }
    if (t->tunnel != TUNNEL_NONE)
        json_str(j, "tunnel", tunnel_name(t->tunnel));
    if (t->tls)
        write_tls(j, t->tls);
    if (!ipaddr_is_zero(&t->proxy_protocol_client)) {
        json_open(j, "proxy_protocol", '{');
        ecs_ip(j, "ip", &t->proxy_protocol_client);
        json_close(j, '}');
    }
    if (t->stream_id) {
        json_open(j, "http2", '{');
        json_u64(j, "stream", t->stream_id);
        json_close(j, '}');
    }
    ecs_hash64(j, "flow", t->flow_hash);
    json_u64(j, "n", t->number);
    json_close(j, '}');
}

void transaction_json(const struct transaction *t, const struct ipaddr *forwarded, struct text *out)
{
    uint64_t start_ns = t->request_ns ? t->request_ns : t->response_ns;
    struct json j = json_on(out);
    ecs_start(&j, start_ns ? start_ns : t->end_ns);
    write_event(&j, t, start_ns);
    write_endpoint(&j, "source", &t->client, t->is_ip6, t->closed ? &t->closed->bytes[0] : NULL);
    write_endpoint(&j, "destination", &t->server, t->is_ip6, t->closed ? &t->closed->bytes[1] : NULL);
    if (!t->closed)
        ecs_raw(&j, SPAN("\"network\":{\"transport\":\"tcp\",\"protocol\":\"http\""));
    else if (t->tls && t->tls->is_quic)
        ecs_raw(&j, SPAN("\"network\":{\"transport\":\"udp\",\"protocol\":\"quic\""));
    else
        ecs_raw(&j, SPAN("\"network\":{\"transport\":\"tcp\",\"protocol\":\"tls\""));
    if (forwarded && !ipaddr_is_zero(forwarded))
        ecs_ip(&j, "forwarded_ip", forwarded);
    json_close(&j, '}');
    write_url(&j, t);
    if (!t->closed)
        write_http(&j, t);
    ecs_tls(&j, t->tls);
    write_own(&j, t);
    json_close(&j, '}');
    text_add_char(out, '\n');
}
