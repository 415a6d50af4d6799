/* SPDX-License-Identifier: Apache-2.0
 * User-Agent to family: a table of the marks by which browsers and programs are known, browsers' in order of precedence
 * (each names the ones it descends from after or before its own mark). */
#include "enrich/client.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#define NAME_MAX_SIZE 40u

static const char *const family_names[CLIENT_N] = {
    [CLIENT_UNKNOWN] = "unknown", [CLIENT_NONE] = "no User-Agent",
    [CLIENT_FIREFOX] = "Firefox", [CLIENT_CHROME] = "Chrome", [CLIENT_EDGE] = "Edge", [CLIENT_SAFARI] = "Safari",
    [CLIENT_OPERA] = "Opera", [CLIENT_SAMSUNG] = "Samsung Internet", [CLIENT_VIVALDI] = "Vivaldi",
    [CLIENT_IE] = "Internet Explorer", [CLIENT_HEADLESS] = "Headless Chrome", [CLIENT_CURL] = "curl",
    [CLIENT_WGET] = "Wget", [CLIENT_PYTHON_REQUESTS] = "python-requests", [CLIENT_PYTHON_URLLIB] = "Python-urllib",
    [CLIENT_AIOHTTP] = "aiohttp", [CLIENT_HTTPX] = "python-httpx", [CLIENT_GO] = "Go-http-client",
    [CLIENT_OKHTTP] = "okhttp", [CLIENT_JAVA] = "Java", [CLIENT_APACHE_HTTP] = "Apache-HttpClient",
    [CLIENT_RCLONE] = "rclone", [CLIENT_ARIA2] = "aria2", [CLIENT_POSTMAN] = "PostmanRuntime",
    [CLIENT_INSOMNIA] = "insomnia", [CLIENT_NODE] = "node", [CLIENT_AXIOS] = "axios", [CLIENT_PERL] = "libwww-perl",
    [CLIENT_POWERSHELL] = "PowerShell", [CLIENT_HTTPIE] = "HTTPie", [CLIENT_RUBY] = "Ruby", [CLIENT_PHP] = "PHP",
    [CLIENT_DOTNET] = ".NET", [CLIENT_CFNETWORK] = "CFNetwork", [CLIENT_GIT] = "git", [CLIENT_AWS] = "AWS tools",
    [CLIENT_SCRAPY] = "Scrapy", [CLIENT_SQLMAP] = "sqlmap", [CLIENT_NMAP] = "Nmap", [CLIENT_NIKTO] = "Nikto",
    [CLIENT_ZGRAB] = "zgrab", [CLIENT_MOZILLA] = "Mozilla",
};

struct mark {
    struct span text;
    uint16_t family;
    bool is_machine;
    struct span version; /* behind this mark instead, when it is there */
};

/* Of agents that begin as browsers do, found anywhere; the first hit counts. */
static const struct mark browser_marks[] = {
    {SPAN("HeadlessChrome/"), CLIENT_HEADLESS, true, {0}}, {SPAN("PowerShell/"), CLIENT_POWERSHELL, true, {0}},
    {SPAN("Edg/"), CLIENT_EDGE, false, {0}},           {SPAN("EdgA/"), CLIENT_EDGE, false, {0}},
    {SPAN("EdgiOS/"), CLIENT_EDGE, false, {0}},        {SPAN("Edge/"), CLIENT_EDGE, false, {0}},
    {SPAN("OPR/"), CLIENT_OPERA, false, {0}},          {SPAN("OPiOS/"), CLIENT_OPERA, false, {0}},
    {SPAN("Opera/"), CLIENT_OPERA, false, SPAN("Version/")},
    {SPAN("Vivaldi/"), CLIENT_VIVALDI, false, {0}},    {SPAN("SamsungBrowser/"), CLIENT_SAMSUNG, false, {0}},
    {SPAN("FxiOS/"), CLIENT_FIREFOX, false, {0}},      {SPAN("Firefox/"), CLIENT_FIREFOX, false, {0}},
    {SPAN("CriOS/"), CLIENT_CHROME, false, {0}},       {SPAN("Chrome/"), CLIENT_CHROME, false, {0}},
    {SPAN("MSIE "), CLIENT_IE, false, {0}},            {SPAN("Trident/"), CLIENT_IE, false, SPAN("rv:")},
    {SPAN("Safari/"), CLIENT_SAFARI, false, SPAN("Version/")},
};

