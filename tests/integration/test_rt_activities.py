#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every labelled act of the Request Tracker captures, against the activities: found, nothing extra, with the right
credential, case, customer, file and byte count. On the plaintext leg, on the TLS leg with its key log (curl with TLS 1.2
and 1.3, HTTP/1.1 and HTTP/2, real Chromium; of V2 the keys are inside the pcapng), on both legs at once, which must say
what the front alone says, and on nine captures as one."""
import collections, os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

BACK = ['A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'V1', 'V2']
FRONT = {name: ['--keylog', os.path.join(CAPTURES, 'rt', 'keylogs', name + '.keys')] for name in 'BCDFGHI'} | {'V2': []}   # those that are there
OUTCOMES = {'login_ok': ('login', 'success'), 'login_fail': ('login', 'failure')}
ALSO = {'download': ('preview', lambda t: t.get('inline')), 'api_call': ('search', lambda t: '/tickets' in t['uri']),
        'prefs_change': ('admin', lambda t: True)}
UNSHOWN = {'H': {16}, 'V2': {14}}   # cases whose customer no page, answer or list of that capture shows: the operator may say it
OPERATOR = 'case,14,Fjord Retail\ndomain,helixpharma.example,Helix Pharma\n'
BAR = 0.99
CREDENTIAL_BAR = 0.995   # over all acts of a side

def exact(label, act):
    """File size where it is given, and the bytes this leg carried."""
    body, size, whole = get(act, 'http.response.body.bytes'), get(act, 'file.size'), label.get('file_bytes')
    if label['action'] == 'upload':
        return size == label['content_bytes']
    if label['content_bytes'] is None:
        return True
    sizes = {label.get('content_bytes'), label.get('wire_bytes'), label.get('received_bytes')} - {None}
    if label.get('aborted'):
        sent = body is not None and min(sizes) <= body <= (whole or body)
    elif label['uri'].startswith('/REST/'):
        sent = size is not None
    elif label.get('client') == 'chromium' and not label.get('status_back') and body not in sizes:
        sent = size == whole and body is not None and body < whole   # compressed; a browser does not say how many bytes came
    else:
        sent = body in sizes | ({whole} if label.get('status_back') else set())
    return sent and size in (None, whole or label['content_bytes'])

def front(name):
    return os.path.join(CAPTURES, 'rt', 'pcaps', name + ('_front_dsb.pcapng' if name == 'V2' else '_front.pcap'))

def count(sums, labels, acts, unshown):
    """Adds one capture's acts to the sums: for each kind of act [truth, found, seen, ...] and of each fact [known, right]."""
    for kind in sorted({r['action'] for r in labels}):
        action, outcome = OUTCOMES.get(kind, (kind, None))
        truth = [r for r in labels if r['action'] == kind]
        own = [a for a in acts if get(a, 'event.action') == action and outcome in (None, get(a, 'event.outcome'))]
        also, fits = ALSO.get(kind, (None, None))
        pairs = pair(truth, own + [a for a in acts if get(a, 'event.action') == also])
        pairs = [(t, a) for t, a in pairs if get(a, 'event.action') == action or fits(t)]
        paired = {id(a) for _, a in pairs}
        s = sums.setdefault(kind, collections.Counter())
        s.update(truth=len(truth), found=len(pairs), seen=len(pairs) + sum(1 for a in own if id(a) not in paired))
        for fact, path, want in (('credential', 'user.name', 'credential'), ('case', 'casetap.case.id', 'case_id'),
                                 ('customer', 'casetap.customer.name', 'customer'), ('file', 'file.name', 'file_name')):
            known = [(t, a) for t, a in pairs if t.get(want) is not None and not (fact == 'customer' and t['case_id'] in unshown)]
            s.update({fact + ' known': len(known), fact: sum(str(get(a, path)) == str(t[want]) for t, a in known)})
        if kind in ('download', 'upload'):
            s.update({'bytes known': len(pairs), 'bytes': sum(exact(t, a) for t, a in pairs)})

def run(options, captures):
    with tempfile.TemporaryDirectory() as out:
        replay('--quiet', '--out', out, *ALIAS, *options, *captures, binary=RELEASE)
        return settle(load(os.path.join(out, 'activities.ndjson')))

def score(side, runs, checks, unshown=UNSHOWN):
    """'runs': for each scenario its options and its captures. Acts are summed over them; customers must be right in each."""
    total = {}
    for name, options, captures in runs:
        sums = {}
        labels = [r for part in name.split('+') for r in load(os.path.join(CAPTURES, 'rt', 'labels', part + '.ndjson'))]
        count(sums, labels, run(options, captures), unshown.get(name, ()))
        known, right = (sum(s[k] for s in sums.values()) for k in ('customer known', 'customer'))
        checks.that(right >= BAR * known, f'{side} {name}: customer right in {right}/{known}')
        for kind, s in sums.items():
            total.setdefault(kind, collections.Counter()).update(s)
    for kind, s in total.items():
        print(side, kind, *(f'{k} {v}' for k, v in s.items() if not k.endswith(' known')))
        checks.that(s['truth'] > 0, f'{side} {kind}: no labels')
        checks.that(s['found'] >= BAR * s['truth'], f'{side} {kind}: recall {s["found"]}/{s["truth"]}')
        checks.that(s['found'] >= BAR * s['seen'], f'{side} {kind}: precision {s["found"]}/{s["seen"]}')
        for fact in ('case', 'customer', 'file', 'bytes'):
            checks.that(s[fact] >= BAR * s[fact + ' known'], f'{side} {kind}: {fact} right in {s[fact]}/{s[fact + " known"]}')
    known, right = (sum(s[k] for s in total.values()) for k in ('credential known', 'credential'))
    checks.that(right >= (CREDENTIAL_BAR if known > 200 else BAR - 0.01) * known, f'{side}: credential right in {right}/{known}')

SAME = ['event.action', 'event.outcome', 'source.ip', 'user.name', 'casetap.case.id', 'casetap.customer.name', 'file.name', 'file.size',
        'http.response.status_code', 'http.response.body.bytes', 'casetap.tls.ja4', 'casetap.peer.port', 'casetap.transfer.unique_bytes']

def same_as_front(name, options, checks):
    """Both legs say what the front says. The first act alone was told from behind, before it was known that there is a front:
    its time is the proxy's."""
    told = [sorted(repr([get(a, path) for path in SAME]) for a in run(options, captures) if get(a, 'event.action') != 'connection')
            for captures in ([front(name)], [front(name), rt(name)])]
    checks.that(len(told[0]) > 0 and told[0] == told[1], f'{name}: both legs differ from the front: '
                f'{sorted(set(told[0]) ^ set(told[1]))[:4]} {len(told[0])} {len(told[1])}')

checks = Checks()
FRONT = {name: options for name, options in FRONT.items() if os.path.exists(front(name))}
score('back', [(name, [], [rt(name)]) for name in BACK], checks)
score('front', [(name, options, [front(name)]) for name, options in FRONT.items()], checks)
score('both', [(name, options, [front(name), rt(name)]) for name, options in FRONT.items()], checks)
MERGED = ['A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G']
score('as one', [('+'.join(MERGED), [], [rt(name) for name in MERGED])], checks)
with tempfile.NamedTemporaryFile('w', suffix='.csv') as f:
    f.write(OPERATOR)
    f.flush()
    score('operator', [(name, ['--customers', f.name], [rt(name)]) for name in UNSHOWN], checks, {})
for name, options in FRONT.items():
    same_as_front(name, options, checks)
checks.done()
