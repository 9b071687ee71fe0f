"""Job control through a terminal: Ctrl-Z stops the job, fg continues it, Ctrl-C reaches the program."""
import os, pty, select, sys, tempfile, time

def terminal(argv):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    return fd

def read_until(fd, text, seconds=20):
    seen, end = "", time.time() + seconds
    while text not in seen and time.time() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                seen += os.read(fd, 4096).decode(errors="replace")
            except OSError:
                break
    if text not in seen:
        sys.exit("waiting for %r, saw %r" % (text, seen))

def check(fd):
    read_until(fd, "tick-3\r")
    os.write(fd, b"\x1a")
    read_until(fd, "Stopped")
    os.write(fd, b"fg\n")
    read_until(fd, "tick-")
    os.write(fd, b"\x03")
    read_until(fd, "got-INT")
    os.write(fd, b"echo status-$?-\n")
    read_until(fd, "status-7-")

# No children: a shell that waits in vfork does not stop, with or without softsgx.
program = """
import signal, sys, time
def interrupted(*_):
    print("got-INT"); sys.exit(7)
signal.signal(signal.SIGINT, interrupted)
for i in range(600):
    print("tick-%d" % i, flush=True); time.sleep(0.1)
"""
with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
    script.write(program)
    script.flush()
    fd = terminal(["sh", "-i"])
    os.write(fd, ("%s run -- %s %s\n" % (sys.argv[1], sys.executable, script.name)).encode())
    check(fd)
print("ok")
