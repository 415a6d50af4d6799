#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""'casetap run' with sinks: one takes all at once; one is away while the alerts are told, the log is renamed (SIGHUP) and the sensor
is killed (-9), and gets all of them, in order, each once, after the next start."""
import json, os, signal, socket, subprocess, sys, tempfile, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
from casetap_test import *
import siem_check, tap

def start(space, folder):
    """The sensor (ip replaces itself with it)."""
    sensor = subprocess.Popen(['ip', 'netns', 'exec', space, CASETAP, 'run', '-i', 'cts1', '--out', folder, *ALIAS, '--filter', 'tcp',
                               '--sink', f'copy=file://{folder}/copy.ndjson', '--sink', f'late=syslog+unix://{folder}/late.sock#format=ecs&retry=1',
                               '--counters', folder + '/counters'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    sensor.stderr.readline()
    return sensor

def keys(rows):
    return [(row['event']['id'], row['casetap']['update']) for row in rows]

def late(path, n):
    """Alerts that come to the socket, until n have come or none for three seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(3)
        got = []
        try:
            while len(got) < n:
                got.append(json.loads(siem_check.syslog(s.recv(1 << 20))['msg']))
            s.settimeout(0.5)
            got.append(json.loads(siem_check.syslog(s.recv(1 << 20))['msg']))   # one more would be one too many
        except TimeoutError:
            pass
        return got

def scenario(checks, space, folder):
    path = lambda name: os.path.join(folder, name)
    sensor = start(space, folder)
    tap.send(space, 'cts0', rt('B'))
    time.sleep(1.5)
    told = keys(load(path('alerts.ndjson')))
    checks.that(len(told) > 5, f'only {len(told)} alerts')
    checks.that(keys(load(path('copy.ndjson'))) == told, 'the file has not what the log has')
    os.rename(path('alerts.ndjson'), path('alerts.ndjson.1'))
    os.rename(path('copy.ndjson'), path('copy.old'))
    sensor.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    checks.that(os.path.exists(path('alerts.ndjson')), 'SIGHUP made no new log')
    sensor.kill()
    said = sensor.communicate()[1]
    checks.that(said.count('sink late: cannot deliver') == 1, f'not told once: {said}')
    sensor = start(space, folder)
    got = keys(late(path('late.sock'), len(told)))
    checks.that(got == told, f'late: {len(got)} of {len(told)}, or in another order')
    sensor.terminate()
    said = sensor.communicate()[1]
    checks.that(sensor.returncode == 0 and f'late: {len(told)} delivered' in said and 'copy: 0 delivered' in said, said)
    counters = dict(line.split()[:2] for line in open(path('counters'), encoding='utf-8'))
    checks.that(int(counters['sink_delivered']) == len(told), f'sink_delivered {counters["sink_delivered"]}')

def main():
    if os.getuid() != 0:
        skip('needs root for a network namespace')
    if not os.path.exists(rt('B')):
        skip('no captures')
    space = f'cts-{os.getpid()}'
    tap.veth(space, 'cts0', 'cts1')
    checks = Checks()
    try:
        with tempfile.TemporaryDirectory() as folder:
            scenario(checks, space, folder)
    finally:
        tap.ip('netns', 'del', space)
    checks.done()
main()
