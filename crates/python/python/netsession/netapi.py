"""The three functions with the arguments of their C forms, for code that is being ported.

netapi32 takes user and password from the logon of the process; here they come from
:func:`set_credentials` or, until that is called, from the environment:

==============================  ====================================================
``NETSESSION_USER``             ``user``, ``DOMAIN\\user`` or ``user@domain``; what follows
                                the first ``%`` is the password
``NETSESSION_PASSWORD``         the password, if it is not there
``NETSESSION_PASSWORD_FILE``    a file with the password in its first line, if
                                ``NETSESSION_PASSWORD`` is not set either
==============================  ====================================================

Without any of them the logon is anonymous. A server named None is this machine: its running
netsession server is asked through a Unix socket, without a password.

Names are passed on unchanged: a client computer is written with its leading ``\\\\``.
"""

import os
import threading
from datetime import timedelta
from typing import Optional, Union

from . import _netsession
from ._errors import UsageError
from ._types import SessionEnumeration

__all__ = [
    "MAX_PREFERRED_LENGTH",
    "net_session_del",
    "net_session_enum",
    "net_session_get_info",
    "set_credentials",
    "set_options",
]

MAX_PREFERRED_LENGTH = 0xFFFFFFFF
"""``prefmaxlen`` that asks for everything."""

_Limit = Union[float, timedelta]

_netapi = _netsession.Netapi()
_lock = threading.Lock()
_from_environment: Optional[tuple[Optional[str], ...]] = (None, None, None)
"""What the credentials were taken from; None once set_credentials has been called."""


def set_credentials(
    user: Optional[str] = None,
    password: Optional[str] = None,
    domain: Optional[str] = None,
) -> None:
    """Sets who asks in all calls from now on; ``set_credentials()`` is nobody (anonymous).

    It holds for the process, as a logon does, and for :mod:`netsession.win32net` too.
    """
    global _from_environment
    with _lock:
        _netapi.set_credentials(user, password, domain)
        _from_environment = None


def set_options(
    *,
    port: Optional[int] = None,
    connect_timeout: Optional[_Limit] = None,
    logon_timeout: Optional[_Limit] = None,
    call_timeout: Optional[_Limit] = None,
    encrypt: bool = False,
    local_socket: "Union[str, os.PathLike[str], None]" = None,
) -> None:
    """Sets how all calls connect from now on; what is not given gets its default.

    The arguments are those of :func:`netsession.connect`; ``port`` is that of servers named
    without one.
    """
    _netapi.set_options(
        port=port,
        connect_timeout=connect_timeout,
        logon_timeout=logon_timeout,
        call_timeout=call_timeout,
        encrypt=encrypt,
        local_socket=local_socket,
    )


def net_session_enum(
    servername: Optional[str] = None,
    client: Optional[str] = None,
    username: Optional[str] = None,
    level: int = 502,
    prefmaxlen: int = MAX_PREFERRED_LENGTH,
    resume_handle: Optional[int] = None,
) -> SessionEnumeration:
    """NetSessionEnum: one call, as many sessions as fit into ``prefmaxlen`` bytes.

    Start with ``resume_handle=0`` and pass back that of the answer while its ``more_data``
    is true; None means no wish to continue.

    Raises:
        netsession.Error: with the number of the C function in ``code``.
    """
    _take_environment()
    return _netapi.net_session_enum(servername, client, username, level, prefmaxlen, resume_handle)


def net_session_get_info(
    servername: Optional[str],
    client: Optional[str],
    username: Optional[str],
    level: int = 502,
) -> SessionEnumeration:
    """NetSessionGetInfo: the answer is the first entry; others fit the names too.

    Raises:
        netsession.Error: with the number of the C function in ``code``; 87 if a name is None.
    """
    _take_environment()
    return _netapi.net_session_get_info(servername, client, username, level)


def net_session_del(
    servername: Optional[str] = None,
    client: Optional[str] = None,
    username: Optional[str] = None,
) -> None:
    """NetSessionDel: ends the sessions of a client computer, of a user, or of both.

    Raises:
        netsession.Error: with the number of the C function in ``code``; 87 if neither is named.
    """
    _take_environment()
    _netapi.net_session_del(servername, client, username)


def _take_environment() -> None:
    """Credentials from the environment, unless they were set; again if it has changed."""
    global _from_environment
    with _lock:
        if _from_environment is None:
            return
        found = tuple(
            os.environ.get(name)
            for name in (
                "NETSESSION_USER",
                "NETSESSION_PASSWORD",
                "NETSESSION_PASSWORD_FILE",
            )
        )
        if found == _from_environment:
            return
        user, password, file = found
        # As for the program and the C library, to which the same environment is given.
        user, percent, inline = (user or "").partition("%")
        if percent:
            password = inline
        elif user and password is None and file is not None:
            password = _first_line(file)
        _netapi.set_credentials(user, password if user else None, None)
        _from_environment = found


def _first_line(file: str) -> str:
    try:
        with open(file, encoding="utf-8") as lines:
            return lines.readline().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"reading NETSESSION_PASSWORD_FILE: {error}; name a file with the password in its"
            " first line",
            87,
            "ERROR_INVALID_PARAMETER",
        ) from error
