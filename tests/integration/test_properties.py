#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a tap does to a capture changes nothing: segments of one byte or odd sizes, fragments, every frame mirrored twice,
untagged or tagged, two files, another order within 3 ms. And where frames are lost, less is told, but nothing that was not
there."""
import collections, concurrent.futures, itertools, os, random, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *
import pcap_twist as twist

LOSSY = ['h1-gzip-chunked', 'pipelined', 'ranges', 'redirect-signed-back', 'xff-forwarded', 'keepalive-interleaved', 'h1-chunked-ext-back',
         'resumed-curl', 'proxy-v2', 'V1', 'C', 'F']
SILENT = ('h1-tls12', 'h2-tls13', 'h2c-prior')   # TLS or HTTP/2: nothing is read yet
# Many segments wait for a late one in these: in single bytes they would need more memory than one flow may have.
WAITING = ('reorder', 'reorder-clientside')
BOTH_LEGS = ('any-sll1',)
SHARES = (0.005, 0.02, 0.1)
SEEDS = (1, 2)
FLOWS = ('--max-flows', '1000')
# The larger captures are cut, before they are twisted, to the first frames that have so many bytes together.
MOST = 2500000         # for all twists
MOST_IN_BYTES = 160000 # for single-byte segments

def names(family, end):
    return sorted(f[:-len(end)] for f in os.listdir(os.path.join(CAPTURES, family, 'pcaps')) if f.endswith(end))

def path_of(name):
    wire = os.path.join(CAPTURES, 'wire', 'pcaps', name + '.pcap')
    return wire if os.path.exists(wire) else rt(name)

def first(frames, most):
    """The first frames, of so many bytes at most."""
    sums = itertools.accumulate(len(f.data) for f in frames)
    return [f for f, total in zip(frames, sums) if total <= most]

def read(name):
    link, frames = twist.read_pcap(path_of(name))
    return link, first(frames, MOST)

class Told:
    """What one run said of some captures."""
    def __init__(self, *paths, binary=RELEASE):
        with tempfile.TemporaryDirectory() as out:
            done = replay('--quiet', '--out', out, '--transactions', os.path.join(out, 't'), *FLOWS, *paths, binary=binary, check=False)
            self.trouble = f'exit {done.returncode}: {done.stderr[-1500:]}' if done.returncode or 'Sanitizer' in done.stderr else None
            self.lines = [[], []] if self.trouble else [open(os.path.join(out, f), encoding='utf-8').readlines() for f in ('t', 'activities.ndjson')]
        # a connection that stays closed is told with times and sizes of its own, which twists change
        self.lines[0] = [line for line in self.lines[0] if '"category":["network"]' not in line]
        self.transactions, self.activities = ([json.loads(line) for line in lines] for lines in self.lines)

def twisted(frames, link, told=Told, **kw):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'x.pcap')
        twist.write_pcap(path, frames, link)
        return told(path, **kw)

# ---- the same, byte for byte ----

def same_lines(checks, name, what, first, second):
    checks.that(not second.trouble, f'{name}, {what}: {second.trouble}')
    for kind, a, b in zip(('transactions', 'activities'), first.lines, second.lines):
        odd = [line for line in b if line not in set(a)]
        checks.that(a == b, f'{name}, {what}: other {kind}: {len(a)}, {len(b)}; such as {(odd or b[-1:])[:1]}')

def cut(frames, link, rng):
    """Two files, the later one named first."""
    with tempfile.TemporaryDirectory() as folder:
        a, b = os.path.join(folder, 'a.pcap'), os.path.join(folder, 'b.pcap')
        at = rng.randrange(1, len(frames))
        twist.write_pcap(a, frames[:at], link)
        twist.write_pcap(b, frames[at:], link)
        return Told(b, a)

def exact(name, link, frames):
    """(what, twist) of all twists after which every byte that is told must be the same."""
    rng = random.Random(name)
    yield 'in odd sizes', lambda: twisted(twist.split(frames, lambda: rng.choice((1, 3, 7, 61, 333)), link), link)
    yield 'doubled', lambda: twisted(twist.doubled(frames), link)
    if link == twist.ETHERNET:
        yield 'mirrored with and without a tag', lambda: twisted(twist.mirrored(frames), link)
    yield 'fragmented', lambda: twisted(twist.fragmented(frames, link), link)
    yield 'in two files', lambda: cut(frames, link, rng)
    yield 'again', lambda: twisted(frames, link)

# ---- the same, but for times ----

def timeless(rows, has_legs):
    """Records without times, and without what depends on times: ids, how a session was called before it had a name, how much
    of its connection had gone by (and so been missing) when an act was told, and on which side of a proxy the act was seen
    first, where both are on the tap; whether a session's login comes before what another connection of it does at the same time."""
    out = collections.Counter()
    for row in rows:
        row = json.loads(json.dumps(row))
        row.pop('@timestamp')
        for key in ('id', 'start', 'end', 'duration'):
            row['event'].pop(key, None)
        for key in ('flow', 'done', 'amends', 'confidence'):
            row['casetap'].pop(key, None)
        row['casetap'].get('transfer', {}).pop('id', None)
        row['casetap']['session'] = {k: v for k, v in row['casetap'].get('session', {}).items() if k not in ('start', 'begin')}
        row['casetap']['source'] = {k: v for k, v in row['casetap'].get('source', {}).items() if k != 'rtt_us'}
        row.get('related', {}).pop('user', None)
        if has_legs:
            row['casetap'] = {k: v for k, v in row['casetap'].items() if k not in ('peer', 'n')}
            row.pop('destination')
            row.pop('related', None)
        out[json.dumps(row, sort_keys=True)] += 1
    return out

