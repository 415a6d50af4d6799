#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which customers' files an attacker got: on each attack capture the customers, cases, files, bytes and times read that the lab's labels say,
from the log, from activities.ndjson and by an alert; as text, CSV, JSON and packages; hostile names; evidence that is checked again."""
import collections, csv, glob, hashlib, io, json, os, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

ATTACKS = {'B': ['--address', '67.43.156.9'], 'C': ['--address', '175.16.199.22', '--to', '2026-03-26'],
           'D': ['--credential', 'dara.singh', '--from', '2026-03-24T16:30:00Z', '--to', '2026-03-24T23:00:00Z'],
           'E': ['--credential', 'hana.kimura', '--address', '214.78.0.0/16'], 'F': ['--address', '89.160.20.115'], 'G': ['--address', '192.0.2.66'],
           'H': ['--address', '175.16.199.22', '--from', '2026-03-26']}

def impact(*words, check=True):
    done = subprocess.run([CASETAP, 'impact', *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode:
        raise SystemExit(f'casetap impact {words}: exit {done.returncode}\n{done.stderr.decode(errors="replace")}')
    return done

def truth(name):
    """(customer, case, file, attachment) -> [bytes, reads] of what left, and the cases that were opened."""
    files, cases = collections.defaultdict(lambda: [0, 0]), set()
    for row in load(os.path.join(CAPTURES, 'rt', 'labels', name + '.ndjson')):
        if not row['malicious'] or row['case_id'] is None or not row['ok']:
            continue
        if row['action'] == 'download':
            entry = files[row['customer'], str(row['case_id']), row['file_name'], str(row['attachment_id'])]
            entry[0] = max(entry[0], row['content_bytes'])
            entry[1] += 1
        elif row['action'] in ('view_case', 'list_files') and row['status'] == 200: # a redirect to the login shows nothing
            cases.add((row['customer'], str(row['case_id'])))
    return dict(files), cases

def told(answer):
    files, cases = {}, set()
    for customer in answer['customers']:
        for case in customer['files']:
            for f in case['files']:
                if f['left']:
                    files[customer['name'], case['case'], f['name'], f.get('object')] = [f['bytes'], f['reads']]
        cases |= {(customer['name'], c['id']) for c in customer['cases'] if c['viewed'] or c['files_listed']}
    return files, cases

def attacks(checks, out):
    first, second = os.path.join(out, 'one'), os.path.join(out, 'two')
    replay('--quiet', *ALIAS, '--out', first, '--log', os.path.join(out, 'log'), *[rt(n) for n in ('A_w1', 'A_w2', 'A_w3', 'B', 'C', 'D', 'E', 'F', 'G')], binary=RELEASE)
    replay('--quiet', *ALIAS, '--out', second, '--log', os.path.join(out, 'log_h'), rt('A_w1'), rt('H'), binary=RELEASE)
    for name, words in ATTACKS.items():
        logs = [os.path.join(out, 'log_h'), second] if name == 'H' else [os.path.join(out, 'log'), first]
        answers = [impact('--json', *words, log).stdout for log in logs]
        checks.that(answers[0] == answers[1], f'{name}: the log says something else than activities.ndjson')
        files, cases = told(json.loads(answers[0]))
        want_files, want_cases = truth(name)
        missing, extra = set(want_files) - set(files), set(files) - set(want_files)
        checks.that(want_files and not missing and not extra, f'{name}: files missing {sorted(missing)[:3]}, too many {sorted(extra)[:3]}')
        wrong = [(k, files.get(k), v) for k, v in want_files.items() if files.get(k, [None])[0] != v[0]]
        checks.that(not wrong, f'{name}: {len(wrong)} of {len(want_files)} with other bytes: {wrong[:3]}')
        wrong = [(k, files.get(k), v) for k, v in want_files.items() if files.get(k, [0, 0])[1] != v[1]]
        checks.that(not wrong, f'{name}: {len(wrong)} read another number of times: {wrong[:3]}')
        checks.that(want_cases == cases, f'{name}: cases {sorted(want_cases ^ cases)[:4]}')
        customers = {c['name'] for c in json.loads(answers[0])['customers'] if c['files_left']}
        checks.that(customers == {k[0] for k in want_files}, f'{name}: customers {customers}')
        print(name, len(customers), 'customers', len(files), 'files', sum(v[0] for v in files.values()), 'bytes')
    return first

def by_alert(checks, out, first):
    """The alert about B's thief leads to what he got."""
    alert = next(a for a in load(os.path.join(first, 'alerts.ndjson')) if get(a, 'source.ip') == '67.43.156.9' and get(a, 'user.name') == 'svc-export')
    answer = json.loads(impact('--json', '--alert', get(alert, 'event.id'), first).stdout)
    checks.that(told(answer)[0].keys() == truth('B')[0].keys(), 'by the alert other files come out')
    checks.that(answer['subject']['alert'] == get(alert, 'event.id') and answer['subject']['credential'] == 'svc-export', 'the alert is not named')
    none = impact('--alert', '0' * 32, first, check=False)
    checks.that(none.returncode == 1 and none.stderr.count(b'\n') == 1 and b'no alert' in none.stderr, 'an alert that is not there')

