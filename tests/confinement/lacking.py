# Starts a program on a kernel that lacks something: what the program asks the kernel is answered as that one would.
import array
import ctypes
import fcntl
import os
import platform
import signal
import socket
import struct
import sys

ARM = platform.machine() == "aarch64"
LANDLOCK_CREATE, SECCOMP, UNSHARE, CLONE = (444, 277, 97, 220) if ARM else (444, 317, 272, 56)
ENOSYS, EPERM = 38, 1
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, ASK, ERROR = 0x7FFF0000, 0x7FC00000, 0x00050000
NEW_USER = 0x10000000
NUMBER, FIRST, THIRD = 0, 16, 32
libc = ctypes.CDLL(None, use_errno=True)


def step(code, operand, true=0, false=0):
    return struct.pack("HBBI", code, true, false, operand)


def refused(number, error):
    return [step(LOAD, NUMBER), step(EQUAL, number, 0, 1), step(RETURN, ERROR | error)]


def without_user_namespaces(number):
    return [
        step(LOAD, NUMBER), step(EQUAL, number, 0, 3), step(LOAD, FIRST), step(ANY_BIT, NEW_USER, 0, 1),
        step(RETURN, ERROR | EPERM),
    ]


def older_landlock():
    """Asks about the question for the version, whose third argument is 1."""
    return [
        step(LOAD, NUMBER), step(EQUAL, LANDLOCK_CREATE, 0, 3), step(LOAD, THIRD), step(EQUAL, 1, 0, 1),
        step(RETURN, ASK),
    ]


def applied(steps, flags=0):
    code = b"".join(steps + [step(RETURN, ALLOW)])
    memory = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(memory))
    libc.prctl(38, 1, 0, 0, 0)
    result = libc.syscall(SECCOMP, 1, flags, program)
    assert result >= 0, os.strerror(ctypes.get_errno())
    return result


def answer(listener, version):
    """Says this version to whoever asks, until nobody is left."""
    while True:
        question = bytearray(512)
        try:
            fcntl.ioctl(listener, 0xC0502100, question, True)
        except OSError:
            return
        fcntl.ioctl(listener, 0xC0182101, bytearray(question[:8] + struct.pack("qiI", version, 0, 0)), True)


def older(version, words):
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        listener = applied(older_landlock(), 8)
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])
        os.close(listener)
        os.execv(words[0], words)
    theirs.close()
    _, control, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    listener = struct.unpack("i", control[0][2])[0]
    # Its client may go first, and what it was started with is its own.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    answerer = os.fork()
    if answerer == 0:
        answer(listener, version)
        os._exit(0)
    os.close(listener)
    _, status = os.waitpid(child, 0)
    os.kill(answerer, signal.SIGKILL)
    os.waitpid(answerer, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


lack, words = sys.argv[1], sys.argv[2:]
if lack.isdigit() and lack != "0":
    older(int(lack), words)
applied({
    "0": lambda: refused(LANDLOCK_CREATE, ENOSYS),
    "seccomp": lambda: refused(SECCOMP, ENOSYS),
    "namespaces": lambda: without_user_namespaces(UNSHARE) + without_user_namespaces(CLONE),
    "all": lambda: refused(LANDLOCK_CREATE, ENOSYS) + refused(SECCOMP, ENOSYS),
}[lack]())
os.execv(words[0], words)
