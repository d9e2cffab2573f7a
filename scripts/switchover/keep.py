"""What outlives this process: systemd keeps a copy of a socket until its unit has ended, ExecStopPost included."""

import os
import select
import socket


def outlive(connection, seconds=2.0):
    """Hands a copy to systemd, and waits until it has it. Only shutdown() ends the connection then, not close(); by hand, without a
    unit that has FileDescriptorStoreMax, it ends with this process as ever."""
    path = os.environ.get("NOTIFY_SOCKET")
    if not path:
        return
    taken, barrier = os.pipe()
    with open(taken, "rb") as taken, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        with open(barrier, "wb") as barrier:
            systemd.connect("\0" + path[1:] if path.startswith("@") else path)
            socket.send_fds(systemd, [b"FDSTORE=1"], [connection.fileno()])
            socket.send_fds(systemd, [b"BARRIER=1"], [barrier.fileno()])
        select.select([taken], [], [], seconds)  # it closes the barrier's other end once it has read so far
