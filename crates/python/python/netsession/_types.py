"""The answers of the calls: frozen dataclasses with the names of the C structures."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Optional, Union


class UserFlags(enum.IntFlag):
    """user_flags of a session. Bits without a name here are kept."""

    GUEST = 0x1
    """SESS_GUEST: logged on as guest."""

    NOENCRYPTION = 0x2
    """SESS_NOENCRYPTION: the password came unencrypted. An SMB2 server never sets it."""


class SessionInfo:
    """A session: the base of the classes of the five levels.

    Fields that a level lacks read as None, so that code for level ``"fullest"`` need not ask
    which one came.
    """

    level: ClassVar[int]
    """The level: 0, 1, 2, 10 or 502."""

    cname: str
    """Client computer as the server spells it: some levels and servers put ``\\\\`` first."""
    username: Optional[str]
    """Account name without a domain; empty for a session without a user. Not at level 0."""
    num_opens: Optional[int]
    """Files, devices and pipes open now. Levels 1, 2, 502."""
    time: Optional[timedelta]
    """Since the session began, in whole seconds. Not at level 0."""
    idle_time: Optional[timedelta]
    """Since its last request, in whole seconds. Not at level 0."""
    user_flags: Optional[UserFlags]
    """How the user logged on. Levels 1, 2, 502."""
    cltype_name: Optional[str]
    """Client software; empty for every SMB2 session. Levels 2, 502."""
    transport: Optional[str]
    """Transport, such as ``\\Device\\NetbiosSmb``. Level 502."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> None:
            if name in _FIELDS:
                return None
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def client(self) -> str:
        """Client computer without leading backslashes."""
        return self.cname.lstrip("\\")


_FIELDS = frozenset(SessionInfo.__annotations__) - {"level"}


@dataclass(frozen=True)
class SessionInfo0(SessionInfo):
    """SESSION_INFO_0: the client computer."""

    level: ClassVar[int] = 0
    cname: str


@dataclass(frozen=True)
class SessionInfo1(SessionInfo):
    """SESSION_INFO_1: client, user, opens, times and flags."""

    level: ClassVar[int] = 1
    cname: str
    username: str
    num_opens: int
    time: timedelta
    idle_time: timedelta
    user_flags: UserFlags


@dataclass(frozen=True)
class SessionInfo2(SessionInfo):
    """SESSION_INFO_2: level 1 and the client software."""

    level: ClassVar[int] = 2
    cname: str
    username: str
    num_opens: int
    time: timedelta
    idle_time: timedelta
    user_flags: UserFlags
    cltype_name: str


@dataclass(frozen=True)
class SessionInfo10(SessionInfo):
    """SESSION_INFO_10: client, user and times."""

    level: ClassVar[int] = 10
    cname: str
    username: str
    time: timedelta
    idle_time: timedelta


@dataclass(frozen=True)
class SessionInfo502(SessionInfo):
    """SESSION_INFO_502: level 2 and the transport."""

    level: ClassVar[int] = 502
    cname: str
    username: str
    num_opens: int
    time: timedelta
    idle_time: timedelta
    user_flags: UserFlags
    cltype_name: str
    transport: str


@dataclass(frozen=True)
class FileInfo:
    """An open file, device or pipe (FILE_INFO_3)."""

    id: int
    """Number of the open at its server."""
    permissions: int
    """Rights it was opened with: 1 read, 2 write, 4 create, and others."""
    num_locks: int
    """Locks held on it."""
    pathname: str
    """Path at the server."""
    username: str
    """Who opened it."""


@dataclass(frozen=True)
class ShareInfo:
    """A share (SHARE_INFO_1)."""

    netname: str
    """Name."""
    type: int
    """Type: 0 disk, 1 print queue, 2 device, 3 IPC; bit 31 marks the special ones."""
    remark: str
    """Comment."""


@dataclass(frozen=True)
class ServerInfo:
    """What a server says of itself (SERVER_INFO_101)."""

    platform_id: int
    """500 for Windows NT and those that follow it."""
    name: str
    """Name of the server."""
    version_major: int
    """Major version; the lower four bits count."""
    version_minor: int
    """Minor version."""
    type: int
    """Services it runs (SV_TYPE bits)."""
    comment: str
    """Comment."""


@dataclass(frozen=True)
class Ended:
    """How :meth:`Server.end` came out."""

    confirmed: bool
    """The server has said so. False: the connection was lost before the answer, as happens
    when it was the caller's own session; it is probably done."""


@dataclass(frozen=True)
class SessionEvent:
    """:func:`fan_out`: one session of one server."""

    server: str
    """The server as it was named in the call."""
    level: int
    """The level of the session."""
    session: SessionInfo
    """The session."""


@dataclass(frozen=True)
class DoneEvent:
    """:func:`fan_out`: a server has answered completely."""

    server: str
    """The server as it was named in the call."""
    level: int
    """The level its sessions were listed at."""
    sessions: int
    """How many there were."""
    elapsed: timedelta
    """How long it took."""


@dataclass(frozen=True)
class FailedEvent:
    """:func:`fan_out`: a server has failed."""

    server: str
    """The server as it was named in the call."""
    error: OSError
    """Why; a :class:`netsession.Error`."""
    elapsed: timedelta
    """How long it took."""


Event = Union[SessionEvent, DoneEvent, FailedEvent]
"""What :func:`fan_out` yields."""


@dataclass(frozen=True)
class SessionEnumeration:
    """What one call of NetSessionEnum or NetSessionGetInfo gives."""

    entries: list[SessionInfo]
    """The sessions of this answer."""
    entries_read: int
    """How many they are."""
    total_entries: int
    """How many there are from this position on; a hint only."""
    resume_handle: int
    """To go on with while ``more_data`` is true; 0 at the end."""
    more_data: bool
    """The answer was ERROR_MORE_DATA (234): there are more."""
