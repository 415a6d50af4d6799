#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every labelled act of the Request Tracker captures (plaintext leg), against the activities: found, nothing extra, with
the right credential, file and byte count."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

NAMES = ['A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'V1', 'V2']
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
    else:
        sent = body in sizes | ({whole} if label.get('status_back') else set())
    return sent and size in (None, whole or label['content_bytes'])

def main():
    checks, total = Checks(), {}
    with tempfile.TemporaryDirectory() as out:
        for name in NAMES:
            replay('--quiet', '--out', out, *ALIAS, rt(name), binary=RELEASE)
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
        print(f'{kind:12} truth {truth} found {found} seen {seen} credential {cred} file {file} bytes {size}')
        checks.that(truth > 0, f'{kind}: no labels')
        checks.that(found >= BAR * truth, f'{kind}: recall {found}/{truth}')
        checks.that(found >= BAR * seen, f'{kind}: precision {found}/{seen}')
        checks.that(cred >= BAR * found, f'{kind}: credential right in {cred}/{found}')
        if kind in ('download', 'upload'):
            checks.that(file >= BAR * found, f'{kind}: file name right in {file}/{found}')
            checks.that(size >= BAR * found, f'{kind}: bytes exact in {size}/{found}')
    checks.done()
main()
