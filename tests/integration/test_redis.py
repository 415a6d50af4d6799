#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole program with a Redis of the test's own: as the least-privileged user, killed and restarted in the middle, stopped,
emptied, refused. What is stored is readable and documented; nothing is lost; what cannot be used is told in one line."""
import json, os, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

PASSWORD = 'correct-horse@battery/staple'
QUOTED = 'correct-horse%40battery%2Fstaple'
checks = Checks()

class Redis:
    def __init__(self, folder, *options):
        self.folder, self.options, self.socket, self.login = folder, options, os.path.join(folder, 'redis.sock'), []
        self.start()
    def start(self):
        self.server = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', self.socket, '--dir', self.folder, '--save', '',
            '--appendonly', 'yes', '--appendfsync', 'always', *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(self.socket) and self.cli('PING').strip():
                return
            time.sleep(0.05)
        raise SystemExit('redis-server did not start')
    def cli(self, *words):
        return subprocess.run(['redis-cli', '-s', self.socket, '--no-auth-warning', *self.login, *words], capture_output=True, text=True).stdout
    def kill(self):
        self.server.kill()
        self.server.wait()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.kill()

def run(*args, **kw):
    return subprocess.run([CASETAP, 'replay', '--quiet', *ALIAS, *args], capture_output=True, text=True, timeout=300, **kw)

def baselines(redis):
    """{credential's key: {field: value}}"""
    found = {}
    for key in redis.cli('--scan').split('\n'):
        if key.endswith(':baseline'):
            lines = redis.cli('HGETALL', key).rstrip('\n').split('\n')
            found[key] = dict(zip(lines[::2], lines[1::2]))
    return found

def acts(hashes):
    return {key: re.search(r'\bacts=(\d+)', fields.get('seen', '')).group(1) for key, fields in hashes.items() if 'seen' in fields}

def least_privilege(folder):
    """Returns the baselines of an undisturbed run."""
    rule = next(line for line in open(os.path.join(ROOT, 'redis-schema', 'acl.conf')) if line.startswith('user '))
    rule = re.sub(r'#[0-9a-f]{64}', '>' + PASSWORD, rule)
    users = os.path.join(folder, 'users.acl')
    open(users, 'w').write('user default on nopass ~* &* +@all\n' + rule)
    schema = json.load(open(os.path.join(ROOT, 'redis-schema', 'keys.json')))
    fields = {f['name'] for key in schema['keys'] for f in key.get('fields', [])}
    patterns = [re.escape(k['pattern']).replace('PREFIX', schema['prefix']).replace('CREDENTIAL', '[!-~]+').replace('HASH', '[0-9a-f]{32}').replace('{feed}:NAME', '{feed}:[0-9A-Za-z._-]+') for k in schema['keys']]
    with Redis(folder, '--aclfile', users) as redis:
        url = f'unix://casetap:{QUOTED}@{redis.socket}'
        done = run('--out', os.path.join(folder, 'out'), '--redis', url, rt('A_w1'))
        checks.that(done.returncode == 0 and not done.stderr, f'least privilege: exit {done.returncode}: {done.stderr[-300:]}')
        for key in redis.cli('--scan').split():
            checks.that(any(re.fullmatch(p, key) for p in patterns), f'key {key} is not documented')
        stored = baselines(redis)
        checks.that(len(stored) >= 10, f'{len(stored)} baselines')
        for key, hash in stored.items():
            for field, value in hash.items():
                checks.that(re.sub(r':\d+$', ':N', field) in fields, f'{key}: field {field} is not documented')
                checks.that(value.isascii() and value.isprintable(), f'{key} {field}: {value!r} is not readable')
        again = run('--redis', url, rt('A_w1'))
        checks.that(again.returncode == 0, f'a second run over the same baselines: {again.stderr[-300:]}')
        for text in (PASSWORD, QUOTED):
            checks.that(text not in done.stdout + done.stderr + again.stderr, 'the password is printed')
        wrong = run('--redis', f'unix://casetap:x{QUOTED}@{redis.socket}', rt('A_w1'))
        checks.that(wrong.returncode == 1 and 'WRONGPASS' in wrong.stderr and wrong.stderr.count('\n') == 1, f'wrong password: {wrong.stderr}')
        checks.that(QUOTED not in wrong.stderr and PASSWORD not in wrong.stderr, 'the wrong password is printed')
        redis.cli('SET', 'casetap:schema', '99')
        newer = run('--out', os.path.join(folder, 'none'), '--redis', url, rt('A_w1'))
        checks.that(newer.returncode != 0 and 'newer casetap' in newer.stderr and newer.stderr.count('\n') == 1, f'newer schema: {newer.stderr}')
        checks.that(not os.path.exists(os.path.join(folder, 'none', 'alerts.ndjson')), 'nothing half-written')
    return stored

def feed(process, data, disturb):
    """Writes a capture into the program's standard input and calls disturb(i) between the pieces."""
    pieces = 12
    size = len(data) // pieces + 1
    try:
        for i in range(pieces):
            process.stdin.write(data[i * size:(i + 1) * size])
            process.stdin.flush()
            time.sleep(0.12)
            disturb(i)
        process.stdin.close()
    except BrokenPipeError:
        pass   # it has ended: its exit code and its message tell

def disturbed(folder, what, disturb, whole, *options):
    os.mkdir(folder)
    out = os.path.join(folder, 'out')
    with Redis(folder, *options) as redis:
        process = subprocess.Popen([CASETAP, 'replay', '--quiet', *ALIAS, '--out', out, '--redis', 'unix://' + redis.socket, '-'],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=False)
        begin = time.time()
        feed(process, open(rt('A_w1'), 'rb').read(), lambda i: disturb(redis, i))
        said = process.stderr.read().decode()
        checks.that(process.wait(60) == 0, f'{what}: exit {process.returncode}: {said[-500:]}')
        checks.that(time.time() - begin < 60, f'{what}: took {time.time() - begin:.0f} s')
        if disturb is not stopped:   # who is only slow, and not asked anything meanwhile, may not even be noticed
            checks.that('going on from memory' in said, f'{what}: the loss is not told: {said}')
        checks.that(acts(baselines(redis)) == acts(whole), f'{what}: acts are lost or doubled: {acts(baselines(redis))} not {acts(whole)}')
        checks.that('ERROR' not in said and 'Sanitizer' not in said, f'{what}: {said[-500:]}')
    return out

def killed(redis, i):
    if i in (2, 5):
        redis.kill()
    elif i in (4, 8):
        redis.start()

def killed_and_lost(redis, i):
    """Comes back without anything."""
    if i == 3:
        redis.kill()
        shutil.rmtree(os.path.join(redis.folder, 'appendonlydir'))
    elif i == 6:
        redis.start()

def stopped(redis, i):
    if i == 2:
        redis.server.send_signal(signal.SIGSTOP)
    elif i == 7:
        redis.server.send_signal(signal.SIGCONT)

def gone_for_good(folder):
    os.mkdir(folder)
    with Redis(folder) as redis:
        process = subprocess.Popen([CASETAP, 'replay', '--quiet', '--out', os.path.join(folder, 'out'), '--redis', 'unix://' + redis.socket, '-'],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        feed(process, open(rt('A_w1'), 'rb').read(), lambda i: redis.kill() if i == 3 else None)
        begin = time.time()
        said = process.stderr.read().decode()
        checks.that(process.wait(60) == 1, f'gone for good: exit {process.returncode}')
        checks.that(time.time() - begin < 30, f'gone for good: waited {time.time() - begin:.0f} s')
        checks.that('baselines are not written' in said, f'gone for good: {said[-300:]}')

def main():
    if not shutil.which('redis-server') or not shutil.which('redis-cli'):
        skip('redis-server is not installed')
    with tempfile.TemporaryDirectory() as folder:
        whole = least_privilege(folder)
        reference = os.path.join(folder, 'out', 'activities.ndjson')
        for name, disturb in (('killed', killed), ('killed and lost', killed_and_lost), ('stopped', stopped)):
            out = disturbed(os.path.join(folder, name.replace(' ', '-')), name, disturb, whole)
            checks.that(open(os.path.join(out, 'activities.ndjson'), 'rb').read() == open(reference, 'rb').read(), f'{name}: activities differ')
        gone_for_good(os.path.join(folder, 'gone'))
    checks.done()
main()
