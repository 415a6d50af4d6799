/* SPDX-License-Identifier: Apache-2.0
 * User-Agent to operating system: a table of marks; each stands before those it also wears. */
#include "enrich/client_os.h"

static const struct {
    struct span text; /* found anywhere */
    uint8_t os;
    bool has_version; /* it stands right behind */
} marks[] = {
    {SPAN("Windows Phone OS "), OS_WINDOWS_PHONE, true}, {SPAN("Windows Phone "), OS_WINDOWS_PHONE, true},
    {SPAN("Windows NT "), OS_WINDOWS, true},             {SPAN("Windows"), OS_WINDOWS, false},
    {SPAN("os/windows#"), OS_WINDOWS, true},             {SPAN("CrOS "), OS_CHROMEOS, true},
    {SPAN("CPU iPhone OS "), OS_IOS, true},              {SPAN("iPad; CPU OS "), OS_IPADOS, true},
    {SPAN("iPad; iOS "), OS_IPADOS, true},               {SPAN("; iOS "), OS_IOS, true},
    {SPAN("iPhone"), OS_IOS, false},                     {SPAN("iPod"), OS_IOS, false},
    {SPAN("iPad"), OS_IPADOS, false},                    {SPAN("Tizen "), OS_TIZEN, true},
    {SPAN("OpenHarmony "), OS_HARMONYOS, true},          {SPAN("HarmonyOS"), OS_HARMONYOS, false},
    {SPAN("Android "), OS_ANDROID, true},                {SPAN("Android"), OS_ANDROID, false},
    {SPAN("Mac OS X "), OS_MACOS, true},                 {SPAN("macOS/"), OS_MACOS, true},
    {SPAN("macOS "), OS_MACOS, true},                    {SPAN("os/macos#"), OS_MACOS, false},
    {SPAN("Macintosh"), OS_MACOS, false},                {SPAN("FreeBSD"), OS_FREEBSD, false},
    {SPAN("OpenBSD"), OS_OPENBSD, false},                {SPAN("NetBSD"), OS_NETBSD, false},
    {SPAN("SunOS"), OS_SOLARIS, false},                  {SPAN("Linux"), OS_LINUX, false},
    {SPAN("linux-gnu"), OS_LINUX, false},                {SPAN("os/linux#"), OS_LINUX, false},
};

/* The number at the front of *rest, which moves behind it; capped. */
static uint16_t take_number(struct span *rest)
{
    uint32_t number = 0;
    size_t i = 0;
    for (; i < rest->size && rest->at[i] >= '0' && rest->at[i] <= '9'; i++)
        number = number <= UINT16_MAX ? number * 10 + (rest->at[i] - (uint32_t)'0') : number;
    *rest = span_from(*rest, i);
    return number > UINT16_MAX ? UINT16_MAX : (uint16_t)number;
}

/* "10_15_7", "17.4", "14" */
static void read_version(struct span rest, struct client_system *out)
{
    out->major = take_number(&rest);
    if (out->major && rest.size && (rest.at[0] == '.' || rest.at[0] == '_')) {
        rest = span_from(rest, 1);
        out->minor = take_number(&rest);
    }
}

/* What NT calls 6.1 is sold as 7. */
static void name_windows(struct client_system *out)
{
    static const struct {
        uint16_t minor, sold_major, sold_minor;
    } sold[] = {{1, 7, 0}, {2, 8, 0}, {3, 8, 1}};
    for (size_t i = 0; i < sizeof sold / sizeof *sold; i++) {
        if (out->major == 6 && out->minor == sold[i].minor) {
            out->major = sold[i].sold_major;
            out->minor = sold[i].sold_minor;
            return;
        }
    }
}

void client_os_parse(struct span agent, struct client_system *out)
{
    *out = (struct client_system){0};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t at = span_find(agent, marks[i].text, 0);
        if (at == SIZE_MAX)
            continue;
        struct span rest = span_from(agent, at + marks[i].text.size);
        out->os = marks[i].os;
        if (out->os == OS_CHROMEOS) { /* the processor comes first */
            size_t space = span_find_byte(rest, ' ', 0);
            rest = space == SIZE_MAX ? span_of(NULL, 0) : span_from(rest, space + 1);
        }
        if (marks[i].has_version)
            read_version(rest, out);
        if (out->os == OS_WINDOWS)
            name_windows(out);
        return;
    }
}
