/* SPDX-License-Identifier: Apache-2.0
 * One row for each way a tool shows. The domains are those their makers name for firewalls; a name ends in one of them. */
#include "enrich/remote_tool.h"

enum { RDP, VNC, XDMCP, PCANYWHERE, CITRIX, TEAMVIEWER, ANYDESK, SCREENCONNECT, CHROME, SPLASHTOP, RUSTDESK, LOGMEIN, BEYONDTRUST,
       ZOHO, SUPREMO, ISL, DWSERVICE, GETSCREEN, PARSEC, QUICKASSIST, TOOLS };

static const struct remote_tool tools[TOOLS] = {
    [RDP] = {"RDP", false},
    [VNC] = {"VNC", false},
    [XDMCP] = {"XDMCP", false},
    [PCANYWHERE] = {"pcAnywhere", false},
    [CITRIX] = {"Citrix", false},
    [TEAMVIEWER] = {"TeamViewer", true},
    [ANYDESK] = {"AnyDesk", true},
    [SCREENCONNECT] = {"ScreenConnect", true},
    [CHROME] = {"Chrome Remote Desktop", true},
    [SPLASHTOP] = {"Splashtop", true},
    [RUSTDESK] = {"RustDesk", true},
    [LOGMEIN] = {"LogMeIn", true},
    [BEYONDTRUST] = {"BeyondTrust Remote Support", true},
    [ZOHO] = {"Zoho Assist", true},
    [SUPREMO] = {"Supremo", true},
    [ISL] = {"ISL Online", true},
    [DWSERVICE] = {"DWService", true},
    [GETSCREEN] = {"Getscreen", true},
    [PARSEC] = {"Parsec", true},
    [QUICKASSIST] = {"Quick Assist", true},
};

static const struct {
    const char *name;
    int tool;
} protocols[] = {
    {"RDP", RDP}, {"VNC", VNC}, {"XDMCP", XDMCP}, {"pcAnywhere", PCANYWHERE}, {"Citrix", CITRIX}, {"TeamViewer", TEAMVIEWER},
    {"AnyDesk", ANYDESK},
}, domains[] = {
    {"teamviewer.com", TEAMVIEWER},
    {"net.anydesk.com", ANYDESK},
    {"screenconnect.com", SCREENCONNECT},
    {"remotedesktop.google.com", CHROME},
    {"remotedesktop-pa.googleapis.com", CHROME},
    {"relay.splashtop.com", SPLASHTOP},
    {"api.splashtop.com", SPLASHTOP},
    {"rustdesk.com", RUSTDESK},
    {"logmein.com", LOGMEIN},
    {"logmeinrescue.com", LOGMEIN},
    {"bomgarcloud.com", BEYONDTRUST},
    {"beyondtrustcloud.com", BEYONDTRUST},
    {"assist.zoho.com", ZOHO},
    {"assist.zoho.eu", ZOHO},
    {"nanosystems.it", SUPREMO},
    {"islonline.net", ISL},
    {"dwservice.net", DWSERVICE},
    {"getscreen.me", GETSCREEN},
    {"parsec.app", PARSEC},
    {"remoteassistance.support.services.microsoft.com", QUICKASSIST},
};

/* The whole of it, or its end behind a dot. */
static bool is_below(struct span name, struct span domain)
{
    if (name.size < domain.size || !span_eq_nocase(span_from(name, name.size - domain.size), domain))
        return false;
    return name.size == domain.size || name.at[name.size - domain.size - 1] == '.';
}

static const struct remote_tool *by_protocol(struct span name)
{
    struct span part;
    while (span_split(&name, '.', &part) && part.at) /* "TLS.AnyDesk" */
        for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
            if (span_eq_nocase(part, span_text(protocols[i].name)))
                return &tools[protocols[i].tool];
    return NULL;
}

const struct remote_tool *remote_tool_of(struct span protocol, struct span server_name)
{
    const struct remote_tool *tool = by_protocol(protocol);
    for (size_t i = 0; !tool && server_name.size && i < sizeof domains / sizeof *domains; i++)
        if (is_below(server_name, span_text(domains[i].name)))
            tool = &tools[domains[i].tool];
    return tool;
}
