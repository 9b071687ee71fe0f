"""A process that only ever received an enclave's descriptor cannot read or write through it."""
import errno, os, socket, sys

ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
child = os.fork()  # before there is a device
if child == 0:
    _, fds, _, _ = socket.recv_fds(theirs, 1, 1)
    for name, call in {
        "pwrite": lambda: os.pwrite(fds[0], b"x", 0x10000),
        "pread": lambda: os.pread(fds[0], 1, 0x10000),
        "truncate": lambda: os.ftruncate(fds[0], 0),
        "seek": lambda: os.lseek(fds[0], 0, os.SEEK_SET),
        "write": lambda: os.write(fds[0], b"x"),
        "write by a new open": lambda: os.write(os.open("/proc/self/fd/%d" % fds[0], os.O_RDWR), b"x"),
    }.items():
        try:
            call()
        except OSError:
            continue
        sys.exit(name + " works")
    if os.fork() == 0:
        os._exit(0)
    os.wait()
    os._exit(0)
enclave = os.open("/dev/sgx_enclave", os.O_RDWR)
socket.send_fds(ours, [b"x"], [enclave])
_, status = os.waitpid(child, 0)
if status == 0:
    print("ok")
