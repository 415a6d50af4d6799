/* SPDX-License-Identifier: Apache-2.0
 * The raw text is asked first: parsing a line costs a hundred times as much. */
#include "run/subject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/times.h"
#include "record/feedback.h"
#include "record/shown.h"

/* event.start of a line of an alert. Quotes inside of strings are escaped: the first such key is it. */
static uint64_t start_of(struct span line)
{
    uint64_t ns = 0;
    size_t at = span_find(line, SPAN("\"start\":\""), 0);
    size_t end = at == SIZE_MAX ? SIZE_MAX : span_find_byte(line, '"', at + 9);
    return end != SIZE_MAX && time_parse(span_sub(line, at + 9, end - at - 9), &ns) ? ns : 0;
}

static void take_alert(struct subject *s, const struct feedback *f, uint64_t start_ns)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    bool is_narrowed = s->has_place || s->has_session;
    if (!s->credential[0])
        snprintf(s->credential, sizeof s->credential, "%s", f->user);
    if (!is_narrowed && !ipaddr_is_zero(&f->source)) {
        s->place = ipaddr_prefix(&f->source, 24, 64);
        s->has_place = true;
    } else if (!is_narrowed && memcmp(f->session, none, sizeof none) != 0) {
        memcpy(s->session, f->session, sizeof s->session);
        s->has_session = true;
    }
    if (!s->from_ns)
        s->from_ns = start_ns;
}

int subject_of_alert(struct subject *s, const char *path, const char *id, struct text *why)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    uint64_t start_ns = 0;
    bool is_found = false;
    struct feedback last = {0};
    struct text ignored = {.max = 256};
    uint8_t wanted[16];
    FILE *file = hex_bytes(span_text(id), wanted, sizeof wanted) ? fopen(path, "re") : NULL;
    if (!file) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    while ((size = getline(&line, &room, file)) > 0) {
        struct feedback f = {0};
        struct span text = span_trim(span_of(line, (size_t)size));
        if (!feedback_is_of(text, wanted) || feedback_of_alert(text, &f, &ignored) || memcmp(f.alert, wanted, sizeof wanted) != 0)
            continue;
        is_found = true;
        last = f; /* the last line of it holds */
        start_ns = start_of(text);
    }
    free(line);
    text_fini(&ignored);
    bool is_read = !ferror(file);
    fclose(file);
    if (is_found)
        take_alert(s, &last, start_ns);
    else
        text_addf(why, is_read ? "%s: no alert %s" : "%s: cannot be read, looking for alert %s", path, id);
    snprintf(s->alert, sizeof s->alert, "%s", id);
    return is_found ? E_OK : is_read ? E_NONE : E_IO;
}

void subject_ready(struct subject *s)
{
    struct text t = {.max = sizeof s->needle};
    struct json j = json_on(&t);
    json_span(&j, NULL, span_text(s->credential));
    bool fits = !t.is_cut && t.size < sizeof s->needle - 8;
    snprintf(s->needle, sizeof s->needle, "\"name\":%s", s->credential[0] && fits ? text_str(&t) : "");
    text_fini(&t);
}

static bool has(struct span line, struct span needle)
{
    return memmem(line.at, line.size, needle.at, needle.size) != NULL;
}

static bool is_named(struct span line)
{
    return has(line, SPAN("\"user\":{\"name\":\"")) && !has(line, SPAN("\"name\":\"session:"));
}

bool subject_may_be(const struct subject *s, struct span line)
{
    char hex[2 * SESSION_HASH_SIZE + 1], ip[IPADDR_TEXT_MAX];
    if (s->credential[0] && !has(line, span_text(s->needle)) && is_named(line))
        return false;
    if (has(line, SPAN("\"action\":\"amend\"")) || has(line, SPAN("\"action\":\"identify\"")))
        return true; /* what else they have to say is the activity's business */
    if (s->has_session && !has(line, span_text(hex_text(span_of(s->session, SESSION_HASH_SIZE), hex))))
        return false;
    return !s->has_place || s->place.bits < 128 || has(line, span_text(ipaddr_text(&s->place.ip, ip)));
}

bool subject_is(const struct subject *s, const struct activity *a, struct span user)
{
    return a->time_ns >= s->from_ns && (!s->to_ns || a->time_ns < s->to_ns) &&
           (!s->credential[0] || span_eq(user, span_text(s->credential))) &&
           (!s->has_session || memcmp(a->session, s->session, sizeof a->session) == 0) &&
           (!s->has_place || prefix_has(&s->place, &a->source));
}

void subject_tell(const struct subject *s, struct text *out)
{
    char hex[2 * SESSION_HASH_SIZE + 1], place[PREFIX_TEXT_MAX], time[TIME_TEXT_MAX];
    const char *join = "";
    if (s->credential[0]) {
        text_add_str(out, "credential ");
        shown_add(span_text(s->credential), 200, out);
        join = ", ";
    }
    if (s->has_session) {
        text_addf(out, "%ssession %s", join, hex_text(span_of(s->session, SESSION_HASH_SIZE), hex));
        join = ", ";
    }
    if (s->has_place)
        text_addf(out, "%s%s %s", join, s->place.bits < 128 ? "prefix" : "address",
                  s->place.bits < 128 ? prefix_text(&s->place, place) : ipaddr_text(&s->place.ip, place));
    if (s->from_ns)
        text_addf(out, ", from %.19sZ", time_text(s->from_ns, time));
    if (s->to_ns)
        text_addf(out, ", before %.19sZ", time_text(s->to_ns, time));
}

void subject_json(const struct subject *s, struct json *j)
{
    char place[PREFIX_TEXT_MAX];
    json_open(j, "subject", '{');
    if (s->alert[0])
        json_str(j, "alert", s->alert);
    if (s->credential[0])
        json_str(j, "credential", s->credential);
    if (s->has_session)
        json_hex(j, "session", span_of(s->session, SESSION_HASH_SIZE));
    if (s->has_place)
        json_str(j, "address", prefix_text(&s->place, place));
    if (s->from_ns)
        json_time(j, "from", s->from_ns);
    if (s->to_ns)
        json_time(j, "to", s->to_ns);
    json_close(j, '}');
}
