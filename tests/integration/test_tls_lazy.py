#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What nobody reads is not decrypted, and nothing comes out another way for it: transactions, activities and alerts of
every capture with keys are the same with --verify-tls, which leaves no record unauthenticated, and without, which does."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

# what takes the cipher's part away is told by its own counters
OWN = ('tls_records', 'tls_records_skipped', 'tls_open_opened', 'tls_open_skipped')

def run(capture, *options):
    """Everything that comes out, as bytes; and the counters."""
    with tempfile.TemporaryDirectory() as out:
        names = {name: os.path.join(out, name) for name in ('transactions', 'counters')}
        said = replay('--quiet', '--json', '--out', out, *ALIAS, *options, '--transactions', names['transactions'],
                      '--counters', names['counters'], capture, binary=RELEASE, env={**os.environ, 'CASETAP_GEOIP': ''})
        texts = {name: open(os.path.join(out, name), 'rb').read() for name in sorted(os.listdir(out)) if name != 'counters'}
        counters = dict(line.split()[:2] for line in open(names['counters']))
        return texts | {'stdout': said.stdout}, {name: int(n) for name, n in counters.items()}

def cases():
    """Captures of the side with TLS, and where their keys are."""
    for family in ('rt', 'wire'):
        pcaps, keys = (os.path.join(CAPTURES, family, folder) for folder in ('pcaps', 'keylogs'))
        for file in sorted(os.listdir(pcaps)):
            log = os.path.join(keys, file.split('_front')[0].split('.')[0] + '.keys')
            if '_front_dsb' in file:
                yield file, os.path.join(pcaps, file), []
            elif os.path.exists(log) and '_back' not in file:
                yield file, os.path.join(pcaps, file), ['--keylog', log]

checks = Checks()
n = 0
unread = set()
for name, capture, options in cases():
    lazy, counts = run(capture, *options)
    eager, every = run(capture, *options, '--verify-tls')
    checks.that(lazy == eager, f'{name}: differs in ' + ', '.join(k for k in eager if lazy.get(k) != eager[k]))
    checks.that(lazy['transactions'].count(b'\n') > 0 and every['tls_opened'] > 0, f'{name}: nothing was decrypted')
    checks.that(every['tls_records_skipped'] == 0, f'{name}: --verify-tls left records unauthenticated')
    checks.that(counts['tls_records'] + counts['tls_records_skipped'] == every['tls_records'], f'{name}: records are not all counted')
    odd = [k for k in every if k not in OWN and every[k] != counts.get(k)]
    checks.that(not odd, f'{name}: other counters differ: {odd}')
    print(f"{name}: {counts['tls_records_skipped']} of {every['tls_records']} records unread")
    n += 1
    if counts['tls_records_skipped']:
        unread |= {json.loads(line)['http']['version'] for line in lazy['transactions'].splitlines()}
checks.that(n > 0 and {'1.1', '2'} <= unread, f'{n} captures: records were left unread with {unread} alone')
checks.done()
