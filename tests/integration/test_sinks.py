#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts arrive: at real rsyslog over UDP, TCP, TLS and a unix socket, at collectors that fail in every way we know, in Redis; each
once by its id and update, and what cannot arrive is told once."""
import hashlib, hmac, json, os, shutil, socket, subprocess, sys, tempfile, threading, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
from casetap_test import *
import collectors, siem_check

KEY = 'a key of a webhook, 32 bytes long'
TOKEN = '11111111-2222-3333-4444-555555555555'

def key_of(row):
    return row['event']['id'], row['casetap']['update']

def once(checks, what, keys, wanted):
    """All of them; twice only where the receiver broke off itself."""
    checks.that(set(keys) == set(wanted), f'{what}: {len(set(keys))} of {len(wanted)} alerts, {sorted(set(keys) ^ set(wanted))[:3]}')
    return len(keys) - len(set(keys))

def wait_for(thing, seconds=5):
    end = time.time() + seconds
    while not thing() and time.time() < end:
        time.sleep(0.05)

class Receiver(threading.Thread):
    """A unix socket of datagrams."""
    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.got = []
        self.start()

    def run(self):
        while True:
            self.got.append(self.socket.recv(1 << 20))

def rsyslog_got(checks, name, rows, wanted):
    keys = []
    for row in rows:
        try:
            message = siem_check.syslog(row['raw'].encode())
        except ValueError as e:
            checks.that(False, f'{name}: {e}')
            continue
        checks.that(message['app'] == row['app'] == 'casetap' and message['host'] == row['host'], f'{name}: rsyslog read another head')
        sd = message['sd']['alert@32473']
        keys.append((sd['id'], int(sd['update'])))
        body = message['msg']
        if body.startswith('CEF'):
            fields, values = siem_check.cef(body)
            checks.that(values['externalId'] == sd['id'], f'{name}: CEF of another alert')
        elif body.startswith('LEEF'):
            checks.that(siem_check.leef(body)[1]['alertId'] == sd['id'], f'{name}: LEEF of another alert')
        elif name == 'tls':
            checks.that(key_of(json.loads(body)) == keys[-1], f'{name}: JSON of another alert')
    extra = once(checks, f'rsyslog over {name}', keys, wanted)
    checks.that(extra == 0, f'rsyslog over {name}: {extra} came twice')

def redis_keys(port):
    out = subprocess.run(['redis-cli', '-p', str(port), '--json', 'XRANGE', 'casetap:alerts', '-', '+'], stdout=subprocess.PIPE, check=True).stdout
    rows = json.loads(out)
    return [(fields[fields.index('id') + 1], int(fields[fields.index('update') + 1])) for _, fields in rows]

def config_of(folder, rsyslog, webhook, hec, bulk, redis_port):
    sinks = [
        ('udp', f'syslog+udp://127.0.0.1:{rsyslog.ports["udp"]}', 'format: leef'), ('tcp', f'syslog+tcp://localhost:{rsyslog.ports["tcp"]}', 'format: cef'),
        ('tls', f'syslog+tls://localhost:{rsyslog.ports["tls"]}', f'format: ecs\n    ca: {folder}/ca.pem'),
        ('unix', f'syslog+unix://{folder}/log.sock', 'format: text'), ('gram', f'syslog+unix://{folder}/gram.sock', 'format: text'),
        ('hook', f'webhook+http://127.0.0.1:{webhook.port}/alerts?x=1', f'secret: file:{folder}/key\n    timeout: 1\n    retry: 1\n    retry-most: 1'),
        ('hec', f'hec+http://127.0.0.1:{hec.port}', 'secret: env:HEC_TOKEN\n    retry: 1\n    retry-most: 1'),
        ('bulk', f'bulk+http://127.0.0.1:{bulk.port}', 'retry: 1\n    retry-most: 1\n    attempts: 2'),
        ('grave', f'file://{folder}/grave.ndjson', 'severity: critical\n    updates: false'),
    ]
    if redis_port:
        sinks.append(('redis', f'redis://127.0.0.1:{redis_port}', 'format: ocsf'))
    path = os.path.join(folder, 'casetap.yaml')
    with open(path, 'w', encoding='utf-8') as f:
        f.write('sinks:\n' + ''.join(f'  - name: {name}\n    url: {url}\n    {options}\n' for name, url, options in sinks))
    return path

def start_redis(folder):
    if not shutil.which('redis-server'):
        print('redis-server is not installed: its sink is not tried')
        return None, 0
    port = collectors.free_port()
    process = subprocess.Popen(['redis-server', '--port', str(port), '--save', '', '--dir', folder], stdout=subprocess.DEVNULL)
    wait_for(lambda: subprocess.run(['redis-cli', '-p', str(port), 'ping'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout == b'PONG\n')
    return process, port

def everything(checks, folder, capture):
    with open(os.path.join(folder, 'key'), 'w', encoding='utf-8') as f:
        f.write(KEY + '\n')
    os.chmod(os.path.join(folder, 'key'), 0o600)
    redis, redis_port = start_redis(folder)
    rsyslog = collectors.Rsyslog(folder)
    gram = Receiver(os.path.join(folder, 'gram.sock'))
    webhook = collectors.Webhook([500, 'hang', 'cut', 503, None, 429], delay=4)   # and away at first
    hec = collectors.Hec(TOKEN)
    before = os.path.join(folder, 'before')
    replay('--quiet', '--out', before, *ALIAS, capture)
    wanted = [key_of(row) for row in load(os.path.join(before, 'alerts.ndjson'))]
    bulk = collectors.Bulk(refused_id=wanted[-1][0])
    config = config_of(folder, rsyslog, webhook, hec, bulk, redis_port)
    out = os.path.join(folder, 'out')
    done = replay('--config', config, '--out', out, '--counters', os.path.join(folder, 'counters'), *ALIAS, capture, check=False,
                  env={**os.environ, 'HEC_TOKEN': TOKEN})
    alerts = load(os.path.join(out, 'alerts.ndjson'))
    checks.that([key_of(row) for row in alerts] == wanted, 'with sinks there are other alerts')
    wait_for(lambda: all(len(rsyslog.messages(name)) >= len(wanted) for name in ('udp', 'tcp', 'tls', 'unix')))
    for name in ('udp', 'tcp', 'tls', 'unix'):
        rsyslog_got(checks, name, rsyslog.messages(name), wanted)
    checks.that(len(gram.got) == len(wanted), f'{len(gram.got)} datagrams')
    extra = once(checks, 'webhook', [key_of(json.loads(body)) for body in webhook.got], wanted)
    checks.that(extra == 1, f'webhook: {extra} twice, not the one whose answer was cut off')
    for signature, body in webhook.signatures:
        checks.that(signature == 'sha256=' + hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest(), 'the signature is not that of the body')
    checks.that(once(checks, 'hec', [key_of(row['event']) for row in hec.events], wanted) == 0, 'hec: twice')
    last = {key: update for key, update in wanted}
    last.pop(bulk.refused_id)
    checks.that({key: version - 1 for key, (version, _) in bulk.documents.items()} == last, 'bulk: not each alert as it stood last')
    checks.that(bulk.refusals == 2 * sum(key == bulk.refused_id for key, _ in wanted), f'bulk: {bulk.refusals} attempts of what is refused')
    grave = load(os.path.join(folder, 'grave.ndjson'))
    checks.that([key_of(r) for r in grave] == [key_of(r) for r in alerts if r['casetap']['severity'] == 'critical' and r['casetap']['update'] == 0],
                'the file with a severity')
    if redis_port:
        checks.that(once(checks, 'redis', redis_keys(redis_port), wanted) == 0, 'redis: twice')
        redis.terminate()
        redis.wait(10)
    rsyslog.stop()
    told(checks, done, folder, wanted, bulk)

def told(checks, done, folder, wanted, bulk):
    """What went wrong is said once, counted, and the exit says so."""
    said = done.stderr
    checks.that(done.returncode == 1, f'exit {done.returncode} although bulk refused alerts')
    checks.that(said.count('sink hook: cannot deliver') <= 4 and 'sink hook: delivers again' in said, f'webhook: {said[-800:]}')
    checks.that(said.count('is refused for good (failed to parse field)') == 1, 'the refusal is not told once')
    counters = dict(line.split()[:2] for line in open(os.path.join(folder, 'counters'), encoding='utf-8'))
    refused = sum(key == bulk.refused_id for key, _ in wanted)
    checks.that(int(counters['sink_refused']) == refused, f'sink_refused {counters["sink_refused"]}')
    checks.that(int(counters['sink_failures']) >= 8, f'sink_failures {counters["sink_failures"]}')
    checks.that(TOKEN not in said and KEY not in said, 'a secret was told')

def selftest(*args, **kw):
    return subprocess.run([CASETAP, 'selftest', *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)

def certificate(checks, folder):
    """Another authority, and another name: refused, and told once, before anything is sent."""
    rsyslog = collectors.Rsyslog(folder)
    n = len(rsyslog.messages('tls'))
    runs = [subprocess.Popen([CASETAP, 'selftest', '--sink', f'x=syslog+tls://{host}:{rsyslog.ports["tls"]}#ca={folder}/{ca}'], stderr=subprocess.PIPE, text=True)
            for host, ca in (('localhost', 'other.pem'), ('127.0.0.1', 'ca.pem'))]
    done = subprocess.run([CASETAP, 'check', '--reach', '--sink', f'good=syslog+tls://localhost:{rsyslog.ports["tls"]}#ca={folder}/ca.pem', '--sink',
                           f'bad=syslog+tls://localhost:{rsyslog.ports["tls"]}#ca={folder}/other.pem', '--sink', 'gone=webhook+http://127.0.0.1:1'],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [line for line in done.stdout.split('\n') if line.startswith('sink')]
    checks.that(done.returncode == 1 and lines[0].endswith(', reached') and 'not reached: the server\'s certificate' in lines[1] and
                'not reached: Connection refused' in lines[2] and '2 sinks' in done.stderr, f'{lines} {done.stderr}')
    good = selftest('--sink', f'syslog+tls://localhost:{rsyslog.ports["tls"]}#ca={folder}/ca.pem&format=text')
    checks.that(good.returncode == 0 and 'sink1: 1 delivered' in good.stderr, f'selftest over TLS: {good.stderr}')
    wait_for(lambda: len(rsyslog.messages('tls')) > n)
    for run, reason in zip(runs, ('certificate', 'mismatch')):
        said = run.communicate()[1]
        checks.that(run.returncode == 1 and said.count('cannot deliver') == 1 and reason in said, f'{reason}: {said}')
    messages = [siem_check.syslog(row['raw'].encode()) for row in rsyslog.messages('tls')[n:]]
    checks.that(len(messages) == 1 and messages[0]['msgid'] == 'TEST' and 'nothing happened' in messages[0]['msg'], f'{messages} arrived')
    rsyslog.stop()

def https(checks, folder):
    server = collectors.Webhook([], certificate=os.path.join(folder, 'server'))
    url = f'x=webhook+https://localhost:{server.port}/'
    runs = [subprocess.Popen([CASETAP, 'selftest', '--sink', f'{url}#ca={folder}/{ca}'], stderr=subprocess.PIPE, text=True)
            for ca in ('other.pem', 'ca.pem')]
    refused, good = [run.communicate()[1] for run in runs]
    checks.that(runs[0].returncode == 1 and refused.count('cannot deliver') == 1 and 'certificate' in refused, f'HTTPS: {refused}')
    checks.that(runs[1].returncode == 0 and 'x: 1 delivered' in good, f'HTTPS: {good}')
    checks.that([json.loads(body)['rule']['id'] for body in server.got] == ['TEST'], f'HTTPS: {server.got}')

BAD = [
    ('sinks:\n  - name: a\n    url: nowhere://x\n', '3:', 'begins with none of'), ('sinks:\n  - url: file:///x\n    format: xml\n', '3:', 'none of ecs'),
    ('sinks:\n  - name: a\n', '2:', 'has a url'), ('sinks:\n  - url: file:///x\n    sekret: x\n', '3:', 'secret'),
    ('sinks:\n  - url: hec+https://x\n', '2:', 'token'), ('sinks:\n  - url: webhook+https://x\n    secret: hunter2\n', '3:', 'env:NAME'),
    ('sinks:\n  - url: syslog+tcp://x:99999\n', '2:', 'HOST:PORT'), ('sinks:\n  - url: bulk+http://x\n    format: cef\n', '2:', 'JSON'),
    ('sinks:\n  - {name: a, url: "file:///x"}\n  - {name: a, url: "file:///y"}\n', '3:', 'two sinks'), ('sinks: x\n', '1:', 'list'),
    ('sinks:\n  - url: syslog+tcp://x\n    ca: /x\n', '2:', 'TLS'), ('sinks:\n  - url: file:///x\n    timeout: 0\n', '3:', 'number from 1'),
]

def bad_configuration(checks, folder):
    path = os.path.join(folder, 'bad.yaml')
    for text, place, reason in BAD:
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        done = subprocess.run([CASETAP, 'check', '--config', path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        checks.that(done.returncode == 3 and f'bad.yaml:{place}' in done.stderr and reason in done.stderr and 'hunter2' not in done.stderr,
                    f'{text!r}: {done.returncode} {done.stderr}')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(f'out: {folder}/not-made-yet\nsinks:\n  - url: file://{folder}/x\n')
    done = subprocess.run([CASETAP, 'check', '--config', path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    checks.that(done.returncode == 0 and not os.path.exists(os.path.join(folder, 'not-made-yet')), f'check with out: {done.stderr}')
    os.chmod(os.path.join(folder, 'key'), 0o644)
    for options, reason in ((f'secret=file:{folder}/key', 'chmod 600'), ('secret=env:NO_SUCH', 'environment'), (f'secret=file:{folder}/none', 'No such')):
        done = selftest('--sink', 'webhook+http://127.0.0.1:9#' + options)
        checks.that(done.returncode == 3 and reason in done.stderr, f'{options}: {done.stderr}')
    done = selftest('--sink', 'absent')
    checks.that(done.returncode == 2 and "'absent'" in done.stderr, done.stderr)
    done = subprocess.run([CASETAP, 'check', '--sink', 'siem=syslog+tcp://siem.example:601#format=leef'], stdout=subprocess.PIPE, text=True)
    checks.that('sink      siem: syslog+tcp://siem.example:601, leef' in done.stdout, done.stdout)

def main():
    capture = rt('B')
    if not os.path.exists(capture):
        skip('no captures')
    if not shutil.which('rsyslogd'):
        skip('rsyslogd is not installed (tools/deps test)')
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        collectors.certificates(folder)
        everything(checks, folder, capture)
        others = [threading.Thread(target=part, args=(checks, folder)) for part in (certificate, https)]   # each waits, most of the time
        for other in others:
            other.start()
        bad_configuration(checks, folder)
        for other in others:
            other.join()
    checks.done()
main()
