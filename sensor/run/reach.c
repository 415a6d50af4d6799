/* SPDX-License-Identifier: Apache-2.0
 * One connection and its end. */
#include "run/reach.h"

#include "base/err.h"
#include "io/stream.h"
#include "run/outlet.h"

struct attempt {
    struct loop *loop;
    struct text *why;
    int rc;
};

static void on_up(void *ctx)
{
    struct attempt *a = ctx;
    a->rc = E_OK;
    loop_stop(a->loop);
}

static void on_down(void *ctx, const char *why)
{
    struct attempt *a = ctx;
    text_add_str(a->why, why);
    loop_stop(a->loop);
}

int reach(const struct sink_config *c, struct text *why)
{
    if (c->type != SINK_SYSLOG_TCP && c->type != SINK_SYSLOG_TLS && c->type < SINK_WEBHOOK)
        return E_NONE;
    struct tls_client *tls = NULL;
    const char *reason = "";
    struct attempt a = {.loop = loop_new(), .why = why, .rc = E_IO};
    int rc = a.loop ? outlet_tls(c, &tls, why) : E_NOMEM;
    struct stream *s = NULL;
    if (rc == 0)
        s = stream_open(a.loop,
                        &(struct stream_options){.host = c->host,
                                                 .port = c->port,
                                                 .tls = tls,
                                                 .timeout_ms = c->timeout_ms,
                                                 .on_up = on_up,
                                                 .on_down = on_down,
                                                 .ctx = &a},
                        &reason);
    if (s)
        rc = loop_run(a.loop) ? E_IO : a.rc;
    else if (rc == 0) {
        text_add_str(why, reason[0] ? reason : err_text(E_NOMEM));
        rc = E_IO;
    }
    stream_free(s);
    tls_client_free(tls);
    loop_free(a.loop);
    return rc;
}
