/* SPDX-License-Identifier: Apache-2.0
 * D26: a file with live session tokens or keys arrives at the desk. Nobody has taken anything yet: a notice while the tokens
 * can still be revoked. In 2023 the thieves of a vendor's desk went on into its customers with tokens out of such files. */
#include "detect/scene.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/times.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_UPLOAD_SECRETS];
}

/* Passwords in logs are mostly those of tests; they are counted, but do not raise it. */
static uint32_t live_tokens(const struct file_facts *f)
{
    uint32_t live = file_facts_live(f), passwords = f->secrets[SECRET_PASSWORD];
    return live > passwords ? live - passwords : 0;
}

static bool is_reason(const struct scene *s)
{
    const struct file_facts *f = &s->a->file;
    bool is_plain = f->file_class == FILE_CLASS_HAR || f->file_class == FILE_CLASS_KEY;
    return live_tokens(f) >= (is_plain ? s->rules->upload_secrets.live : s->rules->upload_secrets.other_files);
}

/* "12 cookie, 1 bearer", what there is of each kind. */
static void kinds_text(const struct file_facts *f, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (int i = 0; i < SECRET_KINDS && used < size; i++)
        if (f->secrets[i])
            used += (size_t)snprintf(out + used, size - used, "%s%u %s", used ? ", " : "", f->secrets[i],
                                     secret_kind_name((enum secret_kind)i));
}

static void fill(const struct scene *s, struct finding *f)
{
    const struct file_facts *file = &s->a->file;
    char kinds[96], value[ALERT_TEXT];
    struct span name = activity_get(s->a, STR_FILE);
    kinds_text(file, kinds, sizeof kinds);
    snprintf(value, sizeof value, "%u of %u secrets not expired: %s", file_facts_live(file), file_facts_secrets(file), kinds);
    finding_why(f, "casetap.file.secrets", value, "none in a sanitized file", 0);
    snprintf(value, sizeof value, "%.*s", (int)(name.size < 120 ? name.size : 120), (const char *)name.at);
    if (name.size)
        finding_why(f, "file.name", value, "", 0);
}

/* One story for each file: the same one again by the same credential is no news for a while. */
static struct story_key key_of(const struct scene *s)
{
    const struct activity *a = s->a;
    uint64_t what = hash64(activity_get(a, STR_FILE), a->file_size);
    return (struct story_key){s->credential | 1, hash64(activity_get(a, STR_CASE), what), STORY_NOTICE, 0};
}

static void judge(struct scene *s)
{
    if (s->a->action != ACTION_UPLOAD || !s->a->file.is_scanned || !is_reason(s))
        return;
    struct story_key key = key_of(s);
    struct story *story =
        stories_open(s->stories, &key, s->a, s->now_ns, s->rules->learning.volume_story_s * NS_PER_S);
    if (!story_has(story, rule(s))) {
        struct finding f = {.rule = rule(s), .family = STORY_NOTICE, .risk = rule(s)->risk};
        fill(s, &f);
        story_join(story, &f, s->a);
        scene_speak(s, f.rule);
        if (s->a->file.is_cut)
            snprintf(story_alert(story)->blind, ALERT_TEXT, "not all of the file was looked through");
    }
    story_add(story, s->a, &(struct story_count){.is_file = true, .bytes = s->a->file_size}, s->now_ns);
    stories_tell(s->stories, story);
}

const struct detector *det_upload_secrets(void)
{
    static const struct detector detector = {SCORED_UPLOAD_SECRETS, judge};
    return &detector;
}
