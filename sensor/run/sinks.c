/* SPDX-License-Identifier: Apache-2.0
 * Deliveries that have an end. */
#include "run/sinks.h"

#include "base/err.h"
#include "io/tls_client.h"
#include "run/counters_file.h"
#include "run/delivery.h"
#include "run/outlet.h"
#include "sink/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DRAIN_MS 30000u /* after a replay */
#define TEST_MS 10000u

static int prepare_one(struct sink_config *c, struct text *why)
{
    struct tls_client *tls = NULL;
    struct text detail = {0};
    int rc = sink_config_secret(c, why);
    if (rc == 0 && (rc = outlet_tls(c, &tls, &detail)))
        text_addf(why, "sink %s: %s", c->name, detail.size ? text_str(&detail) : err_text(rc));
    if (gethostname(c->self, sizeof c->self - 1) != 0)
        c->self[0] = 0;
    tls_client_free(tls);
    text_fini(&detail);
    return rc;
}

int sinks_prepare(const struct settings *s, struct text *why)
{
    int rc = 0;
    for (size_t i = 0; s->sinks && i < s->sinks->n && rc == 0; i++)
        rc = prepare_one(&s->sinks->at[i], why);
    return rc;
}

static int deliver(const struct sink_configs *sinks, const char *dir, const char *counters, uint32_t ms,
                   struct text *told, struct text *why)
{
    struct delivery *d;
    int rc = delivery_new(&(struct delivery_options){.sinks = sinks, .dir = dir}, &d, why);
    if (rc)
        return rc;
    bool is_all = delivery_stop(d, ms);
    delivery_tell(d, told);
    if (counters)
        rc = counters_file_add(counters, delivery_counters(d), why);
    if (rc == 0 && !is_all) {
        text_add_str(why, "not every alert arrived at every sink");
        rc = E_IO;
    }
    delivery_free(d);
    return rc;
}

int sinks_deliver(const struct settings *s, struct text *told, struct text *why)
{
    return s->sinks && s->sinks->n ? deliver(s->sinks, s->out, s->counters, DRAIN_MS, told, why) : E_OK;
}

static int write_alert(const char *dir, const struct alert *a, struct text *why)
{
    struct text path = {0}, line = {0};
    struct line_file *f = NULL;
    text_addf(&path, "%s/alerts.ndjson", dir);
    alert_json(a, &line);
    int rc = line_file_open(&f, text_str(&path), false, why);
    if (rc == 0) {
        (void)line_file_write(f, text_span(&line)); /* sticky: told at close */
        rc = line_file_close(f, true, why);
    }
    text_fini(&path);
    text_fini(&line);
    return rc;
}

static int pick(const struct settings *s, struct sink_configs *out, struct text *why)
{
    for (size_t i = 0; i < s->picked.n; i++) {
        struct sink_config *c = s->sinks ? sink_config_find(s->sinks, s->picked.at[i]) : NULL;
        if (!c) {
            text_addf(why, "--sink: no sink is named '%s'", s->picked.at[i]);
            return E_USAGE;
        }
        out->at[out->n++] = *c;
    }
    if (!s->picked.n && s->sinks)
        *out = *s->sinks;
    for (size_t i = 0; i < out->n; i++)
        out->at[i].least_risk = 0;
    if (out->n == 0) {
        text_add_str(why, "there is no sink to test: --sink URL, or --config FILE with sinks");
        return E_USAGE;
    }
    return E_OK;
}

int sinks_test(const struct settings *s, const struct alert *a, struct text *told, struct text *why)
{
    char dir[] = "/tmp/casetap-selftest.XXXXXX";
    struct sink_configs *chosen = calloc(1, sizeof *chosen);
    int rc = chosen ? sinks_prepare(s, why) : E_NOMEM;
    if (rc == 0)
        rc = pick(s, chosen, why);
    if (rc == 0 && !mkdtemp(dir)) {
        text_addf(why, "%s: %s", dir, strerror(errno));
        rc = E_IO;
    } else if (rc == 0) {
        struct text path = {0};
        rc = write_alert(dir, a, why);
        if (rc == 0)
            rc = deliver(chosen, dir, NULL, TEST_MS, told, why);
        text_addf(&path, "%s/alerts.ndjson", dir);
        unlink(text_str(&path));
        rmdir(dir);
        text_fini(&path);
    }
    if (chosen)
        sink_configs_wipe(chosen);
    free(chosen);
    return rc;
}
