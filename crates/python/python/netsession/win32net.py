"""The session functions of pywin32's module of this name: names, arguments, dictionaries.

A script that imports ``win32net`` for NetSessionEnum, NetSessionGetInfo and NetSessionDel
runs on Linux after changing that import::

    from netsession import win32net

What differs: numbers are unsigned, arguments may also be given by their names, a string with
a NUL in it is a ValueError, and the credentials that Windows takes from the logon come from
:func:`set_credentials` or the environment (see :mod:`netsession.netapi`).
"""

from operator import index
from typing import Any, Optional

from . import _errors, netapi
from ._types import SessionInfo
from .netapi import set_credentials, set_options

__all__ = [
    "NetSessionDel",
    "NetSessionEnum",
    "NetSessionGetInfo",
    "error",
    "set_credentials",
    "set_options",
]


class error(Exception):
    """A function failed: ``error(winerror, funcname, strerror)``.

    The three stand in ``args`` and in attributes of these names. The
    :class:`netsession.Error` behind it, with a longer text, is its ``__cause__``.
    """

    winerror: int
    """The number, for instance 5 or 2312."""
    funcname: str
    """The function that failed."""
    strerror: str
    """What the number means."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.winerror, self.funcname, self.strerror = (*args, None, None, None)[:3]


_LEVELS = (0, 1, 2, 10, 502)

_KEYS = {
    "cname": "client_name",
    "username": "user_name",
    "num_opens": "num_opens",
    "time": "active_time",
    "idle_time": "idle_time",
    "user_flags": "user_flags",
    "cltype_name": "client_type",
    "transport": "transport",
}
"""Dictionary key of each field of SESSION_INFO, in the order of the structures."""


def NetSessionEnum(
    level: int,
    server: Optional[str] = None,
    client: Optional[str] = None,
    username: Optional[str] = None,
) -> list[dict[str, Any]]:
    """Lists the sessions of a server, of one client computer and one user if they are named.

    Args:
        level: 0, 1, 2, 10 or 502.
        server: the server; None for this machine.
        client: client computer, with its leading ``\\\\``; None for all.
        username: None for all users.

    Returns:
        A dictionary for each session:

        ===== ================================================================================
        level keys
        ===== ================================================================================
        0     client_name
        1     client_name, user_name, num_opens, active_time, idle_time, user_flags
        2     those of level 1, and client_type
        10    client_name, user_name, active_time, idle_time
        502   those of level 2, and transport
        ===== ================================================================================

    Raises:
        ValueError: there is no such level; nothing was sent.
        error: the function failed.
    """
    level = _level(level, "NetSessionEnum")
    server = _optional(server) or None
    client = _optional(client)
    username = _optional(username)
    sessions: list[dict[str, Any]] = []
    handle = 0
    while True:
        try:
            page = netapi.net_session_enum(server, client, username, level, resume_handle=handle)
        except _errors.Error as cause:
            raise _failed(cause, "NetSessionEnum") from cause
        sessions.extend(map(_dictionary, page.entries))
        if not page.more_data:
            return sessions
        if not page.entries and page.resume_handle == handle:
            # It would go on like this for ever.
            raise error(234, "NetSessionEnum", "More data is available, but does not come.")
        handle = page.resume_handle


def NetSessionGetInfo(
    level: int,
    server: Optional[str],
    client: str,
    username: str,
) -> dict[str, Any]:
    """One session: the first of this user on this client computer.

    Args:
        level: 0, 1, 2, 10 or 502.
        server: the server; None for this machine.
        client: client computer, with its leading ``\\\\``.
        username: the user.

    Returns:
        A dictionary with the keys that :func:`NetSessionEnum` has at this level.

    Raises:
        ValueError: there is no such level; nothing was sent.
        TypeError: client or username is None.
        error: the function failed; 2312 if there is no such session.
    """
    level = _level(level, "NetSessionGetInfo")
    server = _optional(server) or None
    client = _string(client)
    username = _string(username)
    try:
        found = netapi.net_session_get_info(server, client, username, level)
    except _errors.Error as cause:
        raise _failed(cause, "NetSessionGetInfo") from cause
    return _dictionary(found.entries[0])


def NetSessionDel(
    server: Optional[str] = None,
    client: Optional[str] = None,
    username: Optional[str] = None,
) -> None:
    """Ends the sessions of a client computer, of a user, or of a user on a computer.

    Args:
        server: the server; None for this machine.
        client: client computer, with its leading ``\\\\``; None for all of this user's.
        username: None for all users of this computer.

    Raises:
        error: the function failed; 2312 if there is no such session, 87 if neither is named.
    """
    server = _optional(server) or None
    client = _optional(client)
    username = _optional(username)
    try:
        netapi.net_session_del(server, client, username)
    except _errors.Error as cause:
        raise _failed(cause, "NetSessionDel") from cause


def _level(level: int, function: str) -> int:
    number = index(level)
    if number not in _LEVELS:
        raise ValueError(f"{function}: no level {number}; the levels are 0, 1, 2, 10 and 502")
    return number


def _string(value: object) -> str:
    if value is None:
        raise TypeError("None is not allowed here, a string is needed")
    if not isinstance(value, str):
        raise TypeError(f"a string is needed, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError("a name cannot contain a NUL character")
    return value


def _optional(value: Optional[str]) -> Optional[str]:
    return None if value is None else _string(value)


def _dictionary(session: SessionInfo) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field, key in _KEYS.items():
        value = getattr(session, field, None)
        if value is None:
            continue
        if field in ("time", "idle_time"):
            value = value.days * 86_400 + value.seconds
        elif field == "user_flags":
            value = int(value)
        fields[key] = value
    return fields


def _failed(cause: _errors.Error, function: str) -> error:
    return error(cause.code, function, str(cause))
