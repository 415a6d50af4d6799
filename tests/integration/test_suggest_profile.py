#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A draft out of a capture, with no profile but the generic one: it loads, its routes take the logins, case pages, files
and uploads of the capture it was drafted from, and no value of a cookie, a token or a password stands in it."""
import os, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

RULES = os.path.join(ROOT, 'rules')

def check(*args):
    return subprocess.run([CASETAP, 'check', *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

def rules_in(folder, draft=None):
    """A rules directory with the generic profile alone, and the draft."""
    shutil.copytree(RULES, folder, ignore=lambda path, names: [n for n in names if path.endswith('apps') and n != 'generic.yaml'])
    if draft:
        with open(os.path.join(folder, 'apps', 'draft.yaml'), 'w') as out:
            out.write(draft)
    return folder

def found(labels, acts, kind, action, outcome=None):
    truth = [r for r in labels if r['action'] == kind]
    own = [a for a in acts if get(a, 'event.action') == action and outcome in (None, get(a, 'event.outcome'))]
    return len(truth), len(own), pair(truth, own)

def try_draft(tmp, name, base, kinds, checks):
    done = check('--rules', base, '--suggest-profile', rt(name))
    checks.that(done.returncode == 0 and not done.stderr, f'{name}: exit {done.returncode} {done.stderr}')
    checks.that(done.stdout == check('--rules', base, '--suggest-profile=support.example.test', rt(name)).stdout, f'{name}: twice the same')
    for line in ('status: documentation', 'about: drafted from a capture', "hosts: ['support.example.test']", "  - cookie: 'RT_SID_*'"):
        checks.that(line in done.stdout.split('\n'), f'{name}: no line {line!r}')
    checks.that(not re.search(r'[0-9a-f]{24}|[0-9A-Za-z_-]{32}', done.stdout), f'{name}: what looks like a value of a secret')
    rules = rules_in(os.path.join(tmp, name), done.stdout)
    loads = check('--rules', rules)
    checks.that(loads.returncode == 0 and 'never seen on a wire' in loads.stdout, f'{name}: the draft does not load: {loads.stdout} {loads.stderr}')
    out = os.path.join(tmp, name + '-out')
    replay('--quiet', '--rules', rules, '--out', out, rt(name))
    acts = settle(load(os.path.join(out, 'activities.ndjson')))
    labels = load(os.path.join(CAPTURES, 'rt', 'labels', name + '.ndjson'))
    for kind, action, outcome, off in kinds:
        truth, seen, pairs = found(labels, acts, kind, action, outcome)
        print(name, kind, f'{truth} labels, {seen} seen, {len(pairs)} matched')
        checks.that(truth > 0 and abs(truth - seen) <= off and len(pairs) >= truth - off, f'{name} {kind}: {len(pairs)} of {truth} found, {seen} told')
        checks.that(all(get(a, 'casetap.profile') == 'draft' for _, a in pairs if get(a, 'casetap.profile')), f'{name} {kind}: another profile')
        named = [(t, a) for t, a in pairs if t.get('file_name')]
        checks.that(all(get(a, 'file.name') == t['file_name'] for t, a in named), f'{name} {kind}: names of files')
        checks.that(all(str(get(a, 'casetap.case.id')) == str(t['case_id']) for t, a in named), f'{name} {kind}: cases of files')

def wrong_input(tmp, base, checks):
    text = os.path.join(tmp, 'no-capture')
    with open(text, 'w') as out:
        out.write('this is no capture\n' * 9)
    for args, code, words in (((text,), 1, 'no-capture'), ((os.path.join(tmp, 'not-there'),), 1, 'not-there'), ((), 2, 'no capture named'),
                              ((os.path.join(CAPTURES, 'wire', 'pcaps', 'h1-tls12.pcap'),), 1, 'no HTTP request was seen')):
        done = check('--rules', base, '--suggest-profile', *args)
        checks.that(done.returncode == code and words in done.stderr and done.stderr.count('\n') == 1 and not done.stdout,
                    f'{args}: exit {done.returncode} {done.stderr!r}')
    done = check('--rules', base, '--suggest-profile=desk.example', rt('G'))
    checks.that(done.returncode == 1 and "no request to 'desk.example'" in done.stderr, f'another host: {done.stderr!r}')
    done = check('--rules', base, rt('G'))
    checks.that(done.returncode == 2 and 'is not expected here' in done.stderr, f'a file without the option: {done.stderr!r}')

checks = Checks()
with tempfile.TemporaryDirectory() as tmp:
    base = rules_in(os.path.join(tmp, 'base'))
    def every(off):
        return [('login_ok', 'login', 'success', off), ('login_fail', 'login', 'failure', off), ('logout', 'logout', None, 0),
                ('view_case', 'view_case', None, 0)]
    try_draft(tmp, 'A_w2', base, every(0) + [('upload', 'upload', None, 0)], checks)
    # One login of G is answered by a page with the form in it, as failures are.
    try_draft(tmp, 'G', base, every(1) + [('download', 'download', None, 0)], checks)
    keys = os.path.join(CAPTURES, 'wire', 'keylogs', 'h1-tls12.keys')
    if os.path.exists(keys):
        done = check('--rules', base, '--suggest-profile', '--keylog', keys, os.path.join(CAPTURES, 'wire', 'pcaps', 'h1-tls12.pcap'))
        checks.that(done.returncode == 0 and 'action: download' in done.stdout, f'with a key log: {done.stderr}')
    wrong_input(tmp, base, checks)
checks.done()
