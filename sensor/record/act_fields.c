/* SPDX-License-Identifier: Apache-2.0 */
#include "record/act_fields.h"

void act_string_read(struct tree *t, const char *path, enum activity_string which, struct activity *a)
{
    struct span s = tree_text(t, path);
    if (s.size)
        activity_set(a, which, s);
}

static void read_strings(struct tree *t, struct activity *a)
{
    static const struct {
        const char *path;
        enum activity_string which;
    } strings[] = {
        {"user.name", STR_USER},
        {"user.effective.name", STR_ACTS_FOR},
        {"casetap.identity.issuer", STR_ISSUER},
        {"casetap.identity.tenant", STR_TENANT},
        {"casetap.app", STR_APP},
        {"casetap.route", STR_ROUTE},
        {"http.request.method", STR_METHOD},
        {"url.domain", STR_HOST},
        {"url.original", STR_TARGET},
        {"casetap.case.id", STR_CASE},
        {"casetap.customer.name", STR_CUSTOMER},
        {"file.name", STR_FILE},
        {"casetap.object.id", STR_OBJECT},
        {"casetap.media_type", STR_MIME},
        {"user_agent.original", STR_AGENT},
        {"casetap.client.name", STR_CLIENT},
        {"source.as.organization.name", STR_AS_ORG},
        {"casetap.source.network", STR_NETWORK},
        {"casetap.protocol", STR_PROTOCOL},
        {"tls.client.server_name", STR_SNI},
        {"tls.client.ja3", STR_JA3},
        {"casetap.tls.ja4", STR_JA4},
        {"tls.client.subject", STR_CERT},
    };
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        act_string_read(t, strings[i].path, strings[i].which, a);
}

void act_fields_read(struct tree *t, struct activity *a)
{
    read_strings(t, a);
    if (tree_number(t, "http.response.body.bytes", INT64_MAX, &a->body_bytes))
        a->flags |= ACT_HAS_BODY;
    if (tree_number(t, "file.size", INT64_MAX, &a->file_size))
        a->flags |= ACT_HAS_FILE_SIZE;
    a->status = (uint16_t)tree_number_or_0(t, "http.response.status_code", UINT16_MAX);
    tree_ip(t, "source.ip", &a->source);
    tree_ip(t, "destination.ip", &a->server.ip);
    a->server.port = (uint16_t)tree_number_or_0(t, "destination.port", UINT16_MAX);
    a->asn = (uint32_t)tree_number_or_0(t, "source.as.number", UINT32_MAX);
}

const char *outcome_at(int i)
{
    return outcome_name((enum outcome)i);
}

const char *client_os_at(int i)
{
    return client_os_name((enum client_os)i);
}

const char *network_class_at(int i)
{
    return network_class_name((enum network_class)i);
}
