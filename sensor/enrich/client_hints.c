/* SPDX-License-Identifier: Apache-2.0
 * A list of quoted brands, each with its version as a parameter; then tables. */
#include "enrich/client_hints.h"

#define BRANDS_MAX 1024u /* bytes of a list: browsers send three or four brands, some 130 bytes */
#define MEMBERS_MAX 16u

static const struct {
    struct span name;
    uint16_t family;
} brands[] = {
    {SPAN("Google Chrome"), CLIENT_CHROME},   {SPAN("Microsoft Edge"), CLIENT_EDGE},
    {SPAN("Opera"), CLIENT_OPERA},            {SPAN("Opera GX"), CLIENT_OPERA},
    {SPAN("Vivaldi"), CLIENT_VIVALDI},        {SPAN("Samsung Internet"), CLIENT_SAMSUNG},
    {SPAN("HeadlessChrome"), CLIENT_HEADLESS}, {SPAN("Microsoft Edge WebView2"), CLIENT_EDGE},
};

static const struct {
    struct span name;
    uint8_t os;
} platforms[] = {
    {SPAN("Windows"), OS_WINDOWS},   {SPAN("macOS"), OS_MACOS},         {SPAN("Mac OS X"), OS_MACOS},
    {SPAN("Linux"), OS_LINUX},       {SPAN("Android"), OS_ANDROID},     {SPAN("Chrome OS"), OS_CHROMEOS},
    {SPAN("iOS"), OS_IOS},           {SPAN("Chromium OS"), OS_CHROMEOS},
};

static void skip_spaces(struct span *rest, bool has_tabs)
{
    while (rest->size && (rest->at[0] == ' ' || (has_tabs && rest->at[0] == '\t')))
        *rest = span_from(*rest, 1);
}

/* Takes a string (RFC 8941, 4.2.5) off the front; its escapes stay in. False when there is none. */
static bool take_string(struct span *rest, struct span *out)
{
    if (!rest->size || rest->at[0] != '"')
        return false;
    for (size_t i = 1; i < rest->size; i++) {
        uint8_t c = rest->at[i];
        if (c == '"') {
            *out = span_sub(*rest, 1, i - 1);
            *rest = span_from(*rest, i + 1);
            return true;
        }
        if (c < ' ' || c >= 0x7f)
            return false;
        if (c == '\\' && (++i == rest->size || (rest->at[i] != '"' && rest->at[i] != '\\')))
            return false;
    }
    return false;
}

/* Bytes of keys, tokens, numbers and truths: all that stands without quotes. */
static bool is_bare(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != ',' && c != ';' && c != '"' && c != '=' && c != '(' && c != ')' && c != '\\';
}

static struct span take_bare(struct span *rest)
{
    size_t n = 0;
    while (n < rest->size && is_bare(rest->at[n]))
        n++;
    struct span bare = span_sub(*rest, 0, n);
    *rest = span_from(*rest, n);
    return bare;
}

/* Takes the parameters (RFC 8941, 4.2.3.2) off the front; *version is that named "v", when it is a string. */
static bool take_parameters(struct span *rest, struct span *version)
{
    *version = SPAN("");
    while (rest->size && rest->at[0] == ';') {
        *rest = span_from(*rest, 1);
        skip_spaces(rest, false);
        struct span key = take_bare(rest), value = SPAN("");
        bool is_string = false;
        if (!key.size)
            return false;
        if (rest->size && rest->at[0] == '=') {
            *rest = span_from(*rest, 1);
            is_string = take_string(rest, &value);
            if (!is_string && !take_bare(rest).size)
                return false;
        }
        if (is_string && span_eq(key, SPAN("v")))
            *version = value;
    }
    return true;
}

static void take_brand(struct span name, struct span version, struct client_hints *out)
{
    if (span_eq(name, SPAN("Chromium"))) {
        out->chromium = client_major(version);
        return;
    }
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++) {
        if (!span_eq(name, brands[i].name))
            continue;
        out->family = brands[i].family;
        out->major = client_major(version);
    }
}

