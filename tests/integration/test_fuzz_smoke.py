#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every fuzz target over its corpus and some tens of thousands of inputs more: the same ones each time, so that a test that passed passes."""
import glob, os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

RUNS = int(os.environ.get('FUZZ_RUNS', '30000'))
SECONDS = int(os.environ.get('FUZZ_SECONDS', '10'))   # at most
SEED = os.environ.get('FUZZ_SEED', '1')   # the tests repeat; tools/fuzz looks for news (0: another one each time)

def main():
    checks = Checks()
    targets = [t for t in sorted(glob.glob(os.path.join(ROOT, 'build/fuzz/tests/fuzz_*'))) if os.access(t, os.X_OK) and os.path.isfile(t)]
    if not targets:
        skip('no fuzz targets are built (cmake --preset fuzz; cmake --build --preset fuzz)')
    sources = {os.path.basename(s)[:-2] for s in glob.glob(os.path.join(ROOT, 'tests/fuzz/fuzz_*.c'))}
    checks.that(sources == {os.path.basename(t) for t in targets}, f'targets built: {targets}')
    for target in targets:
        name = os.path.basename(target)[5:]
        corpus = os.path.join(ROOT, 'tests/fuzz/corpus', name)
        with tempfile.TemporaryDirectory() as grown:
            dirs = [grown] + ([corpus] if os.path.isdir(corpus) else [])
            done = subprocess.run([target, f'-seed={SEED}', f'-runs={RUNS}', f'-max_total_time={SECONDS}', '-rss_limit_mb=4096', '-timeout=25', f'-artifact_prefix={grown}/', *dirs],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace', cwd=ROOT)
            checks.that(done.returncode == 0 and 'Done ' in done.stdout, f'{name}: exit {done.returncode}: {done.stdout[-1500:]}')
            crashes = [f for f in os.listdir(grown) if f.startswith(('crash-', 'oom-', 'timeout-', 'leak-'))]
            if crashes:   # keep what was found: it belongs into the corpus
                keep = os.path.join(ROOT, 'build', 'fuzz-findings', name)
                os.makedirs(keep, exist_ok=True)
                for f in crashes:
                    os.replace(os.path.join(grown, f), os.path.join(keep, f))
                print('kept in', keep)
    checks.done()
main()
