#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""'casetap run' in front of TLS, with the server's key log: nginx (TLS 1.3 and 1.2, HTTP/1.1 and HTTP/2) on one end of a veth pair,
curl and headless Chromium on the other. What the sensor tells is compared line by line with nginx's access log, and with a replay
of the same packets: with keys from a file that is rotated meanwhile, with keys 2 s late in a directory, and through a unix socket."""
import os, shutil, signal, socket, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

SERVER, NAME, PATIENCE = '10.87.0.1', 'desk.example', 120   # seconds; a limit for when something is broken, never waited for
LATE = 2.0
SIZES = {'empty.txt': 0, 'note.txt': 513, 'log.txt': 16384, 'mail.zip': 1000003, 'dump.tar.gz': 20 << 20}
PAGE = '''<!doctype html><title>Case 4711</title><link rel=stylesheet href=/desk.css><img src=/logo.png><script>
var r = new XMLHttpRequest(); r.open('GET', '/files/mail.zip?by=script', false); r.overrideMimeType('text/plain; charset=x-user-defined');
r.send(); document.write('<p>got ' + r.responseText.length + '</p>');</script>'''
CONF = '''daemon off; user root; worker_processes 2; pid %(at)s/nginx.pid; error_log %(at)s/error.log;
events { worker_connections 512; }
http {
  types { text/html html; text/css css; image/png png; text/plain txt; application/zip zip; application/gzip gz; }
  client_body_temp_path %(at)s/tmp; proxy_temp_path %(at)s/tmp; fastcgi_temp_path %(at)s/tmp; uwsgi_temp_path %(at)s/tmp; scgi_temp_path %(at)s/tmp;
  log_format lines '$msec\\t$remote_port\\t$request_method\\t$request_uri\\t$status\\t$body_bytes_sent\\t$server_protocol\\t$ssl_protocol';
  access_log %(at)s/access.log lines;
  ssl_certificate %(at)s/cert.pem; ssl_certificate_key %(at)s/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
  server { listen %(ip)s:443 ssl http2; root %(at)s/www; default_type application/octet-stream;
    location /files/ { add_header Content-Disposition attachment; } location /case/ { default_type text/html; } } }
'''

def ip(*args):
    subprocess.run(['ip', *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

def wait_for(what, is_there):
    end = time.monotonic() + PATIENCE
    while not is_there():
        if time.monotonic() > end:
            raise SystemExit(f'waited {PATIENCE} s for {what}')
        time.sleep(0.05)

def lines_of(path):
    try:
        with open(path, encoding='utf-8') as f:
            return f.read().split('\n')[:-1]
    except FileNotFoundError:
        return []

class Desk:
    """Two namespaces, a wire between them, and nginx on one end."""
    def __init__(self, at):
        self.at, self.spaces, self.running = at, [f'tl{end}-{os.getpid()}' for end in 'sc'], []
        self.keys, self.log = os.path.join(at, 'server.keys'), os.path.join(at, 'access.log')

    def make_wire(self):
        made = []
        try:
            for space in self.spaces:
                ip('netns', 'add', space)
                made.append(space)
            ip('-n', self.spaces[0], 'link', 'add', 'tl0', 'type', 'veth', 'peer', 'name', 'tl1', 'netns', self.spaces[1])
            for space, link, address in zip(self.spaces, ('tl0', 'tl1'), (SERVER, '10.87.0.2')):
                ip('-n', space, 'address', 'add', address + '/24', 'dev', link)
                ip('-n', space, 'link', 'set', link, 'up')
                ip('-n', space, 'link', 'set', 'lo', 'up')
        except (OSError, subprocess.CalledProcessError) as failed:
            for space in made:
                ip('netns', 'del', space)
            said = getattr(failed, 'stderr', b'') or b''
            skip(f'no veth pair between network namespaces here: {said.decode().strip()}')

    def start(self, end, *command, **kw):
        process = subprocess.Popen(['ip', 'netns', 'exec', self.spaces[end], *command], **kw)
        self.running.append(process)
        return process

    def serve(self):
        www, shim = os.path.join(self.at, 'www'), os.path.join(self.at, 'shim.so')
        os.makedirs(os.path.join(www, 'files'))
        os.makedirs(os.path.join(www, 'case'))
        for name, size in SIZES.items():
            with open(os.path.join(www, 'files', name), 'wb') as f:
                f.write(b'k' * size)
        for name, text in {'desk.css': 'p { color: blue }', 'logo.png': '\x89PNG', 'case/4711': PAGE, 'case/4712': '<p>nothing</p>'}.items():
            with open(os.path.join(www, name), 'w', encoding='latin-1') as f:
                f.write(text)
        with open(os.path.join(self.at, 'nginx.conf'), 'w') as f:
            f.write(CONF % {'at': self.at, 'ip': SERVER})
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={NAME}', '-days', '2',
                        '-keyout', f'{self.at}/key.pem', '-out', f'{self.at}/cert.pem'], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(['cc', '-Wall', '-Werror', '-shared', '-fPIC', '-O1', '-o', shim, os.path.join(ROOT, 'tools', 'lab', 'keylog_preload.c'), '-ldl'],
                       check=True)
        os.close(os.open(self.keys, os.O_CREAT | os.O_WRONLY, 0o600))
        self.start(0, 'env', f'LD_PRELOAD={shim}', f'SSLKEYLOGFILE={self.keys}', 'nginx', '-c', f'{self.at}/nginx.conf', '-p', self.at)
        wait_for('nginx', lambda: subprocess.run(['ip', 'netns', 'exec', self.spaces[0], 'ss', '-Hltn', 'sport = :443'],
                                                 stdout=subprocess.PIPE).stdout)

    def stop(self):
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for space in self.spaces:
            ip('netns', 'del', space)

class Feeder(threading.Thread):
    """Hands the server's key log on, each line so many seconds after it was written, into a file or a socket."""
    def __init__(self, source, to, delay):
        super().__init__(daemon=True)
        self.source, self.delay, self.fed, self.is_over = source, delay, 0, False
        self.seen = self.skip = len(lines_of(source))   # of rounds before
        if to.startswith('unix:'):
            link = socket.socket(socket.AF_UNIX)
            link.connect(to[5:])
            self.write = link.sendall
        else:
            self.write = os.fdopen(os.open(to, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), 'wb', buffering=0).write

    def run(self):
        waiting = []
        while not self.is_over or waiting:
            now = time.monotonic()
            fresh = lines_of(self.source)[self.seen:]
            self.seen += len(fresh)
            waiting += [(now + self.delay, line) for line in fresh]
            while waiting and waiting[0][0] <= now:
                self.write((waiting.pop(0)[1] + '\n').encode())
                self.fed += 1
            time.sleep(0.02)