/* Product names of programs and of the libraries they use; the whole name, ASCII-caseless. */
static const struct {
    struct span name;
    uint16_t family;
} programs[] = {
    {SPAN("curl"), CLIENT_CURL}, {SPAN("libcurl"), CLIENT_CURL}, {SPAN("pycurl"), CLIENT_CURL},
    {SPAN("wget"), CLIENT_WGET}, {SPAN("wget2"), CLIENT_WGET},
    {SPAN("python-requests"), CLIENT_PYTHON_REQUESTS}, {SPAN("python-urllib"), CLIENT_PYTHON_URLLIB},
    {SPAN("python-urllib3"), CLIENT_PYTHON_URLLIB}, {SPAN("aiohttp"), CLIENT_AIOHTTP},
    {SPAN("python-httpx"), CLIENT_HTTPX}, {SPAN("go-http-client"), CLIENT_GO}, {SPAN("okhttp"), CLIENT_OKHTTP},
    {SPAN("java"), CLIENT_JAVA}, {SPAN("java-http-client"), CLIENT_JAVA},
    {SPAN("apache-httpclient"), CLIENT_APACHE_HTTP}, {SPAN("apache-httpasyncclient"), CLIENT_APACHE_HTTP},
    {SPAN("rclone"), CLIENT_RCLONE}, {SPAN("aria2"), CLIENT_ARIA2}, {SPAN("postmanruntime"), CLIENT_POSTMAN},
    {SPAN("insomnia"), CLIENT_INSOMNIA}, {SPAN("node"), CLIENT_NODE}, {SPAN("node-fetch"), CLIENT_NODE},
    {SPAN("undici"), CLIENT_NODE}, {SPAN("node.js"), CLIENT_NODE}, {SPAN("axios"), CLIENT_AXIOS},
    {SPAN("libwww-perl"), CLIENT_PERL}, {SPAN("lwp-request"), CLIENT_PERL}, {SPAN("powershell"), CLIENT_POWERSHELL},
    {SPAN("httpie"), CLIENT_HTTPIE}, {SPAN("ruby"), CLIENT_RUBY}, {SPAN("faraday"), CLIENT_RUBY},
    {SPAN("php"), CLIENT_PHP}, {SPAN("guzzlehttp"), CLIENT_PHP}, {SPAN("restsharp"), CLIENT_DOTNET},
    {SPAN("cfnetwork"), CLIENT_CFNETWORK}, {SPAN("git"), CLIENT_GIT}, {SPAN("aws-cli"), CLIENT_AWS},
    {SPAN("boto3"), CLIENT_AWS}, {SPAN("botocore"), CLIENT_AWS}, {SPAN("scrapy"), CLIENT_SCRAPY},
    {SPAN("sqlmap"), CLIENT_SQLMAP}, {SPAN("nmap"), CLIENT_NMAP}, {SPAN("nikto"), CLIENT_NIKTO},
    {SPAN("zgrab"), CLIENT_ZGRAB},
};

uint16_t client_major(struct span version)
{
    uint32_t major = 0;
    if (version.size && (version.at[0] | 0x20) == 'v')
        version = span_from(version, 1);
    for (size_t i = 0; i < version.size && version.at[i] >= '0' && version.at[i] <= '9' && major <= UINT16_MAX; i++)
        major = major * 10 + (version.at[i] - (uint32_t)'0');
    return major > UINT16_MAX ? UINT16_MAX : (uint16_t)major;
}

/* "NAME MAJOR"; bytes that are not printable ASCII become '?'. */
static void set_label(struct user_agent *out, struct span name)
{
    size_t n = 0;
    for (; n < name.size && n < NAME_MAX_SIZE; n++)
        out->label[n] = name.at[n] > ' ' && name.at[n] < 0x7f ? (char)name.at[n] : name.at[n] == ' ' ? ' ' : '?';
    out->label[n] = 0;
    if (out->major)
        snprintf(out->label + n, sizeof out->label - n, " %u", out->major);
}

void client_set_family(struct user_agent *client, uint16_t family, bool is_machine, uint16_t major)
{
    client->family = family;
    client->is_machine = is_machine;
    client->major = major;
    set_label(client, span_text(client_family_name(family)));
}

static void set_family(struct user_agent *out, uint16_t family, bool is_machine, struct span version)
{
    client_set_family(out, family, is_machine, client_major(version));
}