/* False, and nothing in *out, when the list is empty or malformed. */
static bool read_brands(struct span rest, struct client_hints *out)
{
    struct span name, version;
    struct client_hints got = {0};
    rest = span_trim(rest);
    if (rest.size > BRANDS_MAX)
        return false;
    for (unsigned n = 0; n < MEMBERS_MAX; n++) {
        if (!take_string(&rest, &name) || !take_parameters(&rest, &version))
            return false;
        take_brand(name, version, &got);
        skip_spaces(&rest, true);
        if (!rest.size) {
            got.is_seen = true;
            *out = got;
            return true;
        }
        if (rest.at[0] != ',')
            return false;
        rest = span_from(rest, 1);
        skip_spaces(&rest, true);
    }
    return false;
}

/* A string alone, its parameters passed over. */
static struct span read_item(struct span rest)
{
    struct span value, version;
    rest = span_trim(rest);
    bool is_item = take_string(&rest, &value) && take_parameters(&rest, &version) && !rest.size;
    return is_item ? value : SPAN("");
}

/* Windows counts its interfaces: 13 and above is sold as 11, 1 to 10 as 10, 0.1 to 0.3 as 7, 8 and 8.1 (Microsoft, "Detect
 * Windows 11 and CPU architecture using User-Agent Client Hints"). A Linux says its kernel's version, or none. */
static void set_version(struct span version, struct client_hints *out)
{
    struct span major = version, minor, rest = version;
    (void)span_split(&rest, '.', &major);
    uint16_t m = client_major(major), n = span_split(&rest, '.', &minor) ? client_major(minor) : 0;
    if (out->os == OS_WINDOWS && m) {
        out->os_major = m >= 13 ? 11 : 10;
    } else if (out->os == OS_WINDOWS) {
        out->os_major = n == 1 ? 7 : n == 2 || n == 3 ? 8 : 0;
        out->os_minor = n == 3 ? 1 : 0;
    } else if (m && (out->os == OS_MACOS || out->os == OS_ANDROID || out->os == OS_IOS)) {
        out->os_major = m;
        out->os_minor = n;
    }
}

void client_hints_parse(const struct client_hints_fields *fields, struct client_hints *out)
{
    *out = (struct client_hints){0};
    if (!read_brands(fields->brands, out))
        (void)read_brands(fields->full, out); /* neither: no brand is known */
    struct span platform = fields->platform.size ? read_item(fields->platform) : SPAN("");
    for (size_t i = 0; platform.size && i < sizeof platforms / sizeof *platforms; i++)
        if (span_eq(platform, platforms[i].name))
            out->os = platforms[i].os;
    out->is_seen |= out->os != OS_UNKNOWN;
    if (out->os && fields->platform_version.size)
        set_version(read_item(fields->platform_version), out);
}

void client_hints_add(const struct client_hints *hints, struct user_agent *client)
{
    bool is_nobody = client->family == CLIENT_NONE || client->family == CLIENT_MOZILLA;
    uint16_t family = hints->family ? hints->family : hints->chromium ? CLIENT_CHROME : CLIENT_UNKNOWN;
    if (is_nobody && family)
        client_set_family(client, family, false, hints->family ? hints->major : hints->chromium);
    client->is_machine |= hints->family == CLIENT_HEADLESS;
    if (client->system.os == OS_UNKNOWN)
        client->system.os = hints->os;
    if (client->system.os == hints->os && hints->os_major)
        client->system = (struct client_system){hints->os, hints->os_major, hints->os_minor};
}

/* Where the page of a desktop is asked for, an Android says it is a Linux, in the one or the other. */
static bool systems_differ(uint8_t a, uint8_t b)
{
    bool is_linux = (a == OS_LINUX || a == OS_ANDROID) && (b == OS_LINUX || b == OS_ANDROID);
    return a && b && a != b && !is_linux && a != OS_HARMONYOS && a != OS_TIZEN;
}

/* Vivaldi and Samsung's say Google Chrome where sites want it. */
static bool makers_differ(uint16_t agent, uint16_t hint)
{
    bool is_sure = agent == CLIENT_EDGE || agent == CLIENT_OPERA;
    return hint && agent != hint && (is_sure || hint == CLIENT_HEADLESS);
}

bool client_hints_differ(const struct client_hints *hints, const struct user_agent *client)
{
    bool is_browser = client->family >= CLIENT_FIREFOX && client->family <= CLIENT_IE;
    if (!hints->is_seen || !is_browser)
        return false;
    if (hints->chromium && client->chromium != hints->chromium)
        return true; /* none in the User-Agent: Firefox, Safari and all of iOS send no hints */
    return makers_differ(client->family, hints->family) || systems_differ(client->system.os, hints->os);
}
