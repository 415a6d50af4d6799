/* SPDX-License-Identifier: Apache-2.0
 * Requests and answers of any content through a profile that uses the whole language, and through the memory of cases:
 * "request NUL answer [NUL request NUL answer ...]", the first byte gives the slicing. */
#include "app/app.h"
#include "app/memory.h"
#include "unit/app/exchange.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rules[] =
    "profile: t\n"
    "status: verified\n"
    "tells: [{cookie: T_*}, {path: /t/**}, {response_header: X-T, contains: t}, {header: X-C}]\n"
    "sessions:\n"
    "  - cookie: T_*\n"
    "    except: '*csrf*'\n"
    "  - authorization: basic\n"
    "    acts_for: '{user**}/token'\n"
    "  - authorization: ntlm\n"
    "  - authorization: negotiate\n"
    "  - authorization: bearer\n"
    "    jwt: [email, sub]\n"
    "  - authorization: token\n"
    "    public: '{public**}-{secret}'\n"
    "  - header: X-Key\n"
    "  - query: key\n"
    "  - link: sig\n"
    "acts_for: [{header: X-For}, {query: for}]\n"
    "login_pages: [/login, /]\n"
    "signed_in: [{response_header: X-User, except: [nobody, '*%*']}, {text: {after: ['U = {', '\"Name\":\"'], until: '\"', stop: '}', within: 512, decode: json}}]\n"
    "routes:\n"
    "  - route: login\n"
    "    method: POST\n"
    "    path: /login\n"
    "    when: [{form: 'pass*'}]\n"
    "    action: login\n"
    "    user: [{form: user}, {form: '*mail*'}]\n"
    "    outcome: [{is: failure, has: [bad, worse]}, {is: success, cookie: changed}, {is: success, first_line: 'OK*'}, {is: failure, lacks: good}]\n"
    "  - {route: json, method: ANY, path: /login, when: [{request_json: /password}], action: login, user: {request_json: /u/0/n}, token: {json: /token}}\n"
    "  - {route: saml, method: ANY, path: /acs, action: login, user: [{saml: name_id}, {saml: mail}, {id_token: email}, {id_token: sub}]}\n"
    "  - route: case\n"
    "    path: /case/{case}\n"
    "    action: view_case\n"
    "    case: {path: case}\n"
    "    customer: [{json: '/f/[name=Customer]/v/0'}, {text: {after: [C, '>'], until: '<', decode: html}}]\n"
    "    objects: {text: {after: a/, until: '\"'}, as: '{object}/{file**}'}\n"
    "  - {route: list, path: '/list/{case}', action: list_files, case: {path: case}, objects: {json: '/i/*/id', names: '/i/*/n'}}\n"
    "  - {route: file, path: '/f/{object}/{file**}', action: download, object: {path: object}, file: {path: file}, case: [{referer: '/case/{case}'}, {referer_query: id}]}\n"
    "  - {route: b64, path: '/b/{object}', action: download, object: {path: object}, file: {json: /n}, size: {base64: /c}}\n"
    "  - {route: frame, path: '/r/{object}', action: download, object: {path: object}, size: {frame: {after: \"\\n\\n\", tail: 3}}}\n"
    "  - {route: up, method: [POST, PUT], path: /up, when: [{upload: '*'}], action: upload, file: {upload: '*'}, size: {upload: '*'}, case: [{form: id}, {location: '/case/{case}'}]}\n"
    "  - {route: out, path: '/**/out', action: logout}\n"
    "  - {route: page, path: '/**/{p}.html', action: list, needs: user}\n";

struct rig {
    struct app *app;
    struct memory *memory;
    uint32_t number;
};

static void on_activity(void *ctx, const struct activity *candidate)
{
    struct rig *r = ctx;
    struct activity a;
    memcpy(&a, candidate, activity_size(candidate));
    memory_settle(r->memory, &a);
    if (a.tail_used > ACTIVITY_TAIL_MAX || a.size[STR_AS_ORG])
        abort();
}

static struct rig *rig_get(void)
{
    static struct rig rig;
    struct text why = {0};
    struct profiles *p;
    if (rig.app)
        return &rig;
    if (profiles_parse("rules", SPAN(rules), &p, &why))
        abort();
    rig.app = app_new(&(struct app_options){.profiles = p, .key = keyed_new_default(), .max_transactions = 16,
                                            .emit = on_activity, .ctx = &rig});
    rig.memory = memory_new();
    if (!rig.app || !rig.memory)
        abort();
    return &rig;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig *r = rig_get();
    struct conn_hooks hooks = app_hooks(r->app);
    struct span rest = span_of(data, size), request, response;
    if (size == 0)
        return 0;
    size_t slice = data[0] & 0x3f, gap = data[0] >> 6;
    rest = span_from(rest, 1);
    while (span_split(&rest, 0, &request)) {
        if (!span_split(&rest, 0, &response))
            response = span_of(NULL, 0);
        exchange_run(&hooks, ++r->number, request, response, slice, gap);
    }
    return 0;
}
