#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A recorded activity log, replayed, gives the alerts of the captures it was recorded from, byte for byte; damage in it is
counted and told, another schema is refused, and captures and logs are not mixed."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

RUNS = [(['A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D'], True), (['E', 'F', 'G'], False), (['H'], True), (['I', 'V1', 'V2'], True)]

def slurp(*path):
    with open(os.path.join(*path), 'rb') as f:
        return f.read()

def round_trip(checks, names, geo, out):
    first, second = os.path.join(out, 'first'), os.path.join(out, 'second')
    log = os.path.join(first, 'activities.ndjson')
    quiet = {**os.environ, 'CASETAP_GEOIP': ''}
    replay('--quiet', '--out', first, *ALIAS, *(['--geoip', GEO] if geo else []), *[rt(n) for n in names], binary=RELEASE, env=quiet)
    replay('--quiet', '--out', second, log, env=quiet)
    for name in ('alerts.ndjson', 'activities.ndjson'):
        checks.that(slurp(first, name) == slurp(second, name), f'{"+".join(names)}: {name} of the replayed log differs')
    return log

def merged(checks, log, out):
    """Two logs of which each has every other line: merged they are the whole."""
    lines, parts = slurp(log).splitlines(True), []
    for i in (0, 1):
        parts.append(os.path.join(out, f'part{i}.ndjson'))
        with open(parts[i], 'wb') as f:
            f.writelines(lines[i::2])
    empty = os.path.join(out, 'empty.ndjson')
    open(empty, 'wb').close()
    whole = replay('--quiet', '--json', log).stdout
    checks.that(whole and whole == replay('--quiet', '--json', empty, *reversed(parts)).stdout, 'two merged logs give other alerts')
    with open(log, 'rb') as f:
        checks.that(whole == replay('--quiet', '--json', '-', stdin=f).stdout, 'standard input gives other alerts')

def damaged(checks, log, out):
    lines = slurp(log).splitlines(True)
    path = os.path.join(out, 'damaged.ndjson')
    with open(path, 'wb') as f:
        f.writelines(lines[:40] + [b'garbage\n', b'{"a":1}\n', b'\n'] + lines[40:80] + [lines[80][:100]])
    done = replay(path)
    checks.that('80 records of an activity log' in done.stderr, 'not every whole record was read')
    checks.that(f'3 lines of the log that are no activities (first {path}:41:' in done.stderr, 'garbage lines are not told')
    checks.that('1 last line without its end' in done.stderr, 'a torn last line is not told')
    other = os.path.join(out, 'other.ndjson')
    with open(other, 'wb') as f:
        f.write(lines[0] + lines[1].replace(b'"schema":2', b'"schema":3'))
    refused = replay(other, check=False)
    checks.that(refused.returncode == 1 and f'{other}:2: casetap.schema' in refused.stderr, 'another schema is not refused')

def refused(checks, log, out):
    for words, code, said in (([log, rt('H')], 2, 'cannot be replayed together'), (['--filter', 'tcp', log], 2, '--filter'),
                              (['--transactions', os.path.join(out, 't'), log], 2, '--transactions')):
        done = replay(*words, check=False)
        lines = done.stderr.splitlines()
        checks.that(done.returncode == code and len(lines) == 1 and said in lines[0], f'{words[0]}: exit {done.returncode}, {lines}')

def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as out:
        for number, (names, geo) in enumerate(RUNS):
            here = os.path.join(out, str(number))
            os.mkdir(here)
            log = round_trip(checks, names, geo, here)
            if number == 0:
                merged(checks, log, out)
                damaged(checks, log, out)
                refused(checks, log, out)
    checks.done()

main()