class Clients:
    def __init__(self, desk):
        self.desk, self.got = desk, {}
        self.home = os.path.join(desk.at, 'home')

    def curl(self, *args):
        command = ['ip', 'netns', 'exec', self.desk.spaces[1], 'curl', '-sk', '--noproxy', '*', '-m', str(PATIENCE), '-o', '/dev/null', '-w',
                   '%{size_download}\n', '--resolve', f'{NAME}:443:{SERVER}', '-b', 'session=0123456789abcdef0123', *args]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def fetch(self, *args, code=0):
        process = self.curl(*args)
        out, err = process.communicate()
        if process.returncode != code:
            raise SystemExit(f'curl {args}: exit {process.returncode}: {err}')
        return [int(n) for n in out.split()]

    def url(self, path, mark):
        return f'https://{NAME}{path}?{mark}'

    def all_curls(self, mark):
        for i, how in enumerate((['--http1.1'], ['--http2'], ['--http1.1', '--tls-max', '1.2'], ['--http2', '--tls-max', '1.2'])):
            m = f'{mark}{i}'
            urls = [self.url(p, m) for p in ('/files/note.txt', '/case/4712', '/files/mail.zip', '/none', '/files/empty.txt', '/files/log.txt')]
            self.fetch(*how, *[x for u in urls for x in ('-o', '/dev/null', u)])
            self.fetch(*how, '-I', self.url('/files/note.txt', m))
            self.fetch(*how, '-r', '1000-1999', self.url('/files/mail.zip', m))
            self.fetch(*how, '-r', '0-9,100-299', self.url('/files/log.txt', m))
            together = self.curl(*how, '-Z', '--parallel-immediate', *[x for u in urls[:3] for x in ('-o', '/dev/null', u)])
            broken = self.curl(*how, '--limit-rate', '400k', '-m', '1', self.url('/files/dump.tar.gz', m + 'broken'))
            together.communicate()
            self.got[m + 'broken'] = int(broken.communicate()[0])
            if broken.returncode != 28:
                raise SystemExit(f'curl: exit {broken.returncode} of a download that should be cut short')

    def chromium(self, url, *args):
        command = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run',
                   '--disable-component-update', '--no-proxy-server', '--ignore-certificate-errors', f'--user-data-dir={self.home}',
                   f'--host-resolver-rules=MAP {NAME} {SERVER}, MAP * ~NOTFOUND', *args, url]
        return self.desk.start(1, *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, 'HOME': self.home})

    def browse(self, mark, *args):
        """A page with all that belongs to it, and a file to disk."""
        page = self.chromium(self.url('/case/4711', mark), '--dump-dom', *args)
        said = page.communicate(timeout=PATIENCE)[0]
        if f'got {SIZES["mail.zip"]}' not in said:
            raise SystemExit(f'chromium did not load the page: {said[-400:]}')

    def download(self, mark):
        into = os.path.join(self.desk.at, 'loads-' + mark)
        os.makedirs(os.path.join(self.home, 'Default'), exist_ok=True)
        with open(os.path.join(self.home, 'Default', 'Preferences'), 'w') as f:
            json.dump({'download': {'default_directory': into, 'prompt_for_download': False}}, f)
        browser = self.chromium(self.url('/files/dump.tar.gz', mark), '--remote-debugging-port=0')
        whole = os.path.join(into, 'dump.tar.gz')
        wait_for('the download', lambda: os.path.exists(whole) and os.path.getsize(whole) == SIZES['dump.tar.gz'])
        browser.terminate()
        browser.wait()

