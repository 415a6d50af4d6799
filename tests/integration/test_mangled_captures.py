#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The wire captures, mangled as a tap mangles them: in one-byte segments, every frame twice (the second one tagged), mixed up
within a few frames, in two files, one direction in fragments. Each must give the same transactions. Then with frames lost:
what is told must be true."""
import copy, os, random, struct, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import CAPTURES, get, load, replay, skip

WIRE = os.path.join(CAPTURES, 'wire', 'pcaps')
NAMES = ['basic-auth', 'json-login', 'h10', 'head-misc', 'not-modified', 'py-http', 'h1-chunked-ext-back', 'keepalive-interleaved',
         'redirect-signed', 'h1-gzip-chunked', 'ranges', 'xff-forwarded']

class Frame:
    """One Ethernet frame of a capture; of a TCP segment also where its parts are."""
    def __init__(self, ns, data):
        self.ns, self.data = ns, data
        self.is_tcp = data[12:14] == b'\x08\0' and data[23] == 6 and len(data) >= 54
        if self.is_tcp:
            self.tcp = 14 + (data[14] & 15) * 4
            self.payload = self.tcp + (data[self.tcp + 12] >> 4) * 4
            self.end = 14 + struct.unpack('>H', data[16:18])[0]
            self.seq, = struct.unpack('>I', data[self.tcp + 4:self.tcp + 8])
            self.flags = data[self.tcp + 13]
            self.server = min(struct.unpack('>HH', data[self.tcp:self.tcp + 4])) == struct.unpack('>H', data[self.tcp:self.tcp + 2])[0]

def read(path):
    raw = open(path, 'rb').read()
    order, scale = {b'\xd4\xc3\xb2\xa1': ('<', 1000), b'\x4d\x3c\xb2\xa1': ('<', 1)}[raw[:4]]
    at, frames = 24, []
    while at + 16 <= len(raw):
        s, f, caught, _ = struct.unpack(order + 'IIII', raw[at:at + 16])
        frames.append(Frame(s * 10**9 + f * scale, raw[at + 16:at + 16 + caught]))
        at += 16 + caught
    return frames

def write(path, frames):
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        for f in frames:
            out.write(struct.pack('<IIII', f.ns // 10**9, f.ns % 10**9, len(f.data), len(f.data)) + f.data)

def cut(f, begin, end, last):
    """The part of a segment; the flags that end something stay with its last byte."""
    size = end - begin
    data = bytearray(f.data[:f.payload] + f.data[f.payload + begin:f.payload + end])
    struct.pack_into('>H', data, 16, f.payload - 14 + size)
    struct.pack_into('>I', data, f.tcp + 4, (f.seq + begin) & 0xffffffff)
    if not last:
        data[f.tcp + 13] &= ~0x09
    return Frame(f.ns, bytes(data))

def split(frames, size):
    for f in frames:
        length = f.end - f.payload if f.is_tcp and not f.flags & 2 else 0
        if length <= size:
            yield f
        else:
            for begin in range(0, length, size):
                yield cut(f, begin, min(begin + size, length), begin + size >= length)

def doubled(frames):
    for f in frames:
        yield f
        yield Frame(f.ns + 1000, f.data[:12] + b'\x81\0\0\x64' + f.data[12:])

def mixed(frames, rng, ms):
    """Frames change places as they are late by up to so much; not the first ones, as before the first request of a connection
    that was open already nobody can tell what is missing."""
    late = [Frame(f.ns + (int(rng.random() * ms * 1e6) if i > 40 else 0), f.data) for i, f in enumerate(frames)]
    return sorted(late, key=lambda f: f.ns)

def fragmented(frames):
    """What the server sends comes in IP fragments, the second one first."""
    for number, f in enumerate(frames):
        body = f.data[14 + (f.data[14] & 15) * 4:f.end] if f.is_tcp and f.server else b''
        if len(body) < 100:
            yield f
            continue
        middle = len(body) // 16 * 8
        for offset, part, more in ((middle, body[middle:], 0), (0, body[:middle], 0x2000)):
            head = bytearray(f.data[14:34])
            head[0] = 0x45
            struct.pack_into('>HHH', head, 2, 20 + len(part), number & 0xffff, more | offset // 8)
            yield Frame(f.ns, f.data[:14] + bytes(head) + part)

def told(paths, folder):
    path = os.path.join(folder, 'transactions.ndjson')
    replay('--transactions', path, *paths)
    rows = []
    for t in load(path):
        rows.append((get(t, 'source.ip'), get(t, 'source.port'), get(t, 'casetap.n'), get(t, 'http.request.method'), get(t, 'url.domain'),
                     get(t, 'url.original'), get(t, 'http.response.status_code'), get(t, 'http.request.body.bytes'),
                     get(t, 'http.response.body.bytes'), get(t, 'casetap.body.known'), get(t, 'casetap.body.missing_bytes'),
                     get(t, 'casetap.body.complete')))
    return sorted(rows, key=repr)

def differences(name, what, expected, got):
    if expected == got:
        return 0
    print(f'{name}, {what}: other transactions')
    for row in [r for r in expected if r not in got][:5]:
        print('   expected', row)
    for row in [r for r in got if r not in expected][:5]:
        print('   told    ', row)
    return 1

def check_loss(name, what, expected, got):
    """A transaction that says it is whole must be the same as without loss."""
    wrong = 0
    key = lambda r: (r[0], r[1], r[3], r[5])
    sizes = {}
    for r in expected:
        sizes.setdefault(key(r), set()).add(r[8])
    for r in got:
        if r[11] and r[10] == 0 and r[6] and r[5] and key(r) in sizes and r[8] not in sizes[key(r)]:
            print(f'{name}, {what}: {r} was {sizes[key(r)]} bytes')
            wrong = 1
    return wrong

def main():
    if not os.path.isdir(WIRE):
        skip('no captures unpacked (tools/captures)')
    wrong = 0
    for name in NAMES:
        rng = random.Random(name)
        frames = read(os.path.join(WIRE, name + '.pcap'))
        size = 1 if sum(len(f.data) for f in frames) < 250000 else 60
        with tempfile.TemporaryDirectory() as folder:
            one, two = os.path.join(folder, 'a.pcap'), os.path.join(folder, 'b.pcap')
            write(one, frames)
            expected = told([one], folder)
            middle = len(frames) // 2
            for what, mangled in (('split', split(frames, size)), ('doubled', doubled(frames)), ('fragmented', fragmented(frames)),
                                  ('mixed', mixed(frames, rng, 5)), ('split, doubled and mixed', mixed(list(doubled(split(frames, 200))), rng, 0.3))):
                write(one, mangled)
                wrong += differences(name, what, expected, told([one], folder))
            write(one, frames[:middle])
            write(two, frames[middle:])
            wrong += differences(name, 'two files', expected, told([two, one], folder))
            for loss in (0.01, 0.1, 0.4):
                write(one, [f for f in mixed(frames, rng, 5) if rng.random() >= loss])
                wrong += check_loss(name, f'{loss:.0%} lost', expected, told([one], folder))
    sys.exit(1 if wrong else 0)

main()
