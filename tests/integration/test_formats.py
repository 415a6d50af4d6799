#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts in every format, with hostile values, through readers that are independent of the writers; what is wrong is refused."""
import copy, json, os, subprocess, sys, tempfile
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
from casetap_test import *
import siem_check, check_schemas

WRITER = os.path.join(os.environ.get('BUILD', os.path.join(ROOT, 'build', 'dev')), 'tests', 'unit_sink_test_format')
OCSF = os.environ.get('CASETAP_OCSF')
FORMATS = ('ecs', 'ocsf', 'cef', 'leef', 'text')

def lines_of(folder, name):
    with open(os.path.join(folder, name), 'rb') as f:
        return f.read().decode('utf-8').split('\n')[:-1]

def refuses(checks, reader, text, what):
    try:
        reader(text)
    except (ValueError, KeyError):
        return
    checks.that(False, f'{what} was not refused')

def values(checks, ecs, cef, leef):
    """The same alert says the same in each format."""
    for n, row in enumerate(ecs):
        user = get(row, 'user.name') or ''
        fields, pairs = siem_check.cef(cef[n])
        checks.that(fields[4] == row['rule']['id'], f'CEF {n}: rule {fields[4]!r}')
        checks.that(fields[5].replace('\\x0a', '\n') == row['rule']['name'], f'CEF {n}: name {fields[5]!r}')
        checks.that(pairs['externalId'] == row['event']['id'], f'CEF {n}: id')
        if all(c.isprintable() or c in '\r\n' for c in user):
            checks.that(pairs.get('suser', '') == user, f'CEF {n}: {pairs.get("suser")!r} is not {user!r}')
        head, attributes = siem_check.leef(leef[n])
        checks.that(attributes['alertId'] == row['event']['id'], f'LEEF {n}: id')
        if user.isprintable():
            checks.that(attributes.get('usrName', '') == user, f'LEEF {n}: {attributes.get("usrName")!r} is not {user!r}')

def negatives(checks, cef, leef):
    refuses(checks, siem_check.cef, cef.replace('CEF:0', 'CEF:9'), 'another CEF')
    refuses(checks, siem_check.cef, cef.replace(' suser=', ' strange='), 'an unknown CEF key')
    refuses(checks, siem_check.cef, cef + ' act=again', 'a CEF key twice')
    refuses(checks, siem_check.cef, cef.replace('suser=julia', 'suser=a=b'), 'a bare =')
    refuses(checks, siem_check.cef, cef.replace('suser=julia', 'suser=a\\b'), 'a CEF escape that is none')
    refuses(checks, siem_check.cef, cef.replace('cnt=50', 'cnt=many'), 'a word for a number')
    refuses(checks, siem_check.cef, 'CEF:0|a|b', 'half a CEF header')
    refuses(checks, siem_check.leef, leef.replace('|x09|', '|^|'), 'another LEEF delimiter')
    refuses(checks, siem_check.leef, leef.replace('sev=9', 'sev=11'), 'a LEEF severity')
    refuses(checks, siem_check.leef, leef + '\tno pair', 'LEEF without pair')

def put(path, value):
    def change(row):
        *way, last = path
        for key in way:
            row = row[key]
        if value is None:
            del row[last]
        else:
            row[last] = value
    return change

REFUSED = [put(['finding_info', 'uid'], None), put(['activity_id'], 7), put(['severity_id'], 9), put(['strange'], 1), put(['type_uid'], 1),
           put(['category_uid'], 3), put(['evidences', 0, 'http_response', 'code'], None), put(['time'], 'now'), put(['metadata', 'profiles'], []),
           put(['anomaly_analyses', 0, 'anomalies', 0, 'observations'], None), put(['is_alert'], 'yes'), put(['metadata', 'product'], None),
           put(['evidences', 0, 'src_endpoint', 'ip'], 'nowhere'), put(['observables', 0, 'type_id'], None), put(['evidences'], {}),
           put(['finding_info', 'attacks', 0], {'version': '18'}), put(['count'], 2**40)]

