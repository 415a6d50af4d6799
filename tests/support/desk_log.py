# SPDX-License-Identifier: Apache-2.0
"""Activity logs of a made-up help desk: an organisation at work on its ordinary days, and what somebody does on top of them.
Everything comes from the arguments; nothing is random but by a fixed seed."""
import hashlib, json, random, time

MONDAY = 1772409600     # 2026-03-02T00:00:00Z
DAY, HOUR, MINUTE = 86400, 3600, 60

def digest(*words):
    return hashlib.sha256(' '.join(map(str, words)).encode()).hexdigest()

def when(seconds):
    ns = round(seconds * 1e9)
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(ns // 10**9)) + f'.{ns % 10**9:09d}Z'

class Place:
    def __init__(self, ip, country, asn, org=''):
        self.ip, self.country, self.asn, self.org = ip, country, asn, org

class Client:
    def __init__(self, family, name, major, system='Windows NT 10.0; Win64; x64', program=False):
        self.family, self.name, self.major, self.program = family, name, major, program
        self.agent = f'{name}/{major}.0' if program else f'Mozilla/5.0 ({system}) {name}/{major}.0.0.0'

CHROME, FIREFOX, EDGE = Client(3, 'Chrome', 146), Client(2, 'Firefox', 148), Client(4, 'Edge', 146)
JOB = Client(0x8001, 'case-export', 2, program=True)
REQUESTS = Client(7, 'python-requests', 2, program=True)

class Log:
    def __init__(self, seed=1):
        self.rows, self.random = [], random.Random(seed)
    def act(self, t, who, place, client, action, case=None, file=None, size=20000, kind='cookie', session=None, route=None, flags=(),
            **more):
        """One act at t; the case's number says its customer, and a file is of its case."""
        n = len(self.rows)
        flags = list(flags) + (['machine'] if client.program else [])
        row = {'@timestamp': when(t), 'ecs': {'version': '9.4.0'},
               'event': {'kind': 'event', 'action': action, 'outcome': 'success', 'module': 'casetap', 'dataset': 'casetap.activity',
                         'id': digest('act', n, t, who)[:32]},
               'user': {'name': who},
               'source': {'ip': place.ip, 'geo': {'country_iso_code': place.country},
                          'as': {'number': place.asn, **({'organization': {'name': place.org}} if place.org else {})}},
               'http': {'request': {'method': 'GET'}, 'response': {'status_code': 200, 'body': {'bytes': size}}},
               'user_agent': {'original': client.agent},
               'casetap': {'schema': 1, 'done': when(t + 0.02), 'flow': digest('flow', who, int(t) // 600)[:16], 'n': n, 'app': 'rt',
                           'credential': {'kind': kind}, 'session': {'id': session or digest('session', who, int(t) // DAY)[:32]},
                           'client': {'name': f'{client.name} {client.major}', 'family': client.family, 'major': client.major},
                           'body': {'known': 'observed', 'missing_bytes': 0, 'complete': True}}}
        if flags:
            row['casetap']['flags'] = flags
        if route:
            row['casetap']['route'] = route
        if case is not None:
            row['casetap'].update(case={'id': str(case)}, customer={'name': f'Customer {case % 997}'})
        if file is not None:
            row['file'] = {'name': file}
            row['casetap']['object'] = {'id': f'{case}-{file}'}
        row['casetap'].update(more)
        self.rows.append((t, n, row))
    def connection(self, t, source, target, protocol, port=3389):
        n = len(self.rows)
        row = {'@timestamp': when(t), 'ecs': {'version': '9.4.0'},
               'event': {'kind': 'event', 'action': 'connection', 'outcome': 'unknown', 'module': 'casetap', 'dataset': 'casetap.activity',
                         'id': digest('connection', n, t)[:32]},
               'source': {'ip': source}, 'destination': {'ip': target, 'port': port},
               'casetap': {'schema': 1, 'done': when(t + 0.5), 'flow': digest('connection', source, target, t)[:16], 'n': n,
                           'protocol': protocol}}
        self.rows.append((t, n, row))
    def write(self, path):
        with open(path, 'w') as f:
            for _, _, row in sorted(self.rows, key=lambda r: r[:2]):
                f.write(json.dumps(row) + '\n')
        return path

OFFICE = 'Example Desk Ltd'
CLOUD = Place('192.0.2.200', 'US', 64500, 'Example Cloud')

class Desk:
    """24 people in two offices, and a nightly job with a token."""
    def __init__(self, log, people=24):
        self.log = log
        self.people = [f'agent{i:02d}' for i in range(people)]
        self.places = {p: Place(f'198.51.{100 + i % 2}.{10 + i}', 'GB', 64496, OFFICE) for i, p in enumerate(self.people)}
        self.clients = {p: (CHROME, EDGE, CHROME, FIREFOX)[i % 4] for i, p in enumerate(self.people)}
    def day_of(self, who, day, files=None):
        """One person's working day: sign in at about nine, two to four cases, one to three files of each."""
        r, place, client = self.log.random, self.places[who], self.clients[who]
        t = MONDAY + day * DAY + 9 * HOUR + r.uniform(-0.5, 0.5) * HOUR
        self.log.act(t, who, place, client, 'login', kind='form')
        left = files if files is not None else 99
        for _ in range(r.randint(2, 4)):
            case = r.randint(1, 400)
            t += r.uniform(15, 70) * MINUTE
            self.log.act(t, who, place, client, 'view_case', case=case)
            for i in range(min(left, r.randint(1, 3))):
                left -= 1
                t += r.uniform(0.5, 5) * MINUTE
                self.log.act(t, who, place, client, 'download', case=case, file=f'trace-{i}.log', size=r.randint(20000, 800000))
    def job_of(self, day, place=CLOUD, who='svc-export'):
        """The nightly job: a search, then what changed."""
        r, t = self.log.random, MONDAY + day * DAY + 2 * HOUR
        token = digest('token', who)[:32]
        self.log.act(t, who, place, JOB, 'search', kind='token', session=token, route='rest-search')
        for _ in range(r.randint(3, 5)):
            t += r.uniform(1, 4)
            self.log.act(t, who, place, JOB, 'view_case', case=r.randint(1, 400), kind='token', session=token, route='rest-case')
    def work(self, first, last, absent=()):
        for day in range(first, last):
            self.job_of(day)
            for who in self.people if day % 7 < 5 else ():
                if who not in absent:
                    self.day_of(who, day)
