#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""'casetap run' on a veth pair in a network namespace of its own: recorded frames are sent over the wire, and the activities
are those of a replay; SIGTERM ends it cleanly with everything written."""
import os, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
import tap

def facts(folder):
    """What does not depend on the time of capture."""
    acts = settle(load(os.path.join(folder, 'activities.ndjson')))
    return sorted(json.dumps([get(a, k) for k in ('event.action', 'event.outcome', 'user.name', 'source.ip', 'casetap.case.id',
                                                   'file.name', 'file.size', 'http.response.body.bytes', 'url.original')]) for a in acts)

def main():
    if os.getuid() != 0:
        skip('needs root for a network namespace')
    space = f'ctl-{os.getpid()}'
    tap.veth(space, 'ctl0', 'ctl1')
    checks = Checks()
    with tempfile.TemporaryDirectory() as live, tempfile.TemporaryDirectory() as recorded:
        sensor = None
        try:
            sensor = subprocess.Popen(['ip', 'netns', 'exec', space, CASETAP, 'run', '-i', 'ctl1', '--out', live, *ALIAS,
                                       '--filter', 'tcp', '--state', os.path.join(live, 'state')], stderr=subprocess.PIPE, text=True)
            first = sensor.stderr.readline()
            checks.that('capturing on ctl1' in first, f'said at start: {first}')
            sent = tap.send(space, 'ctl0', rt('V1'))
            time.sleep(1.5)
            sensor.send_signal(signal.SIGTERM)
            summary = sensor.stderr.read()
            checks.that(sensor.wait(30) == 0, f'exit {sensor.returncode}: {summary}')
            checks.that(f'{sent:,} packets' in summary, f'{sent} frames sent; summary: {summary}')
        finally:
            if sensor and sensor.poll() is None:
                sensor.kill()
            tap.ip('netns', 'del', space)
        replay('--quiet', '--out', recorded, *ALIAS, '--filter', 'tcp', rt('V1'))
        want, got = facts(recorded), facts(live)
        checks.that(len(want) > 20, 'too few activities for a meaningful comparison')
        checks.that(want == got, f'live {len(got)} activities, replay {len(want)}; differ: {sorted(set(want) ^ set(got))[:6]}')
        checks.that(os.path.exists(os.path.join(live, 'state')), 'no state file')
    checks.done()
main()
