#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What other sensors got wrong on small captures that a SPAN port may well deliver, re-created frame by frame, each with the
right answer. The first six are one conversation: one keep-alive connection, Basic auth, four transactions, of which the second
is a file of 5,242,880 bytes."""
import base64, copy, gzip, hashlib, hmac, json, os, random, struct, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
import pcap_twist as twist
from pcap_twist import MS, Talk, filler, request, response

NS = 1773976327 * 10**9
CLIENT, SERVER, STORE, PROXY = '198.51.100.7', ('203.0.113.80', 80), ('203.0.113.81', 80), '10.88.0.2'
HOST, STORE_HOST = 'desk.example', 'store.example'
FILE = 5242880
AGENT = 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

def basic(user):
    return 'Authorization: Basic ' + base64.b64encode(f'{user}:pw'.encode()).decode()

def named(name):
    return f'Content-Disposition: attachment; filename="{name}"'

class Told:
    """What one run said of one capture."""
    def __init__(self, frames):
        with tempfile.TemporaryDirectory() as out:
            path = os.path.join(out, 'x.pcap')
            twist.write_pcap(path, twist.by_time(frames))
            self.said = replay('--out', out, '--transactions', os.path.join(out, 't'), '--counters', os.path.join(out, 'c'), path).stderr
            self.texts = [open(os.path.join(out, name), 'rb').read() for name in ('t', 'activities.ndjson', 'alerts.ndjson', 'c')]
            self.transactions, rows = load(os.path.join(out, 't')), load(os.path.join(out, 'activities.ndjson'))
            self.count = {line.split()[0]: int(line.split()[1]) for line in open(os.path.join(out, 'c'))}
        self.acts = settle(rows)
        self.files = [a for a in self.acts if get(a, 'event.action') == 'download']

def said(t):
    """Method, target, status, body size, how it is known, missing bytes, whether the end was seen."""
    return tuple(get(t, p) for p in ('http.request.method', 'url.original', 'http.response.status_code', 'http.response.body.bytes',
                                     'casetap.body.known', 'casetap.body.missing_bytes', 'casetap.body.complete'))

def equal(checks, what, got, want):
    checks.that(got == want, f'{what}:\n  expected {want}\n  told     {got}')

# ---- one conversation and what becomes of it ----

ASKS = [('/', 'text/html', 16), ('/files/core.gz', 'application/gzip', FILE), ('/', 'text/html', 16), ('/notes', 'text/plain', 3000)]
CLEAN = [('GET', path, 200, size, 'observed', 0, True) for path, _, size in ASKS]

def head_of(kind, size, *extra):
    return response(200, f'Content-Type: {kind}', f'Content-Length: {size}', *extra, length=False)

def desk():
    """(all frames, frames that carry requests, frames that carry responses, size of each response head)"""
    talk, asked, answered, heads = Talk((CLIENT, 40001), SERVER, NS), [], [], []
    for path, kind, size in ASKS:
        head = head_of(kind, size, *([named('core.gz')] if size == FILE else []))
        sent, back = talk.ask(request('GET', path, HOST, basic('alice'), AGENT), head + filler(size, size))
        asked.append(sent)
        answered.append(back)
        heads.append(len(head))
    talk.close()
    return talk.frames, asked, answered, heads

def from_server(frame):
    return twist.tcp_of(frame.data).sport == SERVER[1]

def one_download(checks, what, told, missing=0, user='alice', source=CLIENT):
    facts = [(get(a, 'user.name'), get(a, 'source.ip'), get(a, 'file.name'), get(a, 'http.response.body.bytes'),
              get(a, 'casetap.body.missing_bytes'), get(a, 'casetap.body.complete')) for a in told.files]
    equal(checks, f'{what}: downloads', facts, [(user, source, 'core.gz', FILE, missing, True)])

def x1_clean(checks):
    told = Told(desk()[0])
    equal(checks, 'X1', [said(t) for t in told.transactions], CLEAN)
    one_download(checks, 'X1', told)
    equal(checks, 'X1: file size', get(told.files[0], 'file.size'), FILE)
    equal(checks, 'X1: confidence', [a for a in told.acts if get(a, 'casetap.confidence') is not None], [])
    return told

def x2_server_side(checks):
    """No request is seen; each answer is there with its size, the file with its name, and all say that one side is missing."""
    told = Told([f for f in desk()[0] if from_server(f)])
    equal(checks, 'X2', [said(t) for t in told.transactions], [(None, None) + row[2:] for row in CLEAN])
    marks = [sorted(get(t, 'casetap.flags')) for t in told.transactions]
    checks.that(all({'no_request', 'one_sided'} <= set(m) for m in marks), f'X2: marks {marks}')
    facts = [(get(a, 'file.name'), get(a, 'http.response.body.bytes'), get(a, 'user.name'), 'one_sided' in get(a, 'casetap.flags'))
             for a in told.files]
    checks.that(('core.gz', FILE, None, True) in facts, f'X2: downloads {facts}')
    equal(checks, 'X2: confidence', [get(a, 'casetap.confidence') for a in told.files], [25])   # half, and half again without a request

def x3_client_side(checks):
    """No answer is seen; what the client acknowledged says how large each was, its head included."""
    frames, _, _, heads = desk()
    told = Told([f for f in frames if not from_server(f)])
    want = [('GET', path, None, head + size, 'acknowledged', head + size, False) for (path, _, size), head in zip(ASKS, heads)]
    equal(checks, 'X3', [said(t) for t in told.transactions], want)
    marks = [sorted(get(t, 'casetap.flags')) for t in told.transactions]
    checks.that(all({'no_response', 'one_sided'} <= set(m) for m in marks), f'X3: marks {marks}')

def x4_doubled(checks, clean):
    frames = desk()[0]
    for what, copies in (('X4', twist.doubled(copy.deepcopy(frames))), ('X6', twist.mirrored(copy.deepcopy(frames)))):
        told = Told(copies)
        equal(checks, what, [said(t) for t in told.transactions], CLEAN)
        one_download(checks, what, told)
        checks.that(told.texts[:3] == clean.texts[:3], f'{what}: not the same transactions, activities and alerts byte for byte')
        for name in ('flow_tcp', 'flow_flows', 'tcp_bytes_in', 'tcp_bytes_delivered'):
            equal(checks, f'{what}: {name}', told.count[name], clean.count[name])
        equal(checks, f'{what}: duplicates', told.count['flow_duplicates'], len(frames))

def x5_segment_lost(checks):
    """A segment of the body is lost: the size stays, what is missing is said, the connection goes on."""
    frames, _, answered, _ = desk()
    lost = answered[1][1000]
    size = twist.tcp_of(lost.data).size
    told = Told([f for f in frames if f is not lost])
    equal(checks, 'X5', [said(t) for t in told.transactions], [r[:5] + (size, True) if r[3] == FILE else r for r in CLEAN])
    one_download(checks, 'X5', told, missing=size)
    checks.that('gap' in get(told.transactions[1], 'casetap.flags'), 'X5: not marked')
    checks.that('partial' in get(told.files[0], 'casetap.flags'), 'X5: the activity is not marked')
    equal(checks, 'X5: confidence', [get(a, 'casetap.confidence') for a in told.files], [99])
    sent = told.count['tcp_bytes_in'] + size
    line = f'loss      {100 * size / sent:.2f} % of the payload: {size:,} bytes were acknowledged and never seen'
    checks.that(line in told.said.split('\n'), f'X5: not in the summary: {line}\n{told.said}')
    equal(checks, 'X5: missing', (told.count['tcp_bytes_missing'], told.count['tcp_bytes_missing_acked']), (size, size))

def x5_percent_lost(checks):
    """One per cent of the frames lost, but none that carries a head: what is missing is what was lost, to the byte."""
    frames, asked, answered, _ = desk()
    for seed in range(5):
        rng = random.Random(seed)
        bodies = [f for back in answered for f in back[1:]]
        lost = {id(f) for f in bodies if rng.random() < 0.01}
        size = sum(twist.tcp_of(f.data).size for f in bodies if id(f) in lost)
        told = Told([f for f in frames if id(f) not in lost])
        checks.that(size > 0, 'X5, 1 %: nothing was lost')
        equal(checks, f'X5, 1 % ({seed})', [r[:5] + r[6:] for r in map(said, told.transactions)], [r[:5] + r[6:] for r in CLEAN])
        equal(checks, f'X5, 1 % ({seed}): missing', sum(said(t)[5] for t in told.transactions), size)
        equal(checks, f'X5, 1 % ({seed}): files', len(told.files), 1)

def x5b_request_lost(checks):
    """Of a transaction whose request was lost the answer is told; the others are whole."""
    frames, asked, _, _ = desk()
    for n, sent in enumerate(asked):
        told = Told([f for f in frames if not any(f is s for s in sent)])
        want = [(None, None) + r[2:] if i == n else r for i, r in enumerate(CLEAN)]
        equal(checks, f'X5b, request {n + 1}', [said(t) for t in told.transactions], want)
        checks.that('no_request' in (get(told.transactions[n], 'casetap.flags') or []), f'X5b, request {n + 1}: not marked')
        equal(checks, f'X5b, request {n + 1}: files', [(get(a, 'file.name'), get(a, 'http.response.body.bytes')) for a in told.files],
              [('core.gz', FILE)])

def paused_download(checks):
    """A download that stands still for ten minutes, on a connection that does not end: one transaction, whole."""
    talk = Talk((CLIENT, 40001), SERVER, NS)
    body = filler(300000)
    talk.send(0, request('GET', '/files/core.gz', HOST, basic('alice'), AGENT))
    talk.send(1, head_of('application/gzip', len(body), named('core.gz')) + body[:100000])
    talk.wait(600 * 10**9)
    talk.send(1, body[100000:])
    told = Told(talk.close().frames)
    equal(checks, 'paused', [said(t) for t in told.transactions], [('GET', '/files/core.gz', 200, len(body), 'observed', 0, True)])

# ---- around HTTP ----

def x7_proxy_protocol(checks):
    """The person is who the preface names, not the proxy."""
    v1 = b'PROXY TCP4 198.51.100.7 10.88.0.10 40001 80\r\n'
    v2 = b'\r\n\r\n\0\r\nQUIT\n' + struct.pack('>BBH4s4sHH', 0x21, 0x11, 12, bytes((198, 51, 100, 7)), bytes((10, 88, 0, 10)), 40001, 80)
    for what, preface in (('v1', v1), ('v2', v2)):
        for is_apart in (False, True):   # the preface in a segment of its own, or together with the request
            talk = Talk((PROXY, 50001), ('10.88.0.10', 80), NS)
            ask = request('GET', '/files/core.gz', HOST, basic('alice'), AGENT)
            if is_apart:
                talk.send(0, preface)
            talk.ask((b'' if is_apart else preface) + ask, head_of('application/gzip', FILE, named('core.gz')) + filler(FILE))
            told = Told(talk.close().frames)
            equal(checks, f'X7, {what}', [said(t) for t in told.transactions], CLEAN[1:2])
            one_download(checks, f'X7, {what}', told)
            equal(checks, f'X7, {what}: hop', [get(a, 'casetap.peer.ip') for a in told.files], [PROXY])

def x8_gzip_chunked(checks):
    """One object: so many bytes on the wire, so many when decoded; the file has the size it has on disk."""
    plain = (b'2026-03-20 03:12:07 connection refused\n' * 6000)[:220000]
    coded = gzip.compress(plain, 9, mtime=0)
    chunks = b''.join(b'%x;x=y\r\n%s\r\n' % (len(c), c) for c in (coded[i:i + 100] for i in range(0, len(coded), 100)))
    head = response(200, 'Content-Type: application/octet-stream', named('core.log'), 'Content-Encoding: gzip',
                    'Transfer-Encoding: chunked', 'Trailer: X-Sum', length=False)
    talk = Talk((CLIENT, 40001), SERVER, NS)
    talk.ask(request('GET', '/files/core.log', HOST, basic('alice'), AGENT, 'Accept-Encoding: gzip'),
             head + chunks + b'0\r\nX-Sum: 1\r\n\r\n')
    told = Told(talk.close().frames)
    equal(checks, 'X8', [said(t) for t in told.transactions], [('GET', '/files/core.log', 200, len(coded), 'observed', 0, True)])
    facts = [(get(a, 'file.name'), get(a, 'file.size'), get(a, 'http.response.body.bytes')) for a in told.files]
    equal(checks, 'X8: downloads', facts, [('core.log', 220000, len(coded))])

# ---- whose bytes, and how often ----

def ranges():
    """One file of 800,000 bytes by four connections at the same time."""
    frames = []
    for i in range(4):
        talk = Talk((CLIENT, 41000 + i), SERVER, NS + i * MS)
        first = i * 200000
        talk.ask(request('GET', '/files/core.gz', HOST, basic('alice'), f'Range: bytes={first}-{first + 199999}', 'User-Agent: aria2/1.37'),
                 response(206, f'Content-Range: bytes {first}-{first + 199999}/800000', 'ETag: "c0"', 'Content-Type: application/gzip',
                          body=filler(200000, i)))
        frames += talk.close().frames
    return frames

def x9_ranges(checks):
    told = Told(ranges())
    equal(checks, 'X9', sorted((get(a, 'casetap.range.from'), get(a, 'http.response.body.bytes'), get(a, 'file.size')) for a in told.files),
          [(i * 200000, 200000, 800000) for i in range(4)])
    checks.that(len({get(a, 'casetap.transfer.id') for a in told.files}) == 1, 'X9: not one transfer')
    last = max(told.files, key=lambda a: get(a, 'casetap.transfer.unique_bytes'))
    equal(checks, 'X9: transfer', [get(last, f'casetap.transfer.{f}') for f in ('unique_bytes', 'coverage', 'complete')], [800000, 1, True])
    equal(checks, 'X9: complete', sum(get(a, 'casetap.transfer.complete') for a in told.files), 1)

def x10_login(checks):
    """Who signed in is who downloads with the cookie, on another connection; and a cookie of nobody known is nobody's."""
    cookie = hashlib.sha256(b'alice').hexdigest()
    login = Talk((CLIENT, 40001), SERVER, NS)
    login.ask(request('POST', '/login', HOST, AGENT, 'Content-Type: application/x-www-form-urlencoded', body=b'username=alice&password=Tr0ub4dor'),
              response(302, 'Location: /', f'Set-Cookie: sid={cookie}; HttpOnly; Path=/', body=b''))
    fetch = Talk((CLIENT, 40002), SERVER, NS + 10**9)
    fetch.ask(request('GET', '/files/core.gz', HOST, AGENT, f'Cookie: sid={cookie}'),
              head_of('application/gzip', FILE, named('core.gz')) + filler(FILE))
    told = Told(login.close().frames + fetch.close().frames)
    one_download(checks, 'X10', told)
    logins = [(get(a, 'user.name'), get(a, 'event.outcome')) for a in told.acts if get(a, 'event.action') == 'login']
    equal(checks, 'X10: logins', logins, [('alice', 'success')])
    checks.that(cookie.encode() not in b''.join(told.texts) and b'Tr0ub4dor' not in b''.join(told.texts), 'X10: a secret is in the output')
    told = Told(fetch.frames)
    checks.that([get(a, 'user.name') for a in told.files] != ['alice'] and len(told.files) == 1, 'X10: alice was not seen to sign in')

