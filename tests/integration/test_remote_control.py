#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A remote desktop into the computer of somebody whose session with the desk is going on, in packets: a real RDP negotiation
among fourteen normal days is told while it begins, with the session's person; into another computer, or when nobody is at
work, it is not."""
import os, struct, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

# [MS-RDPBCGR] 4.1.1 and 4.1.2: X.224 connection request with a cookie and an RDP negotiation request, and its confirm
REQUEST = bytes.fromhex('0300002c27e00000000000') + b'Cookie: mstshash=eltons\r\n' + bytes.fromhex('0100080000000000')
CONFIRM = bytes.fromhex('030000130ed000001234000200080000000000')
# 4.1.3: the beginning of the MCS Connect Initial PDU, and of its answer
INITIAL = bytes.fromhex('030001a002f0807f658201940401010401010101ff30190201220201020201000201010201000201010202ffff020102') + bytes(372)
ANSWER = bytes.fromhex('0300015102f0807f668201450a0100020100301a020122020103020100020101020100020101') + bytes(299)

def addr4(text):
    return bytes(int(x) for x in text.split('.'))

def packet(src, dst, sport, dport, seq, ack, flags, data):
    tcp = struct.pack('>HHIIBBHHH', sport, dport, seq, ack, 0x50, flags, 65535, 0, 0) + data
    ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + addr4(src) + addr4(dst)
    total = sum(struct.unpack('>10H', ip)); total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack('>H', ~(total + (total >> 16)) & 0xffff) + ip[12:]
    return bytes(12) + b'\x08\x00' + ip + tcp

def write_rdp(path, client, server, start):
    """A handshake, the negotiation and some turns; the end of the connection is never seen."""
    seq, rows, when = [1000, 5000], [], start
    def send(dir, flags, data=b''):
        nonlocal when
        ends = [(client, 40001), (server, 3389)]
        (a, p), (b, q) = ends[dir], ends[1 - dir]
        rows.append((when, packet(a, b, p, q, seq[dir], seq[1 - dir] if flags & 16 else 0, flags, data)))
        seq[dir] += len(data) + (flags & 2 > 0)
        when += 0.02
    send(0, 2); send(1, 18); send(0, 16)
    send(0, 24, REQUEST); send(1, 24, CONFIRM)
    send(0, 24, INITIAL[:416]); send(1, 24, ANSWER[:337])
    for i in range(20):
        send(0, 24, bytes([0x44, 4, i, 0])); send(1, 24, bytes([0, 0x80 + i, 9]) + bytes(50))
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for when, data in rows:
            f.write(struct.pack('<IIII', int(when), int(when % 1 * 1e6), len(data), len(data)) + data)

def told(out, names, rdp):
    replay('--quiet', '--out', out, *ALIAS, '--geoip', GEO, *[rt(n) for n in names], rdp, binary=RELEASE)
    return [a for a in load(os.path.join(out, 'alerts.ndjson')) if get(a, 'rule.id') == 'D27']

def main():
    checks, names = Checks(), ['A_w1', 'A_w2', 'A_w3']
    acts = [r for r in load(os.path.join(CAPTURES, 'rt', 'labels', 'A_w3.ndjson'))
            if r['action'] in ('view_case', 'download') and ':' not in r['client_ip'] and r['credential'] != 'svc-export']
    act = acts[len(acts) // 2]
    who, desk, when = act['credential'], act['client_ip'], act['ts'] + 20
    day = [r['ts'] for r in acts if r['credential'] == who]
    with tempfile.TemporaryDirectory() as out:
        path = os.path.join(out, 'rdp.pcap')
        write_rdp(path, '203.0.113.77', desk, when)
        rows = told(out, names, path)
        checks.that({get(a, 'user.name') for a in rows} == {who}, f'told of {[get(a, "user.name") for a in rows]}, not of {who}')
        if rows:
            late = stamp(rows[0]['@timestamp']) - when
            checks.that(-0.01 < late < 1, f'told {late} s after its first packet')
            why = rows[0]['casetap']['why'][0]
            checks.that('RDP from 203.0.113.77' in why['value'], f'why: {why}')
        flows = [a for a in load(os.path.join(out, 'activities.ndjson')) if get(a, 'event.action') == 'connection' and
                 get(a, 'network.protocol') == 'rdp']
        checks.that(len(flows) == 2, f'{len(flows)} records of the connection instead of its begin and end')
        write_rdp(path, '203.0.113.77', '198.51.100.250', when)
        checks.that(not told(out, names, path), 'told of a computer nobody is at')
        write_rdp(path, desk, '203.0.113.77', when)
        checks.that(not told(out, names, path), 'told of somebody who works another computer')
        write_rdp(path, '203.0.113.77', desk, max(day) + 86400 * 3)
        checks.that(not told(out, names, path), 'told though nobody is at work')
        corpora = os.environ.get('CASETAP_CORPORA')
        real = os.path.join(corpora or '', 'ndpi', 'default', 'pcap', 'rdp2.pcap')
        if corpora and os.path.exists(real):
            told(out, [], real)
            begun = [get(a, 'network.protocol') for a in load(os.path.join(out, 'activities.ndjson'))]
            checks.that('rdp' in begun, f'a real RDP connection is not recognised: {begun}')
    checks.done()

main()
