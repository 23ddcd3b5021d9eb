"""The exceptions of the package."""

from __future__ import annotations

import errno
from typing import Any, ClassVar, Optional


class Error(OSError):
    """A call that failed. The text is one line: what was tried, what came back, what to do.

    Every failure of a call is an ``Error``, and through it an :class:`OSError`; the
    subclasses tell what the caller can do about it.
    """

    kind: ClassVar[str] = "refused"
    """The sort of the failure as a word, for logs: one for each subclass."""

    _errno: ClassVar[int] = errno.EIO

    code: int
    """The number as NetSessionEnum returns it (NET_API_STATUS: 5, 2312, ...)."""

    name: Optional[str]
    """The name of that number (``"NERR_ClientNameNotFound"``), if it has one."""

    def __init__(self, message: str, code: int = 0, name: Optional[str] = None) -> None:
        super().__init__(self._errno, message)
        self.code = code
        self.name = name

    def __str__(self) -> str:
        return str(self.strerror)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r}, code={self.code}, name={self.name!r})"

    def __reduce__(self) -> Any:
        return type(self), (str(self), self.code, self.name)


class UsageError(Error, ValueError):
    """The call itself is wrong; nothing was sent."""

    kind = "usage"
    _errno = errno.EINVAL


class Unreachable(Error, ConnectionError):
    """No SMB server answers there."""

    kind = "unreachable"
    _errno = errno.EHOSTUNREACH


class LogonFailed(Error, PermissionError):
    """The server does not accept the user or the password."""

    kind = "logon_failed"
    _errno = errno.EACCES


class AccessDenied(Error, PermissionError):
    """The user lacks the right."""

    kind = "access_denied"
    _errno = errno.EACCES


class NoSuchSession(Error, LookupError):
    """No session fits the names."""

    kind = "no_such_session"
    _errno = errno.ENOENT


class Refused(Error):
    """The server answers with another error."""

    kind = "refused"
    _errno = errno.EIO


class TimedOut(Error, TimeoutError):
    """No answer within the limit."""

    kind = "timed_out"
    _errno = errno.ETIMEDOUT


class ProtocolError(Error):
    """The answer breaks the protocol, or its signature is wrong."""

    kind = "protocol"
    _errno = errno.EPROTO


class ConnectionLost(Error, ConnectionError):
    """The connection or the session ended in the middle. The next call connects again."""

    kind = "connection_lost"
    _errno = errno.ECONNRESET


class ServerNotStarted(Error, ConnectionError):
    """The Server service of this machine does not run (2114)."""

    kind = "server_not_started"
    _errno = errno.ECONNREFUSED


_BY_KIND: dict[str, type[Error]] = {
    error.kind: error
    for error in (
        UsageError,
        Unreachable,
        LogonFailed,
        AccessDenied,
        NoSuchSession,
        Refused,
        TimedOut,
        ProtocolError,
        ConnectionLost,
        ServerNotStarted,
    )
}


def make(kind: str, message: str, code: int, name: Optional[str]) -> Error:
    """The exception for a failure that the compiled part reports."""
    return _BY_KIND.get(kind, Refused)(message, code, name)
