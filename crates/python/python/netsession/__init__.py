"""Sessions of SMB file servers: list them, look at them, end them.

    >>> import netsession
    >>> with netsession.connect("srv", "admin", "secret") as server:
    ...     for session in server.sessions(user="alice"):
    ...         print(session.client, session.num_opens, session.idle_time)
    ...     server.end(client="192.0.2.10", user="alice")

``connect()`` without arguments asks the netsession server of this machine.

Beside it: :func:`fan_out` for many servers at once, :mod:`netsession.win32net` for scripts
written for pywin32, :mod:`netsession.adsi` for those written for ADSI, and
:mod:`netsession.netapi` with the arguments of the C functions.
"""

from ._errors import (
    AccessDenied,
    ConnectionLost,
    Error,
    LogonFailed,
    NoSuchSession,
    ProtocolError,
    Refused,
    ServerNotStarted,
    TimedOut,
    Unreachable,
    UsageError,
)
from ._netsession import FanOut, Server, Sessions, __version__, connect, fan_out
from ._types import (
    DoneEvent,
    Ended,
    Event,
    FailedEvent,
    FileInfo,
    ServerInfo,
    SessionEnumeration,
    SessionEvent,
    SessionInfo,
    SessionInfo0,
    SessionInfo1,
    SessionInfo2,
    SessionInfo10,
    SessionInfo502,
    ShareInfo,
    UserFlags,
)

__all__ = [
    "AccessDenied",
    "ConnectionLost",
    "DoneEvent",
    "Ended",
    "Error",
    "Event",
    "FailedEvent",
    "FanOut",
    "FileInfo",
    "LogonFailed",
    "NoSuchSession",
    "ProtocolError",
    "Refused",
    "Server",
    "ServerInfo",
    "ServerNotStarted",
    "SessionEnumeration",
    "SessionEvent",
    "SessionInfo",
    "SessionInfo0",
    "SessionInfo1",
    "SessionInfo10",
    "SessionInfo2",
    "SessionInfo502",
    "Sessions",
    "ShareInfo",
    "TimedOut",
    "Unreachable",
    "UsageError",
    "UserFlags",
    "__version__",
    "connect",
    "fan_out",
]
