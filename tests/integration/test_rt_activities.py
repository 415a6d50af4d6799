#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every labelled act of the Request Tracker captures, against the activities: found, nothing extra, with the right
credential, file and byte count. On the plaintext leg, and on the TLS leg with its key log (curl with TLS 1.2 and 1.3,
HTTP/1.1 and HTTP/2, real Chromium; of V2 the keys are inside the pcapng)."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

BACK = ['A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'V1', 'V2']
FRONT = {name: ['--keylog', os.path.join(CAPTURES, 'rt', 'keylogs', name + '.keys')] for name in 'BCFH'} | {'V2': []}
KINDS = {'login_ok': ('login', 'success'), 'login_fail': ('login', 'failure'), 'download': ('download', None), 'upload': ('upload', None)}
BAR = 0.99

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

def score(side, runs, checks):
    """'runs': for each scenario its options and its capture."""
    total = {}
    with tempfile.TemporaryDirectory() as out:
        for name, options, capture in runs:
            replay('--quiet', '--out', out, *ALIAS, *options, capture, binary=RELEASE)
            acts = settle(load(os.path.join(out, 'activities.ndjson')))
            labels = load(os.path.join(CAPTURES, 'rt', 'labels', name + '.ndjson'))
            for kind, (action, outcome) in KINDS.items():
                truth = [r for r in labels if r['action'] == kind]
                own = [a for a in acts if get(a, 'event.action') == action and outcome in (None, get(a, 'event.outcome'))]
                pool = own + ([a for a in acts if get(a, 'event.action') == 'preview'] if kind == 'download' else [])
                pairs = pair(truth, pool)
                paired = {id(a) for _, a in pairs}
                sums = total.setdefault(kind, [0] * 6)
                named = [(t, a) for t, a in pairs if t.get('file_name')]
                for i, n in enumerate((len(truth), len(pairs), len(pairs) + sum(1 for a in own if id(a) not in paired),
                                       sum(get(a, 'user.name') == t['credential'] for t, a in pairs),
                                       len(pairs) - len(named) + sum(get(a, 'file.name') == t['file_name'] for t, a in named),
                                       sum(exact(t, a) for t, a in pairs))):
                    sums[i] += n
    for kind, (truth, found, seen, cred, file, size) in total.items():
        print(f'{side} {kind:12} truth {truth} found {found} seen {seen} credential {cred} file {file} bytes {size}')
        checks.that(truth > 0, f'{side} {kind}: no labels')
        checks.that(found >= BAR * truth, f'{side} {kind}: recall {found}/{truth}')
        checks.that(found >= BAR * seen, f'{side} {kind}: precision {found}/{seen}')
        checks.that(cred >= BAR * found, f'{side} {kind}: credential right in {cred}/{found}')
        if kind in ('download', 'upload'):
            checks.that(file >= BAR * found, f'{side} {kind}: file name right in {file}/{found}')
            checks.that(size >= BAR * found, f'{side} {kind}: bytes exact in {size}/{found}')

checks = Checks()
score('back', [(name, [], rt(name)) for name in BACK], checks)
score('front', [(name, options, front(name)) for name, options in FRONT.items()], checks)
checks.done()
