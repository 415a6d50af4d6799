#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile input under a limit of memory and time: more flows than there is room for, pieces that never become whole, and, where
$CASETAP_CORPORA names other people's captures, each of theirs that is malformed or evasive. No crash, no hang, nothing unbounded."""
import csv, os, resource, struct, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
import pcap_twist as twist
from pcap_twist import ACK, MS, PSH, Talk, filler

GIB, NS = 1 << 30, 1773976327 * 10**9
SPACE = 4 * GIB      # of addresses: the tables of the usual size are reserved at the start
RESIDENT = 1.5 * GIB # of it in use
SECONDS = 60         # of CPU
HOSTILE = ('decoder-robustness', 'http-evasion', 'http-tcp-anomaly', 'ip-frag', 'encap-other')

def limit():
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

def run(checks, what, path, *options):
    """Replays; 0 or 1 (no capture) are answers, a signal is none. The counters."""
    with tempfile.TemporaryDirectory() as out:
        counters = os.path.join(out, 'counters')
        process = subprocess.Popen([RELEASE, 'replay', '--quiet', '--counters', counters, *options, path], preexec_fn=limit,
                                   stdout=subprocess.DEVNULL, stderr=open(os.path.join(out, 'said'), 'w'))
        status, usage = os.wait4(process.pid, 0)[1:]
        process.returncode = os.waitstatus_to_exitcode(status)
        said = open(os.path.join(out, 'said'), errors='replace').read()
        checks.that(process.returncode in (0, 1), f'{what}: exit {process.returncode}: {said[-300:]}')
        checks.that('memory' not in said, f'{what}: {said[-300:]}')
        checks.that(usage.ru_maxrss * 1024 < RESIDENT, f'{what}: {usage.ru_maxrss >> 10} MiB')
        if process.returncode:
            return {}
        return {line.split()[0]: int(line.split()[1]) for line in open(counters)}

def many_flows(checks, folder, flows=40000, room=5000):
    """Each begins a request and says no more."""
    path, talk = os.path.join(folder, 'flows.pcap'), Talk(('198.51.100.7', 40001), ('203.0.113.80', 80), NS)
    head = bytearray(talk.emit(0, ACK | PSH, b'GET /').data)
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(flows):
            struct.pack_into('>I', head, 26, 0x0a000000 + i)   # the source address; sums are not looked at in the first
            f.write(struct.pack('<IIII', NS // 10**9, i * 20, len(head), len(head)) + head)
    count = run(checks, 'many flows', path, '--max-flows', str(room))
    checks.that(count['flow_flows'] == flows, f"{count['flow_flows']} flows of {flows}")
    checks.that(count['flow_evicted'] == flows - room, f"{count['flow_evicted']} made room, not {flows - room}")

def never_whole(checks, folder, pieces=60000):
    """Segments behind a hole, far more than are kept in order, and first fragments without a second."""
    path, talk = os.path.join(folder, 'pieces.pcap'), Talk(('198.51.100.7', 40001), ('203.0.113.80', 80), NS, step=1000)
    talk.seq[0] += 100
    payload = filler(1400)
    for i in range(pieces // 2):
        frame = talk.emit(0, ACK, payload)
        talk.seq[0] += 2800
        if i % 700 == 699:
            talk.seq[0] -= 700 * 2800 - 1
        data = bytearray(frame.data)
        struct.pack_into('>HH', data, 18, i & 0xffff, 0x2000)   # more fragments follow
        talk.frames.append(twist.Frame(frame.ns + 1, bytes(data)))
    twist.write_pcap(path, talk.frames)
    count = run(checks, 'pieces', path)
    checks.that(count['ipfrag_timed_out'] + count['flow_fragments'] > 0, 'fragments that did not become whole are counted')

def damaged(checks, folder):
    whole = Talk(('198.51.100.7', 40001), ('203.0.113.80', 80), NS)
    whole.send(0, b'GET / HTTP/1.1\r\n\r\n' * 50)
    path = os.path.join(folder, 'damaged.pcap')
    twist.write_pcap(path, whole.frames)
    content = open(path, 'rb').read()
    for at in range(0, 400, 3):   # each of its first bytes turned round
        open(path, 'wb').write(content[:at] + bytes([content[at] ^ 0xff]) + content[at + 1:])
        run(checks, f'byte {at} is wrong', path)

def corpora(checks, root):
    with open(os.path.join(root, 'catalog.tsv'), newline='') as f:
        rows = [r for r in csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE) if r['category'] in HOSTILE]
    paths = [os.path.join(root, r['file']) for r in rows]
    for path in filter(os.path.exists, paths):
        run(checks, path, path)

checks = Checks()
if not os.access(RELEASE, os.X_OK):
    skip('no build/casetap: address sanitizers reserve more than the limit')
with tempfile.TemporaryDirectory() as folder:
    many_flows(checks, folder)
    never_whole(checks, folder)
    damaged(checks, folder)
root = os.environ.get('CASETAP_CORPORA')
if root and os.path.exists(os.path.join(root, 'catalog.tsv')):
    corpora(checks, root)
else:
    print("CASETAP_CORPORA has no catalog.tsv: other people's captures are left out")
checks.done()
