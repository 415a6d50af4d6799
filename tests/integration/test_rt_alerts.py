#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fourteen normal working days and the attacks after them: each attack alerts with the right credential, a stolen session
at its first mismatching request, and at most three alerts name no attack; with and without a geo database."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

NORMAL = ['A_w1', 'A_w2', 'A_w3']
# scenario: the credential whose files were taken
ATTACKS = {'B': 'svc-export', 'C': 'chen.wei', 'D': 'dara.singh', 'E': 'hana.kimura', 'F': 'fatima.zahra', 'G': 'ivan.lopez', 'H': None}
MAX_FALSE = 3
DAY = 86400

def many(value):
    return value if isinstance(value, list) else [] if value is None else [value]

def users(alert):
    return set(many(get(alert, 'user.name'))) | set(many(get(alert, 'related.user')))

def ips(alert):
    return {addr(x) for x in many(get(alert, 'source.ip')) + many(get(alert, 'related.ip'))}

def attack_of(name):
    bad = [r for r in load(os.path.join(CAPTURES, 'rt', 'labels', name + '.ndjson')) if r['malicious']]
    acted = {r['credential'] for r in bad if r['action'] != 'login_fail'}
    own = [r['ts'] for r in bad if r['credential'] in acted and r['action'] != 'login_fail']
    return {'victims': acted, 'users': {r['credential'] for r in bad}, 'ips': {addr(r['client_ip']) for r in bad},
            'first': min(r['ts'] for r in bad), 'first_own': min(own), 'last': max(r['ts'] for r in bad)}

def touches(alert, attack):
    t = stamp(alert['@timestamp'])
    return attack['first'] - 5 <= t <= attack['last'] + DAY and bool(users(alert) & attack['users'] or ips(alert) & attack['ips'])

def run(names, geo, out):
    replay('--quiet', '--out', out, *ALIAS, *(['--geoip', GEO] if geo else []), *[rt(n) for n in names], binary=RELEASE,
           env={**os.environ, 'CASETAP_GEOIP': ''})
    return load(os.path.join(out, 'alerts.ndjson'))

def check_run(checks, names, geo, out):
    alerts = run(names, geo, out)
    attacks = {n: attack_of(n) for n in names if n in ATTACKS}
    label = f"{'+'.join(names)} {'with' if geo else 'without'} geo"
    for name, attack in attacks.items():
        hits = [a for a in alerts if touches(a, attack)]
        naming = [a for a in hits if users(a) & attack['victims']]
        checks.that(hits, f'{label}: {name} raised no alert')
        checks.that(naming, f'{label}: no alert of {name} names {attack["victims"]}')
        if name in ('C', 'H') and naming:   # a stolen session: at its first mismatching request
            late = min(stamp(a['@timestamp']) for a in naming) - attack['first_own']
            checks.that(late <= 2.0, f'{label}: {name} told {late:.1f} s after its first request')
    wrong = {get(a, 'event.id') for a in alerts} - {get(a, 'event.id') for a in alerts if any(touches(a, x) for x in attacks.values())}
    checks.that(len(wrong) <= MAX_FALSE, f'{label}: {len(wrong)} alerts name no attack')

def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as out:
        for geo in (True, False):
            check_run(checks, NORMAL + ['B', 'C', 'D', 'E', 'F', 'G'], geo, out)
            for name in ATTACKS:
                check_run(checks, NORMAL + [name], geo, out)
        check_run(checks, ['H'], False, out)   # a stolen session needs no learning
    checks.done()
main()
