# SPDX-License-Identifier: Apache-2.0
"""Readers of CEF, LEEF and syslog written from their public specifications, independent of the program's writers, and a
validator of OCSF events. Each raises ValueError with what is wrong."""
import json, os, re

# ---- CEF (ArcSight, "Implementing CEF": header escapes '\\' and '|', extension escapes '\\', '=', CR, LF)

CEF_LONG = {'rt', 'start', 'end', 'dpt', 'fsize', 'out', 'cnt', 'cn1', 'cn2', 'cn3'}
CEF_KEYS = CEF_LONG | {'externalId', 'cat', 'act', 'src', 'dst', 'c6a2', 'c6a3', 'dhost', 'suser', 'request', 'requestMethod',
                       'requestClientApplication', 'fname', 'outcome', 'reason', 'msg', 'cfp1'} | {f'cs{i}' for i in range(1, 7)}
CEF_KEYS |= {key + 'Label' for key in CEF_KEYS if re.fullmatch(r'(cs|cn|cfp|c6a)\d', key)}

def _cef_header(text):
    """The seven fields and where the extension begins."""
    fields, field, i = [], '', 0
    while len(fields) < 7:
        if i == len(text):
            raise ValueError('CEF: the header ends early')
        if text[i] == '\\':
            if text[i + 1:i + 2] not in ('\\', '|'):
                raise ValueError('CEF: a header escape that is none')
            field += text[i + 1]
            i += 2
        elif text[i] == '|':
            fields.append(field)
            field = ''
            i += 1
        else:
            field += text[i]
            i += 1
    return fields, i

def cef(text):
    """(header fields, {key: value})"""
    if '\n' in text or '\r' in text:
        raise ValueError('CEF: a line end inside')
    fields, at = _cef_header(text)
    if fields[0] != 'CEF:0' or not fields[6].isdigit() or int(fields[6]) > 10:
        raise ValueError(f'CEF: header {fields}')
    rest, values = text[at:], {}
    # a key stands at the beginning or behind a space, and before a '=' that is not escaped
    keys = [m for m in re.finditer(r'(?:^| )([A-Za-z0-9_.]+)=', rest)]
    for n, m in enumerate(keys):
        raw = rest[m.end():keys[n + 1].start() if n + 1 < len(keys) else len(rest)]
        value, i = '', 0
        while i < len(raw):
            if raw[i] == '=':
                raise ValueError(f'CEF: a bare = in {m.group(1)}')
            if raw[i] == '\\':
                if raw[i + 1:i + 2] not in ('\\', '=', 'n', 'r'):
                    raise ValueError(f'CEF: an escape that is none in {m.group(1)}')
                value += {'\\': '\\', '=': '=', 'n': '\n', 'r': '\r'}[raw[i + 1]]
                i += 2
            else:
                value += raw[i]
                i += 1
        if m.group(1) in values:
            raise ValueError(f'CEF: {m.group(1)} twice')
        if m.group(1) not in CEF_KEYS:
            raise ValueError(f'CEF: {m.group(1)} is no key')
        if m.group(1) in CEF_LONG and not value.isdigit():
            raise ValueError(f'CEF: {m.group(1)} is no number')
        values[m.group(1)] = value
    for key in values:
        if re.fullmatch(r'(cs|cn|cfp|c6a)\d', key) and key + 'Label' not in values:
            raise ValueError(f'CEF: {key} without label')
    return fields, values

# ---- LEEF 2.0 (IBM, "LEEF event components")

def leef(text):
    if '\n' in text or '\r' in text:
        raise ValueError('LEEF: a line end inside')
    parts = text.split('|', 6)
    if len(parts) != 7 or parts[0] != 'LEEF:2.0' or parts[5] != 'x09':
        raise ValueError(f'LEEF: header {parts[:6]}')
    values = {}
    for pair in parts[6].split('\t'):
        key, equals, value = pair.partition('=')
        if not equals or not re.fullmatch(r'[A-Za-z0-9_]+', key) or key in values:
            raise ValueError(f'LEEF: pair {pair!r}')
        values[key] = value
    if not 1 <= int(values['sev']) <= 10:
        raise ValueError('LEEF: sev')
    return parts[:6], values

# ---- syslog (RFC 5424, RFC 6587 3.4.1)

SYSLOG = re.compile(r'<(\d{1,3})>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) '
                    r'([!-~]{1,32}) (.*)', re.S)
SD_NAME = r'[!#-<>-\\^-~]{1,32}'

def structured(text):
    """({id: {name: value}}, rest)"""
    if text.startswith('-'):
        return {}, text[1:]
    elements = {}
    while text.startswith('['):
        m = re.match(r'\[(' + SD_NAME + ')', text)
        if not m or m.group(1) in elements:
            raise ValueError('syslog: SD-ID')
        params, text = {}, text[m.end():]
        while not text.startswith(']'):
            m2 = re.match(r' (' + SD_NAME + r')="((?:[^"\\\]]|\\["\\\]]|\\(?!["\\\]]))*)"', text)
            if not m2:
                raise ValueError(f'syslog: SD-PARAM at {text[:40]!r}')
            params[m2.group(1)] = re.sub(r'\\(["\\\]])', r'\1', m2.group(2))
            text = text[m2.end():]
        elements[m.group(1)] = params
        text = text[1:]
    if not elements:
        raise ValueError('syslog: no structured data')
    return elements, text

