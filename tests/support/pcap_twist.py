# SPDX-License-Identifier: Apache-2.0
"""Captures for tests, read, built and twisted in plain Python: frames in and out of pcap files, as much of Ethernet, VLAN,
cooked Linux, IPv4, IPv6 and TCP as it takes to cut segments up, and a small TCP conversation builder."""
import ipaddress, random, struct

ETHERNET, LINUX_SLL = 1, 113
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
US, MS = 1000, 1000000

class Frame:
    """One frame: packet time in ns, caught bytes, length on the wire."""
    __slots__ = ('ns', 'data', 'wire')
    def __init__(self, ns, data, wire=None):
        self.ns, self.data, self.wire = ns, data, len(data) if wire is None else wire

# ---- files ----

MAGICS = {b'\xd4\xc3\xb2\xa1': ('<', 1000), b'\xa1\xb2\xc3\xd4': ('>', 1000),
          b'\x4d\x3c\xb2\xa1': ('<', 1), b'\xa1\xb2\x3c\x4d': ('>', 1)}

def read_pcap(path):
    """(link type, [Frame]) of a classic pcap file."""
    with open(path, 'rb') as f:
        raw = f.read()
    order, unit = MAGICS[raw[:4]]
    link, at, frames = struct.unpack(order + 'I', raw[20:24])[0] & 0xffff, 24, []
    record = struct.Struct(order + 'IIII')
    while at + 16 <= len(raw):
        seconds, fraction, caught, wire = record.unpack_from(raw, at)
        frames.append(Frame(seconds * 10**9 + fraction * unit, raw[at + 16:at + 16 + caught], wire))
        at += 16 + caught
    return link, frames

