#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Break-ins into support desks as they were published, at the level of activities, on top of four weeks of ordinary work: what
must be told, of whom, and how soon; and what looks like them and is ordinary. Poisoning: who raises slowly or comes gently."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
from desk_log import *

checks = Checks()
WEEKS = 28      # ordinary days before each play; day 28 is a Monday
START = MONDAY + WEEKS * DAY
VPN = Place('203.0.113.9', 'GB', 9009, 'Example VPN')
TOKEN = digest('token', 'svc-export')[:32]

def play(out, name, act, days=1, roster=None, absent=()):
    """The alerts of one play, and the last ordinary days' work beside it."""
    log = Log()
    desk = Desk(log)
    desk.work(0, WEEKS + days, absent)
    act(log, desk)
    here = os.path.join(out, name)
    os.mkdir(here)
    words = []
    if roster:
        with open(os.path.join(here, 'roster.csv'), 'w') as f:
            f.write(roster)
        words = ['--roster', os.path.join(here, 'roster.csv')]
    replay('--quiet', *words, '--out', here, log.write(os.path.join(here, 'log.ndjson')), env={**os.environ, 'CASETAP_GEOIP': ''})
    return load(os.path.join(here, 'alerts.ndjson'))

def rules_in(alert):
    return {get(alert, 'rule.id')} | {w['value'].split()[0] for w in alert['casetap']['why'] if w['field'] == 'rule.id'}

def first(alerts, who, rules=None, after=START):
    """When an alert about the credential spoke first, in seconds since 1970."""
    times = [stamp(a['@timestamp']) for a in alerts if get(a, 'user.name') == who and stamp(a['@timestamp']) >= after - 1 and
             (not rules or rules_in(a) & set(rules))]
    return min(times, default=None)

def told(name, alerts, who, begin, within, rules=None):
    t = first(alerts, who, rules, begin)
    late = None if t is None else t - begin
    checks.that(late is not None and late <= within,
                f'{name}: {who} {"/".join(rules or ["any rule"])} ' + ('not told' if late is None else f'told after {late:.0f} s, not {within:.0f}'))
    print(f'{name:34} {"/".join(rules or ["any"]):16} ' + ('never' if late is None else f'{late:12.1f} s'))

def quiet(name, alerts, begin=START, but=()):
    wrong = sorted({(get(a, 'rule.id'), get(a, 'user.name')) for a in alerts if stamp(a['@timestamp']) >= begin and get(a, 'user.name') not in but})
    checks.that(not wrong, f'{name}: told of {wrong}')
    print(f'{name:34} {len(wrong)} alerts')

# --- what happened ---

def okta_slow(log, desk):
    """2023: the desk's own service account, by browser from a VPN in its country; a report of all users, then seven customers'
    files a day for 19 days, from the list of files, never through a case."""
    for day in range(19):
        t = START + day * DAY + 15 * HOUR
        log.act(t, 'svc-export', VPN, CHROME, 'login', kind='form', session=digest('okta', day)[:32])
        if day == 0:
            log.act(t + 60, 'svc-export', VPN, CHROME, 'export', file='all-users.csv', size=3000000, session=digest('okta', day)[:32])
        for i in range(7):
            t += 300
            case = 1000 + day * 7 + i
            log.act(t, 'svc-export', VPN, CHROME, 'list_files', session=digest('okta', day)[:32])
            log.act(t + 20, 'svc-export', VPN, CHROME, 'download', case=case, file='session.har', session=digest('okta', day)[:32])

def drift_fast(log, desk):
    """2025: an integration's token from another host of the same cloud, questions for four days, then from a third host the
    bulk job, 33 seconds after its first request, and its deletion."""
    other, third = Place('192.0.3.108', 'US', 64500, 'Example Cloud'), Place('208.0.4.90', 'US', 14061, 'Example Hosting')
    for day in range(4):
        for i in range(5):
            log.act(START + day * DAY + 22 * HOUR + i * 40, 'svc-export', other, REQUESTS, 'api_call', kind='token', session=TOKEN,
                    route='rest-describe', size=900)
    t = START + 5 * DAY + 11 * HOUR
    log.act(t, 'svc-export', third, REQUESTS, 'api_call', kind='token', session=TOKEN, route='rest-limits', size=700)
    log.act(t + 33, 'svc-export', third, REQUESTS, 'job_create', kind='token', session=TOKEN, route='rest-bulk', size=400)
    log.act(t + 235, 'svc-export', third, REQUESTS, 'export', kind='token', session=TOKEN, route='rest-bulk-result', size=90000000)
    log.act(t + 259, 'svc-export', third, REQUESTS, 'job_delete', kind='token', session=TOKEN, route='rest-bulk', size=0)

