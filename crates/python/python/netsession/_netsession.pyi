"""The compiled part of the package; its public names are those of :mod:`netsession`."""

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from types import GenericAlias, TracebackType
from typing import Literal, Optional, Union, final, overload

from typing_extensions import Self, TypeVar

from ._types import (
    Ended,
    Event,
    FileInfo,
    ServerInfo,
    SessionEnumeration,
    SessionInfo,
    SessionInfo0,
    SessionInfo1,
    SessionInfo2,
    SessionInfo10,
    SessionInfo502,
    ShareInfo,
)

_Limit = Union[float, timedelta]
_Session_co = TypeVar("_Session_co", bound=SessionInfo, covariant=True, default=SessionInfo)

__all__ = [
    "FanOut",
    "FileService",
    "GetObject",
    "Netapi",
    "Resource",
    "ResourcesCollection",
    "Server",
    "Session",
    "Sessions",
    "SessionsCollection",
    "__version__",
    "connect",
    "fan_out",
]

__version__: str

def connect(
    server: Optional[str] = None,
    user: Optional[str] = None,
    password: Optional[str] = None,
    *,
    domain: Optional[str] = None,
    port: Optional[int] = None,
    connect_timeout: Optional[_Limit] = None,
    logon_timeout: Optional[_Limit] = None,
    call_timeout: Optional[_Limit] = None,
    encrypt: bool = False,
    local_socket: Union[str, os.PathLike[str], None] = None,
) -> Server: ...

@final
class Server:
    @overload
    def sessions(
        self, client: Optional[str] = None, user: Optional[str] = None, *, level: Literal[0]
    ) -> Sessions[SessionInfo0]: ...
    @overload
    def sessions(
        self, client: Optional[str] = None, user: Optional[str] = None, *, level: Literal[1]
    ) -> Sessions[SessionInfo1]: ...
    @overload
    def sessions(
        self, client: Optional[str] = None, user: Optional[str] = None, *, level: Literal[2]
    ) -> Sessions[SessionInfo2]: ...
    @overload
    def sessions(
        self, client: Optional[str] = None, user: Optional[str] = None, *, level: Literal[10]
    ) -> Sessions[SessionInfo10]: ...
    @overload
    def sessions(
        self, client: Optional[str] = None, user: Optional[str] = None, *, level: Literal[502]
    ) -> Sessions[SessionInfo502]: ...
    @overload
    def sessions(
        self,
        client: Optional[str] = None,
        user: Optional[str] = None,
        level: Union[str, int] = "fullest",
    ) -> Sessions[SessionInfo]: ...
    @overload
    def session(self, client: str, user: str, level: Literal[0]) -> SessionInfo0: ...
    @overload
    def session(self, client: str, user: str, level: Literal[1]) -> SessionInfo1: ...
    @overload
    def session(self, client: str, user: str, level: Literal[2]) -> SessionInfo2: ...
    @overload
    def session(self, client: str, user: str, level: Literal[10]) -> SessionInfo10: ...
    @overload
    def session(self, client: str, user: str, level: Literal[502]) -> SessionInfo502: ...
    @overload
    def session(
        self, client: str, user: str, level: Union[str, int] = "fullest"
    ) -> SessionInfo: ...
    def end(self, client: Optional[str] = None, user: Optional[str] = None) -> Ended: ...
    def files(
        self, base_path: Optional[str] = None, user: Optional[str] = None
    ) -> list[FileInfo]: ...
    def close_file(self, id: int) -> None: ...
    def shares(self) -> list[ShareInfo]: ...
    def info(self) -> ServerInfo: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc_value: Optional[BaseException],
        traceback: Optional[TracebackType],
        /,
    ) -> None: ...
    @property
    def target(self) -> str: ...
    @property
    def dialect(self) -> Optional[str]: ...
    @property
    def signing(self) -> Optional[str]: ...
    @property
    def cipher(self) -> Optional[str]: ...

@final
class Sessions(Iterator[_Session_co]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> _Session_co: ...
    @classmethod
    def __class_getitem__(cls, item: object) -> GenericAlias: ...
    @property
    def level(self) -> Optional[int]: ...

@final
class FanOut(Iterator[Event]):
    def __iter__(self) -> Self: ...
    def __next__(self) -> Event: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: Optional[type[BaseException]],
        exc_value: Optional[BaseException],
        traceback: Optional[TracebackType],
        /,
    ) -> None: ...
    def close(self) -> None: ...

