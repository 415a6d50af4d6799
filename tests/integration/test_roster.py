#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The roster over fourteen normal days: who has left is told at the first act after that day, and nobody else; a service's
account in a browser is told; the option, the configuration and 'check' read the same file and name each mistake."""
import os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

HEAD = 'who,organisation,role,leaver,egress,service,timezone\n'

def labels(*names):
    return [r for n in names for r in load(os.path.join(CAPTURES, 'rt', 'labels', n + '.ndjson'))]

def alerts(out, roster, *names):
    path = os.path.join(out, 'roster.csv')
    with open(path, 'w') as f:
        f.write(HEAD + roster)
    replay('--quiet', '--out', out, '--roster', path, *ALIAS, '--geoip', GEO, *[rt(n) for n in names], binary=RELEASE)
    return load(os.path.join(out, 'alerts.ndjson'))

def of_rule(rows, rule):
    return {get(r, 'event.id'): r for r in reversed(rows) if get(r, 'rule.id') == rule}.values()

def leaver(checks, out, who):
    acts = sorted(r['ts'] for r in labels('A_w2') if r['credential'] == who and r['action'] not in ('login_fail', 'logout'))
    middle = acts[len(acts) // 2]
    day = time.strftime('%Y-%m-%d', time.gmtime(middle))
    first = min(t for t in acts if time.strftime('%Y-%m-%d', time.gmtime(t)) >= day)
    told = of_rule(alerts(out, f'{who},Acme,agent,{day},,,\n', 'A_w1', 'A_w2'), 'D28')
    checks.that([get(a, 'user.name') for a in told] == [who], f'leaver: {[get(a, "user.name") for a in told]} instead of {who}')
    for a in told:
        checks.that(abs(stamp(a['event']['start']) - first) < 3, f'leaver: told at {a["event"]["start"]}, first act {first}')
        checks.that(get(a, 'event.severity') == 99, 'leaver: not critical')
    later = time.strftime('%Y-%m-%d', time.gmtime(acts[-1] + 86400))
    checks.that(not of_rule(alerts(out, f'{who},Acme,agent,{later},,,\n', 'A_w1', 'A_w2'), 'D28'), 'told before the day')

def service(checks, out, who):
    told = of_rule(alerts(out, f'{who},Acme,,,,yes,\nsvc-export,Acme,,,,yes,\n', 'A_w1'), 'D29')
    checks.that([get(a, 'user.name') for a in told] == [who], f'service: {[get(a, "user.name") for a in told]}')

def mistakes(checks, out):
    path, conf = os.path.join(out, 'bad.csv'), os.path.join(out, 'casetap.yaml')
    with open(path, 'w') as f:
        f.write('who,leaver\nzoe,tomorrow\n')
    with open(conf, 'w') as f:
        f.write(f'roster: {path}\n')
    for words in (['check', '--roster', path], ['check', '--config', conf], ['replay', '--roster', path, rt('V1')]):
        done = subprocess.run([CASETAP, *words], capture_output=True, text=True)
        lines = done.stderr.splitlines()
        checks.that(done.returncode == 3 and len(lines) == 1 and f'{path}:2:5: leaver: expected' in lines[0], f'{words}: {lines}')
    done = subprocess.run([CASETAP, 'check', '--roster', path + 'x'], capture_output=True, text=True)
    checks.that(done.returncode == 1 and 'No such file' in done.stderr, f'missing file: {done.stderr}')
    with open(path, 'w') as f:
        f.write(HEAD + 'zoe,Acme,agent,2026-03-31,,,+01:00\n,Acme,,,203.0.113.0/24,,\nsvc,,,,,yes,\n')
    done = subprocess.run([CASETAP, 'check', '--config', conf], capture_output=True, text=True)
    checks.that('roster    2 people, 1 of them leavers, 1 services; 1 organisations, 1 roles, 1 prefixes' in done.stdout,
                f'check: {done.stdout}')

def main():
    checks = Checks()
    people = sorted({r['credential'] for r in labels('A_w2') if r['credential'] and r['credential'] != 'svc-export'
                     and r['action'] == 'login_ok'})
    with tempfile.TemporaryDirectory() as out:
        leaver(checks, out, people[0])
        service(checks, out, people[1])
        mistakes(checks, out)
    checks.done()

main()
