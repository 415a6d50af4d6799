/* SPDX-License-Identifier: Apache-2.0
 * What a detector looks at: one act of one credential, with everything that is known around it. Inside detect/ only. */
#ifndef DETECT_SCENE_H
#define DETECT_SCENE_H

#include "detect/budget.h"
#include "detect/context.h"
#include "detect/norms.h"
#include "detect/session.h"
#include "detect/source.h"
#include "detect/story.h"
#include "enrich/roster.h"
#include "record/session_record.h"
#include "sketch/pace.h"

/* A visit: one credential acting from one prefix with one client, without a long pause. */
struct visit_key {
    uint64_t credential;
    uint8_t prefix[8];
    uint32_t agent;
    uint16_t family;
    uint8_t is_v6, spare;
};

/* Customers touched, by the hash of their names (see tally_customer_name); what does not fit is only counted. */
struct customer_list {
    uint64_t hash[ALERT_RELATED_MAX];
    uint32_t n;
};

struct visit {
    struct place place;
    struct client client;
    struct context context;     /* as judged at its first act */
    struct story_key story;     /* the context story it belongs to; who == 0: none */
    uint64_t whose;             /* counts things once per story: its story's, or what it would be; 0 = nothing is new */
    struct story_totals totals; /* of a visit in which something is new: what it has touched */
    struct customer_list customers;
    uint64_t before_ns; /* the credential's last act before it */
    uint32_t start_s, last_s;
    uint32_t acts;
    uint16_t had_major; /* of the client */
    uint8_t had_place, had_client; /* enum trust before this visit was learned: what an alert takes back */
    bool is_learned;
    bool is_alerted;
    bool is_busy;    /* a case or customer was touched in it */
    bool has_taken;  /* a file was taken */
    bool has_change; /* password, factor or address changed in it */
};

#define LIVE_SEEN 8u /* a power of two */

/* A credential's day so far, as far as its baseline does not hold it. */
struct live_day {
    uint64_t viewed, files_case; /* the case looked at last; the one whose files are being taken */
    uint32_t files, files_max;   /* of that case in a row; the most of one case */
    uint32_t taken, unseen;      /* cases out of which a file was taken; those not looked at before */
    uint32_t met, strangers;     /* customers; those for the first time ever */
    float told;                  /* bits of the day's conduct that an alert has told already */
    bool is_program;             /* a program did some of it */
};

/* A credential in the process: what need not outlive it. */
struct live {
    struct pace cases;              /* distinct ones, not those of programs */
    struct live_day today;
    struct customer_list customers; /* of 'day' */
    uint32_t day;
    uint8_t absence; /* enum absence, before its visits of now */
    uint64_t seen[LIVE_SEEN]; /* things counted lately, by their low bits: most acts are about one of them again */
    struct story_key volume;  /* who == 0: none */
};

struct tally;
struct remotes;
struct marks;

#define SCENE_SPOKEN_MAX 16u

struct scene {
    const struct rules *rules;
    const struct activity *a;
    struct baseline *b;
    const struct baseline *fleet;
    const struct baseline *peer; /* of those like it, with their volumes */
    struct norms *norms;
    const struct peers *peers;
    const struct sources *sources;
    struct stories *stories;
    struct sessions *sessions;
    struct tally *tally;
    struct remotes *remotes;
    const struct marks *marks; /* what a person called malicious */
    struct live *live;
    struct visit *visit;
    const struct roster *roster;        /* NULL: none */
    const struct roster_person *person; /* what it says of the credential; NULL: nothing */
    const struct session_record *facts; /* of its session, this act included; NULL: not known */
    struct session *session; /* NULL when the act carries no session value */
    uint64_t credential;     /* hash of the name */
    uint64_t now_ns;
    uint32_t now_s;
    bool has_geo;
    bool is_young;  /* the fleet has no baseline yet: what is new is new for everybody */
    bool is_mature; /* this credential has one */
    bool is_machine;
    bool is_declared_service; /* the operator says so */
    uint8_t source_class;     /* enum network_class; where its organisation says its people come from is one's own */
    bool is_visit_new;                  /* the first act of a visit */
    bool is_login;                      /* a successful sign-in */
    bool is_route_new;                  /* a route that the credential has never used */
    bool is_file, is_case, is_customer; /* the first time today */
    struct story_count count;           /* the same for the visit's story */
    bool is_counted;                    /* this act is already in its context story */
    bool takes_file;                    /* a file's content is going out, also for the second time */
    const struct rule *spoken[SCENE_SPOKEN_MAX]; /* rules that have spoken about this act, in order */
    unsigned n_spoken;
    struct budget *budget;
    struct conduct conduct;             /* the credential's day so far; zero when this act adds nothing to it */
    struct judgement by_context, by_volume;
    double context_score;
};

struct detector {
    enum scored which;
    void (*judge)(struct scene *s); /* called for each act, in the order of the engine's table, while its rule is on */
};

/* The key of the scene's visit. */
struct visit_key scene_visit_key(const struct scene *s);
/* Which story a finding about this visit would belong to: one per credential and new thing. */
struct story_key scene_story_key(const struct scene *s);
/* The context story of this act's visit: one per credential and new thing. Opened with the visit's earlier acts
 * counted. */
void scene_report_context(struct scene *s, const struct finding *f);
/* The same for what is certain, however usual the place: one story per credential and rule. */
void scene_report_certain(struct scene *s, const struct finding *f);
/* A reason of what is told about the visit, or else the volume story of this credential's day. */
void scene_report_volume(struct scene *s, const struct finding *f);
/* The volume story of the day tells, or the story of the visit, when that is told already, is raised. */
void scene_raise(struct scene *s);
/* Whether the rule has already spoken in the story that this act belongs to. */
bool scene_has_context(struct scene *s, const struct rule *rule);
/* Whether any rule has. */
bool scene_is_told(struct scene *s);
/* Whether any rule has told about the credential's day, or this one as a reason of what is told about the visit. */
bool scene_is_volume_told(struct scene *s, const struct rule *rule);
/* A rule has spoken about this act: other rules may ask for it. Over the cap it is left out. */
void scene_speak(struct scene *s, const struct rule *rule);
/* Adds the finding to what is already open about this act's visit, or else about its credential's day. False when nothing
 * is. */
bool scene_join(struct scene *s, const struct finding *f);
/* How unusual place, client and hour of a visit that begins are. */
void scene_judge_context(struct scene *s);
/* Which organisation the credential belongs to has become known: its place and client are compared with those of its people. */
void scene_meet_peers(struct scene *s);
/* Scores the act's visit and its credential's day, and judges both by their channels' budget. */
void scene_score(struct scene *s);
/* The risk that a channel's judgement stands for: 50 at the level that is just told, 8 more for each bit that it is rarer. */
double scene_risk(const struct judgement *j);
/* Adds the reasons of the visit's context that gave bits. */
void scene_why_context(const struct scene *s, struct finding *f);
/* det_*.c: one each. */
const struct detector *det_machine(void);
const struct detector *det_session_theft(void);
const struct detector *det_after_failures(void);
const struct detector *det_new_location(void);
const struct detector *det_download(void);
const struct detector *det_burst(void);
const struct detector *det_daily(void);
const struct detector *det_breadth(void);
const struct detector *det_upload_secrets(void);
const struct detector *det_marked(void);
const struct detector *det_remote_control(void);
const struct detector *det_leaver(void);
const struct detector *det_service(void);

#endif
