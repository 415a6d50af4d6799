#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks lines of activities, transactions, alerts, sessions and feedback against their JSON Schemas and against what ECS asks.

usage: check_schemas.py [--at-most N] FILE.ndjson...

The schema of a line is chosen by its event.dataset. Categories and types of an event must be ones that ECS expects
together. With the environment variable CASETAP_ECS_FLAT = path of the ecs_flat.yml of ECS 9.4, every field that is not
under casetap must be one of ECS, an array exactly where ECS normalises to one, of ECS's type, and one of its allowed
values. --at-most checks N lines of each file, evenly spread. Exit 0: all good; 1: not; 77: python3-jsonschema is missing.
"""
import argparse, ipaddress, json, os, re, sys
try:
    import jsonschema
except ImportError:
    print('skipped: python3-jsonschema is not installed')
    sys.exit(77)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KINDS = ('activity', 'transaction', 'alert', 'session', 'unmapped', 'feedback')
SHOWN = 20   # complaints

# event.category: the types ECS 9.4 expects with it (those categories that the sensor writes)
EXPECTED_TYPES = {
    'api': {'access', 'admin', 'allowed', 'change', 'creation', 'deletion', 'denied', 'end', 'info', 'start', 'user'},
    'configuration': {'access', 'change', 'creation', 'deletion', 'info'},
    'authentication': {'start', 'end', 'info'},
    'file': {'access', 'change', 'creation', 'deletion', 'info'},
    'iam': {'admin', 'change', 'creation', 'deletion', 'group', 'info', 'user'},
    'intrusion_detection': {'allowed', 'denied', 'info'},
    'network': {'access', 'allowed', 'connection', 'denied', 'end', 'info', 'protocol', 'start'},
    'session': {'start', 'end', 'info'},
    'web': {'access', 'error', 'info'},
}

def validators():
    made = {}
    of_class = getattr(jsonschema.Draft202012Validator, 'FORMAT_CHECKER', None)   # since 4.16
    formats = of_class or jsonschema.draft202012_format_checker
    for kind in KINDS:
        with open(os.path.join(ROOT, 'sensor', 'record', kind + '.schema.json'), encoding='utf-8') as f:
            schema = json.load(f)
        jsonschema.Draft202012Validator.check_schema(schema)
        made['casetap.' + kind] = jsonschema.Draft202012Validator(schema, format_checker=formats)
    return made

def expected_together(event):
    """Complaints about categories and types: each type expected with some category, each category with some type."""
    categories, types = event.get('category', []), event.get('type', [])
    for t in types:
        if not any(t in EXPECTED_TYPES.get(c, ()) for c in categories):
            yield f'event.type {t} is not expected with event.category {categories}'
    for c in categories:
        if not any(t in EXPECTED_TYPES.get(c, ()) for t in types):
            yield f'event.category {c} is not expected with event.type {types}'

def is_ip(value):
    try:
        ipaddress.ip_address(value)
        return True
    except ValueError:
        return False

IS_TYPE = {
    'keyword': lambda v: isinstance(v, str), 'wildcard': lambda v: isinstance(v, str),
    'match_only_text': lambda v: isinstance(v, str), 'constant_keyword': lambda v: isinstance(v, str),
    'long': lambda v: isinstance(v, int) and not isinstance(v, bool) and -2**63 <= v < 2**63,
    'float': lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    'date': lambda v: isinstance(v, str) and re.match(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d', v) is not None,
    'ip': lambda v: isinstance(v, str) and is_ip(v), 'boolean': lambda v: isinstance(v, bool),
}

class Ecs:
    def __init__(self, path):
        import yaml
        with open(path, encoding='utf-8') as f:
            self.fields = yaml.load(f, Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))

    def leaves(self, obj, path=''):
        for key, value in obj.items():
            name = path + key
            if isinstance(value, dict) and self.fields.get(name, {}).get('type', 'object') == 'object':
                yield from self.leaves(value, name + '.')
            else:
                yield name, value

    def complaints(self, row):
        for name, value in self.leaves({k: v for k, v in row.items() if k != 'casetap'}):
            field = self.fields.get(name)
            if field is None:
                yield f'{name} is no field of ECS'
                continue
            if isinstance(value, list) != ('array' in field.get('normalize', [])):
                yield f'{name} is {"an" if isinstance(value, list) else "no"} array, which ECS does not want'
            allowed = {v['name'] for v in field.get('allowed_values', [])}
            for one in value if isinstance(value, list) else [value]:
                if not IS_TYPE.get(field['type'], lambda v: True)(one):
                    yield f'{name}: {one!r} is no {field["type"]}'
                if allowed and one not in allowed:
                    yield f'{name}: {one!r} is not one of the allowed values'

def no_twice(pairs):
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError('a key stands twice in one object')
    return row

def no_constant(name):
    raise ValueError(name + ' is no JSON')

class Checker:
    def __init__(self):
        self.validators = validators()
        path = os.environ.get('CASETAP_ECS_FLAT')
        self.ecs = Ecs(path) if path and os.path.exists(path) else None

    def complaints(self, line):
        """Everything wrong with one line."""
        try:
            row = json.loads(line, object_pairs_hook=no_twice, parse_constant=no_constant)
        except ValueError as e:
            return [f'not JSON: {e}']
        dataset = row.get('event', {}).get('dataset') if isinstance(row, dict) and isinstance(row.get('event'), dict) else None
        validator = self.validators.get(dataset)
        if validator is None:
            return [f'event.dataset {dataset!r} has no schema']
        wrong = ['.'.join(map(str, e.absolute_path)) + ': ' + e.message[:300] for e in validator.iter_errors(row)]
        if row['event'].get('kind') == 'signal':
            wrong.append('event.kind signal is reserved')
        if not wrong:
            wrong += expected_together(row['event'])
        if self.ecs:
            wrong += self.ecs.complaints(row)
        return wrong

def main():
    p = argparse.ArgumentParser()
    p.add_argument('files', nargs='+')
    p.add_argument('--at-most', type=int, default=0)
    args = p.parse_args()
    checker = Checker()
    if not checker.ecs:
        print('CASETAP_ECS_FLAT names no ecs_flat.yml: fields are not checked against ECS itself')
    bad = 0
    for path in args.files:
        with open(path, 'rb') as f:
            data = f.read()
        lines = data.split(b'\n')
        if lines.pop() != b'':
            print(f'{path}: the last line has no end')
            bad += 1
        step = max(1, len(lines) // args.at_most) if args.at_most else 1
        checked = 0
        for number in range(0, len(lines), step):
            checked += 1
            try:
                wrong = checker.complaints(lines[number].decode('utf-8'))
            except UnicodeDecodeError as e:
                wrong = [f'not UTF-8: {e}']
            for complaint in wrong:
                bad += 1
                if bad <= SHOWN:
                    print(f'{path}:{number + 1}: {complaint}')
        print(f'{path}: {checked} of {len(lines)} lines checked')
    if bad:
        print(f'{bad} complaints')
    return 1 if bad else 0

if __name__ == '__main__':
    sys.exit(main())
