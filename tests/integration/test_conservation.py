#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost between the counters: on every capture, packets and bytes in are the sum of all ways out. Captures of
other people are read from $CASETAP_CORPORA when that is set."""
import os, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
from casetap_test import *

# what came in = where it went; each as in the header of its module
SUMS = [
    ('source_packets', 'decap_received'),
    ('decap_received decap_reassembled', 'decap_tcp decap_udp decap_fragment decap_other_ip decap_not_ip decap_unknown_link '
                                         'decap_truncated decap_bad decap_too_deep'),
    ('decap_tcp decap_udp decap_fragment decap_other_ip', 'flow_received decap_reassembled'),
    ('flow_received', 'flow_duplicates flow_fragments flow_undecodable flow_other_ip flow_tcp flow_udp'),
    ('flow_tcp', 'tcp_segments flow_after_close'),
    ('flow_flows', 'flow_idle flow_closed flow_reused flow_lost flow_evicted flow_flushed'),
    ('tcp_segments', 'tcp_empty tcp_ordered tcp_held tcp_retransmitted tcp_late tcp_keepalive tcp_after_fin tcp_far tcp_refused'),
    ('tcp_bytes_in', 'tcp_bytes_delivered tcp_bytes_cut tcp_bytes_held tcp_bytes_repeated tcp_bytes_after_fin tcp_bytes_far tcp_bytes_refused'),
    ('ipfrag_received', 'ipfrag_held ipfrag_completing ipfrag_repeated ipfrag_snapped ipfrag_bad ipfrag_too_long ipfrag_no_room'),
    ('conn_transactions', 'app_transactions'),
]

def captures():
    for base in (CAPTURES, os.environ.get('CASETAP_CORPORA')):
        for folder, _, names in sorted(os.walk(base or '/nonexistent')):
            for name in sorted(names):
                if name.endswith(('.pcap', '.pcapng', '.cap')):
                    yield os.path.join(folder, name)

def main():
    checks, total = Checks(), {}
    with tempfile.TemporaryDirectory() as out:
        path = os.path.join(out, 'counters')
        for capture in captures():
            done = replay('--quiet', '--counters', path, capture, binary=RELEASE, check=False)
            if done.returncode:
                continue   # no capture; test_bad_input.py is about those
            count = {line.split()[0]: int(line.split()[1]) for line in open(path)}
            for left, right in SUMS:
                here, there = (sum(count[n] for n in names.split()) for names in (left, right))
                checks.that(here == there, f'{os.path.basename(capture)}: {left} = {here}, {right} = {there}')
            checks.that(count['tcp_bytes_held'] == 0, f'{capture}: bytes still waiting at the end')
            for name, n in count.items():
                total[name] = total.get(name, 0) + n
    for name in ('tcp_ordered', 'tcp_held', 'tcp_retransmitted', 'flow_duplicates', 'decap_tunnelled', 'tcp_bytes_missing'):
        checks.that(total.get(name), f'no capture exercises {name}')
    checks.done()
main()
