#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One small desk in every wire format: every expected request is a transaction with its status and exact body size, every
expected file a download with exact bytes and the right credential, and nothing is invented. TLS captures are read with
their key log, and without it give no HTTP but connections that say they stayed closed; captures of one direction or cut
frames give what they hold, marked."""
import os, sys, tempfile, urllib.parse
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

CLEAR = {'h1-tls12': 0, 'h2-tls13': 0, 'ipv6': 2}           # requests that are seen without keys
PARTIAL = ('onedir', 'onedir-back', 'snap96', 'snap96-back')
WRONG = {('pipelined', '/files/nope.txt')}                  # the client did not count the body of its 404; it has 153 bytes

def same_target(said, want):
    """Equal but for values that are masked."""
    def split(url):
        u = urllib.parse.urlsplit(url)
        return u.path, [tuple(p.partition('=')[::2]) for p in u.query.split('&')]
    (path, args), (wpath, wargs) = split(said or ''), split(want)
    return path == wpath and len(args) == len(wargs) and all(n == wn and (v == wv or v.startswith('*')) for (n, v), (wn, wv) in zip(args, wargs))

def take(pool, test):
    for i, row in enumerate(pool):
        if test(row):
            return pool.pop(i)
    return None

def size_ok(r, said):
    return said == r['bytes'] or bool(r.get('aborted')) and said is not None and r['bytes'] <= said <= r['file_size']

def whole(checks, case, want, transactions, acts):
    cached = (lambda r: r['path'].startswith('/files/')) if case == 'h2-tls13-back' else lambda r: False   # the proxy answers these itself
    for r in want['requests']:
        if cached(r):
            continue
        fits = lambda t: get(t, 'http.request.method') == r['method'] and get(t, 'http.response.status_code') == r['status'] and \
            same_target(get(t, 'url.original'), r['path'])
        hit = take(transactions, lambda t: fits(t) and size_ok(r, get(t, 'http.response.body.bytes'))) or \
            ((case, r['path']) in WRONG and take(transactions, fits))
        checks.that(hit, f"{case}: {r['method']} {r['path']} {r['status']} with {r['bytes']} bytes")
    people = {r.get('true_credential') or r['credential'] for r in want['requests'] + want.get('logins', [])
              if r.get('cred_kind', r.get('kind')) not in ('cookie-unknown', 'bearer-opaque') or r.get('true_credential')} - {None}
    for r in want['downloads']:
        if cached(r):
            continue
        who = r.get('true_credential') or r.get('credential')
        fits = lambda a: same_target(get(a, 'url.original'), r['path']) and size_ok(r, get(a, 'http.response.body.bytes')) and \
            get(a, 'file.size') in (None, r['file_size'])
        hit = take(acts, lambda a: fits(a) and get(a, 'user.name') == who) or take(acts, fits)
        checks.that(hit, f"{case}: download {r['path']} of {r['bytes']} bytes")
        if hit and who in people:
            checks.that(get(hit, 'user.name') == who, f"{case}: {r['path']} is {who}'s, not {get(hit, 'user.name')}'s")
        elif hit:
            checks.that(get(hit, 'user.name') not in people, f"{case}: {r['path']} is charged to {get(hit, 'user.name')}")
    checks.that(not [a for a in acts if get(a, 'event.action') == 'download'], f'{case}: {len(acts)} downloads too many')

def partial(checks, case, want, transactions):
    """Every request, or every answer with a body, is there; one-sided ones say so."""
    if case.startswith('snap96'):   # heads are cut: what is told must not claim more than was there
        checks.that(all(get(t, 'casetap.body.complete') is not True or get(t, 'http.response.body.bytes') is not None for t in transactions), case)
        return
    marks = [set(get(t, 'casetap.flags') or []) for t in transactions]
    checks.that(transactions and all('one_sided' in m for m in marks), f'{case}: not marked one-sided: {marks}')
    if case == 'onedir':
        for r in want['requests']:
            checks.that(take(transactions, lambda t: get(t, 'http.request.method') == r['method'] and same_target(get(t, 'url.original'), r['path'])),
                        f"{case}: {r['method']} {r['path']}")
    else:
        sizes = [get(t, 'http.response.body.bytes') for t in transactions]
        for r in want['downloads']:
            checks.that(r['bytes'] in sizes, f"{case}: an answer of {r['bytes']} bytes; there are {sizes}")

def read(capture, *options):
    """Its transactions, and its downloads as they stand at the end."""
    with tempfile.TemporaryDirectory() as out:
        path = os.path.join(out, 'transactions')
        replay('--quiet', '--out', out, '--transactions', path, *options, capture, env={**os.environ, 'CASETAP_GEOIP': ''})
        acts = settle(load(os.path.join(out, 'activities.ndjson')))
        return load(path), [a for a in acts if get(a, 'event.action') in ('download', 'preview')]

def closed(checks, case, transactions):
    told = [t for t in transactions if get(t, 'casetap.closed')]
    checks.that(len(transactions) - len(told) == CLEAR[case], f'{case}: {len(transactions) - len(told)} requests read without keys')
    checks.that(told and all(get(t, 'casetap.tls.sight') == 'no_keys' for t in told), f'{case}: connections do not say why they stay closed')
    checks.that(all(get(t, 'tls.client.server_name') and get(t, 'tls.client.ja3') and get(t, 'casetap.tls.ja4') for t in told),
                f'{case}: what the handshake shows is missing')
    if case != 'ipv6':   # whose files are small
        checks.that(any(get(t, 'casetap.closed.downloads') for t in told), f'{case}: no burst looks like the downloads it has')

def main():
    checks = Checks()
    base = os.path.join(CAPTURES, 'wire')
    for name in sorted(os.listdir(os.path.join(base, 'expected'))):
        want = json.load(open(os.path.join(base, 'expected', name)))
        for file in (c['file'] for c in want.get('pcaps', [])):
            case = file.rsplit('.', 1)[0]
            capture, keys = os.path.join(base, 'pcaps', file), os.path.join(base, 'keylogs', case + '.keys')
            if case in CLEAR:
                closed(checks, case, read(capture)[0])
            transactions, acts = read(capture, *(['--keylog', keys] if case in CLEAR else []))
            if case in PARTIAL:
                partial(checks, case, want, transactions)
            else:
                whole(checks, case, want, transactions, acts)
    checks.done()
main()
