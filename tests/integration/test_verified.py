#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `casetap check` calls verified was seen: each route of a verified profile takes something in our captures, unless it is
marked `verified: false`; and none that is marked so does."""
import collections, glob, json, os, re, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

checks = Checks()
taken = collections.defaultdict(set)
for capture in sorted(glob.glob(os.path.join(CAPTURES, 'rt', 'pcaps', '*_back.pcap')) + glob.glob(os.path.join(CAPTURES, 'wire', 'pcaps', '*'))):
    for line in replay('--quiet', '--explain-routes', '--json', capture, binary=RELEASE).stdout.splitlines():
        if line.startswith('{'):
            why = json.loads(line)
            taken[why.get('profile')].add(why.get('route'))
told = subprocess.run([CASETAP, 'check'], stdout=subprocess.PIPE, text=True, check=True).stdout
for path in sorted(glob.glob(os.path.join(ROOT, 'rules', 'apps', '*.yaml'))):
    text, name = open(path).read(), os.path.basename(path)[:-5]
    if not re.search(r'^status: verified$', text, re.M):
        checks.that(re.search(rf'^profile +{name} +\d+ routes, from public documentation: never seen on a wire$', told, re.M), f'{name}: check')
        continue
    routes = re.findall(r'^  - (?:\{route: ([a-z0-9-]+)|route: ([a-z0-9-]+)[^\n]*)(, verified: false|\n    verified: false)?', text, re.M)
    seen = {a or b for a, b, unseen in routes if not unseen}
    unseen = {a or b for a, b, unseen in routes if unseen}
    checks.that(seen and seen <= taken[name], f'{name}: no capture has {sorted(seen - taken[name])}, which is called verified')
    checks.that(not unseen & taken[name], f'{name}: {sorted(unseen & taken[name])} can be called verified')
    checks.that(f'{len(seen)} verified, {len(unseen)} from public documentation' in told, f'{name}: check says otherwise')
checks.done()
