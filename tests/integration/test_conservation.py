#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost between the counters: on every capture, packets and bytes in are the sum of all ways out. And nothing grows
without bound: all memory is reserved at the start, so that a limit on it holds for every capture, and little of it is
touched. Captures of other people are read from $CASETAP_CORPORA when that is set."""
import concurrent.futures, os, resource, subprocess, sys, tempfile, threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

# what came in = where it went; each as in the header of its module
SUMS = [
    ('source_packets', 'decap_received'),
    ('decap_received decap_reassembled', 'decap_tcp decap_udp decap_fragment decap_other_ip decap_not_ip decap_unknown_link '
                                         'decap_truncated decap_bad decap_too_deep'),
    ('decap_tcp decap_udp decap_fragment decap_other_ip flow_undecodable', 'flow_received decap_reassembled'),
    ('flow_received', 'flow_bad_sum flow_duplicates flow_fragments flow_undecodable flow_other_ip flow_tcp flow_udp'),
    ('flow_tcp', 'tcp_segments flow_after_close'),
    ('flow_flows', 'flow_idle flow_closed flow_reused flow_lost flow_evicted flow_flushed'),
    ('tcp_segments', 'tcp_empty tcp_ordered tcp_held tcp_retransmitted tcp_late tcp_keepalive tcp_after_fin tcp_far tcp_refused'),
    ('tcp_bytes_in', 'tcp_bytes_delivered tcp_bytes_cut tcp_bytes_held tcp_bytes_repeated tcp_bytes_after_fin tcp_bytes_far tcp_bytes_refused tcp_bytes_urgent'),
    ('ipfrag_received', 'ipfrag_held ipfrag_completing ipfrag_repeated ipfrag_snapped ipfrag_bad ipfrag_too_long ipfrag_no_room'),
    ('ipcomp_received', 'ipcomp_inflated ipcomp_bad'),
    ('conn_transactions', 'app_transactions'),
]

RESERVED = 4096 << 20   # bytes of address space, with the default limits
TOUCHED = 256 << 20     # bytes of it in memory
SECONDS = 120

def one(path):
    """Exit code, what it said, counters and bytes in memory of one run."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (RESERVED, RESERVED))
    with tempfile.TemporaryDirectory() as out:
        counters = os.path.join(out, 'counters')
        with open(os.path.join(out, 'err'), 'w+', errors='replace') as err:
            run = subprocess.Popen([RELEASE, 'replay', '--quiet', '--out', out, '--counters', counters, path],
                                   stdout=subprocess.DEVNULL, stderr=err, preexec_fn=limit)
            watch = threading.Timer(SECONDS, run.kill)
            watch.start()
            _, status, usage = os.wait4(run.pid, 0)
            watch.cancel()
            err.seek(0)
            said = err.read()
        count = {line.split()[0]: int(line.split()[1]) for line in open(counters)} if os.path.exists(counters) else {}
    return path, os.waitstatus_to_exitcode(status), said, count, usage.ru_maxrss * 1024

def main():
    checks, total, largest = Checks(), {}, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, code, said, count, touched in pool.map(one, all_captures()):
            name = os.path.basename(path)
            checks.that(code == 0 or (code == 1 and said.startswith('casetap: ') and 'memory' not in said), f'{path}: exit {code}: {said[:300]}')
            checks.that(touched <= TOUCHED, f'{path}: {touched >> 20} MiB in memory')
            largest = max(largest, touched)
            if code:
                continue   # no capture, or cut; test_bad_input.py is about those
            for left, right in SUMS:
                here, there = (sum(count[n] for n in names.split()) for names in (left, right))
                checks.that(here == there, f'{name}: {left} = {here}, {right} = {there}')
            checks.that(count['tcp_bytes_held'] == 0, f'{path}: bytes still waiting at the end')
            for counter, n in count.items():
                total[counter] = total.get(counter, 0) + n
    for name in ('tcp_ordered', 'tcp_held', 'tcp_retransmitted', 'flow_duplicates', 'decap_tunnelled', 'tcp_bytes_missing'):
        checks.that(total.get(name), f'no capture exercises {name}')
    print(f'at most {largest >> 20} MiB in memory')
    checks.done()
main()