def counters_of(path):
    return {line.split()[0]: int(line.split()[1]) for line in lines_of(path)}

def round_of(desk, checks, name, keylog, work):
    """One run of the sensor, beside tcpdump, while the clients do their work; what it wrote, and what nginx logged."""
    out = os.path.join(desk.at, name)
    log_before = len(lines_of(desk.log))
    capture = os.path.join(desk.at, name + '.pcap')
    sensor = desk.start(0, CASETAP, 'run', '-i', 'tl0', '--filter', 'tcp', '--keylog', keylog, '--app', f'generic={NAME}', '--out', out,
                        '--counters', out + '.counters', stderr=subprocess.PIPE, text=True)
    said = ''
    while 'capturing on' not in said:
        line = sensor.stderr.readline()
        if not line:
            raise SystemExit(f'{name}: no sensor: {said}')
        said += line
    tcpdump = desk.start(0, 'tcpdump', '-i', 'tl0', '-s', '0', '-B', '131072', '--time-stamp-precision=nano', '--immediate-mode', '-U', '-w', capture, 'tcp', stderr=subprocess.PIPE, text=True)
    while 'listening on' not in tcpdump.stderr.readline():
        pass
    clients = Clients(desk)
    work(clients)
    last = clients.url('/case/4712', 'last-' + name)
    clients.fetch('--http1.1', last)
    activities = os.path.join(out, 'activities.ndjson')
    wait_for('the last activity', lambda: any(f'last-{name}' in line for line in lines_of(activities)))
    wait_for('the access log', lambda: any(f'last-{name}' in line for line in lines_of(desk.log)))
    sensor.send_signal(signal.SIGTERM)
    summary = sensor.stderr.read()
    checks.that(sensor.wait(PATIENCE) == 0, f'{name}: exit {sensor.returncode}: {summary}')
    written = [-1, os.path.getsize(capture)]
    while written[-1] != written[-2]:   # it has no way to tell that it is through
        time.sleep(0.5)
        written.append(os.path.getsize(capture))
    tcpdump.send_signal(signal.SIGTERM)
    told = tcpdump.communicate()[1]
    checks.that('\n0 packets dropped by kernel' in told, f'{name}: tcpdump lost packets: {told}')
    counts = counters_of(out + '.counters')
    checks.that(counts['source_kernel_drops'] == 0, f"{name}: {counts['source_kernel_drops']} packets lost")
    return load(activities), counts, capture, [line.split('\t') for line in lines_of(desk.log)[log_before:]], clients.got

def size_fits(row, said, broken):
    """Exactly; of a download that was broken off, between what the client got and what the server gave away."""
    sent, mark = int(row[5]), row[3].partition('?')[2]
    return said is not None and (broken[mark] <= said <= sent < SIZES['dump.tar.gz'] if mark in broken else said == sent)

def compare(checks, name, rows, records, broken, port):
    """Each line of the access log has its record, and no record is left."""
    records = list(records)
    for row in rows:
        fits = [r for r in records if str(get(r, port)) == row[1] and get(r, 'http.request.method') == row[2] and get(r, 'url.original') == row[3] and
                str(get(r, 'http.response.status_code')) == row[4]]
        hit = next((r for r in fits if size_fits(row, get(r, 'http.response.body.bytes'), broken)), None)
        checks.that(hit, f"{name}: {' '.join(row)}; there is {[get(r, 'http.response.body.bytes') for r in fits]}")
        if hit:
            records.remove(hit)
    checks.that(not records, f"{name}: not in the access log: {[(get(r, 'url.original'), get(r, port)) for r in records[:5]]}")

