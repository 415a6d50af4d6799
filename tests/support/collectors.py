# SPDX-License-Identifier: Apache-2.0
"""Collectors that misbehave on purpose: a webhook, Splunk's event collector, _bulk; and real rsyslog."""
import http.server, json, os, socket, ssl, subprocess, threading, time

def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]

class Server:
    """Answers POST by self.answer(path, headers, body, count) -> (status, body) or 'hang' or 'cut'."""
    def __init__(self, port=None, delay=0, certificate=None):
        self.port, self.count, self.lock, self.threads = port or free_port(), 0, threading.Lock(), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                with outer.lock:
                    outer.count += 1
                    verdict = outer.answer(self.path, self.headers, body, outer.count)
                if verdict == 'hang':
                    time.sleep(3)
                    self.close_connection = True
                elif verdict == 'cut':
                    self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                else:
                    status, text = verdict
                    self.send_response(status)
                    self.send_header('Content-Length', str(len(text)))
                    self.end_headers()
                    self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        def serve():
            time.sleep(delay)
            self.http = http.server.ThreadingHTTPServer(('127.0.0.1', self.port), Handler)
            self.http.daemon_threads = True
            if certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate + '.pem', certificate + '.key')
                self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
            self.http.handle_error = lambda *args: None
            self.http.serve_forever(0.05)
        threading.Thread(target=serve, daemon=True).start()

class Webhook(Server):
    """500, a hang, a cut answer, then well, and again; what it has answered well with is what it has."""
    def __init__(self, trouble, **kw):
        self.trouble, self.got, self.signatures = trouble, [], []
        super().__init__(**kw)

    def answer(self, path, headers, body, count):
        trouble = self.trouble[count - 1] if count <= len(self.trouble) else None
        if trouble == 'cut':   # it had it all the same: the sender cannot know
            self.got.append(body)
            return 'cut'
        if trouble:
            return trouble if isinstance(trouble, str) else (trouble, 'no')
        self.got.append(body)
        self.signatures.append((headers.get('X-Casetap-Signature'), body))
        return 200, 'ok'

class Hec(Server):
    """Takes everything, but forgets the first request before it is indexed."""
    def __init__(self, token, **kw):
        self.token, self.taken, self.events, self.asked, self.bad = token, {}, [], 0, []
        super().__init__(**kw)

    def answer(self, path, headers, body, count):
        if headers.get('Authorization') != 'Splunk ' + self.token or not headers.get('X-Splunk-Request-Channel'):
            return 401, '{"text":"Invalid token","code":4}'
        if path == '/services/collector/ack':
            self.asked += 1
            wanted = json.loads(body)['acks']
            indexed = {str(n): n in self.taken and self.asked > 2 for n in wanted}
            for n in wanted:
                if indexed[str(n)]:
                    self.events += self.taken.pop(n)
            return 200, json.dumps({'acks': indexed})
        if path != '/services/collector/event':
            return 404, ''
        if count == 1:
            return 503, '{"text":"Server is busy","code":9}'
        rows, text, decoder = [], body.decode(), json.JSONDecoder()
        while text:
            row, end = decoder.raw_decode(text)
            rows.append(row)
            text = text[end:].lstrip()
        self.taken[count] = rows
        return 200, json.dumps({'text': 'Success', 'code': 0, 'ackId': count})

class Bulk(Server):
    """Of each first request one item is too much, of one rule none is ever taken, older versions conflict."""
    def __init__(self, refused_id=None, **kw):
        self.documents, self.refused_id, self.seen, self.refusals = {}, refused_id, set(), 0
        super().__init__(**kw)

    def answer(self, path, headers, body, count):
        lines = body.decode().split('\n')
        assert lines.pop() == ''
        items = []
        for action, document in zip(lines[::2], lines[1::2]):
            index, row = json.loads(action)['index'], json.loads(document)
            assert index['version_type'] == 'external_gte' and index['_id'] == row['event']['id']
            key = (index['_id'], index['version'])
            if len(items) == 1 and key not in self.seen:
                self.seen.add(key)
                items.append({'index': {'status': 429, 'error': {'type': 'too_many', 'reason': 'queue is full'}}})
            elif index['_id'] == self.refused_id:
                self.refusals += 1
                items.append({'index': {'status': 400, 'error': {'type': 'mapper', 'reason': 'failed to parse field'}}})
            elif self.documents.get(index['_id'], (0,))[0] > index['version']:
                items.append({'index': {'status': 409, 'error': {'reason': 'version conflict'}}})
            else:
                self.documents[index['_id']] = (index['version'], row)
                items.append({'index': {'status': 201}})
        return 200, json.dumps({'errors': True, 'items': items})

