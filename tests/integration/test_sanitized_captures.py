#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every capture there is through the sanitized program: no finding, no crash, within a memory limit and a time limit. The
captures of other people are read from $CASETAP_CORPORA when that is set."""
import concurrent.futures, os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

def captures():
    for base in (CAPTURES, os.environ.get('CASETAP_CORPORA')):
        for folder, _, names in sorted(os.walk(base or '/nonexistent')):
            for name in sorted(names):
                path = os.path.join(folder, name)
                with open(path, 'rb') as f:
                    magic = f.read(4)
                if magic in (b'\xd4\xc3\xb2\xa1', b'\xa1\xb2\xc3\xd4', b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\x3c\x4d', b'\x0a\x0d\x0d\x0a'):
                    yield path

def one(path):
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([CASETAP, 'replay', '--quiet', '--out', out, '--transactions', os.path.join(out, 't'), path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors='replace', timeout=300)
    return path, done.returncode, done.stderr

def main():
    checks = Checks()
    if not os.environ.get('CASETAP_CORPORA'):
        print('CASETAP_CORPORA is not set: only our own captures')
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, code, err in pool.map(one, captures()):
            checks.that(code in (0, 1) and 'runtime error' not in err and 'Sanitizer' not in err, f'{path}: exit {code}: {err[:600]}')
    checks.done()
main()
