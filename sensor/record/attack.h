/* SPDX-License-Identifier: Apache-2.0
 * The names of the MITRE ATT&CK tactics and techniques that rules may cite. */
#ifndef RECORD_ATTACK_H
#define RECORD_ATTACK_H

/* The release whose names these are (v19 splits Defense Evasion and renumbers T1562 and T1656). */
#define ATTACK_VERSION "18"

/* The name of a tactic ("TA0009"), technique ("T1213") or sub-technique ("T1213.004"; its own name only), or NULL. */
const char *attack_name(const char *id);

/* The id that a Sigma tag names: "attack.t1213.004" -> "T1213.004", "attack.initial-access" (or _) -> "TA0001"; NULL when
 * there is none of that name. Static. */
const char *attack_tag(const char *tag);

#endif
