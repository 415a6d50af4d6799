#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every capture there is through the sanitized program: no finding, no crash, within a time limit. The captures of other
people are read from $CASETAP_CORPORA when that is set."""
import concurrent.futures, os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

def one(path):
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([CASETAP, 'replay', '--quiet', '--out', out, '--transactions', os.path.join(out, 't'), path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors='replace', timeout=300)
    return path, done.returncode, done.stderr

def main():
    checks = Checks()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, code, err in pool.map(one, all_captures()):
            checks.that(code in (0, 1) and 'runtime error' not in err and 'Sanitizer' not in err, f'{path}: exit {code}: {err[:600]}')
    checks.done()
main()
