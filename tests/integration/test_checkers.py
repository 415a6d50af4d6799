#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The checkers of tools/ find what they are for: a small tree with one sin each, and without."""
import os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

HEAD = '/* SPDX-License-Identifier: Apache-2.0 */\n'
GOOD = {
    'sensor/floors.txt': '0 base\n1 wire io\n2 flow\n',
    'tools/doors.txt': 'libc stdio.h\nheader yaml.h sensor/base/yaml.c\ncall strcpy atoi :\ncall time : sensor/base/clock.c sensor/io/\n',
    'sensor/base/span.h': HEAD + '#ifndef BASE_SPAN_H\n#define BASE_SPAN_H\n#include <stdio.h>\nint span(FILE *f);\n#endif\n',
    'sensor/base/yaml.c': HEAD + '#include "base/span.h"\n#include <yaml.h>\n',
    'sensor/wire/tls.h': HEAD + '#ifndef WIRE_TLS_H\n#define WIRE_TLS_H\n#include "base/span.h"\n#endif\n',
    'sensor/io/loop.c': HEAD + '/* time( strcpy( */\nint f(void)\n{\n    p->atoi(s); x.strcpy(a); runtime(1);\n    return time(0) + g("atoi(1)");\n}\n',
}
LONG = HEAD + 'int f(void)\n{\n' + '    g();\n' * 98 + '}\n'
SINS = [
    ('floors', 'sensor/base/up.c', HEAD + '#include "wire/tls.h"\n', 'sensor/base/up.c:2: ', 'base (floor 0) must not know wire (floor 1)'),
    ('floors', 'sensor/io/side.c', HEAD + '#include "wire/tls.h"\n', 'sensor/io/side.c:2: ', 'must not know wire'),
    ('floors', 'sensor/io/bare.c', HEAD + '\n#include "span.h"\n', 'sensor/io/bare.c:3: ', 'write the folder'),
    ('floors', 'sensor/io/none.c', HEAD + '#include "base/none.h"\n', 'sensor/io/none.c:2: ', 'no such header'),
    ('floors', 'sensor/attic/x.c', HEAD, 'sensor/attic/x.c:1: ', 'on no floor'),
    ('floors', 'sensor/base/span.h', GOOD['sensor/base/span.h'].replace('<stdio.h>', '"base/span.h"'), None, None),
    ('floors', 'sensor/base/span.h', GOOD['sensor/base/span.h'].replace('<stdio.h>', '"base/ring.h"'), 'sensor/base/', 'in a circle: base/ring.h base/span.h'),
    ('doors', 'sensor/base/x.c', HEAD + '#include <yaml.h>\n', 'sensor/base/x.c:2: ', 'is for sensor/base/yaml.c only'),
    ('doors', 'sensor/base/x.c', HEAD + '#include <curl/curl.h>\n', 'sensor/base/x.c:2: ', 'has no door'),
    ('doors', 'sensor/base/x.c', HEAD + 'int x = atoi ("1");\n', 'sensor/base/x.c:2: ', 'atoi() is banned'),
    ('doors', 'sensor/base/x.c', HEAD + 'int x = time(0);\n', 'sensor/base/x.c:2: ', 'banned outside sensor/base/clock.c, sensor/io/'),
    ('shape', 'sensor/base/x.c', LONG.replace('}', '    g();\n}'), 'sensor/base/x.c:2: ', 'f has 102 lines'),
    ('shape', 'sensor/base/x.c', LONG.replace('    g();\n', '', 1), None, None),
    ('shape', 'sensor/base/x.c', HEAD + '\n' * 600, 'sensor/base/x.c:601: ', '601 lines'),
    ('shape', 'sensor/base/x.c', HEAD + '\tint x;\n', 'sensor/base/x.c:2: ', 'a tab'),
    ('shape', 'sensor/base/x.c', 'int x;\n', 'sensor/base/x.c:1: ', 'SPDX'),
    ('headers', 'sensor/base/x.h', HEAD + '#ifndef BASE_X_H\n#define BASE_X_H\nsize_t x;\n#endif\n', 'sensor/base/x.h:1: ', 'alone and twice'),
    ('headers', 'sensor/base/x.h', HEAD + 'struct x {int y;};\n', 'sensor/base/x.h:1: ', 'alone and twice'),
    ('headers', 'sensor/base/x.h', HEAD + '#ifndef X_H\n#define X_H\n#endif\n', 'sensor/base/x.h:1: ', 'BASE_X_H'),
]

def write(folder, files):
    for path, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        open(os.path.join(folder, path), 'w').write(text)

def check(name, files):
    with tempfile.TemporaryDirectory() as folder:
        write(folder, {**GOOD, **files})
        done = subprocess.run([os.path.join(ROOT, 'tools', 'check-' + name), folder], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

checks = Checks()
for name in ('floors', 'doors', 'shape', 'headers'):
    code, said = check(name, {})
    checks.that(code == 0 and said == '', f'check-{name} complains of a good tree: {said}')
for name, path, text, where, what in SINS:
    extra = {'sensor/base/ring.h': '#include "base/span.h"\n'} if what and 'circle' in what else {}
    code, said = check(name, {path: text, **extra})
    if where is None:
        checks.that(code == 0, f'check-{name} complains: {said}')
    else:
        checks.that(code == 1 and where in said and what in said, f'check-{name} {path}: exit {code}, not "{where}... {what}": {said}')
done = subprocess.run([os.path.join(ROOT, 'tools', 'redis-doc'), '--check'], capture_output=True, text=True)
checks.that(done.returncode == 0, f'redis-doc --check: {done.stdout}')
checks.done()
