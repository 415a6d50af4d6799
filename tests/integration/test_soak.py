#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The short form of tools/soak: its sink goes away, Redis is killed and the tap goes down once each while real clients work; nothing
may leak, fall behind or be lost without being counted. And its verdict can be bad: a sensor that is not at the tap's frames is found."""
import os, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

def soak(*words):
    return subprocess.run([os.path.join(ROOT, 'tools', 'soak'), '--casetap', RELEASE, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

def main():
    checks = Checks()
    done = soak('36', '--every', '9', '--pages', '10', '--growth', '10', '--lag', '10') # many people, that the tables fill; they are not full yet
    if done.returncode == 77:
        skip(done.stdout.strip())
    checks.that(done.returncode == 0 and 'verdict: good' in done.stdout, done.stdout)
    print(done.stdout)
    blind = soak('5', '--no-faults', '--clients', '1', '--', '--filter', 'not tcp dst port 80')
    for line in ('BAD   packets:', 'BAD   requests:', 'verdict: BAD'):
        checks.that(line in blind.stdout and blind.returncode == 1, f'a sensor that sees no requests, and no "{line}": {blind.stdout}')
    checks.done()
main()