def sitel(log, desk, has_rdp):
    """2022: the engineer's own workstation, worked through RDP for 25 minutes; two tenants, nothing but reading."""
    who = desk.people[3]
    t = START + 14 * HOUR
    if has_rdp:
        log.connection(t, '10.99.1.77', desk.places[who].ip, 'RDP')
    for i in range(4):
        log.act(t + 30 + i * 480, who, desk.places[who], desk.clients[who], 'view_case', case=7 + i % 2)

def discord_bulk(log, desk):
    """2025: 60 Mbit/s for 58 hours through one agent's account, seen from outside of the encryption: the address is the
    credential, bursts are the files."""
    place = Place('198.51.100.77', 'GB', 64496, OFFICE)
    for day in range(WEEKS):
        for i in range(3 if day % 7 < 5 else 0):
            burst(log, MONDAY + day * DAY + (10 + i) * HOUR, place, 800000 + 100000 * (day % 5))
    for i in range(58 * 180):
        burst(log, START + 20 * HOUR + i * 20, place, 150000000)

def burst(log, t, place, size):
    log.act(t, f'address:{place.ip}', place, Client(0, '', 0), 'download', kind='none', size=size, flags=['encrypted'],
            object={'id': f'burst of {t}'})

def signal_three(log, desk):
    """2022: three look-ups, by a credential that was phished; from a VPN with another browser."""
    t = START + 15 * HOUR
    for i in range(3):
        log.act(t + i * 60, desk.people[5], VPN, FIREFOX, 'search', session=digest('signal')[:32])
        log.act(t + i * 60 + 20, desk.people[5], VPN, FIREFOX, 'view_case', case=90 + i, session=digest('signal')[:32])