def fan_out(
    servers: Iterable[str],
    user: Optional[str] = None,
    password: Optional[str] = None,
    *,
    domain: Optional[str] = None,
    client_filter: Optional[str] = None,
    user_filter: Optional[str] = None,
    level: Union[str, int] = "fullest",
    jobs: int = 64,
    deadline: Optional[_Limit] = None,
    port: Optional[int] = None,
    connect_timeout: Optional[_Limit] = None,
    logon_timeout: Optional[_Limit] = None,
    call_timeout: Optional[_Limit] = None,
    encrypt: bool = False,
) -> FanOut: ...
@final
class Netapi:
    def __new__(cls) -> Self: ...
    def set_credentials(
        self, user: Optional[str], password: Optional[str], domain: Optional[str]
    ) -> None: ...
    def set_options(
        self,
        *,
        port: Optional[int] = None,
        connect_timeout: Optional[_Limit] = None,
        logon_timeout: Optional[_Limit] = None,
        call_timeout: Optional[_Limit] = None,
        encrypt: bool = False,
        local_socket: Union[str, os.PathLike[str], None] = None,
    ) -> None: ...
    def net_session_enum(
        self,
        servername: Optional[str],
        client: Optional[str],
        username: Optional[str],
        level: int,
        prefmaxlen: int,
        resume_handle: Optional[int],
    ) -> SessionEnumeration: ...
    def net_session_get_info(
        self,
        servername: Optional[str],
        client: Optional[str],
        username: Optional[str],
        level: int,
    ) -> SessionEnumeration: ...
    def net_session_del(
        self, servername: Optional[str], client: Optional[str], username: Optional[str]
    ) -> None: ...

def GetObject(
    path: str,
    user: Optional[str] = None,
    password: Optional[str] = None,
    *,
    domain: Optional[str] = None,
    connect_timeout: Optional[_Limit] = None,
    logon_timeout: Optional[_Limit] = None,
    call_timeout: Optional[_Limit] = None,
    encrypt: bool = False,
    local_socket: Union[str, os.PathLike[str], None] = None,
) -> FileService: ...
@final
class FileService:
    def Sessions(self) -> SessionsCollection: ...
    def Resources(self) -> ResourcesCollection: ...
    @property
    def Status(self) -> int: ...
    @property
    def Description(self) -> str: ...
    @property
    def MaxUserCount(self) -> int: ...
    @property
    def Version(self) -> str: ...
    @property
    def HostComputer(self) -> str: ...
    @property
    def Name(self) -> str: ...
    @property
    def Class(self) -> str: ...
    @property
    def ADsPath(self) -> str: ...
    @property
    def Parent(self) -> str: ...
    @property
    def Schema(self) -> str: ...
    def Get(self, name: str) -> Union[str, int]: ...
    def GetInfo(self) -> None: ...
    def Start(self) -> None: ...
    def Stop(self) -> None: ...
    def Pause(self) -> None: ...
    def Continue(self) -> None: ...

@final
class SessionsCollection:
    def __iter__(self) -> Iterator[Session]: ...
    def GetObject(self, name: str) -> Session: ...
    def Remove(self, name: str) -> None: ...
    def Add(self, name: str) -> None: ...

@final
class ResourcesCollection:
    def __iter__(self) -> Iterator[Resource]: ...
    def GetObject(self, name: str) -> Resource: ...
    def Remove(self, name: str) -> None: ...
    def Add(self, name: str) -> None: ...

@final
class Session:
    @property
    def User(self) -> str: ...
    @property
    def UserPath(self) -> str: ...
    @property
    def Computer(self) -> str: ...
    @property
    def ComputerPath(self) -> str: ...
    @property
    def ConnectTime(self) -> int: ...
    @property
    def IdleTime(self) -> int: ...
    @property
    def Name(self) -> str: ...
    @property
    def Class(self) -> str: ...
    @property
    def ADsPath(self) -> str: ...
    @property
    def Parent(self) -> str: ...
    @property
    def Schema(self) -> str: ...
    def Get(self, name: str) -> Union[str, int]: ...
    def GetInfo(self) -> None: ...

@final
class Resource:
    @property
    def User(self) -> str: ...
    @property
    def UserPath(self) -> str: ...
    @property
    def Path(self) -> str: ...
    @property
    def LockCount(self) -> int: ...
    @property
    def Name(self) -> str: ...
    @property
    def Class(self) -> str: ...
    @property
    def ADsPath(self) -> str: ...
    @property
    def Parent(self) -> str: ...
    @property
    def Schema(self) -> str: ...
    def Get(self, name: str) -> Union[str, int]: ...
    def GetInfo(self) -> None: ...
