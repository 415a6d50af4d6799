#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The evaluation harness in small: the same seed gives the same page and the same log, another seed another; the figures are
sane; its log is one that replay reads, finding what it should; the importer of the public data set does not lose rows."""
import os, re, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

EVAL = os.path.join(os.environ.get('BUILD', os.path.join(ROOT, 'build', 'release')), 'tools', 'eval', 'casetap-eval')
QUICK = ['--variant', 'quick', '--set', 'days=50', '--set', 'learn_from=25', '--set', 'test_from=35', '--set', 'credentials=300']

CSV = '''index,Login Timestamp,User ID,Round-Trip Time [ms],IP Address,Country,Region,City,ASN,User Agent String,Browser Name and Version,OS Name and Version,Device Type,Login Successful,Is Attack IP,Is Account Takeover
0,2020-02-03 12:43:30.772,-4324475583306591935,,10.0.65.171,NO,-,-,29695,"Mozilla/5.0  (iPhone; CPU iPhone OS 13_4, like Mac OS X) AppleWebKit/605.1.15",Firefox 20.0.0.1618,iOS 13.4,mobile,False,False,False
1,1580733824000,17,44,194.87.207.6,AU,-,-,29695,"He said ""curl""/8.1",Chrome 50,Android 2.1,mobile,True,True,True
2,2020-02-03 12:43:55.873,17,44,2001:db8::7,AU,-,-,500021,Mozilla/5.0 (X11; Linux x86_64; rv:72.0) Gecko/20100101 Firefox/72.0,Firefox 72,Linux,desktop,True,False,False
3,never,17,44,194.87.207.6,AU,-,-,29695,x,y,z,desktop,True,False,False
4,2020-02-03 12:43:56.1,18
'''

def run(*args):
    done = subprocess.run([EVAL, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f'casetap-eval {" ".join(args)}: exit {done.returncode}\n{done.stderr}')
    return done.stdout

def table(page, heading, first):
    """The cells of the row that begins with 'first' in that section."""
    section = page.split('\n' + heading + '\n', 1)[1].split('\n## ', 1)[0]
    row = next(line for line in section.splitlines() if line.startswith('| ' + first))
    return [cell.strip() for cell in row.strip('|').split('|')][1:]

def pages(checks):
    page = run('judge', *QUICK)
    checks.that(page == run('judge', *QUICK), 'the same seed gives another page')
    checks.that(page != run('judge', *QUICK, '--seed', '2').replace(' --seed 2', ''), 'another seed gives the same page')
    recall = [float(x) for x in table(page, '## Recall by attacker', '10 a day') if x != '-']
    checks.that(len(recall) == 12 and all(0 <= x <= 100 for x in recall), f'recall is no 12 percentages: {recall}')
    checks.that(recall[3] == 100, f'stolen sessions found: {recall[3]} % (they need no learning)')
    found = table(page, '## casetap at 10 alerts a day', 'session theft')
    checks.that(re.fullmatch(r'[\d.]+ to 100\.0', found[2]), f'no Wilson interval: {found}')
    nominal = table(page, '## Do bits mean what they say', '6 ')
    checks.that(nominal[0] == '1.6e-02', f'2^-6 is {nominal[0]}')
    forged = run('judge', *QUICK, '--only-casetap')
    checks.that('Freeman' not in forged.split('## Parameters')[0], '--only-casetap judges others')

def cost(checks):
    """What the engine takes is told, of all activities there are; how much that is depends on the machine."""
    told = run('cost', *QUICK)
    figures = re.fullmatch(r'activities  (\d+) in [\d.]+ s: (\d+) a second of one core\n'
                           r'sessions    (\d+) begun, ([\d.]+) us each; ([\d.]+) us any other activity\nstate       (\d+) bytes a credential\n', told)
    made = re.search(r'on average (\d+) activities', run('judge', *QUICK, '--only-casetap'))
    checks.that(figures and made and figures[1] == made[1], f'cost: {told}')
    checks.that(0 < int(figures[3]) < int(figures[1]) and float(figures[4]) > 0 and float(figures[5]) > 0, f'cost: {told}')
    checks.that(int(figures[6]) <= 1024, f'a credential takes {figures[6]} bytes')

def logs(checks, out):
    one, two = os.path.join(out, 'one'), os.path.join(out, 'two')
    run('generate', *QUICK, '--out', one)
    run('generate', *QUICK, '--out', two)
    for name in ('activities.ndjson', 'truth.ndjson'):
        with open(os.path.join(one, name), 'rb') as a, open(os.path.join(two, name), 'rb') as b:
            checks.that(a.read() == b.read(), f'{name} of the same seed differs')
    truth = load(os.path.join(one, 'truth.ndjson'))
    kinds = {row['kind'] for row in truth if row.get('attack')}
    checks.that(len(kinds) >= 10, f'attacks of {sorted(kinds)} only')
    done = replay('--out', os.path.join(one, 'out'), os.path.join(one, 'activities.ndjson'), binary=RELEASE)
    with open(os.path.join(one, 'activities.ndjson'), 'rb') as f:
        lines = sum(1 for _ in f)
    checks.that(f'{lines:,} records of an activity log' in done.stderr and 'not seen' not in done.stderr, 'replay does not read all of the log')
    named = {get(a, 'user.name') for a in load(os.path.join(one, 'out', 'alerts.ndjson')) if get(a, 'rule.id') == 'D07'}
    stolen = {row['user.name'] for row in truth if row.get('kind') == 'session theft'}
    checks.that(stolen and stolen <= named, f'session theft: {stolen}, D07 names {named}')

def importer(checks, out):
    path = os.path.join(out, 'rba.csv')
    with open(path, 'w') as f:
        f.write(CSV)
    said = run('rba', path, '--out', os.path.join(out, 'rba'))
    checks.that(said == '3 log-ins, 1 take-overs, 1 from attack addresses; 2 rows left out\n', said)
    rows = load(os.path.join(out, 'rba', 'activities.ndjson'))
    checks.that([get(r, 'event.outcome') for r in rows] == ['failure', 'success', 'success'], 'outcomes')
    checks.that(get(rows[0], '@timestamp') == '2020-02-03T12:43:30.772000000Z' and get(rows[0], 'user.name') == '-4324475583306591935', 'first row')
    checks.that('13_4, like' in get(rows[0], 'user_agent.original'), 'a comma inside quotes')
    checks.that(get(rows[1], 'user_agent.original') == 'He said "curl"/8.1' and get(rows[1], '@timestamp').startswith('2020-02-03T12:43:44'), 'second row')
    checks.that(get(rows[2], 'source.as.number') == 500021 and get(rows[2], 'source.geo.country_iso_code') == 'AU', 'third row')
    truth = load(os.path.join(out, 'rba', 'truth.ndjson'))
    checks.that([t['event.id'] for t in truth] == [get(rows[1], 'event.id')] and truth[0]['takeover'], 'truth')
    replay('--quiet', os.path.join(out, 'rba', 'activities.ndjson'))
    with open(path, 'w') as f:
        f.write('a,b\n1,2\n')
    done = subprocess.run([EVAL, 'rba', path, '--out', out], stderr=subprocess.PIPE, text=True)
    checks.that(done.returncode == 1 and "no column 'Login Timestamp'" in done.stderr, 'a foreign CSV is not refused')

def main():
    checks = Checks()
    if not os.path.exists(EVAL):
        skip('casetap-eval is not built')
    with tempfile.TemporaryDirectory() as out:
        pages(checks)
        cost(checks)
        logs(checks, out)
        importer(checks, out)
    checks.done()

main()
