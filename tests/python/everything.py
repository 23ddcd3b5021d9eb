"""everything.py HOST PORT DIALECT sign|plain: smbprotocol asks Alice's share for every kind of answer there is.

Nothing is asked here about what the answers say: who listens decodes them. DIALECT as in `2.0.2`.
"""

import struct
import uuid

from common import ALICE, ARGUMENTS, HOST, PORT, expect, status_of, tree
from smbprotocol.connection import Connection, Dialects
from smbprotocol.create_contexts import CreateContextName, SMB2CreateContextRequest
from smbprotocol.ioctl import SMB2IOCTLRequest
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    FileAttributes,
    ImpersonationLevel,
    Open,
    RequestedOplockLevel,
    ShareAccess,
    SMB2QueryDirectoryRequest,
    SMB2QueryInfoRequest,
    SMB2SetInfoRequest,
)
from smbprotocol.session import Session

DIALECTS = {
    "2.0.2": Dialects.SMB_2_0_2,
    "2.1": Dialects.SMB_2_1_0,
    "3.0": Dialects.SMB_3_0_0,
    "3.0.2": Dialects.SMB_3_0_2,
    "3.1.1": Dialects.SMB_3_1_1,
}
FILE, FILE_SYSTEM, SECURITY, QUOTA = 1, 2, 3, 4
STATUS_BUFFER_OVERFLOW = 0x80000005
MAXIMUM_ALLOWED = 0x02000000
ALL_SHARED = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
STATUSES = {}


def wide(text):
    return text.encode("utf-16-le")


def answer(data, message):
    """The body of the answer, or None if it is an error; every status is counted."""
    conn = data.session.connection
    request = conn.send(message, data.session.session_id, data.tree_connect_id)
    status, body = 0, None
    try:
        body = conn.receive(request, timeout=30, resolve_symlinks=False)["data"].get_value()
    except Exception as error:  # noqa: BLE001
        status = status_of(error)
        expect(status is not None, f"an answer: {error!r}")
        if status == STATUS_BUFFER_OVERFLOW:
            body = request.response["data"].get_value()
    STATUSES[status] = STATUSES.get(status, 0) + 1
    return body


def opened(data, name, disposition=CreateDisposition.FILE_OPEN_IF, options=0, access=MAXIMUM_ALLOWED, **more):
    made = Open(data, name)
    made.create(
        ImpersonationLevel.Impersonation,
        access,
        FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ALL_SHARED,
        disposition,
        options,
        **more,
    )
    return made


def refused(data, name, **more):
    try:
        opened(data, name, **more).close()
    except Exception as error:  # noqa: BLE001
        expect(status_of(error) is not None, f"an answer: {error!r}")


def context(name, content=b""):
    made = SMB2CreateContextRequest()
    made["buffer_name"], made["buffer_data"] = name, content
    return made


def get(file, kind, info_class, length=65536, asked=0, given=b""):
    message = SMB2QueryInfoRequest()
    message.fields["file_info_class"].enum_strict = message.fields["info_type"].enum_strict = False
    message["info_type"], message["file_info_class"] = kind, info_class
    message["output_buffer_length"], message["additional_information"] = length, asked
    message["file_id"], message["buffer"] = file.file_id, given
    return answer(file.tree_connect, message)


def set_(file, kind, info_class, content, asked=0):
    message = SMB2SetInfoRequest()
    message.fields["file_info_class"].enum_strict = message.fields["info_type"].enum_strict = False
    message["info_type"], message["file_info_class"] = kind, info_class
    message["additional_information"], message["file_id"], message["buffer"] = asked, file.file_id, content
    return answer(file.tree_connect, message)


def listing(folder, info_class, pattern="*", flags=0, length=65536):
    message = SMB2QueryDirectoryRequest()
    message.fields["file_information_class"].enum_strict = False
    message["file_information_class"], message["flags"] = info_class, flags
    message["output_buffer_length"], message["file_id"] = length, folder.file_id
    message["buffer"] = wide(pattern)
    return answer(folder.tree_connect, message)