def certificates(folder):
    """ca.pem, other.pem (another authority), server.pem and server.key for 'localhost'."""
    def openssl(*args, text=None):
        subprocess.run(['openssl', *args], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, input=text)
    for name in ('ca', 'other'):
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=' + name,
                '-keyout', name + '.key', '-out', name + '.pem')
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost', '-keyout', 'server.key', '-out',
            'server.csr')
    with open(os.path.join(folder, 'names'), 'w', encoding='utf-8') as f:
        f.write('subjectAltName=DNS:localhost\n')
    openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', 'names', '-out',
            'server.pem')

class Rsyslog:
    """Real rsyslogd: each way in to a file of raw messages, a JSON string a line."""
    def __init__(self, folder):
        self.folder = folder
        self.ports = {'udp': free_port(socket.SOCK_DGRAM), 'tcp': free_port(), 'tls': free_port()}
        config = os.path.join(folder, 'rsyslog.conf')
        with open(config, 'w', encoding='utf-8') as f:
            f.write(f'''global(workDirectory="{folder}" maxMessageSize="128k" net.enableDNS="off"
       defaultNetstreamDriverCAFile="{folder}/ca.pem" defaultNetstreamDriverCertFile="{folder}/server.pem"
       defaultNetstreamDriverKeyFile="{folder}/server.key" parser.escapeControlCharactersOnReceive="off")
module(load="imudp")
module(load="imtcp")
module(load="imuxsock" SysSock.Use="off")
template(name="raw" type="list") {{ property(name="rawmsg-after-pri") constant(value="\\n") }}
template(name="whole" type="list") {{ constant(value="{{\\"raw\\":\\"") property(name="rawmsg" format="jsonr") constant(value="\\",\\"host\\":\\"") property(name="hostname" format="jsonr")
  constant(value="\\",\\"app\\":\\"") property(name="app-name") constant(value="\\",\\"sd\\":\\"") property(name="structured-data" format="jsonr") constant(value="\\"}}\\n") }}
input(type="imudp" address="127.0.0.1" port="{self.ports["udp"]}" ruleset="udp")
input(type="imtcp" address="127.0.0.1" port="{self.ports["tcp"]}" ruleset="tcp")
input(type="imtcp" address="127.0.0.1" port="{self.ports["tls"]}" ruleset="tls" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imuxsock" socket="{folder}/log.sock" ruleset="unix" useSpecialParser="off" useSysTimeStamp="off" parseHostname="on")
''')
            for name in ('udp', 'tcp', 'tls', 'unix'):
                f.write(f'ruleset(name="{name}") {{ action(type="omfile" file="{folder}/{name}.log" template="whole" asyncWriting="off" flushOnTXEnd="on") }}\n')
        self.log = open(os.path.join(folder, 'rsyslog.out'), 'wb')
        self.process = subprocess.Popen(['rsyslogd', '-n', '-f', config, '-i', os.path.join(folder, 'rsyslog.pid')], stdout=self.log, stderr=self.log)
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(('127.0.0.1', self.ports['tls'])) == 0 and os.path.exists(os.path.join(folder, 'log.sock')):
                    break
            time.sleep(0.05)

    def messages(self, name):
        path = os.path.join(self.folder, name + '.log')
        if not os.path.exists(path):
            return []
        with open(path, encoding='utf-8') as f:
            return [json.loads(line) for line in f]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
