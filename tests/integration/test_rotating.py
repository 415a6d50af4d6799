#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A desk whose session cookie changes with every answer, as encrypted cookie stores do: curl with parallel requests, recorded
in a network namespace of its own and replayed. One session is one session, whatever its value; a session whose login was not
seen gets its name once, also for what it did before; a remember-me value begins one without a login; and a thief who goes on
from an old value is seen as a second client of the same session, which parallel requests are not."""
import base64, hashlib, http.server, json, os, re, shutil, socket, struct, subprocess, sys, tempfile, threading, time
from urllib.parse import parse_qs
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

SERVER, PORT = '198.18.0.20', 8080
AGENT, COLLEAGUE, THIEF = '198.51.100.7', '198.51.100.8', '203.0.113.9'
FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0'
HOSTS = {'redmine.example': '_redmine_session', 'desk.example': 'desk_session'}   # its profile says it rotates; learned
KEPT = {'redmine.example': 'autologin', 'desk.example': 'remember_token'}          # the long-lived cookies

# ---- the desk ----

def sealed(state, key=b'test-only'):
    iv = os.urandom(16)
    plain = json.dumps(state).encode().ljust(64)
    stream = hashlib.sha256(key + iv).digest() + hashlib.sha256(iv + key).digest()
    return base64.urlsafe_b64encode(iv + bytes(a ^ b for a, b in zip(plain, stream))).decode().rstrip('=')

def opened(value, key=b'test-only'):
    try:
        raw = base64.urlsafe_b64decode(value + '=' * (-len(value) % 4))
        stream = hashlib.sha256(key + raw[:16]).digest() + hashlib.sha256(raw[:16] + key).digest()
        return json.loads(bytes(a ^ b for a, b in zip(raw[16:], stream)))
    except ValueError:
        return {}

class Desk(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *args):
        pass
    def answer(self, status, kind, body, state, *more):
        name = HOSTS[self.headers['Host']]
        self.send_response(status)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.send_header('Set-Cookie', f'{name}={sealed(state)}; path=/; HttpOnly')   # with every answer
        for field, value in more:
            self.send_header(field, value)
        self.end_headers()
        self.wfile.write(body)
    def state(self):
        jar = dict(p.strip().split('=', 1) for p in (self.headers['Cookie'] or '').split(';') if '=' in p)
        state = opened(jar.get(HOSTS[self.headers['Host']], ''))
        kept = KEPT[self.headers['Host']]
        if not state.get('user') and kept in jar:
            state = {'user': opened(jar[kept]).get('remember')}
        return state
    def do_GET(self):
        state = self.state()
        path = self.path
        if path.startswith('/attachments/'):
            if not state.get('user'):
                return self.answer(302, 'text/html', b'', {}, ('Location', '/login'))
            return self.answer(200, 'application/octet-stream', os.urandom(3000), state,
                               ('Content-Disposition', f'attachment; filename="{os.path.basename(path)}"'))
        if path.startswith(('/stylesheets/', '/javascripts/', '/images/')):
            kind = {'s': 'text/css', 'j': 'text/javascript', 'i': 'image/png'}[path[1]]
            return self.answer(200, kind, b'x' * 200, state)
        if path == '/missing':
            return self.answer(404, 'text/html', b'<p>none</p>', state)
        shown = f'<div id="loggedas">Logged in as <a href="/users/5">{state["user"]}</a></div>' if state.get('user') else ''
        self.answer(200, 'text/html', f'<html><body>{shown}<p>{path}</p></body></html>'.encode(), state)
    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode())
        user = form['username'][0]
        if form['password'][0] != 'right':
            return self.answer(200, 'text/html', b'<input type="password">', self.state())
        more = [('Location', '/my/page')]
        if 'autologin' in form:
            more.append(('Set-Cookie', f'{KEPT[self.headers["Host"]]}={sealed({"remember": user})}; Max-Age=31536000; path=/; HttpOnly'))
        self.answer(302, 'text/html', b'', {'user': user}, *more)

def serve():
    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 64
    Server((SERVER, PORT), Desk).serve_forever()

# ---- its clients ----

class Client:
    def __init__(self, folder, host, address, agent=FIREFOX):
        self.host, self.jar = host, os.path.join(folder, f'jar-{address}-{host}')
        self.base = ['curl', '-s', '-S', '--no-progress-meter', '-o', '/dev/null', '--interface', address, '-A', agent, '-H', f'Host: {host}', '-b', self.jar, '-c', self.jar]
    def get(self, *paths, options=()):
        urls = [f'http://{SERVER}:{PORT}{p}' for p in paths]
        parallel = ['-Z', '--parallel-immediate'] if len(paths) > 1 else []
        args = self.base + [a for url in urls[1:] for a in ('-o', '/dev/null')] + parallel + list(options) + urls
        subprocess.run(args, check=True)
    def sign_in(self, user, password='right', more=''):
        self.get('/login')
        self.get('/login', options=['-d', f'username={user}&password={password}{more}'])
    def page(self, path):
        self.get(path)
        self.get('/stylesheets/a.css', '/javascripts/b.js', '/images/c.png', '/images/d.png', options=['-e', f'http://{self.host}{path}'])
    def value(self):
        with open(self.jar, encoding='utf-8') as lines:
            return [line.split()[6] for line in lines if line.split()[5:6] == [HOSTS[self.host]]][0]

def work(client, rounds, first=1):
    for n in range(first, first + rounds):
        client.page(f'/issues/{n}')
        client.get(f'/attachments/download/{n}/core{n}.log', options=['-e', f'http://{client.host}/issues/{n}'])

def drive(folder, what):
    for host in HOSTS:
        agent, colleague = Client(folder, host, AGENT), Client(folder, host, COLLEAGUE)
        if what == 'before':   # of this nothing is recorded
            colleague.sign_in('bob')
            continue
        agent.sign_in('alice', 'wrong')
        agent.sign_in('alice', more='&autologin=1')
        work(agent, 5)
        agent.get('/missing')
        old = agent.value()
        work(agent, 3, 6)
        for n in range(12):   # the colleague downloads, and only then looks at a page that shows who it is
            colleague.get(f'/attachments/download/{100 + n}/trace{n}.log')
        colleague.page('/issues/50')
        if what == 'theft':
            thief = Client(folder, host, THIEF, 'python-requests/2.32')
            with open(thief.jar, 'w', encoding='utf-8') as jar:
                jar.write(f'{host}\tFALSE\t/\tFALSE\t0\t{HOSTS[host]}\t{old}\n')
            for n in range(4):
                thief.get(f'/attachments/download/{200 + n}/loot{n}.log')
        work(agent, 1, 20)
        agent.get('/attachments/download/30/next30.log', options=['-j'])   # the browser starts anew: only the long-lived cookie is left
        agent.get('/attachments/download/31/next31.log')

# ---- recording ----

def record(path, stop):
    """What arrives on the loopback interface, as a capture file."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.bind(('lo', 0))
    tap.settimeout(0.2)
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        while not stop.is_set():
            try:
                frame, where = tap.recvfrom(262144)
            except socket.timeout:
                continue
            if where[2] != 4:   # PACKET_OUTGOING: the same frame once more
                now = time.time_ns()
                out.write(struct.pack('<IIII', now // 10**9, now % 10**9, len(frame), len(frame)) + frame)

def inside(folder, what):
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    for address in (SERVER, AGENT, COLLEAGUE, THIEF):
        subprocess.run(['ip', 'addr', 'add', address + '/32', 'dev', 'lo'], check=True)
    threading.Thread(target=serve, daemon=True).start()
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex((SERVER, PORT)) == 0:
                break
        time.sleep(0.05)
    drive(folder, 'before')
    stop = threading.Event()
    recorder = threading.Thread(target=record, args=(os.path.join(folder, what + '.pcap'), stop))
    recorder.start()
    time.sleep(0.3)
    drive(folder, what)
    time.sleep(0.5)
    stop.set()
    recorder.join()

# ---- what came of it ----

def look(checks, folder, what):
    out = os.path.join(folder, 'out-' + what)
    replay('--quiet', '--out', out, os.path.join(folder, what + '.pcap'))
    rows = load(os.path.join(out, 'activities.ndjson'))
    acts, sessions, alerts = settle(rows), load(os.path.join(out, 'sessions.ndjson')), load(os.path.join(out, 'alerts.ndjson'))
    checks.that(not subprocess.run([os.path.join(ROOT, 'tests', 'integration', 'check_schemas.py'), os.path.join(out, 'sessions.ndjson')],
                                   stdout=subprocess.PIPE).returncode % 77, 'sessions.ndjson against its schema')
    stolen = [a for a in alerts if get(a, 'rule.id') == 'D07']
    for host in HOSTS:
        files = {get(a, 'file.name'): a for a in acts if get(a, 'event.action') == 'download' and get(a, 'url.domain') == host}
        checks.that(len(files) == 9 + 12 + 2 + (4 if what == 'theft' else 0), f'{what} {host}: {len(files)} files')
        ids = {get(a, 'casetap.session.id') for name, a in files.items() if name.startswith(('core', 'loot'))}
        checks.that(len(ids) == 1, f'{what} {host}: one session, not {len(ids)}')
        checks.that(all(get(a, 'user.name') == 'alice' for name, a in files.items() if name.startswith(('core', 'loot', 'next'))),
                    f'{what} {host}: {[(n, get(a, "user.name")) for n, a in files.items()]}')
        own = [s for s in sessions if get(s, 'casetap.session.id') in ids]
        checks.that(len(own) == 1 and get(own[0], 'casetap.session.begin') == 'login', f'{what} {host}: one record of it: {own}')
        values = get(own[0], 'casetap.session.values') or {}
        checks.that(values.get('replaced', 0) >= 9 * 6, f'{what} {host}: {values}')
        checks.that(values.get('forks', 0) >= 9, f'{what} {host}: no forks by parallel requests: {values}')
        foreign = values.get('foreign_forks', 0)
        checks.that(foreign == (1 if what == 'theft' else 0), f'{what} {host}: foreign forks: {values}')
        checks.that(len(get(own[0], 'casetap.contexts')) == (2 if what == 'theft' else 1), f'{what} {host}: contexts: {own[0]}')
        checks.that(get(own[0], 'casetap.page_parts') >= 9 * 4, f'{what} {host}: page parts: {get(own[0], "casetap.page_parts")}')
        remembered = {get(a, 'casetap.session.id') for name, a in files.items() if name.startswith('next')}
        checks.that(len(remembered) == 1 and not remembered & ids, f'{what} {host}: the remembered session: {remembered}')
        begin = [get(s, 'casetap.session.begin') for s in sessions if get(s, 'casetap.session.id') in remembered]
        checks.that(begin == ['remembered'], f'{what} {host}: {begin}')
        if host.startswith('redmine'):   # whose profile knows where a page shows the name
            traces = [a for name, a in files.items() if name.startswith('trace')]
            checks.that(all(get(a, 'user.name') == 'bob' for a in traces), f'{what} {host}: {[get(a, "user.name") for a in traces]}')
            checks.that(len({get(a, 'casetap.session.id') for a in traces}) == 1, f'{what} {host}: more than one session of bob')
            named = [r for r in rows if get(r, 'event.action') == 'identify' and get(r, 'user.name') == 'bob']
            checks.that(len(named) == 1, f'{what} {host}: named {len(named)} times')
    checks.that(bool(stolen) == (what == 'theft'), f'{what}: {[get(a, "message") for a in stolen]}')
    if stolen:
        checks.that({get(a, 'user.name') for a in stolen} == {'alice'}, f'{stolen}')

def quiet(frames):
    """The times of those frames that begin a connection while no other is open."""
    going_on = set()
    for when, record in frames:
        tcp = record[16 + 14 + 20:]
        ends, flags = frozenset(struct.unpack_from('>HH', tcp)), tcp[13]
        if flags & 0x17 == 0x02:
            if not going_on:
                yield when
            going_on.add(ends)
        elif flags & 0x05:
            going_on.discard(ends)

def cut(path, at, out):
    """The two parts of a capture: cut between two connections, near a moment (a share of its time)."""
    with open(path, 'rb') as f:
        data = f.read()
    frames, i = [], 24
    while i + 16 <= len(data):
        s, ns, size, _ = struct.unpack_from('<IIII', data, i)
        frames.append((s * 10**9 + ns, data[i:i + 16 + size]))
        i += 16 + size
    start, length = frames[0][0], frames[-1][0] - frames[0][0]
    when = min(quiet(frames), key=lambda t: abs(t - start - length * at))
    for name, wanted in (('first.pcap', [f for t, f in frames if t < when]), ('second.pcap', [f for t, f in frames if t >= when])):
        with open(os.path.join(out, name), 'wb') as f:
            f.write(data[:24] + b''.join(wanted))
    return [os.path.join(out, name) for name in ('first.pcap', 'second.pcap')]

def names(folder):
    return {get(a, 'file.name') + ' ' + get(a, 'url.domain'): (get(a, 'user.name'), get(a, 'casetap.session.id'))
            for a in settle(load(os.path.join(folder, 'activities.ndjson'))) if get(a, 'event.action') == 'download' and get(a, 'file.name')}

def shared(checks, folder):
    """What one sensor learned the next one knows, by Redis: all sessions with a name go on under it, and under their id."""
    if not shutil.which('redis-server'):
        print('redis-server is not installed: sharing is not tested')
        return
    sock = os.path.join(folder, 'redis.sock')
    redis = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', sock, '--save', '', '--appendonly', 'no', '--dir', folder],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if os.path.exists(sock):
                break
            time.sleep(0.05)
        whole = names(os.path.join(folder, 'out-theft'))
        cli = lambda *words: subprocess.run(['redis-cli', '-s', sock, *words], capture_output=True, text=True).stdout
        known = 0
        for at in (0.3, 0.45, 0.7, 0.95):
            cli('FLUSHALL')
            got = {}
            for part in cut(os.path.join(folder, 'theft.pcap'), at, folder):
                out = os.path.join(folder, 'part')
                replay('--quiet', '--redis', 'unix://' + sock, '--out', out, part)
                got.update({k: v for k, v in names(out).items() if k not in got})
            for key, (name, session) in whole.items():
                if name == 'alice':
                    checks.that(got.get(key, (name, session)) == (name, session), f'cut at {at}: {key} {got.get(key)} instead of {(name, session)}')
                    known += key in got
        checks.that(known > 50, f'{known} downloads of alice over the cuts')
        keys = [k for k in cli('--scan').split() if k.endswith(':session')]
        checks.that(len(keys) > 10, f'{len(keys)} session values in Redis')
        lives = [int(cli('TTL', k)) for k in keys]
        checks.that(all(0 < t <= 90 * 86400 for t in lives), f'lifetimes {sorted(lives)[:3]}')
        checks.that(any(t > 8 * 86400 for t in lives), 'none lives as long as a remember-me cookie')
        values = [cli('GET', k) for k in keys]
        checks.that(all(re.match(r'(session|value) [0-9a-f]{32} ', v) for v in values), f'{values[:2]}')
    finally:
        redis.terminate()
        redis.wait()

def main():
    if os.getuid() != 0:
        skip('needs root for a network namespace')
    if subprocess.run(['unshare', '-n', 'true'], stderr=subprocess.DEVNULL).returncode:
        skip('no network namespaces here')
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        for what in ('harmless', 'theft'):
            for name in os.listdir(folder):
                if name.startswith('jar-'):
                    os.remove(os.path.join(folder, name))
            subprocess.run(['unshare', '-n', '/usr/bin/python3', os.path.abspath(__file__), folder, what], check=True, timeout=120)
            look(checks, folder, what)
        shared(checks, folder)
    checks.done()

if len(sys.argv) == 3:
    inside(*sys.argv[1:])
else:
    main()