/* A program that is not in the table is told apart from others by its name, ASCII-caseless. */
static void set_other(struct user_agent *out, struct span name, struct span version)
{
    uint8_t lower[NAME_MAX_SIZE];
    name = span_sub(name, 0, NAME_MAX_SIZE);
    out->family = (uint16_t)(CLIENT_OTHER | (hash64(span_lower(name, lower, sizeof lower), 0) & 0x7fff));
    out->is_machine = true;
    out->major = client_major(version);
    set_label(out, name);
}

/* Takes the next product ("name/version") off *rest, passing over comments. False at the end. */
static bool next_product(struct span *rest, struct span *name, struct span *version)
{
    size_t at = 0, depth = 0;
    while (at < rest->size && (depth > 0 || rest->at[at] == ' ' || rest->at[at] == '(' || rest->at[at] == ';')) {
        if (rest->at[at] == '(')
            depth++;
        else if (rest->at[at] == ')' && depth > 0)
            depth--;
        at++;
    }
    *rest = span_from(*rest, at);
    size_t size = 0;
    while (size < rest->size && !memchr(" ();,", rest->at[size], 5))
        size++;
    struct span product = span_sub(*rest, 0, size);
    *rest = span_from(*rest, size ? size : 1);
    size_t slash = span_find_byte(product, '/', 0);
    *name = span_sub(product, 0, slash);
    *version = slash == SIZE_MAX ? span_of(NULL, 0) : span_from(product, slash + 1);
    return product.size > 0;
}

static bool find_program(struct span name, uint16_t *family)
{
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (span_eq_nocase(name, programs[i].name)) {
            *family = programs[i].family;
            return true;
        }
    }
    return false;
}

static void parse_program(struct span agent, struct user_agent *out)
{
    struct span rest = agent, name, version, second, second_version;
    uint16_t family;
    if (!next_product(&rest, &name, &version) || name.size == 0) {
        set_other(out, agent, span_of(NULL, 0));
        return;
    }
    if (span_eq_nocase(name, SPAN("Python")) && next_product(&rest, &second, &second_version)) {
        name = second; /* "Python/3.11 aiohttp/3.9.1": the language is not the program */
        version = second_version;
    }
    if (find_program(name, &family))
        set_family(out, family, true, version);
    else
        set_other(out, name, version);
}

static void parse_browser(struct span agent, struct user_agent *out)
{
    for (size_t i = 0; i < sizeof browser_marks / sizeof browser_marks[0]; i++) {
        const struct mark *m = &browser_marks[i];
        size_t at = span_find(agent, m->text, 0);
        if (at == SIZE_MAX)
            continue;
        size_t other = m->version.size ? span_find(agent, m->version, 0) : SIZE_MAX;
        struct span version = other == SIZE_MAX ? span_from(agent, at + m->text.size)
                                                : span_from(agent, other + m->version.size);
        set_family(out, m->family, m->is_machine, version);
        return;
    }
    struct span bot = SPAN("compatible; "), name, version;
    size_t at = span_find(agent, bot, 0);
    struct span rest = at == SIZE_MAX ? span_of(NULL, 0) : span_from(agent, at + bot.size);
    if (next_product(&rest, &name, &version))
        set_other(out, name, version);
    else
        set_family(out, CLIENT_MOZILLA, false, span_of(NULL, 0));
}

void client_parse(struct span agent, struct user_agent *out)
{
    *out = (struct user_agent){0};
    agent = span_trim(agent);
    if (agent.size == 0)
        set_family(out, CLIENT_NONE, true, span_of(NULL, 0));
    else if (span_starts(agent, SPAN("Mozilla/")) || span_starts(agent, SPAN("Opera/")))
        parse_browser(agent, out);
    else
        parse_program(agent, out);
    client_os_parse(agent, &out->system);
    size_t engine = span_find(agent, SPAN("AppleWebKit/"), 0);
    size_t chrome = span_find(agent, SPAN("Chrome/"), 0);
    out->chromium = chrome == SIZE_MAX ? 0 : client_major(span_from(agent, chrome + SPAN("Chrome/").size));
    out->is_webkit = engine != SIZE_MAX && span_find(agent, SPAN("AppleWebKit/537.36"), 0) == SIZE_MAX;
}

const char *client_family_name(uint16_t family)
{
    if (family >= CLIENT_OTHER)
        return "other";
    return family < CLIENT_N ? family_names[family] : "unknown";
}
