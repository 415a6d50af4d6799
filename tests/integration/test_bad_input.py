#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Wrong input of every kind: one line that says what is wrong, the right exit code, nothing half-written."""
import fcntl, os, pty, re, shutil, signal, struct, subprocess, sys, tempfile, termios
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

checks = Checks()

def bad(what, args, code, *says, **kw):
    done = subprocess.run([CASETAP, *args], **{'stdout': subprocess.PIPE, **kw}, stderr=subprocess.PIPE, text=True, errors='replace', timeout=60)
    lines = done.stderr.strip().split('\n')
    checks.that(done.returncode == code, f'{what}: exit {done.returncode}, not {code}: {done.stderr[:300]}')
    checks.that(len(lines) == 1 and lines[0].startswith('casetap: '), f'{what}: not one line: {lines[:5]}')
    for text in says:
        checks.that(text in done.stderr, f'{what}: does not say "{text}": {lines[0][:300]}')
    checks.that(not done.stdout, f'{what}: printed to standard output: {str(done.stdout)[:200]}')

def good(what, args, *says, **kw):
    done = subprocess.run([CASETAP, *args], **{'stdout': subprocess.PIPE, **kw}, stderr=subprocess.PIPE, text=True, errors='replace', timeout=120)
    checks.that(done.returncode == 0, f'{what}: exit {done.returncode}: {done.stderr[:300]}')
    for text in says:
        checks.that(text in (done.stdout or '') + done.stderr, f'{what}: does not say "{text}": {done.stderr[:500]}')
    return done