def is_told(row):
    """What is an activity here: cases, and files that were answered with one."""
    return row[3].startswith('/case/') or row[3].startswith('/files/') and row[2] == 'GET' and row[4] in ('200', '206')

TIMES = ('@timestamp', 'event.id', 'casetap.amends', 'casetap.done', 'casetap.flow', 'casetap.session.start', 'casetap.source.rtt_us')

def timeless(records):
    """What does not depend on the time of capture: each socket of the kernel has its own idea of that."""
    def facts(o, path=''):
        return {k: facts(v, path + k + '.') if isinstance(v, dict) else v for k, v in o.items() if path + k not in TIMES}
    return sorted(json.dumps(facts(r), sort_keys=True) for r in records)

def judge(desk, checks, name, result):
    live, counts, capture, rows, broken = result
    recorded = os.path.join(desk.at, name + '-replay')
    keys = os.path.join(desk.at, 'all.keys')
    with open(keys, 'w') as f:
        f.write('\n'.join(lines_of(desk.keys + '.1') + lines_of(desk.keys)) + '\n')
    os.chmod(keys, 0o600)
    replay('--quiet', '--out', recorded, '--transactions', recorded + '.txn', '--app', f'generic={NAME}', '--keylog', keys, capture)
    again = load(os.path.join(recorded, 'activities.ndjson'))
    one, other = timeless(live), timeless(again)
    checks.that(len({get(r, 'event.id') for r in live}) == len(live), f'{name}: two records with one id')
    # a browser that is ended leaves connections on which it never asked for anything, some in the middle of their handshake
    asked = {row[1] for row in rows}
    whole = [t for t in load(recorded + '.txn') if get(t, 'http.request.method') or str(get(t, 'source.port')) in asked]
    compare(checks, f'{name}, transactions', rows, whole, broken, 'source.port')
    compare(checks, f'{name}, activities', [r for r in rows if is_told(r)], [a for a in settle(live) if get(a, 'url.original')], broken, 'casetap.peer.port')
    checks.that(one == other, f'{name}: live {len(one)} records, replay {len(other)}; only live {sorted(set(one) - set(other))[:2]}, only replay {sorted(set(other) - set(one))[:2]}')
    checks.that(counts['tls_opened'] > 0 and counts['tls_no_keys'] == 0 and counts['tls_bad_keys'] == 0, f'{name}: {counts}')
    kinds = {(r[6], r[7]) for r in rows}
    print(f'{name}: {len(rows)} requests, {len(one)} activities, {counts["tls_opened"]} connections opened, {counts["tls_waited"]} waited, {kinds}')

def from_file(clients):
    """The key log is rotated between, and while, the clients work."""
    desk = clients.desk
    clients.all_curls('a')
    clients.fetch('--http2', clients.url('/files/dump.tar.gz', 'big2'))
    os.rename(desk.keys, desk.keys + '.1')
    clients.browse('b')
    clients.browse('b11', '--disable-http2')
    clients.download('c')
    clients.fetch('--http1.1', clients.url('/files/dump.tar.gz', 'big1'))

def main():
    if os.getuid() != 0:
        skip('needs root for a network namespace')
    for program in ('nginx', 'curl', 'chromium', 'tcpdump', 'openssl', 'cc'):
        if not shutil.which(program):
            skip(f'no {program} here')
    checks = Checks()
    with tempfile.TemporaryDirectory() as at:
        desk = Desk(at)
        desk.make_wire()
        try:
            desk.serve()
            judge(desk, checks, 'file', round_of(desk, checks, 'file', desk.keys, from_file))
            place = os.path.join(at, 'keys.d')
            os.mkdir(place, 0o700)
            def late(clients):
                feeder = Feeder(desk.keys, os.path.join(place, 'late.keys'), LATE)
                feeder.start()
                clients.fetch('--http2', clients.url('/files/dump.tar.gz', 'big-late'))   # all of it waits
                wait_for('its keys', lambda: feeder.fed and feeder.fed == feeder.seen - feeder.skip)
                clients.all_curls('d')
                clients.browse('e')
            judged = round_of(desk, checks, 'late', place, late)
            checks.that(judged[1]['tls_waited'] > 0, 'late: no connection waited for its keys')
            judge(desk, checks, 'late', judged)
            link = os.path.join(at, 'keys.sock')
            def through_socket(clients):
                Feeder(desk.keys, 'unix:' + link, 0).start()
                clients.all_curls('f')
            judge(desk, checks, 'socket', round_of(desk, checks, 'socket', 'unix:' + link, through_socket))
        finally:
            desk.stop()
    checks.done()
main()
