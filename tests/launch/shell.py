"""A shell with job control and one job, as a person at a terminal has around smcp.

Usage: shell.py foreground|background COMMAND...
Standard input is the terminal. Prints what happens to the job; when it stops, reads `fg` or `bg` from the terminal.
"""
import fcntl
import os
import signal
import sys
import termios

os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
shell = os.getpgrp()
place, command = sys.argv[1], sys.argv[2:]

job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    if place == "foreground":
        os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(command[0], command)


def say(*words):
    print("shell:", *words, flush=True)


while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    holder = os.tcgetpgrp(0)
    say("terminal is with", "job" if holder == job else "shell" if holder == shell else "stranger")
    os.tcsetpgrp(0, shell)
    if not os.WIFSTOPPED(status):
        break
    say("stopped by", signal.Signals(os.WSTOPSIG(status)).name)
    answer = sys.stdin.readline().strip()
    if answer not in ("fg", "bg"):
        os.killpg(job, signal.SIGKILL)
        sys.exit(f"shell: the job stopped, and what came was {answer!r}")
    say("resumed", answer)
    if answer == "fg":
        os.tcsetpgrp(0, job)
    os.killpg(job, signal.SIGCONT)

say("ended with", os.waitstatus_to_exitcode(status))
say("reads", sys.stdin.readline().strip())