def ocsf(checks, rows):
    for row in rows:   # what can be said without the schema
        checks.that(row['class_uid'] == 2004 and row['type_uid'] == 200400 + row['activity_id'] and row['finding_info']['uid'] and
                    row['metadata']['version'] == '1.8.0', 'an OCSF row without its head')
    if not OCSF or not os.path.exists(os.path.join(OCSF, 'dictionary.json')):
        print('CASETAP_OCSF names no OCSF schema: OCSF is not checked against it')
        return None
    schema = siem_check.Ocsf(OCSF)
    for n, row in enumerate(rows):
        wrong = schema.check(row)
        checks.that(not wrong, f'OCSF {n}: {wrong}')
    for n, change in enumerate(REFUSED):
        row = copy.deepcopy(rows[-1])
        change(row)
        checks.that(schema.check(row), f'OCSF change {n} was not refused')
    return schema

def replayed(checks, checker, schema):
    """Every alert of our captures, through the program, in every format."""
    captures = [rt(name) for name in 'ABCDEFGHI' if os.path.exists(rt(name))]
    if not captures:
        print('no captures: only the samples were checked')
        return
    with tempfile.TemporaryDirectory() as folder:
        sinks = [word for name in FORMATS for word in ('--sink', f'{name}=file://{folder}/{name}#format={name}')]
        for capture in captures:
            replay('--quiet', '--out', os.path.join(folder, 'out'), *sinks, *ALIAS, capture)
        texts = {name: lines_of(folder, name) for name in FORMATS}
        with open(os.path.join(folder, 'out', 'alerts.ndjson'), encoding='utf-8') as f:
            last = f.read().split('\n')[:-1]
    checks.that(not last or texts['ecs'][-len(last):] == last, 'ecs is not the line of the log')
    n = len(texts['ecs'])
    checks.that(n > 10 and all(len(lines) == n for lines in texts.values()), f'{n} alerts, or not as many in each format')
    for line in texts['ecs']:
        wrong = checker.complaints(line)
        checks.that(not wrong, f'{wrong} in {line[:200]}')
    values(checks, [json.loads(line) for line in texts['ecs']], texts['cef'], texts['leef'])
    rules = {json.loads(line)['rule']['id'] for line in texts['ecs']}
    print(f'{n} alerts of {len(captures)} captures, rules {" ".join(sorted(rules))}')
    for line in texts['ocsf']:
        wrong = schema.check(json.loads(line)) if schema else []
        checks.that(not wrong, f'OCSF: {wrong}')

def every_rule(checks, checker, schema):
    """An alert of each detection that ships."""
    writer = WRITER.replace('sink_test_format', 'run_test_every_rule')
    if not os.path.exists(writer):
        print(f'{writer} is not built')
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([writer, folder], check=True, cwd=ROOT)
        texts = {name: lines_of(folder, name) for name in FORMATS}
    rows = [json.loads(line) for line in texts['ecs']]
    checks.that(len({row['rule']['id'] for row in rows}) == len(rows) > 30, f'{len(rows)} rules')
    values(checks, rows, texts['cef'], texts['leef'])
    for line, other in zip(texts['ecs'], texts['ocsf']):
        wrong = checker.complaints(line) + (schema.check(json.loads(other)) if schema else [])
        checks.that(not wrong, f'{wrong} in {line[:200]}')

def main():
    if not os.path.exists(WRITER):
        skip(f'{WRITER} is not built')
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([WRITER, folder], check=True)
        texts = {name: lines_of(folder, name) for name in FORMATS}
    n = len(texts['ecs'])
    for name, lines in texts.items():
        checks.that(len(lines) == n, f'{name}: {len(lines)} lines, not {n}')
    checker = check_schemas.Checker()
    for line in texts['ecs']:
        wrong = checker.complaints(line)
        checks.that(not wrong, f'{wrong} in {line[:200]}')
    values(checks, [json.loads(line) for line in texts['ecs']], texts['cef'], texts['leef'])
    negatives(checks, texts['cef'][-1], texts['leef'][-1])
    schema = ocsf(checks, [json.loads(line) for line in texts['ocsf']])
    for line in texts['text']:
        checks.that(all(c.isprintable() for c in line), f'{line!r} cannot be printed')
    every_rule(checks, checker, schema)
    replayed(checks, checker, schema)
    checks.done()
main()
