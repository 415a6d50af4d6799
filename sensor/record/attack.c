/* SPDX-License-Identifier: Apache-2.0
 * ATT&CK ids and names, sorted by id. */
#include "record/attack.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct attack_entry {
    const char *id, *name;
};

static const struct attack_entry table[] = {
    {"T1003", "OS Credential Dumping"},
    {"T1003.001", "LSASS Memory"},
    {"T1020", "Automated Exfiltration"},
    {"T1021", "Remote Services"},
    {"T1021.001", "Remote Desktop Protocol"},
    {"T1030", "Data Transfer Size Limits"},
    {"T1048", "Exfiltration Over Alternative Protocol"},
    {"T1068", "Exploitation for Privilege Escalation"},
    {"T1070", "Indicator Removal"},
    {"T1078", "Valid Accounts"},
    {"T1078.004", "Cloud Accounts"},
    {"T1083", "File and Directory Discovery"},
    {"T1087", "Account Discovery"},
    {"T1087.004", "Cloud Account"},
    {"T1090", "Proxy"},
    {"T1090.003", "Multi-hop Proxy"},
    {"T1098", "Account Manipulation"},
    {"T1098.001", "Additional Cloud Credentials"},
    {"T1098.005", "Device Registration"},
    {"T1110", "Brute Force"},
    {"T1110.001", "Password Guessing"},
    {"T1110.003", "Password Spraying"},
    {"T1110.004", "Credential Stuffing"},
    {"T1119", "Automated Collection"},
    {"T1136", "Create Account"},
    {"T1136.003", "Cloud Account"},
    {"T1185", "Browser Session Hijacking"},
    {"T1190", "Exploit Public-Facing Application"},
    {"T1199", "Trusted Relationship"},
    {"T1213", "Data from Information Repositories"},
    {"T1213.004", "Customer Relationship Management Software"},
    {"T1219", "Remote Access Tools"},
    {"T1219.002", "Remote Desktop Software"},
    {"T1528", "Steal Application Access Token"},
    {"T1530", "Data from Cloud Storage"},
    {"T1539", "Steal Web Session Cookie"},
    {"T1550", "Use Alternate Authentication Material"},
    {"T1550.001", "Application Access Token"},
    {"T1550.004", "Web Session Cookie"},
    {"T1552", "Unsecured Credentials"},
    {"T1552.001", "Credentials In Files"},
    {"T1555", "Credentials from Password Stores"},
    {"T1555.003", "Credentials from Web Browsers"},
    {"T1556", "Modify Authentication Process"},
    {"T1556.006", "Multi-Factor Authentication"},
    {"T1557", "Adversary-in-the-Middle"},
    {"T1566", "Phishing"},
    {"T1566.004", "Spearphishing Voice"},
    {"T1567", "Exfiltration Over Web Service"},
    {"T1567.002", "Exfiltration to Cloud Storage"},
    {"T1595", "Active Scanning"},
    {"T1595.003", "Wordlist Scanning"},
    {"T1598", "Phishing for Information"},
    {"T1598.004", "Spearphishing Voice"},
    {"T1621", "Multi-Factor Authentication Request Generation"},
    {"T1671", "Cloud Application Integration"},
    {"TA0001", "Initial Access"},
    {"TA0003", "Persistence"},
    {"TA0004", "Privilege Escalation"},
    {"TA0005", "Defense Evasion"},
    {"TA0006", "Credential Access"},
    {"TA0007", "Discovery"},
    {"TA0008", "Lateral Movement"},
    {"TA0009", "Collection"},
    {"TA0010", "Exfiltration"},
    {"TA0011", "Command and Control"},
    {"TA0040", "Impact"},
    {"TA0043", "Reconnaissance"},
};

static int compare(const void *id, const void *entry)
{
    return strcmp(id, ((const struct attack_entry *)entry)->id);
}

const char *attack_name(const char *id)
{
    const struct attack_entry *hit = bsearch(id, table, sizeof table / sizeof *table, sizeof *table, compare);
    return hit ? hit->name : NULL;
}

static int lower(char c)
{
    return c == ' ' || c == '_' ? '-' : tolower((unsigned char)c);
}

static bool is_same_word(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == 0 && *b == 0;
}

const char *attack_tag(const char *tag)
{
    static const char prefix[] = "attack.";
    if (strncmp(tag, prefix, sizeof prefix - 1) != 0)
        return NULL;
    const char *word = tag + sizeof prefix - 1;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool is_tactic = table[i].id[1] == 'A';
        if (is_same_word(word, is_tactic ? table[i].name : table[i].id))
            return table[i].id;
    }
    return NULL;
}
