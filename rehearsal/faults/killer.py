"""Loaded by the controller's Python as sitecustomize: kills it (-9) once its journal has a line for the step in the file `at`.

The file holds STEP and milliseconds to wait, or STEP and `stop`: then it is stopped there until someone lets it go on. The
file goes first, so that whoever recovers lives.
"""

import os
import signal
import threading
import time

FLAG = "/root/killer/at"
write = os.write


def _kill(after):
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGKILL)


def _write(handle, data):
    written = write(handle, data)
    if b'"event": "step"' in data and os.path.exists(FLAG):
        with open(FLAG, encoding="ascii") as flag:
            step, after = flag.read().split()
        if f'"n": {step},'.encode() in data:
            os.unlink(FLAG)
            if after == "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
                return written
            if after == "0":
                _kill(0)
            threading.Thread(target=_kill, args=(int(after) / 1000,), daemon=True).start()
    return written


os.write = _write
