"""What the drivers share: the server's address, its users, and saying what was expected."""

import os
import socket
import sys
import uuid

HOST = sys.argv[1]
PORT = int(sys.argv[2])
ARGUMENTS = sys.argv[3:]
# A last word `unencrypted`: impacket, which encrypts wherever it can, speaks a dialect that cannot.
UNENCRYPTED = ARGUMENTS[-1:] == ["unencrypted"]
if UNENCRYPTED:
    ARGUMENTS.pop()
IMPACKET_DIALECT = 0x0210 if UNENCRYPTED else None
SAMBA = os.environ.get("NETSESSION_SUBJECT") == "samba"

ADMIN = ("admin", "Adm1n.Pw")
ALICE = ("alice", "Al1ce.Pw")
BOB = ("bob", "B0b.Pw")
CAROL = ("carol", "Car0l.Pw")

STATUS_ACCESS_DENIED = 0xC0000022
STATUS_LOGON_FAILURE = 0xC000006D
STATUS_ACCOUNT_DISABLED = 0xC0000072
STATUS_USER_SESSION_DELETED = 0xC0000203

# No single exchange takes longer, even with both cores busy.
socket.setdefaulttimeout(30)


def expect(condition, what):
    """Ends the driver unless `condition` holds."""
    if not condition:
        raise AssertionError(what)


def raised(call, kind=Exception):
    """The exception that `call` raises; none is a failure."""
    try:
        value = call()
    except kind as error:  # noqa: BLE001
        return error
    raise AssertionError(f"should have been refused, but gave {value!r}")


def bind_source(address):
    """Connections made from now on come from this loopback address."""
    real = socket.create_connection

    def create(target, timeout=None, source_address=None, **more):
        return real(target, timeout=timeout or 30, source_address=(address, 0), **more)

    if not hasattr(socket, "netsession_real"):
        socket.netsession_real = real
    else:
        real = socket.netsession_real
    socket.create_connection = create


def connection(dialect=None):
    """A connection of smbprotocol's, negotiated."""
    from smbprotocol.connection import Connection

    made = Connection(uuid.uuid4(), HOST, PORT, require_signing=True)
    made.connect(dialect=dialect, timeout=30)
    return made


def session(conn, user, encrypt=False):
    """A session of smbprotocol's on `conn`."""
    from smbprotocol.session import Session

    made = Session(conn, user[0], user[1], require_encryption=encrypt, auth_protocol="ntlm")
    made.connect()
    return made


def tree(sess, share):
    """A tree connect of smbprotocol's."""
    from smbprotocol.tree import TreeConnect

    made = TreeConnect(sess, rf"\\{HOST}\{share}")
    made.connect(require_secure_negotiate=True)
    return made


def opened(connected, name, create=False, directory=False, write=True):
    """An open of smbprotocol's."""
    from smbprotocol.open import (
        CreateDisposition,
        CreateOptions,
        DirectoryAccessMask,
        FileAttributes,
        FilePipePrinterAccessMask,
        ImpersonationLevel,
        Open,
        ShareAccess,
    )

    made = Open(connected, name)
    if directory:
        access = DirectoryAccessMask.FILE_LIST_DIRECTORY
    else:
        access = FilePipePrinterAccessMask.GENERIC_READ
        if write:
            access |= FilePipePrinterAccessMask.GENERIC_WRITE
    made.create(
        ImpersonationLevel.Impersonation,
        access,
        FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
        CreateDisposition.FILE_OPEN_IF if create else CreateDisposition.FILE_OPEN,
        CreateOptions.FILE_DIRECTORY_FILE if directory else CreateOptions.FILE_NON_DIRECTORY_FILE,
    )
    return made


def status_of(error):
    """The NTSTATUS inside an exception of smbprotocol's or impacket's."""
    value = getattr(error, "status", None)
    if value is None and hasattr(error, "getErrorCode"):
        value = error.getErrorCode()
    if value is None and hasattr(error, "get_error_code"):
        value = error.get_error_code()
    if isinstance(value, int):
        return value & 0xFFFFFFFF
    return getattr(value, "value", None)