def control(file, code, content=b"", length=4096):
    message = SMB2IOCTLRequest()
    message.fields["ctl_code"].enum_strict = False
    message["ctl_code"], message["max_output_response"], message["flags"] = code, length, 1
    message["file_id"], message["buffer"] = file.file_id, content
    return answer(file.tree_connect, message)


class Anything:
    """The FileId of requests that are for no file."""

    file_id = b"\xff" * 16

    def __init__(self, tree_connect):
        self.tree_connect = tree_connect


def creates(data):
    contexts = [
        context(CreateContextName.SMB2_CREATE_QUERY_ON_DISK_ID),
        context(CreateContextName.SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST),
        context(CreateContextName.SMB2_CREATE_ALLOCATION_SIZE, struct.pack("<Q", 65536)),
        context(CreateContextName.SMB2_CREATE_EA_BUFFER, ea(b"ORIGIN", b"everything.py")),
        context(CreateContextName.SMB2_CREATE_DURABLE_HANDLE_REQUEST_V2, struct.pack("<IIQ", 0, 0, 0) + b"\1" * 16),
        context(b"Nobd", b"knows"),
    ]
    for disposition in (2, 1, 3, 5, 0):
        refused(data, "created", disposition=disposition, create_contexts=contexts)
    for version, more in ((b"", 0), (b"\0" * 20, 4)):
        key = uuid.uuid4().bytes
        lease = context(b"RqLs", key + struct.pack("<IIQ", 7, 0, 0) + version)
        refused(data, "created", create_contexts=[lease, contexts[0]], oplock_level=RequestedOplockLevel.SMB2_OPLOCK_LEVEL_LEASE)
    for level in (1, 8, 9):
        refused(data, "created", oplock_level=level)
    for name in ("missing\\name", "created\\below", "no*name", "created:", "created::$DATA", "created::$INDEX_ALLOCATION", "..", "CON", "n" * 300):
        refused(data, name, disposition=CreateDisposition.FILE_OPEN)
    refused(data, "created", options=CreateOptions.FILE_DIRECTORY_FILE)
    refused(data, "created", options=CreateOptions.FILE_DELETE_ON_CLOSE)


def ea(name, value, last=True):
    packed = struct.pack("<BBH", 0, len(name), len(value)) + name + b"\0" + value
    padding = b"" if last else b"\0" * (-(len(packed) + 4) % 4)
    return struct.pack("<I", 0 if last else 4 + len(packed) + len(padding)) + packed + padding


def listings(data):
    opened(data, "listed", options=CreateOptions.FILE_DIRECTORY_FILE).close()
    for i in range(30):
        opened(data, f"listed\\{'x' * (i * 5)} {i} ünïcödé 🎉").close()
    opened(data, "listed\\folder", options=CreateOptions.FILE_DIRECTORY_FILE).close()
    folder = opened(data, "listed", options=CreateOptions.FILE_DIRECTORY_FILE)
    for info_class in (1, 2, 3, 12, 37, 38, 50, 60, 63, 78, 79, 80, 81, 100, 5):
        listing(folder, info_class, flags=0x10)  # reopened
        while listing(folder, info_class, length=4096):
            pass
        listing(folder, info_class, flags=0x01)  # from the beginning
        listing(folder, info_class, flags=0x03)  # a single one
        listing(folder, info_class, flags=0x11, length=90)
        listing(folder, info_class, flags=0x11, length=8)
        listing(folder, info_class, pattern="none*", flags=0x11)
        listing(folder, info_class, pattern="*1?*", flags=0x11)
    return folder


