#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No cookie value, password, token or TLS secret of the captures stands in any output: activities, alerts, transactions,
counters, terminal, state, snapshots, the files and the memory of a Redis; neither from the plaintext leg nor from the decrypted one. Nor in what the process still holds when it ends."""
import os, re, shutil, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

PEOPLE = [s.encode() for s in open(os.path.join(CAPTURES, 'rt/secrets.txt')).read().split('\n') if s.strip()]
BACK = ('A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'V1', 'V2')
FRONT = 'BCFH'

def outputs(checks, *args):
    """Every output of a replay, by name; and the process's memory at its end."""
    with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as aside:
        at = lambda name: os.path.join(out, name)
        library, memory = os.path.join(aside, 'memory.so'), os.path.join(aside, 'memory')
        subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-D_GNU_SOURCE', '-o', library, os.path.join(ROOT, 'tests/preload/memory_at_end.c')], check=True)
        done = replay('--out', out, '--transactions', at('transactions.ndjson'), '--counters', at('counters'), '--state', at('state'),
                      '--geoip', GEO, *args, binary=RELEASE, env={**os.environ, 'LD_PRELOAD': library, 'MEMORY_TO': memory})
        texts = {f: open(at(f), 'rb').read() for f in os.listdir(out)}
        texts['memory'] = open(memory, 'rb').read()
    checks.that(b'casetap' in texts['memory'] and len(texts['memory']) > 1 << 20, 'there is no memory to look at')
    texts['stdout'], texts['stderr'] = done.stdout.encode(), done.stderr.encode()
    checks.that({'activities.ndjson', 'alerts.ndjson', 'sessions.ndjson', 'unmapped.ndjson', 'transactions.ndjson', 'counters', 'state'} <= set(texts), f'outputs: {sorted(texts)}')
    return texts

def redis_holds(checks, folder, *args):
    """What a Redis of its own holds after a replay: its append-only files, an uncompressed dump, and the memory of the server."""
    socket = os.path.join(folder, 'redis.sock')
    cli = lambda *words: subprocess.run(['redis-cli', '-s', socket, *words], capture_output=True).stdout
    server = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--appendonly', 'yes',
                               '--rdbcompression', 'no', '--maxmemory-policy', 'noeviction'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if os.path.exists(socket) and cli('PING').strip():
                break
            time.sleep(0.05)
        replay('--quiet', '--redis', 'unix://' + socket, *args, binary=RELEASE)
        keys = cli('--scan').split()
        checks.that(any(k.endswith(b':session') for k in keys) and any(k.endswith(b':baseline') for k in keys), 'Redis holds nothing to look at')
        checks.that(cli('SAVE').strip() == b'OK', 'Redis writes no dump')
        texts = {'redis ' + f: open(os.path.join(at, f), 'rb').read() for at, _, files in os.walk(folder) for f in files if f != 'redis.sock'}
        checks.that('redis dump.rdb' in texts and any(b'HSET' in t or b'baseline' in t for t in texts.values()), f'Redis wrote {sorted(texts)}')
        texts['redis values'] = b'\n'.join(cli('DUMP', k) + cli('GET', k) + cli('HGETALL', k) for k in keys)
        with open(f'/proc/{server.pid}/maps') as maps, open(f'/proc/{server.pid}/mem', 'rb') as memory:
            texts['redis memory'] = b''.join(read_range(memory, line) for line in maps if line.split()[1].startswith('rw') and '[v' not in line)
        checks.that(b'casetap' in texts['redis memory'], 'the memory of Redis was not read')
    finally:
        server.kill()
        server.wait()
    return texts

def read_range(memory, line):
    first, last = (int(n, 16) for n in line.split()[0].split('-'))
    memory.seek(first)
    return memory.read(last - first)

def absent(checks, leg, texts, secrets):
    for name, text in texts.items():
        found = [s for s in secrets if s in text]
        checks.that(not found, f'{leg}: {name} holds {len(found)} secrets, e.g. {found[:3]}')

def main():
    checks = Checks()
    checks.that(len(PEOPLE) > 300, 'the list of secrets is too short')
    raw = b''.join(open(rt(n), 'rb').read() for n in ('A_w1', 'B', 'G'))
    checks.that(sum(s in raw for s in PEOPLE) > 50, 'the secrets do not stand in the captures')
    absent(checks, 'plaintext leg', outputs(checks, *map(rt, BACK)), PEOPLE)
    if shutil.which('redis-server'):
        with tempfile.TemporaryDirectory() as folder:
            absent(checks, 'Redis', redis_holds(checks, folder, *map(rt, BACK)), PEOPLE)
    else:
        checks.that(not os.environ.get('CI'), 'no redis-server')
    logs = [os.path.join(CAPTURES, 'rt', 'keylogs', n + '.keys') for n in FRONT]
    keys = set(re.findall(rb'^[A-Z]\S+ [0-9a-f]{64} ([0-9a-f]{64,96})\r?$', b''.join(open(f, 'rb').read() for f in logs), re.M))
    checks.that(len(keys) > 200, 'the list of TLS secrets is too short')
    raw = {k: bytes.fromhex(k.decode()) for k in keys}
    texts = outputs(checks, *[a for f in logs for a in ('--keylog', f)], *[os.path.join(CAPTURES, 'rt', 'pcaps', n + '_front.pcap') for n in FRONT])
    checks.that(b'"decrypted"' in texts['transactions.ndjson'], 'nothing was decrypted')
    absent(checks, 'decrypted leg', texts, PEOPLE)
    absent(checks, 'decrypted leg', texts, [k for pair in raw.items() for k in pair])
    checks.done()
main()
