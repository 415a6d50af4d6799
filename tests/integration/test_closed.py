#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""In front of TLS and without keys: each large answer of a declared desk is a download of the address that got it, says that
it was not decrypted, and is told once; with the keys the same capture names the people instead."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

DESK = ['--app', 'rt=support.example.test']
LARGE = 65536

def run(name, *options):
    with tempfile.TemporaryDirectory() as out:
        path = os.path.join(out, 'transactions')
        replay('--quiet', '--out', out, '--transactions', path, *options, os.path.join(CAPTURES, 'rt', 'pcaps', name + '_front.pcap'))
        return [a for a in load(os.path.join(out, 'activities.ndjson')) if get(a, 'event.action') == 'download'], load(path)

def main():
    checks = Checks()
    for name in 'BC':
        labels = [r for r in load(os.path.join(CAPTURES, 'rt', 'labels', name + '.ndjson'))
                  if r['action'] == 'download' and (r.get('wire_bytes') or 0) >= LARGE]
        acts, closed = run(name, *DESK)
        checks.that(labels and all('http' not in t for t in closed), f'{name}: something was read')
        large = {r['client_ip'] for r in labels}
        for ip in large:
            want = sum(r['client_ip'] == ip for r in labels)
            own = [a for a in acts if get(a, 'source.ip') == ip]
            checks.that(len(own) == want, f'{name}: {len(own)} downloads of {ip}, {want} were large')
            checks.that(all(get(a, 'user.name') == 'address:' + ip for a in own), f'{name}: {ip} has another name')
            for label, act in pair([r for r in labels if r['client_ip'] == ip], own):
                bytes_ = get(act, 'http.response.body.bytes')   # of the records: the file, and what wraps it
                checks.that(label['wire_bytes'] <= bytes_ < label['wire_bytes'] * 1.02 + 2048, f"{name}: {label['uri']} is {label['wire_bytes']}, not {bytes_}")
        checks.that(all('encrypted' in get(a, 'casetap.flags') for a in acts), f'{name}: not said to be encrypted')
        checks.that(sum(get(t, 'casetap.closed.downloads') for t in closed) == len(acts), f'{name}: transactions and activities differ')
        checks.that(run(name)[0] == [], f'{name}: downloads of a host that nobody declared')
        keys = run(name, *DESK, '--keylog', os.path.join(CAPTURES, 'rt', 'keylogs', name + '.keys'))[0]
        checks.that(keys and not [a for a in keys if 'encrypted' in (get(a, 'casetap.flags') or [])], f'{name}: told twice with keys')
    checks.done()
main()
