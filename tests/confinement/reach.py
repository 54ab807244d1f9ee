# A server that tries to reach hosts, in the ways that its arguments say, and says of each what came of it.
import ctypes
import errno
import os
import resource
import selectors
import shlex
import socket
import struct
import subprocess
import sys
import urllib.request

PROXY = ("127.0.0.1", int(os.environ.get("REACH_PROXY", "3128")))


def get(url):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20) as answer:
        return answer.read().decode()


def through(url):
    proxy = urllib.request.ProxyHandler({"http": "http://%s:%d" % PROXY, "https": "http://%s:%d" % PROXY})
    with urllib.request.build_opener(proxy).open(url, timeout=20) as answer:
        return answer.read().decode()


def program(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return f"{done.returncode} {done.stdout.decode().strip()}"


def node(code):
    return program("node", "-e", code)


def tcp(host, port):
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        return "connected" if connection.recv(1) else "ended"


def udp(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(20)
        asker.connect((host, int(port)))
        asker.send(b"x")
        return str(asker.recv(9))


def raw(text, then=""):
    """What the proxy answers to these bytes: its first and last line, and the answer to what comes then."""
    with socket.create_connection(PROXY, timeout=20) as connection:
        connection.sendall(text.encode().decode("unicode_escape").encode("latin-1"))
        answer = connection.recv(65536)
        if then and b" 200 " in answer.split(b"\r\n")[0]:
            connection.sendall(then.encode().decode("unicode_escape").encode("latin-1"))
            answer += connection.recv(65536)
        else:
            while piece := connection.recv(65536):
                answer += piece
    lines = answer.decode().strip().splitlines()
    return f"{lines[0]} / {lines[-1]}" if lines else "nothing"


def flood(length):
    """A head of the proxy that never ends."""
    with socket.create_connection(PROXY, timeout=20) as connection:
        line = b"A: " + b"a" * 1021 + b"\r\n"
        try:
            connection.sendall(b"GET http://localhost/ HTTP/1.1\r\n")
            for _ in range(int(length) // len(line)):
                connection.sendall(line)
        except OSError:
            pass
        return connection.recv(65536).split(b"\r\n")[0].decode()


def half(port, length):
    """Sends much, ends that way alone, and reads what comes back."""
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as connection:
        connection.sendall(b"count\n" + b"x" * int(length))
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer.decode()


def many(port, count):
    """Has that many connections at once, and uses all of them."""
    count = int(count)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
    connections = [socket.create_connection(("127.0.0.1", int(port)), timeout=120) for _ in range(count)]
    for number, connection in enumerate(connections):
        connection.sendall(b"echo %d\n" % number)
    right = sum(connection.makefile().readline() == f"{number}\n" for number, connection in enumerate(connections))
    return str(right)


def waiting(count, port):
    """Leaves that many requests to the proxy half said, and makes another."""
    connections = [socket.create_connection(PROXY, timeout=20) for _ in range(int(count))]
    for connection in connections:
        connection.sendall(b"GET http://")
    return through(f"http://localhost:{port}/meanwhile")


def ask(name, kind="1", server="192.0.2.53", how="udp"):
    """Asks a server of names; the code of the answer, and its last four bytes."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    message = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\0" + struct.pack(">HH", int(kind), 1)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if how == "udp" else socket.SOCK_STREAM) as asker:
        asker.connect((server, 53))
        for patience in (1, 2, 4, 20):
            asker.settimeout(patience)
            asker.sendall(message if how == "udp" else struct.pack(">H", len(message)) + message)
            try:
                answer = asker.recv(4096)
                break
            except TimeoutError:
                # As every resolver does.
                continue
        if how != "udp":
            answer = answer[2:] or asker.recv(4096)
        assert answer[:2] == b"\x12\x34"
        found = socket.inet_ntoa(answer[-4:]) if answer[7] else "nothing"
        return f"{answer[3] & 15} {found}"


def own(port):
    """Looks whether a port of its own is free, listens there, and speaks to itself."""
    place = ("127.0.0.1", int(port))
    with socket.socket() as looker:
        assert looker.connect_ex(place) == errno.ECONNREFUSED
    with socket.create_server(place) as server, socket.create_connection(place) as client:
        with server.accept()[0] as accepted:
            client.sendall(b"self")
            return accepted.recv(9).decode()


def junk(count):
    """Sends what is no question, then a question."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(("192.0.2.53", 53))
        for number in range(int(count)):
            try:
                asker.send(os.urandom(number % 600))
            except OSError:
                pass
    return ask("evil.example")


def call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"


def sock(family, kind, protocol="0"):
    with socket.socket(int(family), int(kind), int(protocol)):
        return "made"


def interfaces():
    return " ".join(name for _, name in socket.if_nameindex())


def route():
    """Asks the kernel for a way out of the namespace."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.bind((0, 0))
        body = struct.pack("BxHiII", 0, 0, 1, 0, 1)
        kernel.send(struct.pack("IHHII", 16 + len(body), 16, 5, 1, 0) + body)
        error = struct.unpack("i", kernel.recv(4096)[16:20])[0]
        if error:
            raise OSError(-error, os.strerror(-error))
        return "done"


def namespace(kind):
    return os.readlink(f"/proc/self/ns/{kind}")


def proxies():
    return " ".join(sorted(f"{name}={value}" for name, value in os.environ.items() if "PROXY" in name.upper()))


def parent(what):
    return str(len(open(f"/proc/{os.getppid()}/{what}", "rb").read(16)))


WAYS = {
    "get": get, "through": through, "program": program, "node": node, "tcp": tcp, "udp": udp, "raw": raw, "flood": flood,
    "half": half, "many": many, "waiting": waiting, "ask": ask, "junk": junk, "socket": sock, "interfaces": interfaces,
    "route": route, "namespace": namespace, "proxies": proxies, "parent": parent, "own": own,
    "unshare": lambda flags: call(272, int(flags, 16)),
    "setns": lambda path: os.setns(os.open(path, os.O_RDONLY), 0) if hasattr(os, "setns") else call(308, os.open(path, os.O_RDONLY), 0),
    "ring": lambda: call(425, 0, 0),
    "ptrace": lambda: call(101, 16, os.getppid(), 0, 0),
    "unix": lambda path: [socket.socket(socket.AF_UNIX).connect(os.path.expanduser(path.replace("@", "\0")))] and "connected",
    "status": lambda name: next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name + ":")),
}
for argument in sys.argv[1:]:
    way, *words = shlex.split(argument)
    try:
        print(f"{argument} -> {WAYS[way](*words)}".replace("\n", " "), flush=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{argument} -> {type(error).__name__}: {error}".replace("\n", " "), flush=True)