def files(folder):
    capture = rt('V1')
    content = open(capture, 'rb').read()
    path = lambda name: os.path.join(folder, name)
    def write(name, data):
        open(path(name), 'wb').write(data)
        return path(name)
    bad('missing', ['replay', path('none.pcap')], 1, 'none.pcap', 'No such file')
    bad('empty', ['replay', write('empty.pcap', b'')], 1, 'empty.pcap')
    bad('text', ['replay', write('text.pcap', b'hello, this is no capture at all\n' * 20)], 1, 'text.pcap', 'not a capture')
    bad('half header', ['replay', write('half.pcap', content[:11])], 1, 'half.pcap')
    if os.getuid():   # root reads everything
        os.chmod(write('closed.pcap', content), 0)
        bad('unreadable', ['replay', path('closed.pcap')], 1, 'closed.pcap')
    os.mkdir(path('none'))
    bad('directory without captures', ['replay', path('none')], 1, 'none')
    odd = bytearray(content); odd[20:24] = struct.pack('<I', 250)
    good('unknown link type', ['replay', write('link.pcap', bytes(odd))], '0 HTTP transactions', 'link type', '250')
    odd[20:24] = struct.pack('<I', 189)
    good('link type with a name', ['replay', write('link.pcap', bytes(odd))], 'link type', '189 USB_LINUX')
    out = path('out')
    cut = good('truncated', ['replay', '--out', out, write('cut.pcap', content[:len(content) // 2 + 7])], 'cut after')
    checks.that(len(load(os.path.join(out, 'activities.ndjson'))) > 0, 'a truncated capture gives what it holds')
    hurt = content[:24 + 5000]
    at = 24
    while at + 16 + struct.unpack_from('<I', hurt, at + 8)[0] < len(hurt):
        at += 16 + struct.unpack_from('<I', hurt, at + 8)[0]
    damaged = write('damaged.pcap', hurt[:at + 8] + b'\xff\xff\xff\x7f' + hurt[at + 12:])
    for name, says in (('cut.pcap', 'cut after'), ('damaged.pcap', 'damaged after'), ('header24.pcap', 'no packets')):
        if name == 'header24.pcap':
            write(name, content[:24])
        said = good(name, ['replay', '--quiet', path(name)]).stderr
        checks.that(said.startswith('casetap: ') and name in said and says in said and said.count('\n') == 1, f'{name}, quietly: said {said!r}')
    checks.that(good('whole', ['replay', '--quiet', capture]).stderr == '', 'a whole capture, quietly: nothing is said')
    ng = lambda major: struct.pack('<IIIHHqI', 0x0a0d0d0a, 28, 0x1a2b3c4d, major, 3, -1, 28)
    bad('pcapng version', ['replay', write('v2.pcapng', ng(2))], 1, 'v2.pcapng', 'pcapng version 2.3 is not known')
    good('pcapng version later', ['replay', write('v12.pcapng', ng(1) + ng(2))], 'v12.pcapng', 'pcapng version that is not known')
    bad('empty name', ['replay', capture, ''], 2, 'the name of file 2 of 2 is empty')
    good('header alone', ['replay', write('header.pcap', content[:24])], '0 packets')
    good('standard input', ['replay', '-'], 'rt', stdin=open(capture, 'rb'))
    good('standard input twice', ['replay', '-', '-'], '25 HTTP transactions', 'given twice', stdin=open(capture, 'rb'))
    good('directory', ['replay', folder], 'packets', 'skipped')
    bad('bad filter', ['replay', '--filter', 'tcp prot 80', capture], 3, 'filter')
    good('filter', ['replay', '--filter', 'udp', capture], '0 HTTP transactions')
    shutil.rmtree(out)
    bad('second file missing', ['replay', '--out', out, capture, path('none.pcap')], 1, 'none.pcap')
    checks.that(not os.path.exists(os.path.join(out, 'activities.ndjson')), 'nothing half-written')
    bad('output is a file', ['replay', '--out', path('text.pcap'), capture], 1, 'text.pcap', 'Not a directory')
    bad('output cannot be made', ['replay', '--out', path('a/b/c'), capture], 1, 'a/b/c')
    precious = write('precious.pcap', content)
    bad('transactions over a capture', ['replay', '--transactions', precious, capture], 1, 'precious.pcap', 'something else')
    bad('counters over a capture', ['replay', '--counters', precious, capture], 1, 'precious.pcap', 'something else')
    checks.that(open(precious, 'rb').read() == content, 'a capture is not replaced')
    for _ in range(2):
        good('outputs are replaced', ['replay', '--transactions', path('tx'), '--counters', path('counters'), capture])
    bad('disk full', ['replay', '--out', out, '--transactions', '/dev/full', capture], 1, '/dev/full')
    checks.that(not os.path.exists(os.path.join(out, 'activities.ndjson')), 'nothing half-written on a full disk')

def usage(folder):
    bad('no file', ['replay'], 2, 'no capture')
    bad('option', ['replay', '--geopi', 'x', 'y'], 2, "--geoip")
    bad('value missing', ['replay', '--geoip'], 2, 'needs a value')
    bad('value empty', ['replay', '--out', '', 'x'], 2, '--out', 'empty')
    bad('value too many', ['replay', '--quiet=yes', 'x'], 2, '--quiet', 'takes no value')
    bad('ambiguous', ['replay', '--max', '5', 'x'], 2, '--max-flows, --max-credentials, --max-sessions')
    bad('short option', ['replay', '-x', 'y'], 2, "'-x'; try")
    bad('command', ['reply'], 2, "'replay'")
    bad('trust', ['replay', '--trust', '10.0.0.0/99', 'x'], 2, '10.0.0.0/99')
    bad('alias', ['replay', '--alias', 'svc', 'x'], 2, 'NAME=CREDENTIAL')
    bad('number', ['replay', '--max-flows', '3', 'x'], 2, '1000')
    bad('profile name', ['replay', '--app', 'rtt=host', rt('V1')], 3, 'rtt', 'rt')
    bad('two places for baselines', ['replay', '--redis', 'redis://127.0.0.1:1', '--state', 'x', rt('V1')], 2, '--redis', '--state')
    bad('no key log', ['replay', '--keylog', '/nonexistent.keys', rt('V1')], 1, 'nonexistent.keys')
    bad('interface', ['run'], 2, 'IFACE')
    bad('no such interface', ['run', '-i', 'nope0'], 1, 'nope0')
    bad('run with a file', ['run', '-i', 'lo', 'x.pcap'], 2, 'x.pcap')
    good('help', ['replay', '--help'], '--geoip', 'exit codes')
    good('help first', ['replay', '--config', '/nonexistent.yaml', '--help'], '--geoip')
    good('help', ['--help'], 'replay')
    good('version', ['--version'], 'casetap 0.')
    good('check', ['check'], 'all well')

def rules(folder):
    def copy():
        shutil.rmtree(os.path.join(folder, 'rules'), ignore_errors=True)
        return shutil.copytree(os.path.join(ROOT, 'rules'), os.path.join(folder, 'rules'))
    config = os.path.join(folder, 'casetap.yaml')
    open(config, 'w').write('trust:\n  - 10.0.0.0/8\ngeopi: x.mmdb\n')
    bad('unknown key', ['check', '--config', config], 3, 'casetap.yaml:3:1', "'geoip'")
    open(config, 'w').write('trust:\n  - 10.0.0.0/8\n  - nonsense\n')
    bad('bad value', ['check', '--config', config], 3, 'casetap.yaml:3:5', 'nonsense')
    open(config, 'w').write('trust: [10.0.0.0/8\nalias: x\n')
    bad('broken YAML', ['check', '--config', config], 3, 'casetap.yaml:2:')
    bad('missing', ['check', '--config', config + 'x'], 1, 'casetap.yamlx')
    open(config, 'w').write(f'out: {folder}/from-file\nmax-flows: 999\n')
    bad('bad number', ['replay', '--config', config, '--max-flows', '5000', rt('V1')], 3, 'casetap.yaml:2:12', '1000')
    open(config, 'w').write(f'out: {folder}/from-file\njson: false\n')
    good('command line wins', ['replay', '--out', f'{folder}/from-line', '--config', config, rt('V1')])
    checks.that(os.listdir(f'{folder}/from-line') and not os.path.exists(f'{folder}/from-file'), 'the command line wins')
    dir = copy()
    profile = os.path.join(dir, 'apps', 'rt.yaml')
    text = open(profile).read()
    open(profile, 'w').write(text.replace('routes:', 'rootes:', 1))
    line = text[:text.index('routes:')].count('\n') + 1
    bad('profile key', ['check', '--rules', dir], 3, f'rt.yaml:{line}:1', "'routes'")
    open(profile, 'w').write(text + '\n  - {')
    bad('profile YAML', ['check', '--rules', dir], 3, 'rt.yaml:')
    dir = copy()
    detect = os.path.join(dir, 'detect.yaml')
    text = open(detect).read()
    key = next(l for l in text.split('\n') if l and l[0].isalpha() and l.endswith(':'))[:-1]
    open(detect, 'w').write(text.replace(key + ':', key + 'x:', 1))
    bad('rule key', ['check', '--rules', dir], 3, 'detect.yaml:', f"'{key}'")
    bad('no rules', ['check', '--rules', folder], 1, 'no rules')
    bad('geo', ['replay', '--geoip', detect, rt('V1')], 1, 'detect.yaml')
    bad('geo missing', ['replay', '--geoip', '/nonexistent.mmdb', rt('V1')], 1, 'nonexistent.mmdb')

def redis_absent(folder):
    bad('no Redis socket', ['replay', '--redis', f'unix://{folder}/none.sock', rt('V1')], 1, 'none.sock')
    bad('no Redis port', ['replay', '--redis', 'redis://127.0.0.1:1', rt('V1')], 1, '127.0.0.1')
    bad('Redis URL', ['replay', '--redis', 'http://x', rt('V1')], 3, 'redis://')

ATTACK = ['--geoip', GEO, *ALIAS, *map(rt, ('A_w1', 'B'))]

def on_terminal(columns, **environment):
    """What stands on a terminal of so many columns at the end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 40, columns, 0, 0))
    env = {k: v for k, v in os.environ.items() if k != 'NO_COLOR'}
    process = subprocess.Popen([CASETAP, 'replay', '--quiet', *ATTACK], stdout=theirs, stderr=theirs, env={**env, **environment})
    os.close(theirs)
    seen = b''
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:   # the other side is closed
        pass
    os.close(ours)
    checks.that(process.wait(60) == 0, f'on a terminal: exit {process.returncode}')
    return seen.decode()

def terminal():
    colourful = on_terminal(70)
    checks.that('\x1b[1;31mCRITICAL\x1b[0m' in colourful, 'severities are coloured on a terminal')
    plain = on_terminal(70, NO_COLOR='1')
    checks.that('\x1b' not in plain and 'CRITICAL' in plain, 'NO_COLOR is heeded')
    checks.that(re.sub(r'\x1b\[[0-9;]*m', '', colourful) == plain, 'colours change nothing else')
    checks.that(50 < max(map(len, plain.split('\r\n'))) <= 70, 'lines keep to the width of the terminal')

def output(folder):
    """What becomes of alerts that nobody takes, and of a replay that is stopped."""
    out = os.path.join(folder, 'full')
    bad('standard output is full', ['replay', '--quiet', '--out', out, *ATTACK], 1, 'standard output', stdout=open('/dev/full', 'w'))
    whole = load(os.path.join(out, 'alerts.ndjson'))
    checks.that(len(whole) > 3, 'the files are written all the same')
    out = os.path.join(folder, 'closed')
    reader, writer = os.pipe()
    os.close(reader)
    good('standard output is closed', ['replay', '--quiet', '--out', out, *ATTACK], stdout=writer)
    os.close(writer)
    checks.that(load(os.path.join(out, 'alerts.ndjson')) == whole, 'the files are whole although nobody reads')
    shown = good('shown', ['replay', *ATTACK])
    text = shown.stdout
    checks.that('\x1b' not in text + shown.stderr, 'no escape sequences outside of a terminal')
    checks.that(max(map(len, text.split('\n'))) <= 110, 'lines are short')
    told = [p for p in text.split('\n\n') if p]
    checks.that(len(told) == len(whole), f'{len(told)} paragraphs for {len(whole)} alerts')
    first = [p for p in told if '(update' not in p]
    checks.that(all('\n  first ' in p and '\n  why ' in p for p in first), 'an alert has reasons and a first step')
    checks.that(len(first) < len(told) and not any('\n  first ' in p for p in told if p not in first), 'an update repeats the first step')
    lines = [l for l in shown.stderr.split('\n') if l.startswith(('CRITICAL', 'HIGH', 'MEDIUM', 'LOW'))]
    ids = {get(a, 'event.id') for a in whole}
    checks.that(len(lines) == len(ids), f'the overview lists {len(lines)} of {len(ids)} alerts: {shown.stderr}')
    checks.that(lines[0].startswith('CRITICAL') and 'svc-export' in lines[0], f'the gravest comes first: {lines}')
    out = os.path.join(folder, 'stopped')
    process = subprocess.Popen([CASETAP, 'replay', '--out', out, '-'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(open(rt('A_w1'), 'rb').read(20000000))
    process.stdin.flush()   # all but what the pipe holds has been read
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1].decode()
    checks.that(process.returncode == 130, f'stopped: exit {process.returncode}: {said[-300:]}')
    checks.that('stopped before the end' in said, f'stopped: not said: {said[-300:]}')
    checks.that(len(load(os.path.join(out, 'activities.ndjson'))) > 10, 'stopped: what was read is written')

def encrypted(folder):
    path = os.path.join(CAPTURES, 'wire', 'pcaps', 'h1-tls12.pcap')
    good('TLS', ['replay', path], 'no HTTP/1', '4 encrypted connections')
    counters = os.path.join(folder, 'counters')
    def counted(what, *options):
        good(what, ['replay', '--counters', counters, *options, path], '4 encrypted connections')
        return {line.split()[0]: int(line.split()[1]) for line in open(counters)}
    garbage = counted('no key log', '--keylog', os.path.join(ROOT, 'README.md'))
    checks.that(garbage['tls_keylog_garbage'] > 20 and garbage['tls_opened'] == 0, 'garbage in the key log is counted')
    keys = open(os.path.join(CAPTURES, 'wire', 'keylogs', 'h1-tls12.keys')).read().splitlines()
    wrong = os.path.join(folder, 'wrong.keys')
    with open(wrong, 'w') as out:   # the right connections, other secrets
        out.writelines(' '.join(word[:-1] + ('0' if word[-1] != '0' else '1') if i == 2 else word for i, word in enumerate(line.split(' '))) + '\n'
                       for line in keys)
    os.chmod(wrong, 0o600)
    n = counted('wrong keys', '--keylog', wrong)
    checks.that(n['tls_bad_keys'] == 4 and n['conn_transactions'] == 0, f"wrong keys: {n['tls_bad_keys']} connections closed, {n['conn_transactions']} transactions")

with tempfile.TemporaryDirectory() as folder:
    files(folder)
with tempfile.TemporaryDirectory() as folder:
    usage(folder)
    rules(folder)
    redis_absent(folder)
with tempfile.TemporaryDirectory() as folder:
    output(folder)
    terminal()
    encrypted(folder)
checks.done()
