# A server that uses this and that, each by a word of its command line.
import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import threading

HOME = os.environ["HOME"]
libc = ctypes.CDLL(None, use_errno=True)


def put(path, text="text"):
    with open(path, "w") as file:
        file.write(text)


def replace():
    put(HOME + "/out/new")
    os.rename(HOME + "/out/new", HOME + "/out/there")


def connect(place):
    with socket.socket() as client:
        client.connect(place)


def session():
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(HOME + "/session")


def thread():
    worker = threading.Thread(target=lambda: open(HOME + "/docs/page").close())
    worker.start()
    worker.join()


def crowd():
    each = f"import os; [open(os.environ['HOME'] + '/many/%d' % n).close() for n in range(40)]"
    workers = [subprocess.Popen([sys.executable, "-c", each]) for _ in range(8)]
    return [worker.wait() for worker in workers] == [0] * 8 or exit(3)


def busy():
    """Many threads that ask all the time."""
    def ask():
        for _ in range(1500):
            open(HOME + "/docs/page").close()

    workers = [threading.Thread(target=ask) for _ in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]


def bound(kind, use):
    with socket.socket(type=kind) as own:
        own.bind(("127.0.0.1", 0))
        use(own)


def odd():
    for name in ("a\nb", "a\u202eb", "a\tb"):
        put(f"{HOME}/odd/{name}")
        open(f"{HOME}/odd/{name}").close()


def hidden():
    libc.prctl(4, 0, 0, 0, 0)
    os.geteuid() == 0 or open(HOME + "/docs/page").close()


def again(folder):
    path = os.open(HOME + "/docs/page", os.O_PATH)
    open(f"{folder}/{path}").close()


def root():
    """Takes another root, where a user may: the same names are other files then."""
    if libc.unshare(0x10000000) == 0:
        os.chroot(HOME + "/many")
        open("/7").close()
    else:
        open(HOME + "/many/7").close()


def ring():
    if libc.syscall(425, 4, ctypes.create_string_buffer(256)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def in_vain():
    """What programs do before they use a folder, or a lock."""
    os.makedirs(HOME + "/docs", exist_ok=True)
    there, none = HOME + "/out/there", HOME + "/out/none"
    for use in (
        lambda: os.mkdir(there),
        lambda: os.symlink("x", there),
        lambda: os.link(HOME + "/docs/page", there),
        lambda: open(there, "x"),
        lambda: os.unlink(none),
        lambda: os.rmdir(none),
        lambda: os.rename(none, there),
        lambda: os.link(none, HOME + "/out/other"),
    ):
        try:
            use()
        except (FileExistsError, FileNotFoundError):
            continue
        exit(3)


USES = {
    "in vain": in_vain,
    "again": lambda: again("/proc/self/fd"),
    "again by its thread": lambda: again("/proc/thread-self/fd"),
    "again by its number": lambda: again(f"/proc/{os.getpid()}/fd"),
    "again by a device": lambda: again("/dev/fd"),
    "root": root,
    "ring": ring,
    "busy": busy,
    "listen": lambda: bound(socket.SOCK_STREAM, lambda own: own.listen()),
    "ask": lambda: bound(socket.SOCK_DGRAM, lambda own: own.connect(("192.0.2.1", 0))),
    "read and write": lambda: open(HOME + "/out/new", "w+").close(),
    "move": lambda: os.rename(HOME + "/docs/page", HOME + "/out/page"),
    "odd": odd,
    "hidden": hidden,
    "page": lambda: open(HOME + "/docs/page").close(),
    "beside": lambda: (os.chdir(HOME + "/docs"), open("page").close()),
    "folder": lambda: os.listdir(HOME + "/docs"),
    "many": lambda: [open(f"{HOME}/many/{n}").close() for n in range(40)],
    "vain": lambda: [os.path.exists(HOME + "/none"), open(HOME + "/none")],
    "link": lambda: open(HOME + "/link").close(),
    "key": lambda: open(HOME + "/.ssh/key").close(),
    "odd key": lambda: open(HOME + "/.ssh/a[1]").close(),
    "keys": lambda: [open(f"{HOME}/.ssh/{n}").close() for n in range(10)],
    "home": lambda: os.listdir(HOME),
    "rules": lambda: (os.listdir(HOME + "/.mcp"), open(HOME + "/.mcp/config.yaml").close()),
    "overwrite": lambda: put(HOME + "/out/there"),
    "make": lambda: put(HOME + "/out/new"),
    "replace": replace,
    "update": lambda: open(HOME + "/out/there", "r+").close(),
    "in home": lambda: (os.makedirs(HOME + "/.tool/state"), put(HOME + "/.tool/state/file")),
    "brackets": lambda: open(HOME + "/odd/a[1]").close(),
    "temporary": lambda: tempfile.NamedTemporaryFile().close(),
    "thread": thread,
    "fork": lambda: os.waitpid(os.fork() or os._exit(0), 0),
    "program": lambda: subprocess.run(["true"], check=True),
    "crowd": crowd,
    "address": lambda: connect(("127.0.0.1", int(os.environ["PORT"]))),
    "session": session,
}
for use in sys.argv[1].split(","):
    try:
        USES[use]()
        print(use, "done", flush=True)
    except OSError as error:
        print(use, error.strerror, flush=True)
