#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The same captures twice, and with Redis instead of memory: byte-identical activities, alerts and transactions. A run cut
in two by --state tells of the same people at the same moment."""
import os, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

NAMES = ['A_w1', 'B', 'C', 'G', 'I']

def run(out, *args, names=NAMES):
    replay('--quiet', '--out', out, '--transactions', os.path.join(out, 'transactions.ndjson'), '--geoip', GEO, *ALIAS, *args,
           *[rt(n) for n in names], binary=RELEASE)
    return {f: open(os.path.join(out, f), 'rb').read() for f in ('activities.ndjson', 'alerts.ndjson', 'transactions.ndjson', 'sessions.ndjson', 'unmapped.ndjson')}

def start_redis(folder):
    socket = os.path.join(folder, 'redis.sock')
    server = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', folder],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        if os.path.exists(socket):
            return server, socket
        time.sleep(0.05)
    server.kill()
    raise SystemExit('redis-server did not start')

def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two, tempfile.TemporaryDirectory() as three:
        first, second = run(one), run(two)
        checks.that(first['alerts.ndjson'].count(b'\n') > 2, 'too few alerts for a meaningful comparison')
        server, socket = start_redis(three)
        try:
            third = run(two, '--redis', 'unix://' + socket)
            keys = subprocess.run(['redis-cli', '-s', socket, '--scan'], capture_output=True, text=True).stdout.split('\n')
            baselines = [k for k in keys if k.endswith(':baseline')]
            checks.that(len(baselines) >= 10, f'{len(baselines)} baselines in Redis')
            hers = 'casetap:{alice.hartmann}:baseline' # those of groups (@staff) have fewer fields, and come in any order
            checks.that(hers in baselines, f'no {hers} in Redis')
            one_hash = subprocess.run(['redis-cli', '-s', socket, 'HGETALL', hers], capture_output=True, text=True).stdout
            checks.that('20' in one_hash and one_hash.isprintable() is False and len(one_hash.split('\n')) > 6, 'HGETALL shows no readable fields')
        finally:
            server.terminate(); server.wait()
        for name in first:
            checks.that(first[name] == second[name], f'{name} differs between two runs')
            checks.that(first[name] == third[name], f'{name} differs with Redis')
        # a run cut in two by --state tells of the same people at the same moment as one run does (what was open in memory
        # at the cut, such as half-full windows, is not in the state, so later lines may differ)
        run(one, names=['A_w1', 'B', 'C'])
        state = os.path.join(two, 'state')
        run(two, '--state', state, names=['A_w1'])
        run(two, '--state', state, names=['B', 'C'])
        told = []
        for folder in (one, two):
            first_of = {}
            for a in load(os.path.join(folder, 'alerts.ndjson')):
                if a['@timestamp'] >= '2026-03-20':
                    first_of.setdefault(get(a, 'user.name'), (a['@timestamp'], get(a, 'rule.id')))
            told.append(first_of)
        checks.that(len(told[0]) >= 2 and told[0] == told[1], f'first alerts after a restart differ: {told}')
    checks.done()
main()
