# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: running the program, reading its output, matching activities with labels."""
import calendar, collections, ipaddress, json, os, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASETAP = os.environ.get('CASETAP', os.path.join(ROOT, 'build', 'casetap'))
RELEASE = os.path.join(ROOT, 'build', 'casetap')   # the optimised one, for long inputs
CAPTURES = os.path.join(ROOT, 'build', 'captures')
GEO = os.path.join(ROOT, 'tests', 'pcaps', 'demo-geo.mmdb')
ALIAS = ['--alias', 'svc-export=1-48']

def skip(why):
    print('skipped:', why)
    sys.exit(77)

def rt(name):
    return os.path.join(CAPTURES, 'rt', 'pcaps', name + '_back.pcap')

def replay(*args, binary=None, check=True, **kw):
    """Runs 'casetap replay ARGS'; returns the finished process with its text output."""
    done = subprocess.run([binary or CASETAP, 'replay', *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors='replace', **kw)
    if check and done.returncode:
        raise SystemExit(f'casetap replay {" ".join(args)}: exit {done.returncode}\n{done.stderr[-3000:]}')
    return done

def all_captures():
    """Every capture file there is: our own, and other people's where $CASETAP_CORPORA names them."""
    if not os.environ.get('CASETAP_CORPORA'):
        print('CASETAP_CORPORA is not set: only our own captures')
    for base in (CAPTURES, os.environ.get('CASETAP_CORPORA')):
        for folder, _, names in sorted(os.walk(base or '/nonexistent')):
            for path in sorted(os.path.join(folder, name) for name in names):
                with open(path, 'rb') as f:
                    magic = f.read(4)
                if magic in (b'\xd4\xc3\xb2\xa1', b'\xa1\xb2\xc3\xd4', b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\x3c\x4d', b'\x0a\x0d\x0d\x0a'):
                    yield path

def load(path):
    with open(path, encoding='utf-8') as lines:
        return [json.loads(line) for line in lines]

def get(obj, path):
    for key in path.split('.'):
        if not isinstance(obj, dict) or key not in obj:
            return None
        obj = obj[key]
    return obj

def stamp(text):
    """RFC 3339 with Z to seconds."""
    head, _, fraction = text.rstrip('Z').partition('.')
    return calendar.timegm(time.strptime(head, '%Y-%m-%dT%H:%M:%S')) + float('0.' + (fraction or '0'))

def addr(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text

def merge(old, new):
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            merge(old[key], value)
        else:
            old[key] = value

def settle(rows):
    """Activities as they stand at the end: amends merged, sessions named by a later identify."""
    acts = [r for r in rows if get(r, 'event.action') not in ('amend', 'identify')]
    known = {get(r, 'event.id'): r for r in acts}
    for row in rows:
        if get(row, 'event.action') == 'amend' and get(row, 'casetap.amends') in known:
            merge(known[get(row, 'casetap.amends')], {k: v for k, v in row.items() if k not in ('@timestamp', 'event', 'ecs')})
    named = {get(r, 'casetap.session.id'): get(r, 'user.name') for r in rows if get(r, 'event.action') == 'identify'}
    for row in acts:
        name = get(row, 'user.name')
        if (not name or name.startswith('session:')) and get(row, 'casetap.session.id') in named:
            merge(row, {'user': {'name': named[get(row, 'casetap.session.id')]}})
    return acts

def pair(labels, acts, tolerance=3.0):
    """Matches labels with activities of one kind: same client address, near in time, each once; first those whose file
    and case agree (several requests may come at one moment), then the nearest. Returns [(label, activity)]."""
    by_ip = collections.defaultdict(list)
    for j, a in enumerate(acts):
        by_ip[addr(get(a, 'source.ip'))].append((stamp(a['@timestamp']), j))
    near = []
    for i, t in enumerate(labels):
        for when, j in by_ip[addr(t['client_ip'])]:
            if abs(when - t['ts']) <= tolerance:
                near.append((abs(when - t['ts']), i, j))
    near.sort()
    pairs, used_i, used_j = [], set(), set()
    for want_exact in (True, False):
        for _, i, j in near:
            if i in used_i or j in used_j:
                continue
            if want_exact and not (labels[i].get('file_name') in (None, get(acts[j], 'file.name')) and
                                   str(labels[i].get('case_id')) in ('None', str(get(acts[j], 'casetap.case.id')))):
                continue
            used_i.add(i); used_j.add(j); pairs.append((labels[i], acts[j]))
    return pairs

class Checks:
    """Counts what was checked; a test that checked nothing fails."""
    def __init__(self):
        self.passed = self.failed = 0
    def that(self, ok, what):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print('FAILED:', what)
    def done(self):
        print(f'{self.passed} passed, {self.failed} failed')
        sys.exit(0 if self.passed and not self.failed else 1)
