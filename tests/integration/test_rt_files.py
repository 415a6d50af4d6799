#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every file of the Request Tracker captures that went out or came in: its format, its class and the secrets in it, against
what the lab put there; SHA-256 against the sizes and the names, equal for equal files. Both legs tell the same."""
import collections, os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

BACK = ['A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'V1', 'V2']
FRONT = ['B', 'C', 'F', 'H']
# what the lab names a kind: format, class, media type, secrets of each file (a HAR has one session cookie and one bearer token)
KINDS = {'har': ('har', 'har', 'application/json', {'cookie': 1, 'bearer': 1}), 'log': ('log', 'log', 'text/plain', {}),
         'txt': ('log', 'log', 'text/plain', {}), 'png': ('png', 'image', 'image/png', None),
         'pdf': ('pdf', 'document', 'application/pdf', None), 'zip': ('zip', 'archive', 'application/zip', {'cookie': 1, 'bearer': 1})}
EXPIRY = 1772700000   # of the tokens in the HARs; their cookies have none

def files(acts):
    return [a for a in acts if get(a, 'event.action') in ('download', 'upload', 'preview') and get(a, 'event.outcome') != 'failure']

def kind_of(act):
    return (get(act, 'file.name') or '').rsplit('.', 1)[-1].lower()

def check_file(checks, where, a, seen):
    kind = kind_of(a)
    if kind not in KINDS:
        return
    kind_type, kind_class, media, secrets = KINDS[kind]
    what = f'{where} {get(a, "file.name")} {get(a, "event.action")} {get(a, "casetap.file")}'
    checks.that(get(a, 'casetap.file.class') == kind_class, f'{what}: class')
    if get(a, 'casetap.file.type') is None:   # not seen: a later piece, an inline picture, a 304, or nothing came
        seen['unseen'] += 1
        return
    seen[kind] += 1
    checks.that(get(a, 'casetap.file.type') == kind_type and get(a, 'file.mime_type') == media, f'{what}: format')
    checks.that(not get(a, 'casetap.file.mismatch'), f'{what}: mismatch')
    found = get(a, 'casetap.file.secrets')
    if secrets is None:
        checks.that(found is None, f'{what}: looked through')
    elif not found or found.get('cut'):
        checks.that(found is not None, f'{what}: not looked through')
        seen['cut'] += 1
    else:
        total = sum(secrets.values())
        live = total - (1 if total and stamp(a['@timestamp']) >= EXPIRY else 0)
        checks.that(found.get('kinds', {}) == secrets and found['live'] == live, f'{what}: secrets, expected {live} live')
        seen['looked through'] += 1

def main():
    checks, seen, hashes, per_leg = Checks(), collections.Counter(), collections.defaultdict(set), {}
    with tempfile.TemporaryDirectory() as out:
        runs = [('back', name, [], rt(name)) for name in BACK]
        runs += [('front', name, ['--keylog', os.path.join(CAPTURES, 'rt', 'keylogs', name + '.keys')],
                  os.path.join(CAPTURES, 'rt', 'pcaps', name + '_front.pcap')) for name in FRONT]
        for leg, name, options, capture in runs:
            replay('--quiet', '--sha256', '--out', out, *ALIAS, *options, capture, binary=RELEASE)
            acts = files(settle(load(os.path.join(out, 'activities.ndjson'))))
            for a in acts:
                check_file(checks, f'{leg} {name}', a, seen)
                if get(a, 'file.hash.sha256'):
                    seen['hashed'] += 1
                    hashes[get(a, 'casetap.object.id'), get(a, 'file.name'), get(a, 'file.size')].add(get(a, 'file.hash.sha256'))
            per_leg[leg, name] = collections.Counter((get(a, 'file.name'), get(a, 'file.hash.sha256')) for a in acts
                                                     if get(a, 'event.action') == 'download' and get(a, 'file.hash.sha256'))
    print(dict(seen))
    for key, found in hashes.items():
        checks.that(len(found) == 1, f'{key}: {len(found)} hashes of one file')
    for name in FRONT:   # REST 1.0 frames its files, which are not hashed, on both legs alike
        checks.that(per_leg['front', name] == per_leg['back', name], f'{name}: the legs differ: {per_leg["front", name] - per_leg["back", name]}')
    for kind in KINDS:
        checks.that(seen[kind] > 0, f'no {kind} was seen')
    checks.that(seen['hashed'] > 300 and seen['unseen'] < 0.3 * seen['hashed'], f'seen: {dict(seen)}')
    checks.done()
main()