def jwt(claims):
    part = lambda b: base64.urlsafe_b64encode(b).rstrip(b'=').decode()
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + '.' + part(json.dumps(claims).encode())
    return signed + '.' + part(hmac.new(b'k', signed.encode(), 'sha256').digest())

def x11_redirect(checks):
    """The fetch from the object store is charged to who was given the link; one that nobody was given is not."""
    token = jwt({'sub': 'alice', 'iss': 'https://id.example', 'exp': 1773990000})
    sign = lambda name: f'/bucket/{name}?X-Amz-Expires=300&X-Amz-Signature=' + hashlib.sha256(name.encode()).hexdigest()
    app = Talk((PROXY, 50001), ('10.88.0.10', 80), NS)
    app.ask(request('GET', '/attachments/77/content', HOST, f'Authorization: Bearer {token}', 'X-Forwarded-For: 198.51.100.7', AGENT),
            response(302, f'Location: http://{STORE_HOST}{sign("core.gz")}', body=b''))
    store = Talk((CLIENT, 40002), STORE, NS + 10**9)
    store.ask(request('GET', sign('core.gz'), STORE_HOST, AGENT), response(200, 'Content-Type: application/gzip', named('core.gz'), body=filler(60000)))
    other = Talk(('192.0.2.99', 40003), STORE, NS + 2 * 10**9)
    other.ask(request('GET', sign('dump.gz'), STORE_HOST, AGENT), response(200, 'Content-Type: application/gzip', named('dump.gz'), body=filler(70000)))
    told = Told(app.close().frames + store.close().frames + other.close().frames)
    facts = sorted((get(a, 'file.name'), get(a, 'http.response.body.bytes'), get(a, 'source.ip'), get(a, 'user.name') == 'alice') for a in told.files)
    equal(checks, 'X11', facts, [('core.gz', 60000, CLIENT, True), ('dump.gz', 70000, '192.0.2.99', False)])
    issued = [(get(a, 'event.action'), get(a, 'user.name'), get(a, 'source.ip'), get(a, 'casetap.route')) for a in told.acts
              if get(a, 'url.path') == '/attachments/77/content']
    equal(checks, 'X11: the issue of the link', issued, [('api_call', 'alice', CLIENT, 'hand-off')])
    checks.that(token.encode() not in b''.join(told.texts), 'X11: the token is in the output')
    checks.that(hashlib.sha256(b'core.gz').hexdigest().encode() not in b''.join(told.texts), 'X11: the signature is in the output')

