/* SPDX-License-Identifier: Apache-2.0
 * The words of sd_notify(3), at their times. */
#include "run/service.h"

#include "base/text.h"
#include "io/notify.h"

#define FED_PER_INTERVAL 3u /* one lost or late turn is no reason to be killed */

void service_ready(struct service *s, const char *status)
{
    struct text words = {0};
    text_addf(&words, "READY=1\nSTATUS=%s", status);
    (void)notify_send(text_str(&words)); /* who does not listen is not served */
    text_fini(&words);
    s->every_ms = notify_watchdog_ms() / FED_PER_INTERVAL;
}

void service_turn(struct service *s, uint64_t now_ms, uint64_t beats)
{
    if (s->every_ms == 0 || now_ms - s->fed_ms < s->every_ms)
        return;
    if (s->has_beats && beats == s->beats)
        return; /* a worker that hangs is to be seen by the manager */
    s->has_beats = true;
    s->beats = beats;
    s->fed_ms = now_ms;
    (void)notify_send("WATCHDOG=1");
}

void service_reloading(void)
{
    (void)notify_send("RELOADING=1\nSTATUS=reading the configuration anew");
}

void service_stopping(void)
{
    (void)notify_send("STOPPING=1\nSTATUS=writing what waits");
}
