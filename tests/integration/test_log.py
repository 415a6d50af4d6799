#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The activity log that is written ahead: it has what activities.ndjson has, is replayed like it, plain and packed; a replay that
is killed at random moments and begun again leaves log, alerts and state of one that was not; a full disk loses the oldest first."""
import glob, os, random, shutil, signal, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

KILLS = int(os.environ.get('CASETAP_KILLS', '12'))
SEED = int(os.environ.get('CASETAP_SEED', '1'))

def slurp(*path):
    with open(os.path.join(*path), 'rb') as f:
        return f.read()

def log_text(log):
    text = b''
    for path in sorted(glob.glob(os.path.join(log, 'activities-*.ndjson*')), key=lambda p: os.path.basename(p).split('-')[2]):
        text += subprocess.run(['zstd', '-dcq', path], stdout=subprocess.PIPE, check=True).stdout if path.endswith('.zst') else slurp(path)
    return text

def same_as_out(checks, out):
    log, first, again = (os.path.join(out, n) for n in ('log', 'first', 'again'))
    captures = [rt(n) for n in ('A_w1', 'B', 'C')]
    words = ['--quiet', '--out', first, '--geoip', GEO, *ALIAS, *captures]
    replay(*words, '--log', log, binary=RELEASE)
    lines = slurp(first, 'activities.ndjson')
    checks.that(len(lines) > 100000 and log_text(log) == lines, 'the log is not what activities.ndjson is')
    days = {os.path.basename(p)[11:19] for p in glob.glob(log + '/*.zst')}
    checks.that(len(days) >= 6 and '20260320' in days, f'segments of the days {sorted(days)}')
    checks.that(not glob.glob(log + '/*.ndjson'), 'a closed segment is not packed')
    replay('--quiet', '--out', again, log, binary=RELEASE)
    for name in ('alerts.ndjson', 'activities.ndjson'):
        checks.that(slurp(first, name) == slurp(again, name), f'{name} of the replayed log differs')
    packed = sorted(glob.glob(log + '/*.zst'))
    checks.that('records of an activity log' in replay(packed[0]).stderr, 'a packed file alone is not replayed')
    for packed_path in packed[1::2]:
        subprocess.run(['zstd', '-dq', '--rm', packed_path], check=True)
    replay('--quiet', '--out', again, log, binary=RELEASE)
    checks.that(slurp(again, 'activities.ndjson') == lines, 'plain and packed segments together are not the log')
    done = replay(*words[1:], '--log', log, binary=RELEASE)
    checks.that(log_text(log) == lines, 'what was in the log already was appended again')
    checks.that(f'had {lines.count(bytes([10]))} of these records already' in done.stderr, 'it is not told what was there already')
    other = replay('--quiet', '--alias', 'somebody=1-48', '--log', log, *captures, check=False)
    checks.that(other.returncode == 1 and 'use another directory' in other.stderr, f'a different run: {other.stderr}')
    newer = os.path.join(out, 'newer')
    subprocess.run(['cp', '-r', log, newer], check=True)
    for path in glob.glob(newer + '/*.chain')[:1]:
        subprocess.run(['sed', '-i', '1s/schema 2/schema 9/', path], check=True)
    done = replay('--quiet', '--log', newer, captures[0], check=False)
    checks.that(done.returncode == 1 and 'schema, that is not known' in done.stderr and done.stderr.count('\n') == 1, f'a newer log: {done.stderr}')

def verified(checks, out):
    """Of a log as it was written the chain holds; a changed, a removed and an added line are found, in the segment where they are."""
    log = os.path.join(out, 'log')
    verify = lambda place: subprocess.run([RELEASE, 'verify', place], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    done = verify(log)
    head = done.stdout.splitlines()[-1]
    checks.that(done.returncode == 0 and ', 0 faults' in done.stdout, f'a log as written: {done.returncode} {done.stdout} {done.stderr}')
    checks.that(verify(log).stdout.splitlines()[-1] == head and len(head) == len('head ') + 64, f'its head: {head}')
    for what in 'changed', 'removed', 'added':
        other = os.path.join(out, what)
        subprocess.run(['cp', '-r', log, other], check=True)
        path = sorted(glob.glob(other + '/*.ndjson*'))[1]
        lines = (subprocess.run(['zstd', '-dcq', path], stdout=subprocess.PIPE, check=True).stdout if path.endswith('.zst') else slurp(path)).splitlines(True)
        middle = len(lines) // 2
        lines[middle:middle + 1] = {'changed': [lines[middle].replace(b'"event"', b'"Event"', 1)], 'removed': [], 'added': lines[middle:middle + 1] * 2}[what]
        os.unlink(path)
        with open(path.removesuffix('.zst'), 'wb') as f:
            f.writelines(lines)
        done = verify(other)
        checks.that(done.returncode == 1 and ', 0 faults' not in done.stdout, f'a line was {what}: {done.returncode} {done.stdout} {done.stderr}')
        checks.that(os.path.basename(path).split('.')[0] in done.stdout or 'segment 2' in done.stdout, f'where it was {what}: {done.stdout[:300]}')
    for words in [], ['a', 'b'], ['--no']:
        done = subprocess.run([RELEASE, 'verify', *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        checks.that(done.returncode == 2 and done.stderr.count('\n') == 1, f'verify {words}: {done.returncode} {done.stderr}')
    checks.that(verify(os.path.join(out, 'none')).returncode == 1, 'a log that is not there')

def tear(log, roll):
    """Half a line at the end, as a power cut may leave it in the segment that was written."""
    plain = sorted(glob.glob(os.path.join(log, '*.ndjson')))
    is_open = plain and b'\nend ' not in slurp(plain[-1][:-len('ndjson')] + 'chain')
    if roll.random() < 0.5 and is_open and os.path.getsize(plain[-1]) > 300:
        os.truncate(plain[-1], os.path.getsize(plain[-1]) - roll.randrange(1, 300))

def killed(checks, out):
    """The same as one that was left alone."""
    roll = random.Random(SEED)
    captures = [rt(n) for n in ('A_w2', 'B', 'C', 'F')]
    def words(name):
        return [RELEASE, 'replay', '--quiet', '--json', *ALIAS, '--geoip', GEO, '--out', os.path.join(out, name), '--log', os.path.join(out, name, 'log'),
                '--state', os.path.join(out, name, 'state'), *captures]
    def compare(*absent):
        checks.that(log_text(os.path.join(out, 'killed', 'log')) == log_text(os.path.join(out, 'calm', 'log')), 'the log differs from an undisturbed one')
        for name in {'activities.ndjson', 'alerts.ndjson', 'sessions.ndjson', 'state', 'state.sessions'} - set(absent):
            checks.that(slurp(out, 'killed', name) == slurp(out, 'calm', name), f'{name} differs from an undisturbed one')
        shutil.rmtree(os.path.join(out, 'killed'))
        os.mkdir(os.path.join(out, 'killed'))
    for name in ('calm', 'killed'):
        os.mkdir(os.path.join(out, name))
    begun = time.monotonic()
    subprocess.run(words('calm'), check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - begun
    sizes, n_killed, n_ended = [], 0, 0
    while n_killed < KILLS:
        p = subprocess.Popen(words('killed'), stdout=subprocess.DEVNULL)
        try:
            p.wait(roll.uniform(0.02, 0.9) * took)
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGKILL)
            n_killed += p.wait() == -signal.SIGKILL
        if p.returncode == 0:
            compare()
            continue
        if os.path.exists(os.path.join(out, 'killed', 'state')):
            # Its state is saved: it has ended, and once more would be a second run. All that is written before is there.
            n_ended += 1
            compare(*[name for name in ['state.sessions'] if not os.path.exists(os.path.join(out, 'killed', name))])
            continue
        tear(os.path.join(out, 'killed', 'log'), roll)
        sizes.append(sum(os.path.getsize(p) for p in glob.glob(os.path.join(out, 'killed', 'log', '*.ndjson*'))))
    subprocess.run(words('killed'), check=True, stdout=subprocess.DEVNULL)
    checks.that(max(sizes) > 0, f'with {sizes} bytes in the log')
    compare()
    print(f'{n_killed} killed, {n_ended} of them behind the end')

def full_disk(checks, out):
    """300 KB of disk for more than that: the oldest segments go, told and counted, and the newest are whole."""
    log, counters = os.path.join(out, 'small'), os.path.join(out, 'counters')
    os.mkdir(log)
    script = f'mount -t tmpfs -o size=300k none {log} && "$@"; code=$?; cp {log}/log/* {out}/kept/; exit $code'
    os.mkdir(os.path.join(out, 'kept'))
    done = subprocess.run(['unshare', '-rm', 'sh', '-c', script, 'sh', RELEASE, 'replay', '--quiet', *ALIAS, '--log', log + '/log', '--counters', counters,
                           *[rt(n) for n in ('A_w1', 'A_w2', 'A_w3')]], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if 'unshare' in done.stderr or 'mount:' in done.stderr:
        print('not tried: no file system may be mounted here')
        return
    values = dict(line.split()[:2] for line in open(counters))
    checks.that(int(values['log_segments_made_room']) > 0 and 'the disk is full: segment 1 of day 20260302 was removed' in done.stderr,
                f'a full disk: {values["log_segments_made_room"]} segments removed, {done.stderr[:300]}')
    checks.that(done.returncode == (1 if int(values['log_lost']) else 0), f'a full disk: exit {done.returncode}, {values["log_lost"]} lost')

def main():
    if subprocess.run(['which', 'zstd'], stdout=subprocess.DEVNULL).returncode:
        skip('zstd is not installed')
    checks = Checks()
    with tempfile.TemporaryDirectory() as out:
        same_as_out(checks, out)
        verified(checks, out)
        killed(checks, out)
        full_disk(checks, out)
    checks.done()
main()