def x12_again(checks):
    frames = ranges()
    checks.that(Told(frames).texts == Told(frames).texts, 'X12: not the same bytes twice')

def x13_two_people(checks):
    """Two different attachments of one name, half of each fetched: never one file of both."""
    frames = []
    for i, (user, path, first) in enumerate((('alice', '/attachments/1', 0), ('bob', '/attachments/2', 100000))):
        talk = Talk((PROXY, 50001 + i), ('10.88.0.10', 80), NS + i * MS)
        talk.ask(request('GET', path, HOST, basic(user), f'X-Forwarded-For: 198.51.100.{7 + i}', f'Range: bytes={first}-{first + 99999}', AGENT),
                 response(206, f'Content-Range: bytes {first}-{first + 99999}/200000', f'ETag: "{user}"', named('core.dmp'),
                          'Content-Type: application/octet-stream', body=filler(100000, i)))
        frames += talk.close().frames
    told = Told(frames)
    facts = sorted(tuple(get(a, p) for p in ('user.name', 'source.ip', 'url.path', 'file.name', 'http.response.body.bytes', 'file.size',
                                             'casetap.transfer.unique_bytes', 'casetap.transfer.coverage', 'casetap.transfer.complete'))
                   for a in told.files)
    equal(checks, 'X13', facts, [('alice', '198.51.100.7', '/attachments/1', 'core.dmp', 100000, 200000, 100000, 0.5, False),
                                 ('bob', '198.51.100.8', '/attachments/2', 'core.dmp', 100000, 200000, 100000, 0.5, False)])
    checks.that(len({get(a, 'casetap.transfer.id') for a in told.files}) == 2, 'X13: one transfer of two people')