def syslog(raw):
    text = raw.decode('utf-8')
    m = SYSLOG.fullmatch(text)
    if not m or int(m.group(1)) > 191:
        raise ValueError(f'syslog: header {text[:80]!r}')
    elements, rest = structured(m.group(7))
    if not rest.startswith(' \ufeff'):
        raise ValueError('syslog: the message has no byte order mark')
    return {'pri': int(m.group(1)), 'time': m.group(2), 'host': m.group(3), 'app': m.group(4), 'msgid': m.group(6), 'sd': elements,
            'msg': rest[2:]}

def octets(stream):
    """The messages of a stream with octet counting."""
    while stream:
        count, space, rest = stream.partition(b' ')
        if not space or not re.fullmatch(rb'[1-9]\d*', count) or len(rest) < int(count):
            raise ValueError(f'octet counting: {stream[:40]!r}')
        yield rest[:int(count)]
        stream = rest[int(count):]

# ---- OCSF: the schema's files, compiled as far as our classes need

class Ocsf:
    def __init__(self, folder):
        self.folder = folder
        self.dictionary = self.read('dictionary.json')
        self.files = {}
        for kind in ('objects', 'events', 'profiles'):
            for where, _, names in os.walk(os.path.join(folder, kind)):
                for name in names:
                    item = json.load(open(os.path.join(where, name), encoding='utf-8'))
                    self.files[kind, item.get('name', name[:-5])] = item

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding='utf-8') as f:
            return json.load(f)

    def attributes(self, kind, name, profiles, seen=()):
        item = self.files.get((kind, name))
        if item is None:
            return {}, {}
        attributes, constraints = {}, {}
        if item.get('extends') and item['extends'] != name:
            attributes, constraints = self.attributes(kind, item['extends'], profiles)
        for key, value in item.get('attributes', {}).items():
            if key == '$include':
                for path in value if isinstance(value, list) else [value]:
                    profile = os.path.basename(path)[:-5]
                    if path.startswith('profiles/') and profile in profiles:
                        for k, v in self.read(path)['attributes'].items():
                            if k != '$include':
                                attributes[k] = {**attributes.get(k, {}), **v}
                    elif path.startswith('includes/'):
                        attributes.update(self.read(path)['attributes'])
            elif isinstance(value, dict) and (not value.get('profile') or value['profile'] in profiles):
                attributes[key] = {**attributes.get(key, {}), **value}
        constraints = {**constraints, **item.get('constraints', {})}
        return attributes, constraints

    def check(self, row):
        """Complaints about a Detection Finding."""
        if row.get('class_uid') not in (2004, 6006):
            return ['class_uid is none of ours']
        name = {2004: 'detection_finding', 6006: 'file_hosting'}[row['class_uid']]
        wrong = list(self.walk('events', name, row, row.get('metadata', {}).get('profiles', []), ''))
        if row.get('type_uid') != row['class_uid'] * 100 + row.get('activity_id', -1):
            wrong.append('type_uid does not fit')
        if row.get('category_uid') != row['class_uid'] // 1000:
            wrong.append('category_uid does not fit')
        return wrong

    def walk(self, kind, name, row, profiles, path):
        attributes, constraints = self.attributes(kind, name, profiles)
        if not attributes:
            return
        for key, value in row.items():
            if key not in attributes:
                yield f'{path}{key} is no attribute of {name}'
            else:
                yield from self.value(key, {**self.dictionary['attributes'].get(key, {}), **attributes[key]}, value, profiles, path + key)
        for key, attribute in attributes.items():
            if attribute.get('requirement') == 'required' and key not in row:
                yield f'{path}{key} is required'
        for key in ('at_least_one', 'just_one'):
            hits = sum(k in row for k in constraints.get(key, []))
            if key in constraints and (hits == 0 or (key == 'just_one' and hits > 1)):
                yield f'{path or name}: {key} of {constraints[key]}'

    def value(self, key, attribute, value, profiles, path):
        if attribute.get('is_array'):
            if not isinstance(value, list) or not value:
                yield f'{path} is no array, or an empty one'
                return
        elif isinstance(value, list):
            yield f'{path} is an array'
            return
        for one in value if isinstance(value, list) else [value]:
            yield from self.scalar(key, attribute, one, profiles, path)

    def scalar(self, key, attribute, value, profiles, path):
        kind = attribute.get('type', '')
        types = self.dictionary['types']['attributes']
        if kind in ('object_t', 'json_t') or ('objects', kind) in self.files or 'object_type' in attribute:
            if not isinstance(value, dict):
                yield f'{path} is no object'
            else:
                yield from self.walk('objects', attribute.get('object_type', kind), value, profiles, path + '.')
            return
        base = types.get(kind, {}).get('type', kind)
        if base in ('integer_t', 'long_t'):
            low = 2**31 if base == 'integer_t' else 2**63
            if not isinstance(value, int) or isinstance(value, bool) or not -low <= value < low:
                yield f'{path}: {value!r} is no {base}'
        elif base == 'boolean_t' and not isinstance(value, bool):
            yield f'{path}: {value!r} is no boolean'
        elif base == 'string_t':
            pattern, most = types.get(kind, {}).get('regex'), types.get(kind, {}).get('max_len')
            if not isinstance(value, str) or (most and len(value) > most):
                yield f'{path}: {value!r} is no {kind}'
            elif pattern and kind in ('ip_t', 'hostname_t', 'datetime_t', 'uuid_t') and kind != 'hostname_t' and not re.search(pattern, value):
                yield f'{path}: {value!r} does not look like {kind}'
        enum = attribute.get('enum')
        generated = key in ('class_uid', 'category_uid', 'type_uid') or path.startswith('observables.')
        if enum and not generated and str(value) not in enum:
            yield f'{path}: {value!r} is not one of {sorted(enum)}'
