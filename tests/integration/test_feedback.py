#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a person says of an alert: benign makes its place usual, malicious freezes and forgets, suppress counts instead of
telling; and undo leaves the state that a run without it has, byte for byte, from captures as from a recorded log."""
import os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
from desk_log import *

checks = Checks()
PLAIN = {**os.environ, 'CASETAP_GEOIP': ''}
NAMES = ['A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E']

def slurp(*path):
    with open(os.path.join(*path), 'rb') as f:
        return f.read()

def say(out, *words, code=0):
    """casetap feedback WORDS; the id of the verdict."""
    done = subprocess.run([CASETAP, 'feedback', *words, '--out', out, '--by', 'ann'], capture_output=True, text=True)
    checks.that(done.returncode == code, f'feedback {words}: exit {done.returncode}: {done.stderr}')
    return done.stdout.strip() if code == 0 else done.stderr

NIGHTS = 28    # the first night abroad, a Monday; four weeks of ordinary work before it

def abroad(path):
    """Two people who sign in by night from another country with another browser each, four nights, and take files."""
    log = Log()
    office = Desk(log)
    office.work(0, NIGHTS + 4)
    for who, place, client in (('agent07', Place('203.0.113.50', 'JP', 2497, 'Example Hotel'), EDGE),
                               ('agent10', Place('203.0.114.60', 'BR', 18881, 'Example Line'), FIREFOX)):
        for night in range(4):
            t, session = MONDAY + (NIGHTS + night) * DAY + 22 * HOUR, digest('abroad', who, night)[:32]
            log.act(t, who, place, client, 'login', kind='form', session=session)
            for i in range(4):
                case = 300 + night * 4 + i
                log.act(t + 300 + i * 200, who, place, client, 'view_case', case=case, session=session)
                log.act(t + 330 + i * 200, who, place, client, 'download', case=case, file='core.gz', session=session)
    return log.write(path)

class Recorded:
    """A recorded desk, and replays of it under other verdicts."""
    def __init__(self, out, log=None):
        self.out, self.n = out, 0
        self.dir = os.path.join(out, 'recorded')
        if log:
            replay('--quiet', '--out', self.dir, log, binary=RELEASE, env=PLAIN)
        else:
            replay('--quiet', '--out', self.dir, *ALIAS, '--geoip', GEO, *[rt(n) for n in NAMES], binary=RELEASE)
        self.log, self.verdicts = log or os.path.join(self.dir, 'activities.ndjson'), os.path.join(self.dir, 'feedback.ndjson')
        self.plain = self.again()
    def again(self, *words, log=None):
        """(alerts, state, summary) of the log under the verdicts given so far."""
        self.n += 1
        here, state = os.path.join(self.out, str(self.n)), os.path.join(self.out, f'{self.n}.state')
        said = ['--feedback', self.verdicts] if os.path.exists(self.verdicts) else []
        done = replay(*said, '--state', state, '--out', here, *words, log or self.log, env=PLAIN)
        return load(os.path.join(here, 'alerts.ndjson')), slurp(state), done.stderr
    def forget(self):
        if os.path.exists(self.verdicts):
            os.remove(self.verdicts)
    def alert(self, rule, who):
        return next(get(a, 'event.id') for a in self.plain[0] if get(a, 'rule.id') == rule and get(a, 'user.name') == who)

def lines_of(run, rule, who):
    return [a for a in run[0] if get(a, 'rule.id') == rule and get(a, 'user.name') == who]

def baseline(state, who):
    """The lines of one credential in a state file."""
    rows, mine = [], False
    for line in state.decode().splitlines():
        if line.startswith('  credential '):
            mine = line == f'  credential {who}'
        elif mine and line.startswith('  '):
            rows.append(line)
        else:
            mine = False
    return rows

def benign(desk):
    """What came with an alert becomes usual: the later nights are no news, and nobody else is concerned."""
    desk.forget()
    said = MONDAY + NIGHTS * DAY + 33 * HOUR
    alert = desk.alert('D01', 'agent07')
    say(desk.dir, 'benign', alert, '--at', when(said), '--why', 'travels')
    run = desk.again()
    of = lambda r, is_later: [a for a in lines_of(r, 'D01', 'agent07') if (stamp(a['@timestamp']) > said) == is_later]
    checks.that(of(desk.plain, False) and of(desk.plain, True), 'without a verdict, nothing is told of the later nights')
    checks.that(of(run, False) == of(desk.plain, False), 'a verdict changed what was told before it')
    later = [get(a, 'rule.id') for a in run[0] if get(a, 'user.name') == 'agent07' and stamp(a['@timestamp']) > said]
    checks.that(not later, f'told after benign: {later}')
    place = [r for r in baseline(run[1], 'agent07') if '203.0.113' in r]
    checks.that(place and 'usual' in place[0], f'the place did not become usual: {place}')
    place = [r for r in baseline(desk.plain[1], 'agent07') if '203.0.113' in r]
    checks.that(place and 'usual' not in place[0], f'the place is usual without a verdict: {place}')
    others = lambda r: [(a['@timestamp'], get(a, 'event.id'), get(a, 'casetap.update')) for a in r[0]
                        if get(a, 'user.name') != 'agent07']
    checks.that(len(others(desk.plain)) > 1, 'no alerts of others to compare')
    checks.that(others(run) == others(desk.plain), 'the verdict changed the alerts of others')
    checks.that('1 of 1 verdicts taken up' in run[2], f'summary: {run[2]}')
    checks.that(desk.again()[:2] == run[:2], 'not the same twice')

def undone(desk, what, at, *words):
    """A verdict and its undo leave the state of a run without them, and after the undo its alerts."""
    desk.forget()
    verdict = say(desk.dir, *words)
    with_it = desk.again()
    checks.that(with_it[1] != desk.plain[1], f'{what}: changes nothing')
    say(desk.dir, 'undo', verdict, '--at', at)
    run = desk.again()
    checks.that(run[1] == desk.plain[1], f'{what}: the state after undo is not that of a run without it')
    after = lambda r: [a for a in r[0] if stamp(a['@timestamp']) > stamp(at)]
    checks.that(after(run) == after(desk.plain), f'{what}: the alerts after undo are not those of a run without it')
    shown = say(desk.dir, 'list')
    checks.that(verdict in shown and f'of {verdict}' in shown, f'{what}: list: {shown}')
    again = say(desk.dir, 'undo', shown.splitlines()[1].split()[0], '--at', at.replace(':00Z', ':01Z'))
    checks.that(desk.again()[1] == with_it[1], f'{what}: an undo taken back ({again}) does not give the verdict back')
    return with_it

def malicious(desk):
    desk.forget()
    say(desk.dir, 'malicious', desk.alert('D07', 'chen.wei'), '--at', 'alert')
    run = desk.again()
    checks.that([r for r in baseline(run[1], 'chen.wei') if 'frozen' in r], 'the baseline is not frozen')
    told = lines_of(run, 'D30', 'chen.wei') + [a for a in lines_of(run, 'D07', 'chen.wei') for w in a['casetap']['why']
                                               if w['value'].startswith('D30')]
    checks.that(told, 'the same session goes on and is not told as a known attacker')
    desk.forget()
    say(desk.dir, 'malicious', desk.alert('D07', 'chen.wei'), '--at', 'alert', '--until', '2h')
    checks.that(not [r for r in baseline(desk.again()[1], 'chen.wei') if 'frozen' in r], 'frozen for longer than until')

def since(desk):
    """Forgotten since: as if its acts had never been seen."""
    begin, end = '2026-03-24T00:00:00Z', '2026-03-25T12:00:00Z'
    reduced = os.path.join(desk.out, 'reduced.ndjson')
    with open(reduced, 'w') as f:
        n = 0
        for line in open(desk.log):
            row = json.loads(line)
            if get(row, 'user.name') == 'dara.singh' and stamp(begin) <= stamp(row['@timestamp']) < stamp(end):
                n += 1
            else:
                f.write(line)
    checks.that(n > 50, f'{n} acts to forget')
    alert = desk.alert('D09', 'dara.singh')
    desk.forget()
    say(desk.dir, 'malicious', alert, '--at', end)
    never = desk.again(log=reduced)
    known = desk.again()
    desk.forget()
    say(desk.dir, 'malicious', alert, '--at', end, '--since', begin)
    run = desk.again()
    checks.that(run[1] == never[1], 'what was forgotten left something')
    checks.that(run[1] != known[1], 'nothing was forgotten')
    checks.that(len(lines_of(run, 'D09', 'dara.singh')) == len(lines_of(desk.plain, 'D09', 'dara.singh')), 'what was told is lost')

def suppress(desk):
    desk.forget()
    say(desk.dir, 'suppress', '--rule', 'D09', '--user', 'dara.singh', '--at', '2026-03-20', '--until', '30d', '--why', 'month end')
    run = desk.again()
    checks.that(lines_of(desk.plain, 'D09', 'dara.singh') and not [a for a in lines_of(run, 'D09', 'dara.singh')
                if len(a['casetap']['why']) == 1], 'told though suppressed')
    checks.that('1 alerts suppressed' in run[2] and 'D09 of dara.singh' in run[2] and 'month end' in run[2], f'summary: {run[2]}')
    checks.that(run[1] == desk.plain[1], 'a suppression changed what is learned')
    desk.forget()
    say(desk.dir, 'suppress', '--rule', 'D09', '--user', 'dara.singh', '--at', '2026-03-20', '--until', '2026-03-24')
    checks.that(desk.again()[0] == desk.plain[0], 'it holds longer than until')
    desk.forget()
    say(desk.dir, 'suppress', '--place', '67.43.156.0/24', '--at', '2026-03-20', '--until', '30d')
    checks.that(not [a for a in desk.again()[0] if get(a, 'source.ip') == '67.43.156.9'], 'a place is not suppressed')

def from_captures(desk):
    """The same verdicts over the captures themselves, with and without an activity log of their own."""
    desk.forget()
    verdict = say(desk.dir, 'benign', desk.alert('D15', 'hana.kimura'), '--at', 'alert')
    say(desk.dir, 'undo', verdict, '--at', '2026-03-23T12:00:00Z')
    want = desk.again()[0]
    out = os.path.join(desk.out, 'captures')
    words = ['--quiet', '--feedback', desk.verdicts, *ALIAS, '--geoip', GEO, *[rt(n) for n in NAMES]]
    replay('--out', out, *words, binary=RELEASE)
    checks.that(load(os.path.join(out, 'alerts.ndjson')) == want, 'captures give other alerts than their log')
    checks.that([json.loads(line) for line in replay('--json', *words, binary=RELEASE).stdout.splitlines()] == want,
                'without --out: other alerts')

def mistakes(desk):
    desk.forget()
    alert = desk.alert('D15', 'hana.kimura')
    rows = [(['benign'], 2, 'which alert?'), (['benign', 'x' * 32], 2, "no alert's id"), (['benign', 'a' * 32], 1, 'no alert'),
            (['maybe', alert], 2, "instead of 'maybe'"), (['suppress', alert], 2, 'until when?'), (['suppress', '--until', '30d'], 2, 'which alerts?'),
            (['suppress', alert, '--until', 'soon'], 2, '--until: '), (['suppress', '--place', '10.0.0.0/99', '--until', '3d'], 2, '--place: '),
            (['benign', alert, '--since', '2026-01-01'], 2, '--since: only of malicious'), (['undo', 'b' * 32], 1, 'feedback.ndjson'),
            (['malicious', alert, '--at', '2026-03-10', '--since', '2026-03-11'], 2, '--since: '), (['benign', alert, 'x'], 2, "'x' is not")]
    for words, code, text in rows:
        said = say(desk.dir, *words, code=code)
        checks.that(len(said.splitlines()) == 1 and text in said, f'{words}: {said}')
    checks.that(not os.path.exists(desk.verdicts), 'a refused verdict was written')
    with open(desk.verdicts, 'w') as f:
        f.write('{"@timestamp":"2026-03-10T00:00:00Z"}\n')
    done = replay('--feedback', desk.verdicts, desk.log, check=False)
    checks.that(done.returncode == 1 and f'{desk.verdicts}:1: ' in done.stderr, f'a bad verdict: {done.returncode} {done.stderr}')

def main():
    with tempfile.TemporaryDirectory() as out:
        os.mkdir(os.path.join(out, 'abroad'))
        nights = Recorded(os.path.join(out, 'abroad'), abroad(os.path.join(out, 'abroad.ndjson')))
        benign(nights)
        undone(nights, 'benign', '2026-04-01T12:00:00Z', 'benign', nights.alert('D01', 'agent07'), '--at', '2026-03-31T09:00:00Z')
        desk = Recorded(out)
        undone(desk, 'malicious', '2026-03-24T12:00:00Z', 'malicious', desk.alert('D20', 'svc-export'), '--at', 'alert')
        malicious(desk)
        since(desk)
        suppress(desk)
        from_captures(desk)
        mistakes(desk)
    checks.done()

main()
