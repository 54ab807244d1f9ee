#!/usr/bin/python3
# The first process of a machine: prepares it, takes the steps of /steps.json, says of each what came of it on the second
# serial port, and ends the machine.
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import threading
import time
import traceback

libc = ctypes.CDLL(None, use_errno=True)
USERS = {"root": (0, "/root"), "user": (1000, "/home/user")}
# Policies have half a second, which is short here, and are not what is tried.
RULES = "registry_url: ~/registry\npolicy: {cert_mode: disabled, origin_mode: disabled, score_mode: disabled}\n"
FILES = [".ssh/key", ".ssh/other", "docs/page", "out/there", ".mcp/data/0000/evil/other/data/file"]


def mount(kind, target, options=""):
    os.makedirs(target, exist_ok=True)
    if libc.mount(kind.encode(), target.encode(), kind.encode(), 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def loopback():
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 1))


def answer(listener):
    while True:
        client, _ = listener.accept()
        client.recv(4096)
        client.sendall(b"HTTP/1.0 200 OK\r\n\r\nreached")
        client.close()


def serve():
    """What is outside of a server: two ports of HTTP, of which one is listed, and the sockets of a session."""
    for port in (8080, 8081):
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
    listeners = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    places = [home + "/session" for _, home in USERS.values()] + ["\0smcp-session"]
    for listener, place in zip(listeners, places):
        listener.bind(place)
        listener.listen(64)
        if place[0] == "/":
            os.chmod(place, 0o777)
    return listeners


def restore(user, home):
    """Makes the files of a home what they were, since servers try to change them."""
    for name in FILES:
        path = f"{home}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write("secret")
    with open(f"{home}/.mcp/config.yaml", "w") as file:
        file.write(RULES)
    for name in ("new", ".ssh/new", "out/made", "out/new", "out/there-linked"):
        if os.path.lexists(f"{home}/{name}"):
            os.remove(f"{home}/{name}")
    for folder in (".ssh", "docs", "out", ".mcp"):
        for path, _, names in os.walk(f"{home}/{folder}"):
            for one in [path] + [f"{path}/{name}" for name in names]:
                os.chown(one, user, user, follow_symlinks=False)


def run(step):
    user, home = USERS[step["user"]]
    restore(user, home)
    environment = {"HOME": home, "PATH": "/usr/local/bin:/usr/bin:/bin", **step["env"]}
    done = subprocess.run(
        step["run"], user=user, group=user, extra_groups=[], env=environment, cwd=home, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=step["seconds"],
    )
    return {"code": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}


def write(step):
    with open(step["write"], "w") as file:
        file.write(step["text"])
    return {}


def remount(step):
    flags = 32 | (1 if step["read-only"] else 0)
    if libc.mount(b"proc", b"/proc", b"proc", flags, step["remount"].encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return {}


def landlock(_):
    return {"code": libc.syscall(ctypes.c_long(444), None, ctypes.c_size_t(0), ctypes.c_uint(1))}


STEPS = {"run": run, "write": write, "remount": remount, "landlock": landlock}


def taken(step):
    began = time.monotonic()
    outcome = {"code": 0, "stdout": "", "stderr": ""}
    try:
        way = next(way for way in STEPS if way in step)
        outcome.update(STEPS[way](step))
    except (OSError, subprocess.SubprocessError) as error:
        outcome.update(code=-1000, stderr=f"{type(error).__name__}: {error}")
    return {"name": step["name"], **outcome, "seconds": round(time.monotonic() - began, 2)}


def main():
    for kind, target in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp"), ("tmpfs", "/run")]:
        mount(kind, target)
    mount("tmpfs", "/dev/shm")
    os.chmod("/tmp", 0o1777)
    if os.path.isdir("/sys/kernel/security"):
        mount("securityfs", "/sys/kernel/security")
    loopback()
    with open("/dev/ttyS1", "w") as port:
        # What is written is a line of JSON, and the port leaves it as it is.
        attributes = bytearray(60)
        fcntl.ioctl(port, 0x5401, attributes)
        attributes[4:8] = bytes(4)
        fcntl.ioctl(port, 0x5402, bytes(attributes))
        kept = serve()

        def say(line):
            port.write(json.dumps(line) + "\n")
            port.flush()

        say({"name": "kernel", "code": 0, "stdout": os.uname().release, "stderr": "", "seconds": time.monotonic()})
        with open("/steps.json") as steps:
            for step in json.load(steps):
                say(taken(step))
        del kept


try:
    main()
except BaseException:
    traceback.print_exc()
os.sync()
libc.reboot(0x01234567)