def transfers(acts, has_legs):
    """Which requests (connection and number) belong to the same transfer."""
    groups = collections.defaultdict(set)
    for a in acts:
        if get(a, 'casetap.transfer.id'):
            place = (get(a, 'casetap.peer.ip'), get(a, 'casetap.peer.port'), get(a, 'casetap.n'))
            groups[get(a, 'casetap.transfer.id')].add(get(a, 'url.original') if has_legs else place)
    return set(map(frozenset, groups.values()))

def same_but_times(checks, name, what, first, second):
    checks.that(not second.trouble, f'{name}, {what}: {second.trouble}')
    acts = settle(first.activities), settle(second.activities)
    has_legs = name in BOTH_LEGS
    for kind, a, b in (('transactions', first.transactions, second.transactions), ('activities', *acts)):
        a, b = (timeless(rows, has_legs and kind == 'activities') for rows in (a, b))
        checks.that(a == b, f'{name}, {what}: other {kind}:\n  only before {list(a - b)[:2]}\n  only after {list(b - a)[:2]}')
    checks.that(transfers(acts[0], has_legs) == transfers(acts[1], has_legs), f'{name}, {what}: other transfers')

def mixed(name, link, frames):
    for seed in SEEDS:
        yield f'mixed up ({seed})', lambda: twisted(twist.shuffled(frames, f'{name} {seed}'), link)
    yield 'cut, doubled and mixed up', lambda: twisted(
        twist.shuffled(twist.doubled(twist.split(frames, 400, link)), name, 300 * twist.US), link)

# ---- less, but true ----

def conn_of(t):
    return tuple(get(t, p) for p in ('source.ip', 'source.port', 'destination.ip', 'destination.port'))

def seen_bytes(frames, link):
    """Payload bytes of each direction of each connection that the capture holds."""
    sums = collections.Counter()
    for f in frames:
        t = twist.tcp_of(f.data, link)
        if t:
            sums[(addr_of(t.src), t.sport, addr_of(t.dst), t.dport)] += t.size
    return sums

def addr_of(raw):
    return str(ipaddress.ip_address(raw))

