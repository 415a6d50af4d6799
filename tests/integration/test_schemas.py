#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The published schemas: every kind of record passes (golden lines, and what a replay writes), and what is wrong is refused."""
import copy, glob, json, os, subprocess, sys, tempfile
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
from casetap_test import *
import check_schemas

GOLDEN = os.path.join(ROOT, 'tests', 'golden', 'records.ndjson')

def put(path, value):
    def change(row):
        *way, last = path.split('.')
        for key in way:
            row = row.setdefault(key, {})
        row[last] = value
    return change

def drop(path):
    def change(row):
        *way, last = path.split('.')
        for key in way:
            row = row[key]
        del row[last]
    return change

# dataset, what is done to a good line of it
REFUSED = [
    ('activity', put('event.category', 'web')), ('activity', put('event.kind', 'alert')), ('activity', put('event.kind', 'signal')),
    ('activity', put('event.action', 'stole')), ('activity', put('event.type', ['denied'])), ('activity', put('event.category', ['web', 'iam'])),
    ('activity', put('event.id', '12')), ('activity', put('@timestamp', '2026-03-20T03:12:07Z')), ('activity', put('source.ip', '10.0.0.300')),
    ('activity', put('source.country', 'SE')), ('activity', put('casetap.cookie', 'x')), ('activity', put('more', 1)),
    ('activity', put('related.ip', '10.0.0.1')), ('activity', put('related.ip', [])), ('activity', put('observer.hostname', 'tap1')),
    ('activity', put('casetap.schema', 3)), ('activity', put('casetap.flags', ['strange'])), ('activity', put('casetap.amends', '0' * 32)),
    ('activity', put('casetap.n', -1)), ('activity', put('http.response.body.bytes', -1)), ('activity', put('http.response.body.bytes', 1.5)),
    ('activity', put('http.response.body.bytes', 2**63)), ('activity', put('user.name', '')), ('activity', put('user.name', None)),
    ('activity', put('ecs.version', '8.0.0')), ('activity', put('file.size', '12')), ('activity', put('casetap.credential.kind', 'none')),
    ('activity', drop('casetap.done')), ('activity', drop('event.id')), ('activity', drop('casetap.flow')), ('activity', drop('@timestamp')),
    ('activity', put('event.dataset', 'casetap.alert')), ('activity', put('event.dataset', 'other')), ('activity', drop('event')),
    ('transaction', put('http.response.status_code', '200')), ('transaction', drop('source.port')), ('transaction', drop('casetap.body')),
    ('transaction', put('casetap.body.known', 'guessed')), ('transaction', put('user.name', 'julia')), ('transaction', put('casetap.vlan', [])),
    ('transaction', put('casetap.tunnel', 'none')), ('transaction', put('network.transport', 'udp')),
    ('alert', put('event.kind', 'event')), ('alert', put('event.severity', 50)), ('alert', put('event.risk_score', 101)),
    ('alert', put('threat.tactic.id', 'TA0009')), ('alert', put('threat.technique.id', ['T1213.004'])), ('alert', drop('casetap.why')),
    ('alert', put('casetap.why', [{'field': 'x', 'value': 'y'}])), ('alert', put('tls.client.ja4', 'x')), ('alert', drop('rule.author')),
    ('session', put('event.kind', 'alert')), ('session', put('casetap.session.begin', 'somehow')), ('session', put('casetap.cookie', 'x')),
    ('session', drop('casetap.session.end')), ('session', put('casetap.order', ['stole'])), ('session', put('casetap.acts', 0)),
    ('session', put('casetap.contexts', [{'ip': '10.0.0.1'}])), ('session', drop('casetap.referer')), ('session', put('casetap.actions', {'view': 1})),
    ('alert', drop('casetap.first_step')), ('alert', put('rule.author', 'casetap')),
    ('feedback', put('event.action', 'perhaps')), ('feedback', drop('event.id')), ('feedback', put('casetap.cookie', 'x')),
    ('feedback', put('casetap.alert', '12')), ('feedback', drop('user')), ('feedback', put('event.action', 'undo')),
    ('unmapped', put('casetap.template', '')), ('unmapped', put('event.kind', 'event')), ('unmapped', drop('casetap.files')),
    ('unmapped', put('url.path', '/a')), ('unmapped', put('casetap.user', 'julia')),
]

# lines that are wrong as text
BROKEN = ['', '{', '[]', 'null', '{"event":{"dataset":"casetap.activity"},"event":{}}', '{"event":1}']

def negatives(checks, checker, rows):
    for number, (kind, change) in enumerate(REFUSED):
        row = copy.deepcopy(rows[kind])
        change(row)
        checks.that(checker.complaints(json.dumps(row)), f'change {number} of {kind} was not refused')
    for line in BROKEN:
        checks.that(checker.complaints(line), f'{line!r} was not refused')
    amend = copy.deepcopy(rows['activity'])
    amend['event']['action'] = 'amend'
    checks.that(checker.complaints(json.dumps(amend)), 'an amend without casetap.amends was not refused')
    identify = copy.deepcopy(rows['activity'])
    identify['event'].update(action='identify', category=['session'], type=['info'])
    del identify['casetap']['session']
    checks.that(checker.complaints(json.dumps(identify)), 'an identify without a session was not refused')

def replayed(checks):
    captures = sorted(glob.glob(os.path.join(CAPTURES, 'wire', 'pcaps', '*')))[:12] + [rt(n) for n in 'BCH' if os.path.exists(rt(n))]
    if not captures:
        print('no captures: only the golden lines were checked')
        return
    with tempfile.TemporaryDirectory() as out:
        replay('--quiet', '--out', out, '--transactions', os.path.join(out, 'transactions.ndjson'), *ALIAS, *captures)
        files = sorted(glob.glob(os.path.join(out, '*.ndjson')))
        checks.that(len(files) == 5, f'{files} instead of five files')
        done = subprocess.run([sys.executable, os.path.join(HERE, 'check_schemas.py'), '--at-most', '3000', *files], stdout=subprocess.PIPE, text=True)
        checks.that(done.returncode == 0, done.stdout)

def main():
    checks, checker = Checks(), check_schemas.Checker()
    with open(GOLDEN, encoding='utf-8') as f:
        lines = f.read().split('\n')[:-1]
    rows = {}
    for line in lines:
        wrong = checker.complaints(line)
        checks.that(not wrong, f'{wrong} in {line[:200]}')
        row = json.loads(line)
        rows.setdefault(row['event']['dataset'].partition('.')[2], row)
    checks.that(set(rows) == set(check_schemas.KINDS), f'golden lines of {sorted(rows)} only')
    negatives(checks, checker, rows)
    replayed(checks)
    checks.done()
main()