def replayed_session(log, desk):
    """The cookie of a session that goes on, from another network with another browser: pages first, then the API."""
    who = desk.people[4]
    session, t = digest('session', who, (START + 10 * HOUR) // DAY)[:32], START + 10.5 * HOUR
    log.act(t - 60, who, desk.places[who], desk.clients[who], 'view_case', case=5, session=session)
    for i in range(4):
        log.act(t + i * 9, who, VPN, REQUESTS if i > 1 else FIREFOX, 'api_call' if i > 1 else 'list', session=session)

def redirected(log, desk):
    """A link to the storage that was handed to a person is fetched from somewhere else."""
    who = desk.people[6]
    t = START + 11 * HOUR
    log.act(t, who, desk.places[who], desk.clients[who], 'download', case=9, file='core.gz', size=0)
    log.act(t + 40, who, Place('203.0.113.80', 'RO', 9009, 'Example VPN'), REQUESTS, 'download', case=9, file='core.gz', size=80000000,
            kind='link')

# --- what is ordinary ---

def traveller(log, desk):
    who = desk.people[7]
    for day in range(3):
        desk.places[who] = Place(f'203.0.113.{50 + day}', 'FR', 3215, 'Example Hotel')
        desk.day_of(who, WEEKS + day)

def office_vpn(log, desk):
    desk.places[desk.people[8]] = Place('192.0.2.33', 'NL', 64510, 'Example Cloud VPN')
    for day in range(3):
        desk.day_of(desk.people[8], WEEKS + day)

def job_moves(log, desk):
    for day in range(3):
        desk.job_of(WEEKS + day, Place('192.0.9.14', 'US', 64500, 'Example Cloud'))

def month_end(log, desk):
    """The same person's report at each month's end, this time as always."""
    who = desk.people[9]
    for day in (4, 11, 18, 25, WEEKS):
        log.act(MONDAY + day * DAY + 16 * HOUR, who, desk.places[who], desk.clients[who], 'export', file='month.csv', size=2000000)

def newcomer(log, desk):
    who = 'newcomer'
    desk.places[who], desk.clients[who] = Place('198.51.100.99', 'GB', 64496, OFFICE), CHROME
    for day in range(5):
        desk.day_of(who, WEEKS + day)

# --- the attacker teaches ---

def raised(log, desk, rate=1.05, days=60):
    """After four weeks of usual days, each day 5 % more files than the day before, each of another case that is looked at first."""
    who = desk.people[10]
    for day in range(WEEKS):
        if day % 7 < 5:
            desk.day_of(who, day)
    for day in range(days):
        t = START + day * DAY + 10 * HOUR
        for i in range(round(3 * rate ** day)):
            case, at = 1 + (day * 61 + i * 7) % 4000, t + i * 480 * 0.98 ** day
            log.act(at, who, desk.places[who], desk.clients[who], 'view_case', case=case)
            log.act(at + 20, who, desk.places[who], desk.clients[who], 'download', case=case, file='x.har')

def gentle(log, desk):
    """From a new place, an act a day at first, so that it may become usual; then what he came for."""
    who = desk.people[11]
    place = Place('203.0.113.140', 'NL', 9009, 'Example VPN')
    for day in range(10):
        log.act(START + day * DAY + 11 * HOUR, who, place, desk.clients[who], 'view_case', case=11 + day, session=digest('gentle', day)[:32])
    for i in range(40):
        log.act(START + 10 * DAY + 11 * HOUR + i * 100, who, place, desk.clients[who], 'download', case=100 + i, file='x.har',
                session=digest('gentle', 10)[:32])

def taken(log_path, who, until):
    return sum(1 for line in open(log_path) for r in [json.loads(line)]
               if r.get('user', {}).get('name') == who and r['event']['action'] == 'download' and START <= stamp(r['@timestamp']) <= until)

def incidents(out):
    alerts = play(out, 'okta', okta_slow, 19)
    told('Okta 2023, first act', alerts, 'svc-export', START + 15 * HOUR, 1)
    told('Okta 2023, breadth', alerts, 'svc-export', START + 15 * HOUR, 3 * DAY, ['D12'])
    declared = play(out, 'okta-declared', okta_slow, 1, 'who,service\nsvc-export,yes\n')
    told('Okta 2023, declared a service', declared, 'svc-export', START + 15 * HOUR, 1, ['D29'])
    alerts = play(out, 'drift', drift_fast, 6)
    told('Drift 2025, first new source', alerts, 'svc-export', START + 22 * HOUR, 1)
    told('Drift 2025, second, before its job', alerts, 'svc-export', START + 5 * DAY + 11 * HOUR, 33)
    alerts = play(out, 'sitel', lambda log, desk: sitel(log, desk, True))
    told('Sitel 2022, through RDP', alerts, 'agent03', START + 14 * HOUR, 60, ['D27'])
    alerts = play(out, 'discord', discord_bulk, 3)
    told('Discord 2025', alerts, 'address:198.51.100.77', START + 20 * HOUR, 5 * MINUTE)
    alerts = play(out, 'signal', signal_three)
    told('Signal 2022, three look-ups', alerts, 'agent05', START + 15 * HOUR, 3 * MINUTE)
    alerts = play(out, 'replay', replayed_session)
    told('Session replay, first request', alerts, 'agent04', START + 10.5 * HOUR, 1, ['D07'])
    alerts = play(out, 'redirect', redirected)
    told('Link fetched elsewhere', alerts, 'agent06', START + 11 * HOUR + 40, 1)

def ordinary(out):
    quiet('Ordinary week', play(out, 'week', lambda log, desk: None, 7))
    quiet('Sitel without RDP: cannot be seen', play(out, 'sitel-blind', lambda log, desk: sitel(log, desk, False)))
    quiet('Traveller', play(out, 'traveller', traveller, 3, absent=['agent07']))
    quiet('Corporate VPN, declared', play(out, 'vpn', office_vpn, 3, 'who,organisation,egress\nagent08,Desk,\n,Desk,192.0.2.0/25\n', ['agent08']))
    quiet('Job moves in its declared prefix', play(out, 'job', job_moves, 3, 'who,organisation,egress,service\nsvc-export,Bots,192.0.0.0/16,yes\n'))
    quiet('Month end', play(out, 'month', month_end))
    quiet('First week of a newcomer', play(out, 'newcomer', newcomer, 5))

def poisoning(out):
    alerts = play(out, 'raised', raised, 60, absent=['agent10'])
    at = first(alerts, 'agent10', None, START)
    log = os.path.join(out, 'raised', 'log.ndjson')
    alerts_quiet = play(out, 'raised-at-once', lambda log, desk: raised(log, desk, 1, 60), 60, absent=['agent10'])
    at_quiet = first(alerts_quiet, 'agent10', None, START)
    loot = taken(log, 'agent10', at or START + 60 * DAY)
    loot_quiet = taken(os.path.join(out, 'raised-at-once', 'log.ndjson'), 'agent10', at or START + 60 * DAY)
    day = lambda t: 'never' if t is None else f'day {(t - START) / DAY:.0f}'
    print(f'raised 5 % a day: told {day(at)}, {loot} files; the same person at a steady pace: {day(at_quiet)}, {loot_quiet} files by then')
    checks.that(at_quiet is None, f'who keeps to the usual pace is told: {day(at_quiet)}')
    checks.that(at is not None and loot <= 2 * loot_quiet, f'poisoning: told {day(at)} with {loot} files, {loot_quiet} of a quiet one')
    alerts = play(out, 'gentle', gentle, 11)
    told('Gentle new place, when it takes', alerts, 'agent11', START + 10 * DAY + 11 * HOUR, 40 * 100 / 2)

def main():
    with tempfile.TemporaryDirectory() as out:
        incidents(out)
        ordinary(out)
        poisoning(out)
    checks.done()

main()