def information(data, folder):
    file, stream = opened(data, "informed"), opened(data, "informed:a stream")
    for some in (file, stream):
        some.write(b"0123456789", 0)
    opened(data, "informed:another").close()
    set_(file, FILE, 15, ea(b"ONE", b"value", last=False) + ea(b"TWO", b"x" * 300))
    for some in (file, stream, folder):
        for info_class in range(4, 80):
            get(some, FILE, info_class)
        # Too small for all, and for the fixed part.
        for info_class in (9, 15, 18, 21, 22, 48):
            for length in (0, 4, 8, 24, 40, 101, 106):
                get(some, FILE, info_class, length)
        for info_class in range(1, 14):
            for length in (65536, 20, 8, 0):
                get(some, FILE_SYSTEM, info_class, length)
        for asked in (1, 2, 4, 7, 8, 0x10, 0x1F):
            for length in (65536, 20, 0):
                get(some, SECURITY, 0, length, asked)
        get(some, QUOTA, 0, given=struct.pack("<BBHIIII", 0, 1, 0, 0, 0, 0, 0))
        get(some, 9, 9)
    # By name, and from the beginning.
    get(file, FILE, 15, given=struct.pack("<IB", 0, 3) + b"TWO\0")
    get(file, FILE, 15, given=struct.pack("<IB", 0, 4) + b"NONE\0")

    set_(file, FILE, 4, struct.pack("<QQQQII", 0, 0, 132223104000000000, 0, 0x20, 0))
    set_(file, FILE, 14, struct.pack("<Q", 5))
    set_(file, FILE, 16, struct.pack("<I", 0))
    set_(file, FILE, 19, struct.pack("<Q", 1 << 20))
    set_(file, FILE, 20, struct.pack("<Q", 5))
    set_(file, FILE, 39, struct.pack("<Q", 5))
    for name in ("linked", "listed\\linked", "missing\\linked"):
        set_(file, FILE, 11, struct.pack("<B7xQI", 1, 0, len(name) * 2) + wide(name))
    for name in ("renamed", "listed\\renamed", "a*b", "informed"):
        set_(file, FILE, 10, struct.pack("<B7xQI", 1, 0, len(name) * 2) + wide(name))
    set_(file, FILE, 13, b"\0")
    set_(file, FILE, 64, struct.pack("<I", 0))
    set_(file, FILE, 99, b"12345678")
    set_(file, FILE_SYSTEM, 2, struct.pack("<I", 4) + wide("ab"))
    body = get(file, SECURITY, 0, asked=7)
    if body is not None:
        descriptor = body[8:]
        set_(file, SECURITY, 0, descriptor, asked=4)
        set_(file, SECURITY, 0, descriptor, asked=7)
        set_(file, SECURITY, 0, descriptor[:10], asked=4)
    set_(stream, FILE, 10, struct.pack("<B7xQI", 1, 0, 16) + wide(":renamed"))
    for some in (file, stream):
        some.close(get_attributes=True)


def contents(data):
    file = opened(data, "contents")
    large = bytes(range(256)) * 256
    for offset in range(0, 4 * len(large), len(large)):
        file.write(large, offset)
    expect(file.read(0, len(large)) == large, "what was written")
    for offset, length, least in ((4 * len(large), 1, 0), (10, 65536, 65536), (4 * len(large) - 1, 10, 5), (0, 0, 0), (0, 1, 0)):
        try:
            file.read(offset, length, least)
        except Exception as error:  # noqa: BLE001
            expect(status_of(error) is not None, f"an answer: {error!r}")
    file.flush()
    key = control(file, 0x00140078, length=32)
    if key is not None:
        chunks = struct.pack("<II", 2, 0) + struct.pack("<QQII", 0, 300000, 100, 0) + struct.pack("<QQII", 100, 400000, 200, 0)
        for code in (0x001440F2, 0x001480F2):
            control(file, code, key[48:72] + chunks, length=12)
        # More chunks than the server takes: it says how many.
        control(file, 0x001480F2, key[48:72] + struct.pack("<II", 2000, 0) + chunks[8:32] * 2000, length=12)
    control(file, 0x000900C4, b"\1")
    control(file, 0x000980C8, struct.pack("<QQ", 0, 65536))
    for length in (4096, 16, 8, 0):
        control(file, 0x000940CF, struct.pack("<QQ", 0, 1 << 30), length)
    for code in (0x000900A8, 0x000900C0, 0x0009009C, 0x00144064, 0x0009003C, 0x00098208, 0x0009027C, 0x00090300, 0x12345678, 0x001401D4, 0x001441BB):
        for length in (4096, 16):
            control(file, code, b"", length)
    file.close()
    anything = Anything(data)
    control(anything, 0x001401FC, length=65536)
    control(anything, 0x00060194, struct.pack("<H", 4) + wide(f"\\{HOST}\\data\0"))