def write_pcap(path, frames, link=ETHERNET):
    """Writes frames as they stand, in their order, with nanoseconds."""
    record = struct.Struct('<IIII')
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 262144, link))
        f.writelines(record.pack(x.ns // 10**9, x.ns % 10**9, len(x.data), x.wire) + x.data for x in frames)

# ---- what is in a frame ----

class Tcp:
    """Where IP and TCP stand in a frame that carries TCP directly (no tunnel), and what the header says."""
    __slots__ = ('ip', 'is_v6', 'tcp', 'payload', 'size', 'wire', 'src', 'dst', 'sport', 'dport', 'seq', 'ack', 'flags')

def link_end(data, link):
    """(offset behind the link header, EtherType) or None."""
    if link == ETHERNET:
        at, kind = 14, struct.unpack_from('>H', data, 12)[0] if len(data) >= 14 else 0
    elif link == LINUX_SLL:
        at, kind = 16, struct.unpack_from('>H', data, 14)[0] if len(data) >= 16 else 0
    else:
        return None
    while kind in (0x8100, 0x88a8) and len(data) >= at + 4:
        kind = struct.unpack_from('>H', data, at + 2)[0]
        at += 4
    return at, kind

def tcp_of(data, link=ETHERNET):
    """The Tcp of a frame, or None: another protocol, a fragment, a tunnel, or cut inside a header."""
    end = link_end(data, link)
    if not end:
        return None
    at, kind = end
    t = Tcp()
    t.ip, t.is_v6 = at, kind == 0x86dd
    if kind == 0x0800 and len(data) >= at + 20:
        total, fragment, protocol = struct.unpack_from('>H', data, at + 2)[0], struct.unpack_from('>H', data, at + 6)[0], data[at + 9]
        t.tcp = at + (data[at] & 15) * 4
        end_of_ip = at + (total or len(data) - at)
        t.src, t.dst = data[at + 12:at + 16], data[at + 16:at + 20]
        if protocol != 6 or fragment & 0x3fff:
            return None
    elif kind == 0x86dd and len(data) >= at + 40:
        end_of_ip = at + 40 + struct.unpack_from('>H', data, at + 4)[0]
        t.tcp, t.src, t.dst = at + 40, data[at + 8:at + 24], data[at + 24:at + 40]
        if data[at + 6] != 6:
            return None
    else:
        return None
    if len(data) < t.tcp + 20:
        return None
    t.sport, t.dport, t.seq, t.ack = struct.unpack_from('>HHII', data, t.tcp)
    t.flags = data[t.tcp + 13]
    t.payload = t.tcp + (data[t.tcp + 12] >> 4) * 4
    t.wire = max(0, end_of_ip - t.payload)
    t.size = max(0, min(len(data), end_of_ip) - t.payload)
    return t

def checksum(data):
    total = sum(struct.unpack(f'>{(len(data) + 1) // 2}H', data + b'\0' * (len(data) % 2)))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff

def tcp_sum(src, dst, tcp):
    """The checksum of a TCP segment whose own is 0."""
    return checksum(src + dst + struct.pack('>HH', 6, len(tcp)) + tcp)

# ---- twists: each takes and gives frames ----

def by_time(frames):
    """In time order; frames of one moment keep their order."""
    return sorted(frames, key=lambda f: f.ns)

def split(frames, size, link=ETHERNET):
    """Every TCP segment cut into segments of at most 'size' bytes (a number, or a function that draws one), sent at the
    same moment. Frames that were cut by the capture stay whole."""
    draw = size if callable(size) else lambda: size
    out = []
    for f in frames:
        t = tcp_of(f.data, link)
        if not t or t.size < 2 or t.size != t.wire:
            out.append(f)
            continue
        head, body, at = bytearray(f.data[:t.payload]), f.data[t.payload:t.payload + t.size], 0
        fixed = t.payload - t.ip - (40 if t.is_v6 else 0)
        while at < len(body):
            piece = body[at:at + draw()]
            struct.pack_into('>H', head, t.ip + (4 if t.is_v6 else 2), fixed + len(piece))
            struct.pack_into('>I', head, t.tcp + 4, (t.seq + at) & 0xffffffff)
            at += len(piece)
            head[t.tcp + 13] = t.flags if at == len(body) else t.flags & ~(FIN | PSH)
            head[t.tcp + 16:t.tcp + 18] = b'\0\0'
            struct.pack_into('>H', head, t.tcp + 16, tcp_sum(t.src, t.dst, bytes(head[t.tcp:]) + piece))
            out.append(Frame(f.ns, bytes(head) + piece))
    return out

def with_copies(frames, copies):
    """Frames and copies of them in time order; no copy comes after the last frame, so that the capture ends when it did."""
    end = max((f.ns for f in frames), default=0)
    for f in copies:
        f.ns = min(f.ns, end)
    return by_time(frames + copies)

def doubled(frames, after=20 * US):
    """Every frame again, 'after' ns later."""
    return with_copies(frames, [Frame(f.ns + after, f.data, f.wire) for f in frames])

def mirrored(frames, vlan=17, after=5 * US):
    """Every Ethernet frame again with a VLAN tag, as a SPAN session of both sides of a router or trunk delivers it."""
    tag = struct.pack('>HH', 0x8100, vlan)
    return with_copies(frames, [Frame(f.ns + after, f.data[:12] + tag + f.data[12:], f.wire + 4) for f in frames])

def fragmented(frames, link=ETHERNET, least=100):
    """Every IPv4 packet of at least so many bytes of transport in two fragments, the second one first."""
    out = []
    for number, f in enumerate(frames):
        t = tcp_of(f.data, link)
        size = t.payload + t.wire - t.tcp if t else 0
        if not t or t.is_v6 or t.size != t.wire or size < least:
            out.append(f)
            continue
        body, middle = f.data[t.tcp:t.tcp + size], size // 16 * 8
        for offset, part, more in ((middle, body[middle:], 0), (0, body[:middle], 0x2000)):
            head = bytearray(f.data[t.ip:t.tcp])
            struct.pack_into('>HHH', head, 2, len(head) + len(part), number & 0xffff, more | offset // 8)
            out.append(Frame(f.ns, f.data[:t.ip] + bytes(head) + part))
    return out

def shuffled(frames, seed, window=3 * MS):
    """Every frame delivered up to 'window' ns late, each by another delay."""
    rng = random.Random(seed)
    return by_time([Frame(f.ns + rng.randrange(window), f.data, f.wire) for f in frames])

def thinned(frames, seed, share):
    """Without a random share of the frames."""
    rng = random.Random(seed)
    return [f for f in frames if rng.random() >= share]

def one_way(frames, keep, link=ETHERNET):
    """Only the frames whose Tcp 'keep' says yes to."""
    return [f for f in frames if keep(tcp_of(f.data, link))]

# ---- building ----

class Talk:
    """A TCP connection being captured. Time goes on with every frame; 'frames' are what the tap saw of it. Directions: 0 is
    the client, 1 the server. Every second segment and the last of a message are acknowledged at once."""
    ids = 0
    def __init__(self, client, server, ns, step=50 * US, mss=1448, has_sums=True):
        self.ends = [(ipaddress.ip_address(client[0]), client[1]), (ipaddress.ip_address(server[0]), server[1])]
        self.ns, self.step, self.mss, self.frames, self.has_sums = ns, step, mss, [], has_sums
        self.seq = [0xfffff000 ^ client[1], 0x10000 ^ client[1] << 8]
        self.emit(0, SYN); self.seq[0] += 1
        self.emit(1, SYN | ACK); self.seq[1] += 1
        self.emit(0, ACK)
    def emit(self, dir, flags, payload=b''):
        """One frame; returns it."""
        (src, sport), (dst, dport) = self.ends[dir], self.ends[1 - dir]
        ack = self.seq[1 - dir] & 0xffffffff if flags & ACK else 0
        tcp = struct.pack('>HHIIBBHHH', sport, dport, self.seq[dir] & 0xffffffff, ack, 5 << 4, flags, 64000, 0, 0) + payload
        if self.has_sums:
            tcp = tcp[:16] + struct.pack('>H', tcp_sum(src.packed, dst.packed, tcp)) + tcp[18:]
        Talk.ids += 1
        if src.version == 4:
            head = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(tcp), Talk.ids & 0xffff, 0x4000, 64, 6, 0, src.packed, dst.packed)
            ip, kind = head[:10] + struct.pack('>H', checksum(head)) + head[12:] + tcp, 0x0800
        else:
            ip, kind = struct.pack('>IHBB16s16s', 6 << 28, len(tcp), 6, 64, src.packed, dst.packed) + tcp, 0x86dd
        mac = [b'\x02\0\0\0\0\x01', b'\x02\0\0\0\0\x02']
        self.ns += self.step
        self.frames.append(Frame(self.ns, mac[1 - dir] + mac[dir] + struct.pack('>H', kind) + ip))
        return self.frames[-1]
    def send(self, dir, data):
        """A message in segments, acknowledged by the other side. Returns the frames that carry it."""
        sent = []
        for n, at in enumerate(range(0, len(data), self.mss)):
            piece = data[at:at + self.mss]
            is_last = at + self.mss >= len(data)
            sent.append(self.emit(dir, ACK | (PSH if is_last else 0), piece))
            self.seq[dir] += len(piece)
            if n % 2 or is_last:
                self.emit(1 - dir, ACK)
        return sent
    def wait(self, ns):
        self.ns += ns
    def ask(self, request, response, think=2 * MS):
        """A request and its response; returns the frames of both."""
        sent = self.send(0, request)
        self.wait(think)
        back = self.send(1, response)
        self.wait(think)
        return sent, back
    def close(self):
        for dir, flags in ((0, FIN | ACK), (1, FIN | ACK)):
            self.emit(dir, flags)
            self.seq[dir] += 1
        self.emit(0, ACK)
        return self

def request(method, target, host, *fields, body=b''):
    lines = [f'{method} {target} HTTP/1.1', f'Host: {host}', *fields] + ([f'Content-Length: {len(body)}'] if body else [])
    return '\r\n'.join(lines + ['', '']).encode() + body

def response(status, *fields, body=b'', length=True):
    lines = [f'HTTP/1.1 {status} x', *fields] + ([f'Content-Length: {len(body)}'] if length else [])
    return '\r\n'.join(lines + ['', '']).encode() + body

def filler(size, seed=1):
    """Bytes that look like nothing else."""
    return random.Random(seed).randbytes(size)