def forms(checks, out):
    log, words = os.path.join(out, 'log'), ATTACKS['D']
    answer = json.loads(impact('--json', *words, log).stdout)
    files, _ = told(answer)
    rows = list(csv.DictReader(io.StringIO(impact('--csv', *words, log).stdout.decode())))
    from_csv = {(r['customer'], r['case'], r['file'], r['object']): [int(r['bytes']), int(r['times'])] for r in rows if r['kind'] == 'left'}
    checks.that(from_csv == files, 'CSV and JSON differ')
    text = impact(*words, log).stdout.decode()
    checks.that(f'{len(files)} files of 8 customers left' in text and all(k[2] in text for k in files), 'the text lacks files')
    names = {c['name'] for c in answer['customers']}
    for form in ([], ['--csv'], ['--json']):
        folder = os.path.join(out, 'packages' + ''.join(form))
        impact('--packages', folder, *form, *words, log)
        packages = sorted(os.listdir(folder))
        checks.that(len(packages) == len(names), f'{len(packages)} packages')
        for package in packages:
            with open(os.path.join(folder, package), encoding='utf-8') as f:
                content = f.read()
            inside = {n for n in names if n in content}
            checks.that(len(inside) == 1 and next(iter(inside)).replace(' ', '_') in package, f'{package} has {inside}')
            own = [k for k in files if k[0] in inside]
            if not form:
                checks.that(f'{len(own)} file{"s" * (len(own) != 1)} of 1 customer left' in content, f'{package}: other totals')

def pieces(checks, out):
    """Ranges, aborted and resumed downloads count once."""
    replay('--quiet', '--out', os.path.join(out, 'v2'), rt('V2'), binary=RELEASE)
    acts = settle(load(os.path.join(out, 'v2', 'activities.ndjson')))
    for user in sorted({get(a, 'user.name') for a in acts if get(a, 'event.action') == 'download' and get(a, 'user.name')}):
        answer = json.loads(impact('--json', '--credential', user, os.path.join(out, 'v2')).stdout)
        want = collections.defaultdict(int)
        for a in acts:
            if get(a, 'user.name') == user and get(a, 'event.action') in ('download', 'preview') and get(a, 'casetap.transfer.unique_bytes'):
                key = (get(a, 'casetap.object.id'), get(a, 'file.name'))
                want[key] = max(want[key], get(a, 'casetap.transfer.unique_bytes'))
        got = {k[2:][::-1]: v[0] for k, v in told(answer)[0].items()}
        checks.that(all(got.get(k) == v for k, v in want.items()), f'V2 {user}: {got} and not {dict(want)}')

HOSTILE = ['<script>alert(1)</script>.har', '\x1b[2J\x1b]0;pwned\x07.log', '\u202egnp.exe', '=HYPERLINK("http://x","y")', '+1+1', '-2', '@SUM(A1)', '\t=1', 'a"b,c\r\nd',
           'x' * 500, '\ufffd\ufffd', '\u0000nul', '../../etc/passwd', '']