def true_sizes(checks, where, held, before, t):
    """The size of a response, against those that the same request (if it was seen) has on the same connection."""
    size, known = get(t, 'http.response.body.bytes'), get(t, 'casetap.body.known')
    missing, target = get(t, 'casetap.body.missing_bytes'), get(t, 'url.original')
    if size is None:
        return
    sizes = [get(o, 'http.response.body.bytes') or 0 for o in before if target is None or get(o, 'url.original') == target]
    checks.that(missing <= size, f'{where}: {missing} of {size} bytes missing')
    if known == 'acknowledged': # of one answer, with its head
        checks.that(size <= max(sizes) + max(sizes) // 50 + 2048, f'{where}: {size} bytes acknowledged, not {sizes}')
        return
    framing = missing if known == 'reframed' else 0 # what is too much of it is framing that was lost
    checks.that(size <= max(sizes) + framing, f'{where}: {size} bytes where there were {sizes}')
    if missing == 0 and known == 'observed' and get(t, 'casetap.body.complete'):
        checks.that(size in sizes, f'{where}: {size} bytes, complete, where there were {sizes}')
    held[conn_of(t)] += size - missing

def missing_by_conn(transactions):
    sums = collections.Counter()
    for t in transactions:
        sums[conn_of(t)] += get(t, 'casetap.body.missing_bytes') or 0
    return sums

def true_missing(checks, where, whole, lossy, lost):
    """No more is said to be missing in a connection than was lost there, or was missing before."""
    before = missing_by_conn(whole.transactions)
    for conn, n in missing_by_conn(lossy.transactions).items():
        there = lost[conn[2:] + conn[:2]] + before[conn]
        checks.that(n <= there, f'{where}: {n} bytes missing in {conn}, {there} were lost')

def true_transactions(checks, where, whole, lossy, seen):
    before, count = collections.defaultdict(list), collections.Counter()
    for t in whole.transactions:
        before[conn_of(t)].append(t)
    held = collections.Counter() # body bytes told as seen
    for t in lossy.transactions:
        conn = conn_of(t)
        checks.that(conn in before, f'{where}: no such connection: {conn}')
        if conn not in before:
            continue
        count[conn] += 1
        line = (get(t, 'http.request.method'), get(t, 'url.original'))
        lines = [(get(o, 'http.request.method'), get(o, 'url.original')) for o in before[conn]]
        checks.that(line == (None, None) or line in lines, f'{where}: nobody asked {line} in {conn}')
        if line in lines or line == (None, None):
            true_sizes(checks, f'{where}: {conn} {line}', held, before[conn], t)
    for conn, n in count.items():
        checks.that(n <= len(before[conn]), f'{where}: {n} transactions in {conn}, there were {len(before[conn])}')
    for conn, n in held.items():
        there = seen[conn[2:] + conn[:2]]
        checks.that(n <= there, f'{where}: {n} body bytes told, {there} payload bytes captured in {conn}')

def true_activities(checks, where, whole, lossy):
    """Nobody new but a session whose name was lost; no file of another name; nothing done that was not done, more often, or by
    somebody else."""
    before, after = settle(whole.activities), settle(lossy.activities)
    people = {get(a, 'user.name') for a in before} | {None}
    files = collections.Counter(get(a, 'file.name') for a in before if get(a, 'file.name'))
    deeds = collections.defaultdict(set)
    for a in before:
        deeds[get(a, 'casetap.peer.port'), get(a, 'url.original')].add(get(a, 'user.name'))
    for a in after:
        who, deed = get(a, 'user.name'), (get(a, 'casetap.peer.port'), get(a, 'url.original'))
        is_named = who and not who.startswith('session:')
        checks.that(who in people or not is_named, f'{where}: nobody is called {who}')
        checks.that(not deed[1] or (who in deeds[deed] if is_named else deed in deeds), f'{where}: {who} did not {deed}')
    for name, n in collections.Counter(get(a, 'file.name') for a in after if get(a, 'file.name')).items():
        checks.that(n <= files[name], f'{where}: {n} of {name}, there were {files[name]}')

def less(name, link, frames):
    for share, seed in itertools.product(SHARES, SEEDS):
        left = twist.thinned(frames, f'{name} {share} {seed}', share)
        seen = seen_bytes(left, link)
        lost = seen_bytes(frames, link) - seen
        yield f'{share:.1%} lost ({seed})', seen, lost, lambda: twisted(left, link, binary=CASETAP if seed == 1 else RELEASE)

def true(checks, name, what, whole, lossy, seen, lost):
    checks.that(not lossy.trouble, f'{name}, {what}: {lossy.trouble}')
    true_missing(checks, f'{name}, {what}', whole, lossy, lost)
    true_transactions(checks, f'{name}, {what}', whole, lossy, seen)
    true_activities(checks, f'{name}, {what}', whole, lossy)

def one(name):
    """All twists of one capture."""
    link, frames = read(name)
    checks, whole = Checks(), twisted(frames, link)
    checks.that(not whole.trouble and (whole.transactions or name in SILENT), f'{name}: {whole.trouble}')
    for what, run in exact(name, link, frames):
        same_lines(checks, name, what, whole, run())
    few, size = first(frames, MOST_IN_BYTES), 60 if name in WAITING else 1
    same_lines(checks, name, f'in pieces of {size}', twisted(few, link), twisted(twist.split(few, size, link), link))
    for what, run in mixed(name, link, frames):
        same_but_times(checks, name, what, whole, run())
    for what, seen, lost, run in less(name, link, frames) if name in LOSSY else ():
        true(checks, name, what, whole, run(), seen, lost)
    return checks

def main():
    if not os.path.isdir(CAPTURES):
        skip('no captures unpacked (tools/captures)')
    checks, all_names = Checks(), names('rt', '_back.pcap') + names('wire', '.pcap')
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(one, all_names):
            checks.passed += part.passed
            checks.failed += part.failed
    checks.done()
if __name__ == '__main__':
    main()
