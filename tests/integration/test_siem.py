#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is shipped for SIEMs: rsyslog takes its snippet and writes what the sensor sends it; the Elastic template knows every field of
the alert schema as its own kind; Sigma rules are whole, name fields and rules that there are, and fire on alerts they are for."""
import glob, json, os, re, shutil, subprocess, sys, tempfile, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', 'support'), HERE]
from casetap_test import *
import collectors
try:
    import yaml
except ImportError:
    skip('python3-yaml is not installed')

SIEM = os.path.join(ROOT, 'rules', 'siem')

def leaves(node, path=''):
    """(path, schema node) of all that is no object."""
    if node.get('type') == 'object':
        for key, value in node['properties'].items():
            yield from leaves(value, f'{path}.{key}' if path else key)
    elif node.get('type') == 'array':
        yield from leaves(node['items'], path)
    else:
        yield path, node

def template(checks, schema):
    with open(os.path.join(SIEM, 'elastic-template.json'), encoding='utf-8') as f:
        mapping = json.load(f)['template']['mappings']
    wanted = {'ip': {'ip'}, 'time': {'date_nanos'}, 'long': {'long'}, 'port': {'long'}, 'hex32': {'keyword'}}
    for path, node in leaves(schema):
        here = mapping
        for key in path.split('.'):
            here = here.get('properties', {}).get(key, {})
        ref = node.get('$ref', '').rpartition('/')[2]
        checks.that('type' in here and here['type'] in wanted.get(ref, {here['type']}), f'template: {path} is {here}')

def item(row, field, wanted):
    name, *modifiers = field.split('|')
    value = get(row, name)
    if modifiers:
        return value is not None and {'gte': value >= wanted, 'lt': value < wanted}[modifiers[0]]
    return value in wanted if isinstance(wanted, list) else value == wanted

def fires(rule, row):
    names = {name: all(item(row, field, wanted) for field, wanted in block.items())
             for name, block in rule['detection'].items() if name != 'condition'}
    return eval(rule['detection']['condition'], {'__builtins__': {}}, names)   # names, 'and', 'or', parentheses: checked above

def alert(rule='D09', severity='high', update=0, files=1, customers=1, confidence=None):
    own = {'severity': severity, 'update': update, 'story': {'files': files, 'customers': customers}}
    if confidence:
        own['confidence'] = confidence
    return {'event': {'dataset': 'casetap.alert'}, 'rule': {'id': rule}, 'casetap': own}

FIRE = {
    'grave_alert': ([alert(), alert(severity='critical')], [alert(severity='medium'), alert(update=1)]),
    'stolen_session': ([alert('D07'), alert('D24')], [alert('D09')]),
    'bulk_download': ([alert(files=100), alert(customers=10)], [alert(files=99, customers=9)]),
    'blind_sensor': ([alert(confidence=50)], [alert(), alert(confidence=80)]),
}

def sigma(checks, schema):
    fields = {path for path, _ in leaves(schema)}
    shipped = set()
    for path in glob.glob(os.path.join(ROOT, 'rules', 'detections', '*.yaml')):
        with open(path, encoding='utf-8') as f:
            shipped.add(next(line.split()[1] for line in f if line.startswith('id:')))
    ids, names = [], set()
    for path in sorted(glob.glob(os.path.join(SIEM, 'sigma', '*.yml'))):
        stem = os.path.basename(path)[:-4]
        with open(path, encoding='utf-8') as f:
            rules = list(yaml.safe_load_all(f))
        for rule in rules:
            ids.append(rule['id'])
            checks.that(re.fullmatch(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', rule['id']), f'{stem}: id')
            checks.that(all(rule.get(k) for k in ('title', 'description', 'status', 'level', 'author', 'date')), f'{stem}: incomplete')
            checks.that(rule['level'] in ('informational', 'low', 'medium', 'high', 'critical'), f'{stem}: level')
            if 'correlation' in rule:
                c = rule['correlation']
                others = {r.get('name') for r in rules}
                checks.that(set(c['rules']) <= others and set(c['group-by']) <= fields and c['condition']['field'] in fields, f'{stem}: correlation')
                continue
            checks.that(re.fullmatch(r'[a-z() ]+', rule['detection']['condition']), f'{stem}: condition')
            for block in (b for n, b in rule['detection'].items() if n != 'condition'):
                checks.that({f.split('|')[0] for f in block} <= fields, f'{stem}: {set(block) - fields} is no field of an alert')
                wanted = block.get('rule.id', [])
                checks.that(set(wanted) <= shipped, f'{stem}: {set(wanted) - shipped} ships no more')
            yes, no = FIRE.get(stem, ([alert()], [{'event': {'dataset': 'casetap.activity'}}]))
            checks.that(all(fires(rule, row) for row in yes), f'{stem} does not fire')
            checks.that(not any(fires(rule, row) for row in no), f'{stem} fires on what it is not for')
    checks.that(len(ids) == len(set(ids)) >= 6, f'ids {ids}')

def shippers(checks):
    for name in ('vector.yaml', 'filebeat.yml'):
        with open(os.path.join(SIEM, name), encoding='utf-8') as f:
            text = f.read()
        checks.that(yaml.safe_load(text) and 'alerts.ndjson' in text and 'event.id' in text, f'{name} does not read the alert log')

def rsyslog(checks):
    if not shutil.which('rsyslogd'):
        print('rsyslogd is not installed: its snippet is not tried')
        return
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(SIEM, 'rsyslog.conf'), encoding='utf-8') as f:
        collectors.certificates(folder)
        port = collectors.free_port()
        text = f.read().replace('/etc/rsyslog.d/casetap', folder).replace('/var/log/casetap', folder).replace('6514', str(port))
        path = os.path.join(folder, 'snippet.conf')
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
        done = subprocess.run(['rsyslogd', '-N1', '-f', path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        checks.that(done.returncode == 0 and 'error' not in done.stdout.lower(), done.stdout)
        with open(path, 'a', encoding='utf-8') as out:
            out.write('}\n')
        broken = subprocess.run(['rsyslogd', '-N1', '-f', path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        checks.that(broken.returncode != 0, 'rsyslogd takes anything')
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
        server = subprocess.Popen(['rsyslogd', '-n', '-f', path, '-i', os.path.join(folder, 'pid')], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sent = subprocess.run([CASETAP, 'selftest', '--sink', f'syslog+tls://localhost:{port}#format=ecs&ca={folder}/ca.pem'], stderr=subprocess.PIPE, text=True)
        checks.that(sent.returncode == 0, sent.stderr)
        received = os.path.join(folder, 'received.ndjson')
        for _ in range(100):
            if os.path.exists(received) and os.path.getsize(received):
                break
            time.sleep(0.05)
        server.terminate()
        server.wait(10)
        rows = load(received) if os.path.exists(received) else []
        checks.that([row['rule']['id'] for row in rows] == ['TEST'], f'rsyslog wrote {rows}')

def main():
    checks = Checks()
    with open(os.path.join(ROOT, 'sensor', 'record', 'alert.schema.json'), encoding='utf-8') as f:
        schema = json.load(f)
    template(checks, schema)
    sigma(checks, schema)
    shippers(checks)
    rsyslog(checks)
    checks.done()
main()
