#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Transfers: pieces of one object by one credential are one transfer of the right size, over connections and time; those of
two people or of two objects never are. On the captures, and on a made one with what they lack."""
import base64, collections, filecmp, os, struct, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

def wire(name):
    return os.path.join(CAPTURES, 'wire', 'pcaps', name + '.pcap')

class Tap:
    """A savefile of TCP connections from Ethernet frames; each frame a millisecond after the one before."""
    def __init__(self):
        self.frames, self.seq, self.ports = [], {}, 40000
    def open(self, client):
        self.ports += 1
        conn = (client, self.ports)
        self.seq[conn] = [1000, 5000]
        self.send(conn, 0, b'', 0x02); self.send(conn, 1, b'', 0x12); self.send(conn, 0, b'', 0x10)
        return conn
    def send(self, conn, half, data, flags=0x18):
        ends = [(bytes(map(int, conn[0].split('.'))), conn[1]), (bytes([203, 0, 113, 80]), 80)]
        (src, sport), (dst, dport) = ends[half], ends[1 - half]
        for at in range(0, max(len(data), 1), 1400):
            part = data[at:at + 1400]
            seq, ack = self.seq[conn][half], self.seq[conn][1 - half]
            tcp = struct.pack('>HHIIBBHHH', sport, dport, seq, ack, 0x50, flags, 65535, 0, 0) + part
            ip = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, src, dst)
            self.frames.append(b'\2' * 6 + b'\4' * 6 + b'\x08\0' + ip + tcp)
            self.seq[conn][half] += len(part) + bool(flags & 0x03)
    def save(self, path):
        with open(path, 'wb') as f:
            f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
            for i, frame in enumerate(self.frames):
                f.write(struct.pack('<IIII', 1773976327 + i // 1000, i % 1000 * 1000, len(frame), len(frame)) + frame)

def ask(user, path, byte_range=None):
    head = f'GET {path} HTTP/1.1\r\nHost: desk.example\r\nUser-Agent: aria2/1.37\r\n'
    if user:
        head += 'Authorization: Basic ' + base64.b64encode(f'{user}:x'.encode()).decode() + '\r\n'
    return (head + (f'Range: bytes={byte_range[0]}-{byte_range[1]}\r\n' if byte_range else '') + '\r\n').encode()

def answer(size, total=None, first=0, tag='"1"', extra=''):
    head = 'HTTP/1.1 206 Partial Content\r\n' if total else 'HTTP/1.1 200 OK\r\n'
    if total:
        head += f'Content-Range: bytes {first}-{first + size - 1}/{total}\r\n'
    head += f'Content-Length: {size}\r\nContent-Type: application/octet-stream\r\n' + (f'ETag: {tag}\r\n' if tag else '')
    return (head + extra + '\r\n').encode() + b'x' * size

def made(path):
    tap = Tap()
    # X9: four overlapping pieces at the same time
    conns = [tap.open('198.51.100.11') for _ in range(4)]
    pieces = [(0, 210000), (200000, 230000), (400000, 200000), (590000, 210000)]
    rest = []
    for conn, (first, size) in zip(conns, pieces):
        tap.send(conn, 0, ask('alice', '/files/core.gz', (first, first + size - 1)))
        rest.append(answer(size, 800000, first))
    while any(rest):
        for i, conn in enumerate(conns):
            if rest[i]:
                tap.send(conn, 1, rest[i][:28000])
                rest[i] = rest[i][28000:]
    # and later all of it, by another connection
    conn = tap.open('198.51.100.12')
    tap.send(conn, 0, ask('alice', '/files/core.gz')); tap.send(conn, 1, answer(800000))
    # X13: two people, two objects, one name and one size; both behind one proxy's connection
    conn = tap.open('10.0.0.9')
    named = 'Content-Disposition: attachment; filename="core.dmp"\r\n'
    tap.send(conn, 0, ask('alice', '/attachments/1', (0, 99999))); tap.send(conn, 1, answer(100000, 200000, 0, '"a"', named))
    tap.send(conn, 0, ask('bob', '/attachments/2', (100000, 199999)))
    tap.send(conn, 1, answer(100000, 200000, 100000, '"b"', named))
    # one object by two people: half and half is not all
    tap.send(conn, 0, ask('alice', '/files/shared.gz', (0, 4999))); tap.send(conn, 1, answer(5000, 10000, 0))
    tap.send(conn, 0, ask('bob', '/files/shared.gz', (5000, 9999))); tap.send(conn, 1, answer(5000, 10000, 5000))
    # broken off, then resumed
    conn = tap.open('198.51.100.11')
    tap.send(conn, 0, ask('carol', '/files/long.gz')); tap.send(conn, 1, answer(90000)[:60000]); tap.send(conn, 0, b'', 0x14)
    conn = tap.open('198.51.100.11')
    tap.send(conn, 0, ask('carol', '/files/long.gz', (50000, 89999))); tap.send(conn, 1, answer(40000, 90000, 50000))
    tap.save(path)

def transfers(acts):
    """{transfer id: activities}, each with its facts as they stand at the end."""
    out = collections.defaultdict(list)
    for a in acts:
        if get(a, 'casetap.transfer'):
            out[get(a, 'casetap.transfer.id')].append(a)
    return out

def of(acts, user, path):
    return [a for a in acts if (user is None or get(a, 'user.name') == user) and get(a, 'url.path') == path and get(a, 'casetap.transfer')]

def one(checks, what, acts, requests, size, whole):
    """These requests are one transfer; after the last of them it has so many bytes of so many."""
    checks.that(len(acts) == requests, f'{what}: {len(acts)} requests, not {requests}')
    checks.that(len({get(a, 'casetap.transfer.id') for a in acts}) == 1, f'{what}: not one transfer')
    sums = [get(a, 'casetap.transfer.unique_bytes') for a in acts]
    checks.that(max(sums, default=0) == size, f'{what}: {sums} bytes, not {size}')
    shares = max((get(a, 'casetap.transfer.coverage') for a in acts), default=0)
    checks.that(shares == size * 1000000 // whole / 1000000, f'{what}: coverage {shares}')
    checks.that(any(get(a, 'casetap.transfer.complete') for a in acts) == (size == whole), f'{what}: complete is wrong')

def never_false(checks, what, rows, acts):
    """What holds of every transfer in every record."""
    last = {}
    for row in rows:
        t = get(row, 'casetap.transfer')
        if not t or 'unique_bytes' not in t:
            continue
        checks.that(t['unique_bytes'] >= last.get(t['id'], 0), f'{what}: {t["id"]} shrinks')
        checks.that(('coverage' in t and t['coverage'] == 1) == t['complete'], f'{what}: {t["id"]}: coverage against complete')
        last[t['id']] = t['unique_bytes']
    for ident, group in transfers(acts).items():
        who = {get(a, 'user.name') or (get(a, 'source.ip'), get(a, 'user_agent.original')) for a in group}
        place = {(get(a, 'url.domain').lower(), get(a, 'url.path')) for a in group}
        checks.that(len(who) == 1, f'{what}: {ident} is of {who}')
        checks.that(len(place) == 1, f'{what}: {ident} is at {place}')
        sent = sum(get(a, 'http.response.body.bytes') or 0 for a in group)
        checks.that(last.get(ident, 0) <= sent, f'{what}: {ident} has {last.get(ident)} bytes of {sent} sent')

def run(checks, what, path):
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        for out in (a, b):
            replay('--quiet', '--out', out, *ALIAS, path, binary=RELEASE)
        for name in ('activities.ndjson', 'alerts.ndjson'):
            checks.that(filecmp.cmp(os.path.join(a, name), os.path.join(b, name), False), f'{what}: {name} differs from run to run')
        rows, again = (load(os.path.join(a, 'activities.ndjson')) for _ in range(2))   # settling changes the rows
    acts = settle(again)
    never_false(checks, what, rows, acts)
    return acts

def main():
    checks = Checks()
    acts = run(checks, 'ranges', wire('ranges'))
    one(checks, 'ranges', of(acts, None, '/files/bundle.zip'), 4, 900000, 900000)
    # parts 0-99, 1000-1999 and the last 1000 of one multipart body
    checks.that(get(of(acts, None, '/files/bundle.zip')[0], 'casetap.transfer.unique_bytes') == 2100, 'ranges: multipart/byteranges')
    acts = run(checks, 'resumed-curl', wire('resumed-curl'))
    one(checks, 'resumed-curl', of(acts, None, '/files/big.bin'), 2, 2500000, 2500000)

    acts = run(checks, 'V2', rt('V2'))
    labels = [r for r in load(os.path.join(CAPTURES, 'rt', 'labels', 'V2.ndjson')) if r['action'] == 'download' and r['status'] != 304]
    files = collections.Counter(r['uri'] for r in labels)
    checks.that(len(files) == 6 and max(files.values()) == 3, 'V2: the labels are not what this test was made for')
    for uri, requests in files.items():
        size = next(r['file_bytes'] for r in labels if r['uri'] == uri)
        one(checks, f'V2 {uri}', of(acts, 'fatima.zahra', uri), requests, size, size)
    checks.that(len(transfers(acts)) == len(files), 'V2: as many transfers as files')
    for name in ('C', 'D', 'I', 'H'):
        run(checks, name, rt(name))

    with tempfile.TemporaryDirectory() as out:
        path = os.path.join(out, 'made.pcap')
        made(path)
        acts = run(checks, 'made', path)
    one(checks, 'parallel', of(acts, 'alice', '/files/core.gz'), 5, 800000, 800000)
    one(checks, "alice's core.dmp", of(acts, 'alice', '/attachments/1'), 1, 100000, 200000)
    one(checks, "bob's core.dmp", of(acts, 'bob', '/attachments/2'), 1, 100000, 200000)
    one(checks, "alice's half", of(acts, 'alice', '/files/shared.gz'), 1, 5000, 10000)
    one(checks, "bob's half", of(acts, 'bob', '/files/shared.gz'), 1, 5000, 10000)
    one(checks, 'resumed', of(acts, 'carol', '/files/long.gz'), 2, 90000, 90000)
    checks.that(len(transfers(acts)) == 6, f'made: {len(transfers(acts))} transfers')
    checks.done()
main()
