#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody sends who wants a download uncounted, counted for another person, or the sensor blind: packets that the server
never gets or does not take, and messages at the edge of what is HTTP. Each with the one answer that is documented."""
import base64, os, struct, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
import pcap_twist as twist
from pcap_twist import ACK, FIN, MS, PSH, RST, SYN, Talk, filler, request, response

NS, SECOND, URG = 1773976327 * 10**9, 10**9, 32
CLIENT, SERVER, HOST, SIZE = '198.51.100.7', ('203.0.113.80', 80), 'desk.example', 60000

def basic(user):
    return 'Authorization: Basic ' + base64.b64encode(f'{user}:pw'.encode()).decode()

ASK = request('GET', '/files/core.gz', HOST, basic('alice'))
NOTES = request('GET', '/notes', HOST, basic('alice')), response(200, 'Content-Type: text/plain', body=b'x' * 3000)

def head_of(*fields, size=SIZE, status=200, version='1.1'):
    named = 'Content-Type: application/gzip', 'Content-Disposition: attachment; filename="core.gz"'
    length = [] if size is None else [f'Content-Length: {size}']
    return response(status, *named, *length, *fields, length=False).replace(b'HTTP/1.1', b'HTTP/' + version.encode(), 1)

class Told:
    """What one run said of one capture."""
    def __init__(self, frames):
        with tempfile.TemporaryDirectory() as out:
            path = os.path.join(out, 'x.pcap')
            twist.write_pcap(path, twist.by_time(frames))
            replay('--quiet', '--out', out, '--transactions', os.path.join(out, 't'), '--counters', os.path.join(out, 'c'), path,
                   binary=RELEASE)
            self.transactions, rows = load(os.path.join(out, 't')), load(os.path.join(out, 'activities.ndjson'))
            self.count = {line.split()[0]: int(line.split()[1]) for line in open(os.path.join(out, 'c'))}
        self.files = [a for a in settle(rows) if get(a, 'event.action') == 'download']

def said(t):
    """Method, target, status, body size, how it is known, missing bytes, whether the end was seen."""
    return tuple(get(t, p) for p in ('http.request.method', 'url.original', 'http.response.status_code', 'http.response.body.bytes',
                                     'casetap.body.known', 'casetap.body.missing_bytes', 'casetap.body.complete'))

FILE, PAGE = ('GET', '/files/core.gz', 200, SIZE, 'observed', 0, True), ('GET', '/notes', 200, 3000, 'observed', 0, True)

def equal(checks, what, got, want):
    checks.that(got == want, f'{what}:\n  expected {want}\n  told     {got}')

def alice(checks, what, told, size=SIZE):
    """One download, whole, and hers."""
    equal(checks, f'{what}: downloads', [(get(a, 'user.name'), get(a, 'http.response.body.bytes')) for a in told.files], [('alice', size)])

# ---- packets ----

def aside(talk, dir, flags, payload=b'', seq=None):
    """A frame that does not count: the talk goes on as if it had not been sent."""
    before = list(talk.seq)
    if seq is not None:
        talk.seq[dir] = seq
    frame = talk.emit(dir, flags, payload)
    talk.seq = before
    return frame

def broken(frame):
    """The same with another checksum."""
    t = twist.tcp_of(frame.data)
    data = bytearray(frame.data)
    data[t.tcp + 16] ^= 0x55
    frame.data = bytes(data)

def during(trick, port=40001, at=20000):
    """A download, what 'trick' does in the middle of it, and another request."""
    talk, body = Talk((CLIENT, port), SERVER, NS), filler(SIZE)
    talk.send(0, ASK)
    talk.wait(MS)
    talk.send(1, head_of() + body[:at])
    talk.wait(30 * MS)
    trick(talk)
    talk.wait(30 * MS)
    talk.send(1, body[at:])
    talk.ask(*NOTES)
    return talk.close().frames

def middle(checks):
    """Nothing of this ends a connection that goes on."""
    first = lambda t: t.seq[0] - len(ASK)
    tricks = {
        'SYN with another number': lambda t: aside(t, 0, SYN, seq=12345678),
        'SYN with the same number': lambda t: aside(t, 0, SYN, seq=first(t) - 1),
        'SYN with another number, and data there': lambda t: (aside(t, 0, SYN, seq=12345678), aside(t, 0, ACK, ASK, seq=12345679)),
        'SYN-ACK of the client': lambda t: aside(t, 0, SYN | ACK, seq=12345678),
        'RST': lambda t: aside(t, 0, RST),
        'RST and a pause': lambda t: (aside(t, 0, RST | ACK), t.wait(20 * SECOND)),
        'RST outside of the window': lambda t: aside(t, 0, RST, seq=t.seq[0] + 2**30),
        'FIN': lambda t: aside(t, 0, FIN | ACK),
        'FIN and a pause': lambda t: (aside(t, 0, FIN | ACK), t.wait(20 * SECOND)),
        'FIN and RST': lambda t: (aside(t, 0, FIN | ACK), aside(t, 0, RST, seq=t.seq[0] + 1)),
        'a keep-alive probe with a byte': lambda t: aside(t, 0, ACK, b'\0', seq=t.seq[0] - 1),
        'the request again': lambda t: aside(t, 0, ACK | PSH, ASK, seq=first(t)),
        'other bytes in the place of the request': lambda t: aside(t, 0, ACK | PSH, ASK.replace(b'alice', b'bobby'), seq=first(t)),
        'data outside of any window': lambda t: aside(t, 0, ACK, ASK, seq=t.seq[0] + 2**30),
        'acknowledging what was not sent': lambda t: (t.seq.__setitem__(1, t.seq[1] + 50000), aside(t, 0, ACK),
                                                      t.seq.__setitem__(1, t.seq[1] - 50000)),
    }
    for port, (what, trick) in enumerate(tricks.items(), 41000):
        told = Told(during(trick, port))
        equal(checks, what, [said(t) for t in told.transactions], [FILE, PAGE])
        alice(checks, what, told)

def believed(checks):
    """What ends a connection still does, as of when it came."""
    def ended(end):
        talk = Talk((CLIENT, 40001), SERVER, NS)
        talk.send(0, ASK)
        talk.send(1, head_of() + filler(20000))
        end(talk)
        last = talk.ns
        other = Talk(('198.51.100.8', 40001), SERVER, last + 100 * SECOND)
        other.ask(*NOTES)
        return talk.frames + other.close().frames
    for what, end in (('RST of the client', lambda t: aside(t, 0, RST)), ('RST of the server', lambda t: aside(t, 1, RST | ACK)),
                      ('FIN and RST of the client', lambda t: (aside(t, 0, FIN | ACK), aside(t, 0, RST, seq=t.seq[0] + 1)))):
        told = Told(ended(end))
        equal(checks, what, [said(t) for t in told.transactions], [FILE[:3] + (20000, 'observed', 0, False), PAGE])
        equal(checks, f'{what}: end', get(told.transactions[0], 'event.duration') < SECOND, True)
    talk = Talk((CLIENT, 40001), SERVER, NS)          # the same ports again, while the first connection's end was not seen
    talk.send(0, ASK)
    talk.send(1, head_of() + filler(20000))
    again = Talk((CLIENT, 40001), SERVER, talk.ns + SECOND)
    shift = 2**29
    for f in again.frames:
        twist_seq(f, shift)
    again.seq = [s + shift for s in again.seq]
    again.ask(*NOTES)
    told = Told(talk.frames + again.close().frames)
    equal(checks, 'the same ports again', [said(t) for t in told.transactions], [FILE[:3] + (20000, 'observed', 0, False), PAGE])

def twist_seq(frame, shift):
    """Moves both numbers of a frame of a handshake."""
    t, data = twist.tcp_of(frame.data), bytearray(frame.data)
    struct.pack_into('>I', data, t.tcp + 4, (t.seq + shift) & 0xffffffff)
    if t.flags & ACK:
        struct.pack_into('>I', data, t.tcp + 8, (t.ack + shift) & 0xffffffff)
    data[t.tcp + 16:t.tcp + 18] = b'\0\0'
    struct.pack_into('>H', data, t.tcp + 16, twist.tcp_sum(t.src, t.dst, bytes(data[t.tcp:])))
    frame.data = bytes(data)

DECOY = ASK.replace(basic('alice').encode(), basic('bobby').encode())

def checksums(checks):
    """A request that no server takes, in the place of the real one: by its checksum, where those of data are right here."""
    for has_sums, is_first, who in ((True, False, 'alice'), (True, True, 'bobby'), (False, False, 'bobby')):   # else: what was seen first
        talk = Talk((CLIENT, 40001), SERVER, NS, has_sums=has_sums)
        if not is_first:
            talk.ask(*NOTES)
        decoy = aside(talk, 0, ACK | PSH, DECOY)
        if has_sums:
            broken(decoy)
        talk.wait(MS)
        talk.ask(ASK, head_of() + filler(SIZE))
        told = Told(talk.close().frames)
        what = f'decoy, checksums {has_sums}, first {is_first}'
        equal(checks, what, [said(t) for t in told.transactions], [FILE] if is_first else [PAGE, FILE])
        equal(checks, what, [get(a, 'user.name') for a in told.files], [who])
        equal(checks, f'{what}: flow_bad_sum', told.count['flow_bad_sum'], int(has_sums and not is_first))

def edited(checks):
    """Right checksums in the handshake, wrong ones in all data of the client: of no meaning, the server has answered."""
    talk = Talk((CLIENT, 40001), SERVER, NS)
    for frame in talk.send(0, ASK):
        broken(frame)
    talk.send(1, head_of() + filler(SIZE))
    alice(checks, 'all data of the client with wrong checksums', Told(talk.close().frames))

def in_the_syn(checks):
    """Data of a SYN counts when the server takes it (TCP Fast Open, RFC 7413)."""
    for is_taken in (False, True):
        talk = Talk((CLIENT, 40001), SERVER, NS)
        talk.frames.clear()
        talk.seq[0] -= 1
        talk.seq[1] -= 1
        early = ASK if is_taken else DECOY
        talk.emit(0, SYN, early)
        talk.seq[0] += 1 + (len(early) if is_taken else 0)
        talk.emit(1, SYN | ACK)
        talk.seq[1] += 1
        talk.emit(0, ACK)
        if not is_taken:
            talk.send(0, ASK)
        talk.send(1, head_of() + filler(SIZE))
        told = Told(talk.close().frames)
        equal(checks, f'data in the SYN, taken: {is_taken}', [said(t) for t in told.transactions], [FILE])
        alice(checks, f'data in the SYN, taken: {is_taken}', told)

def urgent(checks):
    """The urgent byte is not of the stream (RFC 6093)."""
    talk = Talk((CLIENT, 40001), SERVER, NS)
    at = ASK.index(b'YWxp') + 2
    frame = talk.emit(0, ACK | PSH | URG, ASK[:at] + b'X' + ASK[at:])
    t, data = twist.tcp_of(frame.data), bytearray(frame.data)
    struct.pack_into('>HH', data, t.tcp + 16, 0, at + 1)
    struct.pack_into('>H', data, t.tcp + 16, twist.tcp_sum(t.src, t.dst, bytes(data[t.tcp:])))
    frame.data = bytes(data)
    talk.seq[0] += len(ASK) + 1
    talk.send(1, head_of() + filler(SIZE))
    told = Told(talk.close().frames)
    equal(checks, 'urgent', [said(t) for t in told.transactions], [FILE])
    alice(checks, 'urgent', told)
    equal(checks, 'urgent', told.count['tcp_bytes_urgent'], 1)

# ---- messages ----

def answered(back, ask=ASK, end=None, more=True):
    talk = Talk((CLIENT, 40001), SERVER, NS)
    talk.ask(ask, back)
    if end:
        end(talk)
        return talk.frames
    if more:
        talk.ask(*NOTES)
    return talk.close().frames

def chunked(*sizes, ext='', end='\r\n', last='0\r\n\r\n'):
    parts = [f'{n:x}{ext}{end}'.encode() + filler(n, n) + end.encode() for n in sizes]
    return b''.join(parts) + last.encode()

def framing(checks):
    body, te, whole = filler(SIZE), 'Transfer-Encoding: chunked', (20000, 40000)
    odd = {
        'two equal lengths': (head_of(f'Content-Length: {SIZE}') + body, SIZE),
        'a list of equal lengths': (head_of(f'Content-Length: {SIZE}, {SIZE}', size=None) + body, SIZE),
        'two lengths: the first': (head_of('Content-Length: 5') + body, SIZE),
        'a length and chunks: chunks': (head_of(te, size=7) + chunked(*whole), SIZE),
        'chunks with bare LF': (head_of(te, size=None) + chunked(*whole, end='\n', last='0\n\n'), SIZE),
        'chunks with extensions and trailers': (head_of(te, size=None) + chunked(*whole, ext=';a="\r"', last='0;z\r\nX-Sum: 1\r\n\r\n'), SIZE),
        'a chunk size with leading zeros': (head_of(te, size=None) + b'000000' + chunked(*whole), SIZE),
        'interim answers': (response(100, length=False) + response(103, 'Link: </x>', length=False) + head_of() + body, SIZE),
        'folded fields': (head_of('X-A: 1\r\n  2') + body, SIZE),
        'bare LF in the head': (head_of().replace(b'\r\n', b'\n') + body, SIZE),
    }
    for what, (back, size) in odd.items():
        told = Told(answered(back))
        equal(checks, what, [said(t) for t in told.transactions], [FILE, PAGE])
        alice(checks, what, told)

def without_body(checks):
    cases = (('HEAD', ASK.replace(b'GET', b'HEAD', 1), head_of(), ('HEAD', '/files/core.gz', 200)),
             ('204', ASK, response(204, 'Content-Length: 5', length=False), ('GET', '/files/core.gz', 204)),
             ('304', ASK, response(304, f'Content-Length: {SIZE}', 'ETag: "1"', length=False), ('GET', '/files/core.gz', 304)))
    for what, ask, back, line in cases:
        told = Told(answered(back, ask))
        equal(checks, what, [said(t) for t in told.transactions], [line + (0, 'observed', 0, True), PAGE])

def to_the_end(checks):
    """Without a length: up to the end of the connection, whole by FIN and broken off by RST."""
    for version in ('1.0', '1.1'):
        back = head_of(size=None, version=version) + filler(SIZE)
        closed = answered(back, more=False)
        equal(checks, f'HTTP/{version} and FIN', [said(t) for t in Told(closed).transactions], [FILE])
        for dir in (0, 1):
            reset = answered(back, end=lambda t: aside(t, dir, RST | ACK))
            equal(checks, f'HTTP/{version} and RST of {dir}', [said(t) for t in Told(reset).transactions], [FILE[:6] + (False,)])
    te10 = head_of('Transfer-Encoding: chunked', size=None, version='1.0') + chunked(20000, 40000)
    equal(checks, 'chunks in HTTP/1.0', [said(t) for t in Told(answered(te10)).transactions], [FILE, PAGE])

def huge_chunk(checks):
    """A chunk size that no connection can hold is none."""
    told = Told(answered(head_of('Transfer-Encoding: chunked', size=None) + b'fffffffffffffffff\r\n' + filler(SIZE), more=False))
    first = told.transactions[0]
    checks.that(said(first)[3] <= SIZE + 100 and 'ambiguous' in get(first, 'casetap.flags'), f'huge chunk: {said(first)}')
    told = Told(answered(head_of('Transfer-Encoding: chunked', size=None) + b'ffffffffffffff\r\n' + filler(SIZE), more=False))
    equal(checks, 'chunk of 2^56', said(told.transactions[0]), FILE[:6] + (False,))

def heads(checks):
    """What names a person is found wherever it stands in a head that servers take."""
    lines = [f'X-{i}: y' for i in range(2000)]
    for n in (100, 127, 128, 200, 1000, 2000):
        ask = request('GET', '/files/core.gz', HOST, *lines[:n], basic('alice'))
        told = Told(answered(head_of() + filler(SIZE), ask))
        equal(checks, f'{n} fields before it', [said(t) for t in told.transactions], [FILE, PAGE])
        alice(checks, f'{n} fields before it', told)
    for size in (8000, 16000, 32000, 60000):
        ask = request('GET', '/files/core.gz', HOST, 'X-Long: ' + 'y' * size, basic('alice'))
        told = Told(answered(head_of() + filler(SIZE), ask))
        alice(checks, f'{size} bytes before it', told)

def order(checks):
    """Pipelined, and an answer before its question."""
    talk = Talk((CLIENT, 40001), SERVER, NS)
    talk.send(0, ASK + NOTES[0])
    talk.send(1, head_of() + filler(SIZE) + NOTES[1])
    told = Told(talk.close().frames)
    equal(checks, 'pipelined', [said(t) for t in told.transactions], [FILE, PAGE])
    alice(checks, 'pipelined', told)
    talk = Talk((CLIENT, 40001), SERVER, NS)
    talk.send(1, head_of() + filler(SIZE))
    talk.wait(MS)
    talk.send(0, ASK)
    told = Told(talk.close().frames)
    equal(checks, 'answered first', [said(t) for t in told.transactions], [FILE])
    alice(checks, 'answered first', told)

def days(checks):
    """A connection that is kept open for days; half of its pauses are longer than anything waits for."""
    for name, others in (('alone', False), ('among others', True)):
        talk, frames, n = Talk((CLIENT, 40001), SERVER, NS), [], 12
        for i in range(n):
            talk.ask(ASK, head_of() + filler(SIZE))
            if others:
                side = Talk(('198.51.100.9', 42000 + i), SERVER, talk.ns + SECOND)
                side.ask(*NOTES)
                frames += side.close().frames
            talk.wait((7 * 3600 if i % 2 else 200) * SECOND)
        told = Told(talk.close().frames + frames)
        mine = [t for t in told.transactions if get(t, 'source.port') == 40001]
        equal(checks, f'days, {name}', [said(t) for t in mine], [FILE] * n)
        equal(checks, f'days, {name}', [get(a, 'user.name') for a in told.files], ['alice'] * n)

def main():
    checks = Checks()
    for case in (middle, believed, checksums, edited, in_the_syn, urgent, framing, without_body, to_the_end, huge_chunk, heads, order, days):
        case(checks)
    checks.done()
main()