def handed_back(field, target, status=200, asked=()):
    """Both legs of a download of which the application tells the proxy the file's place alone (nginx: X-Accel-Redirect;
    lighttpd, Apache: X-Sendfile): the answer behind the proxy has no body, the one in front of it has the file."""
    front, back = Talk((CLIENT, 40001), (PROXY, 80), NS), Talk((PROXY, 50001), ('10.88.0.10', 8080), NS + MS)
    kind, size = 'Content-Type: application/gzip', 60000
    ranged = [f'Content-Range: bytes 0-{size - 1}/{2 * size}'] if status == 206 else []
    back.ask(request('GET', '/attachments/9', HOST, basic('alice'), f'X-Forwarded-For: {CLIENT}', AGENT, *asked),
             response(200, kind, named('core.gz'), f'{field}: {target}', body=b''))
    front.ask(request('GET', '/attachments/9', HOST, basic('alice'), AGENT, *asked),
              response(status, kind, named('core.gz'), 'Accept-Ranges: bytes', 'ETag: "5f-1"', *ranged, body=filler(size)), think=20 * MS)
    return front.close().frames, back.close().frames

def x14_handed_back(checks):
    for field, target in (('X-Accel-Redirect', '/protected/9'), ('X-Sendfile', '/srv/files/9')):
        front, back = handed_back(field, target)
        for what, frames, peer, sizes in (('both legs', front + back, CLIENT, (60000, 60000)), ('the front leg', front, CLIENT, (60000, 60000)),
                                          ('the back leg', back, PROXY, (0, None))):
            told = Told(frames)
            facts = [(get(a, 'user.name'), get(a, 'source.ip'), get(a, 'casetap.peer.ip') or CLIENT, get(a, 'file.name'), get(a, 'event.outcome'),
                      get(a, 'http.response.body.bytes'), get(a, 'file.size')) for a in told.files]
            equal(checks, f'X14, {field}, {what}', facts, [('alice', CLIENT, peer, 'core.gz', 'success', *sizes)])
    front, back = handed_back('X-Accel-Redirect', '/protected/9', 206, ['Range: bytes=0-59999'])
    facts = [(get(a, 'http.response.status_code'), get(a, 'http.response.body.bytes'), get(a, 'file.size')) for a in Told(front + back).files]
    equal(checks, 'X14, a piece', facts, [(206, 60000, 120000)])

def main():
    checks = Checks()
    clean = x1_clean(checks)
    x4_doubled(checks, clean)   # and X6
    for case in (x2_server_side, x3_client_side, x5_segment_lost, x5_percent_lost, x5b_request_lost, paused_download, x7_proxy_protocol, x8_gzip_chunked,
                 x9_ranges, x10_login, x11_redirect, x12_again, x13_two_people, x14_handed_back):
        case(checks)
    checks.done()
main()
