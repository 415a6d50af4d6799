/* SPDX-License-Identifier: Apache-2.0
 * One template as a line of unmapped.ndjson. */
#include "record/ecs.h"
#include "record/unmapped_row.h"

void unmapped_json(const struct unmapped_row *row, struct text *out)
{
    struct json j = json_on(out);
    ecs_start(&j, row->first_ns);
    ecs_raw(&j, SPAN("\"event\":{\"kind\":\"metric\",\"category\":[\"web\"],\"type\":[\"access\"],\"module\":\"casetap\","
                     "\"dataset\":\"casetap.unmapped\""));
    json_time(&j, "start", row->first_ns);
    json_time(&j, "end", row->last_ns);
    json_close(&j, '}');
    ecs_raw(&j, SPAN("\"observer\":" ECS_OBSERVER));
    ecs_only(&j, SPAN("\"url\":{\"domain\":"), span_text(row->host));
    if (row->method[0]) {
        json_open(&j, "http", '{');
        ecs_only(&j, SPAN("\"request\":{\"method\":"), span_text(row->method));
        json_close(&j, '}');
    }
    ecs_raw(&j, SPAN("\"casetap\":{\"schema\":" RECORD_SCHEMA));
    json_span(&j, "app", row->profile);
    json_str(&j, "template", row->template);
    json_u64(&j, "requests", row->requests);
    json_u64(&j, "refused", row->refused);
    json_u64(&j, "files", row->files);
    json_u64(&j, "bytes", row->bytes);
    json_u64(&j, "credentials", row->credentials);
    json_close(&j, '}');
    json_close(&j, '}');
    text_add_char(out, '\n');
}
