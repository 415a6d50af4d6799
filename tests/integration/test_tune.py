#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A recording judged again: what each budget gives, what labels say of it, what could be declared and what that does, and why
other rules tell other alerts. Each effect that is stated is measured here once more by a replay with it."""
import os, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
from desk_log import *

checks = Checks()
ENV = {**os.environ, 'CASETAP_GEOIP': ''}
RULES = os.path.join(ROOT, 'rules')
DAYS = 35

def night(log, who, day, place, client, files, tag):
    """A sign-in by night from elsewhere, and files."""
    t, session = MONDAY + day * DAY + 22 * HOUR, digest(tag, who, day)[:32]
    log.act(t, who, place, client, 'login', kind='form', session=session)
    for i in range(files):
        case = 300 + day * 4 + i
        log.act(t + 300 + i * 200, who, place, client, 'view_case', case=case, session=session)
        log.act(t + 330 + i * 200, who, place, client, 'download', case=case, file='core.gz', session=session)
    return when(t), when(t + 330 + files * 200)

def recording(folder):
    """Five weeks of work; colleagues at a customer's site, each in two weeks; a harvest; one theft with labels."""
    log = Log()
    desk = Desk(log)
    desk.work(0, DAYS)
    for i, who in enumerate(('agent03', 'agent06', 'agent09', "o'neill; \x1b[2J")):
        for day in (22 + i, 30 + i):
            night(log, who, day, Place(f'203.0.113.{50 + i}', 'JP', 2497, 'Example Site'), desk.clients.get(who, CHROME), 4, 'site')
    for day in (24, 31):    # a harvest of one's own: the same detection twice
        for i in range(60):
            t, at = MONDAY + day * DAY + 15 * HOUR + i * 20, (desk.places['agent01'], desk.clients['agent01'])
            log.act(t, 'agent01', *at, 'view_case', case=100 + i)
            log.act(t + 5, 'agent01', *at, 'download', case=100 + i, file='core.gz')
    began, ended = night(log, 'agent05', 29, Place('192.0.2.77', 'BR', 18881, 'Example Line'), FIREFOX, 8, 'theft')
    labels = os.path.join(folder, 'labels.csv')
    with open(labels, 'w') as f:
        f.write(f'who,from,to,kind\nagent05,{began},{ended},theft\nagent11,{began},{ended},missed\n')
    return log.write(os.path.join(folder, 'activities.ndjson')), labels

def tune(*args, code=0):    # long passes optimised, short ones as the program under test is built
    done = subprocess.run([RELEASE if code == 0 else CASETAP, 'tune', '--quiet', *args], capture_output=True, text=True, env=ENV)
    checks.that(done.returncode == code, f'tune {args}: exit {done.returncode}: {done.stderr}')
    return done.stdout if code == 0 else done.stderr

def judged(folder, log, *args):
    """How many alerts a replay tells."""
    done = replay('--out', os.path.join(folder, 'again'), *args, log, binary=RELEASE, env=ENV)
    return len({get(a, 'event.id') for a in load(os.path.join(folder, 'again', 'alerts.ndjson'))})

def budgets(folder, log, labels):
    out = tune('--budgets', '1,10', '--labels', labels, log)
    n = judged(folder, log)
    rows = re.findall(r'^ *(\d+ a day|as it is) +([\d.]+) \([\d.]+ to [\d.]+\), (\d+): (.*)$', out, re.M)
    checks.that([r[0] for r in rows] == ['1 a day', '10 a day', 'as it is'], f'budgets: {out}')
    spent = sum(int(word) for word in re.findall(r'D\d+ (\d+)', rows[2][3]))
    checks.that(spent == n and abs(float(rows[2][1]) - n / DAYS) < 0.006, f'{n} alerts, told as {rows[2]}')
    ten = judged(folder, log, '--budget', '1')
    checks.that(abs(float(rows[0][1]) - ten / DAYS) < 0.006, f'{ten} alerts under 1 a day, told as {rows[0]}')
    found = re.search(r'as it is.*\n.*\n +found (\d) of 2 attacks, 50 % .*; 1 of (\d+) alerts name one', out)
    checks.that(found and found[1] == '1' and int(found[2]) == n, f'labels: {out}')
    checks.that(re.search(r'told after \d+ s \(half\)', out), 'no time to detect')
    checks.that(out == tune('--budgets', '1,10', '--labels', labels, log), 'not the same twice')
    checks.that('\x1b' not in out and 'neill' not in out, 'a name with control characters is suggested')
    return out, n

