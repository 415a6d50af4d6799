# SPDX-License-Identifier: Apache-2.0
"""Sensors and analysers around a Redis of a test's own: captures cut in two by flow, processes that are killed, what they wrote."""
import os, signal, subprocess, time
from casetap_test import CASETAP, ALIAS
from pcap_twist import read_pcap, write_pcap, tcp_of

class Redis:
    def __init__(self, folder, persistent=True):
        self.folder, self.persistent, self.socket = folder, persistent, os.path.join(folder, 'redis.sock')
        self.url, self.server = 'unix://' + self.socket, None
        self.start()
    def start(self):
        keep = ['--appendonly', 'yes', '--appendfsync', 'always'] if self.persistent else ['--appendonly', 'no']
        self.server = subprocess.Popen(['redis-server', '--port', '0', '--unixsocket', self.socket, '--dir', self.folder, '--save', '', *keep],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(400):
            if os.path.exists(self.socket) and self.cli('PING').strip() == 'PONG':
                return
            time.sleep(0.02)
        raise SystemExit('redis-server did not start')
    def cli(self, *words):
        return subprocess.run(['redis-cli', '-s', self.socket, *words], capture_output=True, text=True).stdout
    def key(self, name):
        return 'casetap:{feed}:' + name
    def kill(self):
        self.server.kill()
        self.server.wait()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.kill()

def halves(captures, folder):
    """The captures as one, and that as two: each connection, with both its directions, is whole in one of them. Paths, numbers of frames."""
    link, frames, parts = None, [], ([], [])
    for capture in captures:
        link, more = read_pcap(capture)
        frames += more
    frames.sort(key=lambda f: f.ns)
    for frame in frames:
        t = tcp_of(frame.data, link)
        ends = sorted([(bytes(t.src), t.sport), (bytes(t.dst), t.dport)]) if t else []
        parts[sum(b for end, port in ends for b in end + port.to_bytes(2, 'big')) % 2].append(frame)
    paths = [os.path.join(folder, name) for name in ('world.pcap', 'half0.pcap', 'half1.pcap')]
    for path, part in zip(paths, (frames, *parts)):
        write_pcap(path, part, link)
    return paths, [len(p) for p in parts]

class Sensor:
    """Replays a capture through a pipe, as far as it is told."""
    def __init__(self, redis, folder, name, capture):
        self.name, self.bytes, self.at = name, open(capture, 'rb').read(), 0
        self.log, self.redis = os.path.join(folder, 'log-' + name), redis
        redis.cli('HSET', redis.key('sensors'), name, '1') # all are waited for from the beginning
    def start(self):
        self.process = subprocess.Popen([CASETAP, 'replay', '--quiet', '--role', 'sensor', '--name', self.name, '--redis', self.redis.url, '--log',
                                         self.log, '-'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=False)
    def feed(self, share):
        to = int(len(self.bytes) * share)
        self.process.stdin.write(self.bytes[self.at:to])
        self.process.stdin.flush()
        self.at = to
    def end(self):
        """The rest of it. Exit code, what it said."""
        self.feed(1)
        said = self.process.communicate(timeout=300)[1].decode()
        return self.process.returncode, said

class Analyser:
    def __init__(self, redis, folder, name, *options):
        self.name, self.out, self.options, self.redis = name, os.path.join(folder, name), options, redis
        self.errors, self.process = os.path.join(folder, name + '.err'), None
        self.start()
    def start(self):
        self.process = subprocess.Popen([CASETAP, 'run', '--role', 'analyser', '--name', self.name, '--redis', self.redis.url, '--out', self.out,
            '--json', *ALIAS, *self.options], stdout=subprocess.DEVNULL, stderr=open(self.errors, 'a'))
    def signal(self, number):
        self.process.send_signal(number)
    def kill(self):
        self.process.kill()
        self.process.wait()
    def end(self):
        self.process.terminate()
        return self.process.wait(timeout=60)
    def said(self):
        return open(self.errors).read()
    def lines(self, what):
        path = os.path.join(self.out, what + '.ndjson')
        return sorted(open(path)) if os.path.exists(path) else []
    def leads(self):
        return self.redis.cli('GET', self.redis.key('lease')).startswith(self.name + ' ')

def until(what, seconds=60):
    """Whether it came true in time."""
    end = time.time() + seconds
    while time.time() < end:
        if what():
            return True
        time.sleep(0.05)
    return False