def hostile(checks, out):
    line = next(l for l in open(os.path.join(out, 'one', 'activities.ndjson'), encoding='utf-8')
                if '"action":"download"' in l and '"customer"' in l and '"case"' in l)
    path = os.path.join(out, 'hostile.ndjson')
    with open(path, 'w', encoding='utf-8') as f:
        for i, name in enumerate(HOSTILE):
            a = json.loads(line)
            a['event']['id'] = f'{i:032x}'
            a['user']['name'] = 'mallory'
            a['file'] = {'name': name, 'extension': 'x'} if name else {}
            a['casetap']['case'] = {'id': name[:100] or 'case'}
            a['casetap']['customer'] = {'name': name[:100] or 'Nobody'}
            a['casetap']['object'] = {'id': str(i)}
            f.write(json.dumps(a, ensure_ascii=i % 2 == 0, separators=(',', ':')) + '\n')
        f.write('garbage\n{"a":"' + 'y' * 65536 + '"}\n')
    with open(path, 'ab') as f:
        f.write(b'{"@timestamp":"\xff\xfe\x80"}\n')
    for words in ([], ['--csv'], ['--json']):
        done = impact(*words, '--credential', 'mallory', path)
        text = done.stdout.decode() # valid UTF-8
        bad = re.findall('[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]' if words != [] else '[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]', text)
        checks.that(not bad, f'{words}: {bad[:5]}')
        if words == ['--csv']:
            cells = [c for row in csv.reader(io.StringIO(text)) for c in row]
            checks.that(not [c for c in cells if c[:1] in '=+-@\t\r' and c], 'a formula')
            checks.that(len(list(csv.DictReader(io.StringIO(text)))) >= len(HOSTILE), 'rows are missing')
        elif words:
            checks.that(json.loads(text)['bad_lines'] == 3, 'bad lines are not counted')
        else:
            checks.that('3 lines that are no activities' in text and '\\x1b[2J' in text and '\\u202e' in text, 'text is not told harmlessly')
    folder = os.path.join(out, 'hostile-packages')
    impact('--packages', folder, '--credential', 'mallory', path)
    checks.that(all(re.fullmatch(r'\d{3}-[A-Za-z0-9_]+\.txt', n) for n in os.listdir(folder)) and len(os.listdir(folder)) >= 12, f'{os.listdir(folder)}')

def seal_again(lines):
    """What somebody who changed the file would do: the seal computed anew."""
    head = bytes(32)
    for line in lines[:-1]:
        head = hashlib.sha256(head + hashlib.sha256(line.rstrip(b'\n')).digest()).digest()
    return lines[:-1] + [b'{"end":true,"records":%d,"seal":"%s"}\n' % (len(lines) - 2, head.hex().encode())]

def evidence(checks, out):
    log, path, bad = os.path.join(out, 'log'), os.path.join(out, 'evidence.ndjson'), os.path.join(out, 'bad.ndjson')
    done = impact('--evidence', path, *ATTACKS['D'], log)
    with open(path, 'rb') as f:
        lines = f.readlines()
    seal = json.loads(lines[-1])['seal'].encode()
    checks.that(len(lines) > 20 and seal in done.stderr, 'the evidence has no records, or its seal is not told')
    raw = {l for p in glob.glob(log + '/*.zst') for l in subprocess.run(['zstd', '-dcq', p], stdout=subprocess.PIPE, check=True).stdout.splitlines()}
    checks.that(all(l[l.index(b'"record":') + 9:-2] in raw for l in lines[1:-1]), 'a record is not a line of the log')
    got = {json.loads(l)['record']['event']['id'] for l in lines[1:-1] if b'"action":"download"' in l}
    want = [a for a in settle(load(os.path.join(out, 'one', 'activities.ndjson'))) if get(a, 'event.action') == 'download' and
            get(a, 'user.name') == 'dara.singh' and '2026-03-24T16:30' <= a['@timestamp'] < '2026-03-24T23']
    checks.that(want and got == {get(a, 'event.id') for a in want}, f'evidence of {len(got)} downloads and not {len(want)}')
    done = impact('--verify', path, log)
    checks.that(b'0 faults, %d found unchanged' % (len(lines) - 2) in done.stdout and seal in done.stdout, f'good evidence: {done.stdout}')
    other = [l for l in lines[1:-1] if l != lines[5]][0]
    cases = {'changed': lines[:5] + [lines[5].replace(b'"success"', b'"failure"', 1)] + lines[6:], 'removed': lines[:5] + lines[6:],
             'added': lines[:5] + [other] + lines[5:], 'cut': lines[:-1], 'first changed': [lines[0].replace(b'dara', b'sara')] + lines[1:],
             'behind the end': lines + [other], 'order': lines[:5] + [lines[6], lines[5]] + lines[7:]}
    for what, new in cases.items():
        checks.that(new != lines, f'{what}: the test changed nothing')
        with open(bad, 'wb') as f:
            f.writelines(new)
        done = impact('--verify', bad, check=False)
        checks.that(done.returncode == 1 and b', 0 faults' not in done.stdout and b'bad.ndjson:' in done.stdout, f'evidence {what}: {done.stdout}')
    forged = dict(cases)
    head = json.loads(lines[5])
    line = lines[5][lines[5].index(b'"record":') + 9:-2].replace(b'"success"', b'"failure"', 1)
    after = hashlib.sha256(bytes.fromhex(head['before']) + hashlib.sha256(line).digest()).hexdigest().encode()
    forged['changed'] = lines[:5] + [b'{"log":%d,"n":%d,"before":"%s","after":"%s","record":%s}\n' % (head['log'], head['n'], head['before'].encode(), after, line)] + lines[6:]
    for what in ('changed', 'removed'): # whoever seals it again is found by the log, or by the seal that was kept
        with open(bad, 'wb') as f:
            f.writelines(seal_again(forged[what]))
        alone, beside = impact('--verify', bad, check=False), impact('--verify', bad, log, check=False)
        checks.that(seal not in alone.stdout, f'forged, {what}: the same seal')
        if what == 'changed':
            checks.that(beside.returncode == 1 and b'the log has something else there' in beside.stdout, f'forged, {what}: {beside.stdout}')
    copy = os.path.join(out, 'copy')
    for what in ('changed', 'removed', 'added'):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(log, copy)
        packed = next(p for p in sorted(glob.glob(copy + '/*.zst')) if '20260324' in p)
        text = subprocess.run(['zstd', '-dcq', packed], stdout=subprocess.PIPE, check=True).stdout.splitlines(True)
        new = {'changed': [text[0].replace(b'"outcome":"', b'"outcome":"x', 1)] + text[1:], 'removed': text[1:], 'added': [text[1]] + text}[what]
        os.remove(packed)
        with open(packed[:-len('.zst')], 'wb') as f:
            f.writelines(new)
        done = impact('--verify', path, copy, check=False)
        checks.that(done.returncode == 1 and b'something else there' in done.stdout, f'a line of the log {what}: {done.stdout[-300:]}')
    flat = os.path.join(out, 'flat.ndjson')
    impact('--evidence', flat, *ATTACKS['D'], os.path.join(out, 'one'))
    checks.that(impact('--verify', flat, os.path.join(out, 'one')).returncode == 0, 'evidence of an activities.ndjson')
    done = impact('--verify', os.path.join(out, 'one', 'alerts.ndjson'), check=False)
    checks.that(done.returncode == 1 and b'no evidence' in done.stderr, 'something else is taken for evidence')

