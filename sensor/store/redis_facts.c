/* SPDX-License-Identifier: Apache-2.0
 * Reads INFO: lines of name:value, sections begin with '#'. Unknown lines are none of our business. */
#include "store/redis_facts.h"

#include "base/err.h"

static void copy_word(char *out, size_t size, struct span value)
{
    struct span cut = span_sub(value, 0, size - 1);
    memset(out, 0, size);
    if (cut.size)
        memcpy(out, cut.at, cut.size);
}

static void read_version(struct redis_facts *facts, struct span value)
{
    struct span part;
    uint64_t number = 0;
    if (span_split(&value, '.', &part) && span_u64(part, &number) && number < 1000)
        facts->major = (unsigned)number;
    if (span_split(&value, '.', &part) && span_u64(part, &number) && number < 1000)
        facts->minor = (unsigned)number;
}

int redis_facts_parse(struct span info, struct redis_facts *out)
{
    struct span line;
    bool is_replica = false;
    bool takes_writes = false;
    memset(out, 0, sizeof *out);
    while (span_split(&info, '\n', &line)) {
        line = span_trim(line);
        size_t colon = span_find_byte(line, ':', 0);
        if (colon == SIZE_MAX)
            continue;
        struct span name = span_sub(line, 0, colon);
        struct span value = span_from(line, colon + 1);
        if (span_eq(name, SPAN("redis_version")))
            read_version(out, value);
        else if (span_eq(name, SPAN("loading")))
            out->is_loading = span_eq(value, SPAN("1"));
        else if (span_eq(name, SPAN("role")))
            is_replica = span_eq(value, SPAN("slave"));
        else if (span_eq(name, SPAN("slave_read_only")))
            takes_writes = span_eq(value, SPAN("0"));
        else if (span_eq(name, SPAN("maxmemory_policy")))
            copy_word(out->policy, sizeof out->policy, value);
        else if (span_eq(name, SPAN("maxmemory")) && !span_u64(value, &out->maxmemory))
            out->maxmemory = 0;
        else if (span_eq(name, SPAN("run_id")))
            copy_word(out->run_id, sizeof out->run_id, value);
    }
    out->is_read_only = is_replica && !takes_writes;
    return out->major ? E_OK : E_BAD;
}

int redis_facts_judge(const struct redis_facts *facts, struct text *why)
{
    if (facts->major < REDIS_OLDEST_MAJOR)
        text_addf(why, "Redis %u.%u is too old: version %d or newer is needed", facts->major, facts->minor,
                  REDIS_OLDEST_MAJOR);
    else if (facts->is_loading)
        text_add_str(why, "it is still loading its data");
    else if (facts->is_read_only)
        text_add_str(why, "it is a read-only replica: name the primary");
    else
        return E_OK;
    return E_IO;
}

bool redis_facts_may_evict(const struct redis_facts *facts)
{
    return facts->policy[0] && strcmp(facts->policy, "noeviction") != 0;
}