def pipes(sess):
    ipc = tree(sess, "IPC$")
    for name in ("srvsvc", "wkssvc", "no pipe"):
        try:
            pipe = opened(ipc, name, disposition=CreateDisposition.FILE_OPEN, access=0x0012019F)
        except Exception as error:  # noqa: BLE001
            expect(status_of(error) is not None, f"an answer: {error!r}")
            continue
        for info_class in (4, 5, 6, 9, 18, 22, 23, 24, 25):
            get(pipe, FILE, info_class)
        get(pipe, FILE_SYSTEM, 5)
        get(pipe, SECURITY, 0, asked=7)
        set_(pipe, FILE, 23, struct.pack("<II", 1, 0))
        interface = uuid.UUID("4b324fc8-1670-01d3-1278-5a47bf6ee188").bytes_le + struct.pack("<HH", 3, 0)
        transfer = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<I", 2)
        bind = struct.pack("<BBBBIHHI", 5, 0, 11, 3, 0x10, 72, 0, 1)
        bind += struct.pack("<HHIBBHHBB", 4280, 4280, 0, 1, 0, 0, 0, 1, 0) + interface + transfer
        control(pipe, 0x0011C017, bind)
        control(pipe, 0x0011400C)
        # NetrServerGetInfo level 101, of no name.
        call = struct.pack("<BBBBIHHI", 5, 0, 0, 3, 0x10, 32, 0, 2) + struct.pack("<IHHII", 8, 0, 21, 0, 101)
        control(pipe, 0x0011C017, call)
        # Too little for the answer: the rest is to be read.
        if control(pipe, 0x0011C017, call, 40) is not None:
            pipe.read(0, 4096)
        pipe.close()
    control(Anything(ipc), 0x00110018, struct.pack("<qIBx", 0, 12, 0) + wide("srvsvc"))
    ipc.disconnect()


def compounds(data):
    conn, sess = data.session.connection, data.session
    for name, disposition, related in (
        ("compound", CreateDisposition.FILE_OPEN_IF, True),
        ("compound", CreateDisposition.FILE_OPEN_IF, False),
        ("none here", CreateDisposition.FILE_OPEN, True),
    ):
        file = Open(data, name)
        create = file.create(
            ImpersonationLevel.Impersonation, MAXIMUM_ALLOWED, 0, ALL_SHARED, disposition, 0, send=False
        )
        parts = [
            create,
            file.write(b"compound", 0, send=False),
            file.read(0, 7, send=False),
            file.query_directory("*", 37, send=False),
            file.flush(send=False),
            file.close(get_attributes=True, send=False),
        ]
        requests = conn.send_compound([message for message, _ in parts], sess.session_id, data.tree_connect_id, related)
        for request in requests:
            try:
                conn.receive(request, timeout=30)
            except Exception as error:  # noqa: BLE001
                expect(status_of(error) is not None, f"an answer: {error!r}")


def main():
    dialect, protection = ARGUMENTS
    conn = Connection(uuid.uuid4(), HOST, PORT, require_signing=protection == "sign")
    conn.connect(dialect=DIALECTS[dialect], timeout=30)
    sess = Session(conn, *ALICE, require_encryption=False, auth_protocol="ntlm")
    sess.connect()
    # Credits for what is larger than 64 KiB and for compounds.
    conn.echo(credit_request=256)
    data = tree(sess, "data")
    try:
        tree(sess, "no share")
        expect(False, "a share that is none")
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001
        expect(status_of(error) is not None, f"an answer: {error!r}")
    creates(data)
    folder = listings(data)
    information(data, folder)
    folder.close()
    contents(data)
    compounds(data)
    pipes(sess)
    conn.disconnect()
    print(f"{dialect}, {protection}: {sum(STATUSES.values())} answers of {len(STATUSES)} kinds")


main()
