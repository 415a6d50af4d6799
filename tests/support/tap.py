# SPDX-License-Identifier: Apache-2.0
"""A veth pair in a network namespace, and recorded frames sent over it."""
import subprocess
from casetap_test import skip

SENDER = '''
import socket, struct, sys, time
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); out.bind((sys.argv[1], 0))
data = open(sys.argv[2], 'rb').read(); at = 24; n = 0
while at + 16 <= len(data):
    size, = struct.unpack_from('<I', data, at + 8); at += 16
    out.send(data[at:at + size]); at += size; n += 1
    if n % 50 == 0: time.sleep(0.005)
print(n)
'''

def ip(*args):
    subprocess.run(['ip', *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

def send(space, link, capture):
    """Sends the frames of a capture file; how many they were."""
    return int(subprocess.run(['ip', 'netns', 'exec', space, '/usr/bin/python3', '-c', SENDER, link, capture],
                              stdout=subprocess.PIPE, text=True, check=True).stdout)

def veth(space, *links):
    """A namespace with a pair of links that are up; skips the test where there can be none."""
    try:
        ip('netns', 'add', space)
    except (OSError, subprocess.CalledProcessError):
        skip('no network namespaces here')
    try:
        ip('-n', space, 'link', 'add', links[0], 'type', 'veth', 'peer', 'name', links[1])
        ip('netns', 'exec', space, 'true')
        for link in links:
            ip('-n', space, 'link', 'set', link, 'up')
    except subprocess.CalledProcessError as failed:
        ip('netns', 'del', space)
        skip(f'no veth pair in a network namespace here: {failed.stderr.decode().strip()}')
