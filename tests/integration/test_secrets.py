#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No cookie value, password or token of the captures stands in any output: activities, alerts, transactions, terminal, state."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

def main():
    checks = Checks()
    secrets = [s.encode() for s in open(os.path.join(ROOT, 'build/captures/rt/secrets.txt')).read().split('\n') if s.strip()]
    checks.that(len(secrets) > 300, 'the list of secrets is too short')
    with tempfile.TemporaryDirectory() as out:
        state = os.path.join(out, 'state')
        done = replay('--out', out, '--transactions', os.path.join(out, 'transactions.ndjson'), '--state', state, '--geoip', GEO,
                      *[rt(n) for n in ('A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'V1', 'V2')], binary=RELEASE)
        texts = {f: open(os.path.join(out, f), 'rb').read() for f in os.listdir(out)}
        texts['stdout'], texts['stderr'] = done.stdout.encode(), done.stderr.encode()
        checks.that({'activities.ndjson', 'alerts.ndjson', 'transactions.ndjson', 'state'} <= set(texts), f'outputs: {sorted(texts)}')
        raw = b''.join(open(rt(n), 'rb').read() for n in ('A_w1', 'B', 'G'))
        checks.that(sum(s in raw for s in secrets) > 50, 'the secrets do not stand in the captures')
        for name, text in texts.items():
            found = [s for s in secrets if s in text]
            checks.that(not found, f'{name} holds {len(found)} secrets, e.g. {found[:3]}')
    checks.done()
main()
