"""Which fault an error of opening a port is. The faults themselves are drivers/faults.py, which knows no ports."""

from __future__ import annotations

import errno
import socket

from drivers.faults import Fault

_BY_NUMBER = {
    errno.EAGAIN: Fault.HELD,
    errno.EBUSY: Fault.HELD,
    errno.ENOENT: Fault.NO_PORT,
    errno.ENODEV: Fault.NO_PORT,
    errno.ENXIO: Fault.NO_PORT,
    errno.EACCES: Fault.NO_RIGHT,
    errno.EPERM: Fault.NO_RIGHT,
    errno.EHOSTUNREACH: Fault.NO_HOST,
    errno.ENETUNREACH: Fault.NO_HOST,
}


def of_port(error: Exception) -> Fault:
    """Tell what an error of opening a port means."""
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return Fault.NO_HOST
    number = error.errno if isinstance(error, OSError) else None
    return _BY_NUMBER.get(number or 0, Fault.PORT_ERROR)
