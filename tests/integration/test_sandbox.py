#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The release program is hardened, and a running sensor has given up what it does not need: it is another user, has no
capability in any thread, its system calls are filtered, files outside its settings are refused, and it works all the same.
(What a guarded process is refused is tried one by one in the unit test of guard/.)"""
import glob, os, pwd, re, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
import tap

def output(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout

def hardened(checks):
    elf = output('readelf', '-hldW', RELEASE)
    checks.that(re.search(r'Type:\s+DYN', elf), 'not position independent')
    checks.that('GNU_RELRO' in elf and re.search(r'FLAGS_1.*NOW', elf), 'symbols are bound late (RELRO, BIND_NOW)')
    stack = re.search(r'GNU_STACK.*', elf)
    checks.that(stack and ' RW ' in stack.group(), f'the stack: {stack and stack.group()}')
    symbols = output('readelf', '--dyn-syms', '-W', RELEASE)
    checks.that('__stack_chk_fail' in symbols, 'no stack protector')
    checks.that(len(set(re.findall(r'__(?:memcpy|snprintf|vsnprintf|fprintf|read|memmove|memset)_chk', symbols))) >= 3, 'not fortified')
    if output('uname', '-m').strip() == 'x86_64':
        marks = open(RELEASE, 'rb').read().count(b'\xf3\x0f\x1e\xfa')   # endbr64; Debian's own start files have none, so no note
        checks.that(marks > 100, f'no control-flow protection: {marks} marks')

def status(pid):
    """What the kernel says of each thread."""
    return [dict(re.findall(r'^(\w+):\s+(.*)$', open(path).read(), re.M)) for path in glob.glob(f'/proc/{pid}/task/*/status')]

def start(space, *more):
    sensor = subprocess.Popen(['ip', 'netns', 'exec', space, RELEASE, 'run', '-i', 'cts1', *ALIAS, '--filter', 'tcp', *more],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return sensor, sensor.stderr.readline() + sensor.stderr.readline()

def end(checks, sensor):
    sensor.send_signal(signal.SIGTERM)
    said = sensor.communicate(timeout=60)[1]
    checks.that(sensor.returncode == 0, f'exit {sensor.returncode}: {said}')
    return said

def as_nobody(checks, space, folder):
    os.chmod(folder, 0o755)
    var, out = os.path.join(folder, 'var'), os.path.join(folder, 'var', 'out')
    os.mkdir(var)
    os.chmod(var, 0o777)
    rules = os.path.join(folder, 'rules') # where that user may read, wherever the program is
    shutil.copytree(os.path.join(ROOT, 'rules'), rules)
    subprocess.run(['chmod', '-R', 'a+rX', rules], check=True)
    sensor, first = start(space, '--user', 'nobody', '--rules', rules, '--out', out, '--log', var + '/log', '--state', var + '/state',
                          '--counters', var + '/counters', '--sink', f'copy=file://{var}/copy.ndjson')
    checks.that('user nobody' in first and 'Landlock' in first and 'system calls' in first, f'said at start: {first}')
    tap.send(space, 'cts0', rt('B'))
    time.sleep(1.5)
    uid, threads = str(pwd.getpwnam('nobody').pw_uid), status(sensor.pid)
    checks.that(len(threads) >= 3, f'{len(threads)} threads')
    for t in threads:
        checks.that(t['Uid'].split() == [uid] * 4, f'user {t["Uid"]}')
        for kind in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            checks.that(int(t[kind], 16) == 0, f'{kind} {t[kind]}')
        checks.that(t['NoNewPrivs'] == '1' and t['Seccomp'] == '2', f'NoNewPrivs {t["NoNewPrivs"]}, Seccomp {t["Seccomp"]}')
    core = [line for line in open(f'/proc/{sensor.pid}/limits') if line.startswith('Max core')]
    checks.that(core[0].split()[4:6] == ['0', '0'], f'core dumps: {core}')
    end(checks, sensor)
    checks.that(len(load(out + '/alerts.ndjson')) > 5 and len(load(var + '/copy.ndjson')) > 5, 'too few alerts')
    checks.that(os.stat(var + '/state').st_uid == int(uid) and os.path.getsize(var + '/state') > 1000, 'no state of its own')
    checks.that(subprocess.run([RELEASE, 'verify', var + '/log'], stdout=subprocess.DEVNULL).returncode == 0, 'the log does not verify')

def refusals(checks, space, folder):
    def fails(*more):
        sensor, first = start(space, *more)
        said = first + sensor.communicate(timeout=60)[1]
        return sensor.returncode, said
    code, said = fails('--user', 'nobody-is-called-so')
    checks.that(code == 3 and "no user 'nobody-is-called-so'" in said, f'{code}: {said}')
    shut = os.path.join(folder, 'shut')
    os.mkdir(shut, 0o700)
    code, said = fails('--user', 'nobody', '--out', shut)
    checks.that(code == 1 and f'{shut}: Permission denied' in said, f'{code}: {said}')
    sensor, first = start(space, '--no-sandbox')
    checks.that('sandbox: none' in first and status(sensor.pid)[0]['Seccomp'] == '0', f'--no-sandbox: {first}')
    end(checks, sensor)

def main():
    if not os.path.exists(RELEASE):
        skip('no release build')
    checks = Checks()
    hardened(checks)
    if os.getuid() != 0:
        skip('needs root for a network namespace')
    space = f'ctg-{os.getpid()}'
    tap.veth(space, 'cts0', 'cts1')
    try:
        with tempfile.TemporaryDirectory() as folder:
            as_nobody(checks, space, folder)
            refusals(checks, space, folder)
    finally:
        tap.ip('netns', 'del', space)
    checks.done()
main()