def window(checks, out):
    """The same, from the days around the window alone; and counted back from the log's end."""
    log = os.path.join(out, 'log')
    last = load(os.path.join(out, 'one', 'activities.ndjson'))[-1]['@timestamp']
    answer = json.loads(impact('--json', '--address', '0.0.0.0/0', '--last', '12h', log).stdout)
    checks.that(answer['activities'] > 0 and answer['subject']['from'] < last, 'nothing in the last 12 hours')
    rows = [a for a in settle(load(os.path.join(out, 'one', 'activities.ndjson'))) if a['@timestamp'] >= answer['subject']['from'] and get(a, 'source.ip')]
    checks.that(len(rows) == answer['activities'] and stamp(last) - stamp(answer['subject']['from']) == 12 * 3600, f'{len(rows)} and not {answer["activities"]}')

def refused(checks, out):
    for words, code, said in ((['--credential', 'x'], 2, 'which log?'), ([out], 2, 'whose?'), (['--session', 'zz', out], 2, 'no session'),
                              (['--address', '1.2.3', out], 2, 'no address'), (['--credential', 'x', '--from', 'noon', out], 2, 'no time'), (['--nonsense', out], 2, 'unknown option'),
                              (['--credential', 'x', out], 1, 'no activity log'), (['--credential', 'x', out + '/none'], 1, 'No such file'),
                              (['--verify', out + '/none'], 1, 'No such file'), (['--verify', 'x', '--credential', 'y'], 2, 'only of a file'),
                              (['--last', '2026-01-01', '--credential', 'x', out], 2, 'no time'), (['--credential', 'x', '--from', '2026-02-01', '--to', '2026-01-01', out], 2, 'not behind')):
        done = impact(*words, check=False)
        checks.that(done.returncode == code and done.stderr.count(b'\n') == 1 and said.encode() in done.stderr, f'{words}: {done.returncode} {done.stderr}')

def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as out:
        first = attacks(checks, out)
        by_alert(checks, out, first)
        forms(checks, out)
        pieces(checks, out)
        hostile(checks, out)
        evidence(checks, out)
        window(checks, out)
        refused(checks, out)
    checks.done()
main()