def suggestions(folder, log, out, n):
    """What is suggested is done, and has the effect that was stated."""
    found = re.findall(r'^suggest     (.*)\n +judged again with it: (\d+) alerts instead of (\d+).*\n +(.*):\n((?:              .*\n)+)', out, re.M)
    egress = [s for s in found if s[0].startswith('declare 203.0.113.0/24 as a way out')]
    quiet = [s for s in found if s[0].startswith('suppress')]
    checks.that(egress and quiet, f'nothing suggested: {out}')
    checks.that(not [s for s in found if 'agent05' in s[0]], 'an attack is suggested as usual')
    for about, after, before, _, lines in egress[:1]:
        roster = os.path.join(folder, 'roster.csv')
        with open(roster, 'w') as f:
            f.write(''.join(line.strip() + '\n' for line in lines.splitlines()))
        checks.that(int(before) == n and judged(folder, log, '--roster', roster) == int(after) < n, f'{about}: not as stated')
    for about, after, before, _, lines in quiet[:1]:
        words = re.match(r"casetap feedback suppress --rule (D\d+) --user '(.*)' --until 30d$", lines.strip())
        verdicts = os.path.join(folder, 'verdicts')
        os.makedirs(verdicts)
        subprocess.run([RELEASE, 'feedback', 'suppress', '--rule', words[1], '--user', words[2], '--until', '60d', '--at', when(MONDAY),
                        '--by', 'ann', '--out', verdicts], check=True, capture_output=True)
        n_after = judged(folder, log, '--feedback', os.path.join(verdicts, 'feedback.ndjson'))
        checks.that(n_after == int(after), f'{about}: {n_after} alerts, stated {after}')

def compare(folder, log):
    """One detection gone, one that says more, one file that changes nothing: each difference has its reason."""
    other = os.path.join(folder, 'other')
    shutil.copytree(RULES, other)
    common = os.path.join(other, 'detect.yaml')
    text = open(common).read()
    open(common, 'w').write(text.replace('hour-bits: 6 ', 'hour-bits: 1 '))
    path = os.path.join(other, 'detections', 'download-after-new-location.yaml')
    os.remove(path)
    path = os.path.join(other, 'detections', 'unusual-time-of-week.yaml')
    text = open(path).read()
    open(path, 'w').write(text + '# nothing\n')
    out = tune('--compare', RULES, other, log)
    head = re.match(r'compare +(\d+) alerts under A, (\d+) under B: (\d+) go \(-\), (\d+) come \(\+\), (\d+) change \(~\); 3 files differ', out)
    checks.that(head and sum(map(int, head.groups()[2:])) > 3, f'compare: {out[:400]}')
    a, b = judged(folder, log, '--rules', RULES), judged(folder, log, '--rules', other)
    checks.that(head and (int(head[1]), int(head[2])) == (a, b), f'{a} and {b} alerts: {out[:100]}')
    body = re.split(r'^  [-+~] ', out, flags=re.M)[1:]
    checks.that(len(body) == sum(map(int, head.groups()[2:])), f'{len(body)} differences listed')
    checks.that(all('because of' in d or 'by the changes together' in d for d in body), f'a difference without a reason: {out}')
    checks.that(any('because of detections/download-after-new-location.yaml: the file is gone' in d for d in body), 'no reason: file')
    checks.that(any('- hour-bits: 6' in d and '+ hour-bits: 1' in d for d in body), 'no reason: line')
    checks.that('\x1b' not in out and '\\x1b[2J' in out, 'a name from the wire reaches the terminal as it is')
    checks.that('could not be put down' not in out and not any('unusual-time' in d for d in body), 'a comment is a reason')
    checks.that(tune('--compare', RULES, RULES, log).splitlines()[0].endswith('0 go (-), 0 come (+), 0 change (~); 0 files differ'), 'same rules')

def captures(folder):
    """Captures are judged as what is recorded of them is."""
    paths = [rt(n) for n in ('A_w1', 'B', 'C')]
    if not os.path.exists(paths[0]):
        return
    words = [*ALIAS, '--geoip', GEO]
    replay('--quiet', '--out', os.path.join(folder, 'rt'), *words, *paths, binary=RELEASE)
    log = os.path.join(folder, 'rt', 'activities.ndjson')
    checks.that(tune(*words, *paths) == tune(log), 'captures give another answer than their log')

def mistakes(folder, log):
    bad = os.path.join(folder, 'bad.csv')
    for text, why in (('who,from,to\nann,today,2026-03-23T09:17:31Z\n', "bad.csv:2:5: 'today' is no time"), ('ann\n', 'who,from,to,kind'),
                      ('who,from,to\nann,2026-03-24T00:00:00Z,2026-03-23T00:00:00Z\n', 'it ends before it begins')):
        open(bad, 'w').write(text)
        checks.that(why in tune('--labels', bad, log, code=3), f'labels: {why}')
    for words, code, why in ((['--budgets', '0', log], 2, '--budgets'), (['--compare', RULES], 2, 'two directories'), ([], 2, 'no recording'),
                             (['/nonexistent.pcap'], 1, '/nonexistent.pcap'), (['--compare', RULES, '/nonexistent', log], 1, 'nonexistent')):
        checks.that(why in tune(*words, code=code), f'{words}')
    checks.that(not [n for n in os.listdir('/tmp') if n.startswith('casetap-tune-') and os.stat(f'/tmp/{n}').st_uid == os.getuid()] or
                os.environ.get('CASETAP_BUSY'), 'scratch files are left')

def main():
    with tempfile.TemporaryDirectory() as folder:
        log, labels = recording(folder)
        out, n = budgets(folder, log, labels)
        suggestions(folder, log, out, n)
        compare(folder, log)
        captures(folder)
        mistakes(folder, log)
    checks.done()

main()
