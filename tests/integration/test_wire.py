#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""One small desk in every plaintext wire format: every expected request is a transaction with its status and exact body size,
every expected file a download with exact bytes and the right credential, and nothing is invented. TLS and HTTP/2 captures
give no HTTP transaction; captures of one direction or cut frames give what they hold, marked."""
import os, sys, tempfile, urllib.parse
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

CLOSED = ('h1-tls12', 'h2-tls13', 'h2c-prior', 'ipv6')      # TLS or HTTP/2: not read
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

def main():
    checks = Checks()
    base = os.path.join(CAPTURES, 'wire')
    for name in sorted(os.listdir(os.path.join(base, 'expected'))):
        want = json.load(open(os.path.join(base, 'expected', name)))
        for capture in want.get('pcaps', []):
            case = capture['file'].rsplit('.', 1)[0]
            with tempfile.TemporaryDirectory() as out:
                path = os.path.join(out, 'transactions')
                replay('--quiet', '--out', out, '--transactions', path, os.path.join(base, 'pcaps', capture['file']), env={**os.environ, 'CASETAP_GEOIP': ''})
                transactions = load(path)
                acts = [a for a in settle(load(os.path.join(out, 'activities.ndjson'))) if get(a, 'event.action') in ('download', 'preview')]
            if case in CLOSED:
                plain = 2 if case == 'ipv6' else 0   # two of its requests are in the clear
                checks.that(len(transactions) == plain, f'{case}: {len(transactions)} transactions where nothing can be read')
            elif case in PARTIAL:
                partial(checks, case, want, transactions)
            else:
                whole(checks, case, want, transactions, acts)
    checks.done()
main()
