#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Several sensors and analysers over Redis: two that see halves of the traffic and two that analyse give the activities and alerts, byte
for byte, of one process that sees all; also when an analyser is killed or paused, Redis is killed or emptied, an entry is damaged."""
import json, os, shutil, signal, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
from feed_test import *

checks = Checks()
# Two captures in one: weeks of usual work, then a theft.
WORLD = ['A_w1', 'A_w2', 'A_w3', 'B']

def one_process(folder, capture):
    out = os.path.join(folder, 'one')
    replay('--quiet', '--out', out, *ALIAS, capture)
    return {what: sorted(open(os.path.join(out, what + '.ndjson'))) for what in ('activities', 'alerts')}

def same(case, analyser, want):
    for what in ('activities', 'alerts'):
        got = analyser.lines(what)
        missing, more = set(want[what]) - set(got), set(got) - set(want[what])
        checks.that(got == want[what], f'{case}: {what} of {analyser.name}: {len(got)} of {len(want[what])}, {len(missing)} missing, {len(more)} others'
                    + ''.join(f'\n  - {line[:900]}' for line in sorted(missing)[:1]) + ''.join(f'\n  + {line[:900]}' for line in sorted(more)[:1]))

def all_there(analysers, want):
    return until(lambda: all(len(a.lines('activities')) >= len(want['activities']) for a in analysers), 90)

def settle(analysers, want):
    """They have everything, and a moment for what comes at the very end."""
    ok = all_there(analysers, want)
    time.sleep(1.5)
    return ok

def sensors_of(redis, folder, parts):
    return [Sensor(redis, folder, name, part) for name, part in zip('ab', parts)]

def begin(sensors, share):
    for s in sensors:
        s.start()
    for s in sensors:
        s.feed(share)

def finish(sensors):
    for s in sensors:
        code, said = s.end()
        checks.that(code == 0 and 'not got everything' not in said, f'sensor {s.name}: exit {code}: {said}')

def delivered(path):
    return [json.loads(line) for line in open(path)] if os.path.exists(path) else []

def ids(lines):
    return {(get(r, 'event.id'), get(r, 'casetap.update')) for r in lines}

def halves_and_kill(folder, parts, want):
    """Two of each; then the one that leads is killed in the middle, starts again, and the other has led meanwhile."""
    with Redis(folder) as redis:
        sink = os.path.join(folder, 'sink.ndjson')
        options = ['--sink', f'copy=file://{sink}']
        sensors = sensors_of(redis, folder, parts)
        x, y = Analyser(redis, folder, 'x', *options), Analyser(redis, folder, 'y', *options)
        begin(sensors, 0.6)
        checks.that(until(lambda: x.leads() or y.leads()), 'nobody leads')
        checks.that(until(lambda: len(x.lines('activities')) > 100), 'nothing is analysed')
        first, other = (x, y) if x.leads() else (y, x)
        first.kill()
        finish(sensors)
        checks.that(until(other.leads), 'the lease of a dead analyser is not taken')
        checks.that(settle([other], want), 'not everything comes through')
        first.start()
        checks.that(settle([first], want), 'the one that was killed does not catch up')
        same('after kill -9', other, want)
        same('after kill -9', first, want)
        checks.that(until(lambda: ids(delivered(sink)) >= ids(map(json.loads, want['alerts'])), 20), 'an alert was not delivered')
        checks.that(ids(delivered(sink)) == ids(map(json.loads, want['alerts'])), 'an alert was delivered under another id')
        epoch = redis.cli('GET', redis.key('epoch')).strip()
        checks.that(other.end() == 0, f'a graceful end: {other.said()[-500:]}')
        checks.that(until(first.leads, 5), 'the lease is not handed over at once')
        checks.that(redis.cli('GET', redis.key('epoch')).strip() > epoch, 'the epoch did not rise')
        checks.that(first.end() == 0, f'a graceful end: {first.said()[-500:]}')
        keys = [k for k in redis.cli('--scan', '--pattern', 'casetap:*:baseline').split('\n') if k]
        checks.that(len(keys) > 10, f'{len(keys)} baselines in Redis')

def paused(folder, parts, want):
    """The leader sleeps through the end of its lease: what it writes then is refused."""
    with Redis(folder) as redis:
        sink = os.path.join(folder, 'sink.ndjson')
        sensors = sensors_of(redis, folder, parts)
        x = Analyser(redis, folder, 'x', '--sink', f'copy=file://{sink}')
        checks.that(until(x.leads), 'the only one does not lead')
        y = Analyser(redis, folder, 'y', '--sink', f'copy=file://{sink}')
        begin(sensors, 0.9)
        checks.that(until(lambda: len(y.lines('activities')) > 100), 'nothing is analysed')
        x.signal(signal.SIGSTOP)
        checks.that(until(y.leads, 20), 'the lease of a paused leader is not taken')
        finish(sensors)
        checks.that(settle([y], want), 'not everything comes through')
        x.signal(signal.SIGCONT)
        checks.that(until(lambda: 'no longer the leader' in x.said(), 20), 'the paused one does not notice')
        checks.that(settle([x], want) and y.leads(), 'the paused one does not follow')
        for a in (x, y):
            same('after a pause', a, want)
        checks.that(ids(delivered(sink)) == ids(map(json.loads, want['alerts'])), 'alerts delivered: missing, or under another id')
        # a writer that was fenced out: the script refuses it whatever it believes
        checks.that(x.end() == 0 and y.end() == 0, 'a graceful end')

def redis_killed(folder, parts, want, persistent):
    case = f'Redis killed, {"with" if persistent else "without"} persistence'
    with Redis(folder, persistent) as redis:
        sensors = sensors_of(redis, folder, parts)
        x, y = Analyser(redis, folder, 'x'), Analyser(redis, folder, 'y')
        begin(sensors, 0.6)
        checks.that(until(lambda: len(x.lines('activities')) > 100), f'{case}: nothing is analysed')
        for a in (x, y):
            a.signal(signal.SIGSTOP) # nobody says what was taken already, until the sensors have ended
        redis.kill()
        back = threading.Timer(2, redis.start) # the sensors are at their end by then, and send all they have left
        back.start()
        finish(sensors)
        back.join()
        if not persistent:
            redis.cli('HSET', redis.key('sensors'), 'a', '1', 'b', '1')
        for a in (x, y):
            a.signal(signal.SIGCONT)
        checks.that(settle([x, y], want), f'{case}: not everything comes through\n{x.said()}\n{y.said()}')
        for a in (x, y):
            same(case, a, want)
            checks.that(a.end() == 0, f'{case}: a graceful end: {a.said()[-500:]}')

def damaged(folder, parts, want):
    """Entries that are not ours, of another version, and cut: left out, counted, told once; the rest is as without them."""
    with Redis(folder) as redis:
        sensors = sensors_of(redis, folder, parts)
        begin(sensors, 0.5)
        finish(sensors)
        for value in ('nonsense', '\x02\x03\x03', ''):
            redis.cli('XADD', redis.key('c:stream'), '*', 'b', value)
        redis.cli('HSET', redis.key('sensors'), 'c', '1')
        counters = os.path.join(folder, 'counters')
        x = Analyser(redis, folder, 'x', '--counters', counters)
        checks.that(settle([x], want), f'not everything comes through: {x.said()}')
        same('with damaged entries', x, want)
        checks.that(x.end() == 0, f'a graceful end: {x.said()[-500:]}')
        checks.that(x.said().count('it is left out') == 1, f'damaged entries are not told once: {x.said()}')
        checks.that('feed_refused 3 ' in open(counters).read(), 'damaged entries are not counted')

def refused(folder):
    with Redis(folder) as redis:
        for name, log, code, says in (('bad name', 'l', 2, '--name'), ('a', 'l', 0, ''), ('a', 'other', 1, 'ahead of')):
            done = replay('--quiet', '--role', 'sensor', '--name', name, '--redis', redis.url, '--log', os.path.join(folder, log), rt('B'), check=False)
            checks.that(done.returncode == code and says in done.stderr, f'{name} {log}: exit {done.returncode}: {done.stderr}')
        redis.cli('SET', 'casetap:schema', '99')
        x = Analyser(redis, folder, 'x')
        checks.that(x.process.wait(timeout=30) == 1 and 'newer casetap' in x.said(), f'a newer schema: {x.said()}')

def main():
    if not shutil.which('redis-server'):
        skip('no redis-server')
    with tempfile.TemporaryDirectory() as folder:
        (world, *parts), sizes = halves([rt(n) for n in WORLD], folder)
        checks.that(min(sizes) > sum(sizes) / 5, f'halves of {sizes} frames')
        want = one_process(folder, world)
        checks.that(len(want['alerts']) >= 5, f'only {len(want["alerts"])} alerts')
        cases = [('halves', lambda f: halves_and_kill(f, parts, want)), ('paused', lambda f: paused(f, parts, want)),
                 ('kept', lambda f: redis_killed(f, parts, want, True)), ('lost', lambda f: redis_killed(f, parts, want, False)),
                 ('damaged', lambda f: damaged(f, parts, want)), ('refused', refused)]
        for name, case in cases:
            if len(sys.argv) < 2 or name in sys.argv[1:]:
                place = os.path.join(folder, name)
                os.mkdir(place)
                case(place)
    checks.done()

main()
