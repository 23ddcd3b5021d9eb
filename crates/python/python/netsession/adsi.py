"""Sessions and open files with the names of ADSI (IADsFileServiceOperations, IADsSession).

What a script for Windows does through ``win32com.client``::

    fs = win32com.client.GetObject("WinNT://srv/LanmanServer,FileService")
    for s in fs.Sessions():
        print(s.User, s.Computer, s.ConnectTime)
        if s.User == "alice":
            fs.Sessions().Remove(s.Name)

is the same here after ``fs = adsi.GetObject("WinNT://srv/LanmanServer,FileService", user=...,
password=...)``. Times are seconds. A session's Name is ``user\\computer``; two sessions may
share it, and Remove ends both. A Resource's Name is the number of the open.
"""

from typing import Any, Optional

from ._netsession import (
    FileService,
    GetObject,
    Resource,
    ResourcesCollection,
    Session,
    SessionsCollection,
)

__all__ = [
    "E_ADS_BAD_PARAMETER",
    "E_ADS_BAD_PATHNAME",
    "E_ADS_PROPERTY_NOT_FOUND",
    "E_ADS_PROPERTY_NOT_SUPPORTED",
    "E_ADS_UNKNOWN_OBJECT",
    "E_NOTIMPL",
    "FileService",
    "GetObject",
    "Resource",
    "ResourcesCollection",
    "Session",
    "SessionsCollection",
    "com_error",
]


def _signed(hresult: int) -> int:
    return hresult - (1 << 32)


E_NOTIMPL = _signed(0x80004001)
"""The object does not do that."""
E_ADS_BAD_PATHNAME = _signed(0x80005000)
"""The text is no ADsPath."""
E_ADS_UNKNOWN_OBJECT = _signed(0x80005004)
"""The path names something else than a file service."""
E_ADS_PROPERTY_NOT_SUPPORTED = _signed(0x80005006)
"""The class has no such property."""
E_ADS_BAD_PARAMETER = _signed(0x80005008)
"""The name of an item has the wrong form."""
E_ADS_PROPERTY_NOT_FOUND = _signed(0x8000500D)
"""The property has no value."""


class com_error(Exception):
    """A failure: ``com_error(hresult, strerror, excepinfo, argerror)``, as pywin32 has it.

    The four stand in ``args`` and in attributes of these names. An HRESULT for the Win32 or
    NERR number n is 0x80070000 + n: 0x80070005 for denied access, 0x80070908 for no such
    session. As in pywin32 it is a signed number: ``hresult & 0xFFFFFFFF`` is the usual form.
    """

    hresult: int
    """The number, negative."""
    strerror: Optional[str]
    """What was tried, what came back, what to do."""
    excepinfo: Optional[tuple[Any, ...]]
    """wCode, source, description, help file, help context, scode."""
    argerror: Optional[int]
    """Always None here."""

    def __init__(
        self,
        hresult: int,
        strerror: Optional[str] = None,
        excepinfo: Optional[tuple[Any, ...]] = None,
        argerror: Optional[int] = None,
    ) -> None:
        super().__init__(hresult, strerror, excepinfo, argerror)
        self.hresult = hresult
        self.strerror = strerror
        self.excepinfo = excepinfo
        self.argerror = argerror
