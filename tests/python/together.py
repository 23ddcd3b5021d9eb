"""together.py HOST PORT WHAT [FOLDER]: two clients of smbprotocol's, Alice and Bob, in the share `data`.

WHAT is locks, oplocks, leases or notify. FOLDER is that of the share on this machine, for notify.
"""

import os
import queue
import struct
import threading
import uuid
from collections import OrderedDict

from common import ALICE, ARGUMENTS, BOB, SAMBA, connection, expect, raised, session, status_of, tree
from smbprotocol.change_notify import ChangeNotifyFlags, CompletionFilter, FileAction, FileSystemWatcher
from smbprotocol.connection import Capabilities, Dialects
from smbprotocol.create_contexts import (
    CreateContextName,
    LeaseState,
    SMB2CreateContextRequest,
    SMB2CreateRequestLease,
    SMB2CreateRequestLeaseV2,
)
from smbprotocol.header import Commands, NtStatus, SMB2HeaderRequest
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    LockFlags,
    Open,
    RequestedOplockLevel,
    ShareAccess,
    SMB2LockElement,
)
from smbprotocol.structure import BytesField, Structure

STATUS_PENDING = 0x00000103
STATUS_NOTIFY_ENUM_DIR = 0x0000010C
STATUS_FILE_LOCK_CONFLICT = 0xC0000054
STATUS_LOCK_NOT_GRANTED = 0xC0000055
STATUS_RANGE_NOT_LOCKED = 0xC000007E
STATUS_REQUEST_NOT_ACCEPTED = 0xC00000D0
STATUS_INVALID_OPLOCK_PROTOCOL = 0xC00000E3
STATUS_CANCELLED = 0xC0000120

# How long a break or a change may take.
SOON = 20

NONE, READ, HANDLE, WRITE = 0, 1, 2, 4
EXCLUSIVE = LockFlags.SMB2_LOCKFLAG_EXCLUSIVE_LOCK
SHARED = LockFlags.SMB2_LOCKFLAG_SHARED_LOCK
NOW = LockFlags.SMB2_LOCKFLAG_FAIL_IMMEDIATELY
UNLOCK = LockFlags.SMB2_LOCKFLAG_UNLOCK


class Breaks:
    """The breaks that a connection is sent. They answer no request, which is all that smbprotocol knows of."""

    def __init__(self, conn):
        self.conn = conn
        self.received = queue.Queue()
        # What smbprotocol's thread asks of the request to which a message belongs.
        self.session_id = 0
        self.async_id = None
        self.message = SMB2HeaderRequest()
        self.response_event = threading.Event()
        self.response_event_lock = threading.Lock()
        conn.outstanding_requests[0xFFFFFFFFFFFFFFFF] = self

    @property
    def response(self):
        return None

    @response.setter
    def response(self, header):
        expect(header["command"].get_value() == Commands.SMB2_OPLOCK_BREAK, "only breaks come unasked")
        self.received.put(header["data"].get_value())

    def next(self):
        try:
            return self.received.get(timeout=SOON)
        except queue.Empty:
            raise AssertionError("no break came") from None

    def none(self):
        """True if none has come by the time that the server has answered another request."""
        self.conn.echo()
        return self.received.empty()

    def oplock(self, file):
        """The next break, of this file's oplock: its new level."""
        size, level, _, _, file_id = struct.unpack("<HBBI16s", self.next())
        expect(size == 24 and file_id == file.file_id, "the break of this file's oplock")
        return level

    def lease(self, key):
        """The next break, of the lease with this key: new epoch, flags, old and new state."""
        fields = struct.unpack("<HHI16sIIIII", self.next())
        expect(fields[0] == 44 and fields[3] == key and fields[6:] == (0, 0, 0), f"a lease's break: {fields}")
        return fields[1], fields[2], fields[4], fields[5]


class Acknowledgment(Structure):
    """[MS-SMB2] 2.2.24: the same bytes as the answer has."""

    COMMAND = Commands.SMB2_OPLOCK_BREAK

    def __init__(self, data=b""):
        self.fields = OrderedDict([("data", BytesField(size=lambda _: len(data), default=data))])
        super().__init__()


def acknowledge(data, packed):
    """Sends an acknowledgment; what the server says to it."""
    request = data.session.connection.send(Acknowledgment(packed), data.session.session_id, data.tree_connect_id)
    return data.session.connection.receive(request, timeout=SOON)["data"].get_value()


def acknowledge_oplock(file, level):
    packed = struct.pack("<HBBI16s", 24, level, 0, 0, file.file_id)
    expect(acknowledge(file.tree_connect, packed) == packed, "the answer repeats the acknowledgment")


def acknowledge_lease(data, key, state):
    packed = struct.pack("<HHI16sIQ", 36, 0, 0, key, state, 0)
    expect(acknowledge(data, packed) == packed, "the answer repeats the acknowledgment")


def create(data, name, oplock=0, contexts=None, disposition=CreateDisposition.FILE_OPEN_IF, directory=False):
    """Sends a CREATE that shares everything; the open, and what waits for the answer and gives its contexts."""
    made = Open(data, name)
    access = FilePipePrinterAccessMask.GENERIC_READ
    if not directory:
        access |= FilePipePrinterAccessMask.GENERIC_WRITE | FilePipePrinterAccessMask.DELETE
    message, receive = made.create(
        ImpersonationLevel.Impersonation,
        access,
        FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
        disposition,
        CreateOptions.FILE_DIRECTORY_FILE if directory else CreateOptions.FILE_NON_DIRECTORY_FILE,
        create_contexts=contexts,
        oplock_level=oplock,
        send=False,
    )
    conn = data.session.connection
    request = conn.send(message, data.session.session_id, data.tree_connect_id)
    return made, lambda: receive(request)


def opened(data, name, **more):
    made, receive = create(data, name, **more)
    receive()
    return made


def element(offset, length, flags):
    made = SMB2LockElement()
    made["offset"], made["length"], made["flags"] = offset, length, flags
    return made


def lock(file, *elements):
    """Locks at once or is refused; the status."""
    try:
        file.lock([element(*each) for each in elements])
        return 0
    except Exception as error:  # noqa: BLE001
        return status_of(error)


def waiting_lock(file, offset, length, flags):
    """A LOCK that the server has said to be waiting."""
    message, receive = file.lock([element(offset, length, flags)], send=False)
    data = file.tree_connect
    conn = data.session.connection
    request = conn.send(message, data.session.session_id, data.tree_connect_id)
    # Not by `receive`, which forgets the request.
    expect(request.response_event.wait(SOON), "an answer to the LOCK")
    expect(request.response["status"].get_value() == STATUS_PENDING, "the LOCK waits")
    return request, lambda: receive(request)


def status(call):
    """The status with which this is refused; 0 if it is not."""
    try:
        call()
        return 0
    except Exception as error:  # noqa: BLE001
        return status_of(error)


def locks(alices, bobs):
    one, other = opened(alices, "locked"), opened(bobs, "locked")
    one.write(b"x" * 100, 0)

    expect(lock(one, (10, 10, EXCLUSIVE | NOW)) == 0, "an exclusive lock")
    for flags in (EXCLUSIVE | NOW, SHARED | NOW):
        expect(lock(other, (19, 1, flags)) == STATUS_LOCK_NOT_GRANTED, "a lock of its last byte")
        expect(lock(other, (20, 1, flags)) == 0, "a lock behind it")
        expect(lock(other, (20, 1, UNLOCK)) == 0, "its end")
    expect(status(lambda: other.read(15, 1)) == STATUS_FILE_LOCK_CONFLICT, "another's READ in it")
    expect(status(lambda: other.write(b"y", 15)) == STATUS_FILE_LOCK_CONFLICT, "another's WRITE in it")
    expect(status(lambda: other.write(b"y" * 30, 0)) == STATUS_FILE_LOCK_CONFLICT, "another's WRITE around it")
    expect(other.read(0, 10) == b"x" * 10 and other.read(20, 5) == b"x" * 5, "another's READs beside it")
    expect(one.read(5, 20) == b"x" * 20 and one.write(b"x", 15) == 1, "the owner's READ and WRITE")
    again = opened(alices, "locked")
    expect(lock(again, (15, 1, EXCLUSIVE | NOW)) == STATUS_LOCK_NOT_GRANTED, "the owner's other open")
    again.close()

    expect(lock(other, (10, 10, UNLOCK)) == STATUS_RANGE_NOT_LOCKED, "another's UNLOCK")
    expect(lock(one, (10, 9, UNLOCK)) == STATUS_RANGE_NOT_LOCKED, "an UNLOCK of a part")
    # All of several ranges or none.
    wanted = [(0, 1, EXCLUSIVE | NOW), (1, 1, SHARED | NOW), (12, 1, EXCLUSIVE | NOW)]
    expect(lock(other, *wanted) == STATUS_LOCK_NOT_GRANTED, "three ranges of which one is held")
    expect(lock(one, (0, 2, EXCLUSIVE | NOW), (30, 1, SHARED | NOW)) == 0, "the other two are free")
    expect(lock(one, (0, 2, UNLOCK), (30, 1, UNLOCK), (10, 10, UNLOCK)) == 0, "three UNLOCKs")

    expect(lock(one, (0, 50, SHARED | NOW)) == 0 and lock(other, (40, 20, SHARED | NOW)) == 0, "two shared locks")
    expect(lock(other, (0, 1, EXCLUSIVE | NOW)) == STATUS_LOCK_NOT_GRANTED, "an exclusive one beside a shared one")
    expect(other.read(0, 50) == b"x" * 50, "another's READ in a shared lock")
    expect(status(lambda: other.write(b"y", 0)) == STATUS_FILE_LOCK_CONFLICT, "another's WRITE in a shared lock")
    expect(lock(one, (0, 50, UNLOCK)) == 0 and lock(other, (40, 20, UNLOCK)) == 0, "their ends")

    # Beyond 32 bits and the end of the file.
    far = 1 << 62
    expect(lock(one, (far, 1, EXCLUSIVE | NOW)) == 0, "a lock far away")
    expect(lock(other, (far, 1, SHARED | NOW)) == STATUS_LOCK_NOT_GRANTED, "it is held")
    expect(lock(other, (far - (1 << 32), 1, SHARED | NOW)) == 0, "another far away")

    # Waiting: ended by an UNLOCK, a CANCEL, a CLOSE.
    expect(lock(one, (0, 10, EXCLUSIVE | NOW)) == 0, "an exclusive lock")
    _, granted = waiting_lock(other, 5, 10, EXCLUSIVE)
    other.connection.echo()
    expect(lock(one, (0, 10, UNLOCK)) == 0, "its end")
    granted()
    request, refused = waiting_lock(one, 0, 10, SHARED)
    request.cancel()
    expect(status(refused) == STATUS_CANCELLED, "a cancelled LOCK")
    _, granted = waiting_lock(one, 0, 10, EXCLUSIVE)
    other.close()
    granted()
    one.close()


def oplocks(alices, bobs):
    levels = RequestedOplockLevel
    breaks, bobs_breaks = Breaks(alices.session.connection), Breaks(bobs.session.connection)
    one = opened(alices, "oplocked", oplock=levels.SMB2_OPLOCK_LEVEL_BATCH)
    expect(one.oplock_level == levels.SMB2_OPLOCK_LEVEL_BATCH, "a batch oplock")
    one.write(b"cached", 0)

    # The second client waits until the first has said that it has written what it had.
    other, answered = create(bobs, "oplocked", oplock=levels.SMB2_OPLOCK_LEVEL_BATCH)
    expect(breaks.oplock(one) == levels.SMB2_OPLOCK_LEVEL_II, "a break to level II")
    expect(not other.connected, "the second CREATE waits")
    one.write(b"and written", 0)
    acknowledge_oplock(one, levels.SMB2_OPLOCK_LEVEL_II)
    answered()
    expect(other.oplock_level == levels.SMB2_OPLOCK_LEVEL_II, "level II for both")
    expect(other.read(0, 11) == b"and written", "what the first wrote at the break")
    other.write(b"by the other", 0)
    expect(breaks.oplock(one) == levels.SMB2_OPLOCK_LEVEL_NONE, "a break to none by a WRITE")
    expect(bobs_breaks.oplock(other) == levels.SMB2_OPLOCK_LEVEL_NONE, "the writer's own level II goes as well")
    packed = struct.pack("<HBBI16s", 24, levels.SMB2_OPLOCK_LEVEL_NONE, 0, 0, one.file_id)
    error = raised(lambda: acknowledge(alices, packed))
    expect(status_of(error) == STATUS_INVALID_OPLOCK_PROTOCOL, f"nobody waits for an acknowledgment of that: {error}")
    one.close(), other.close()

    # The first answers by its CLOSE.
    one = opened(alices, "oplocked", oplock=levels.SMB2_OPLOCK_LEVEL_EXCLUSIVE)
    expect(one.oplock_level == levels.SMB2_OPLOCK_LEVEL_EXCLUSIVE, "an exclusive oplock")
    other, answered = create(bobs, "oplocked", oplock=levels.SMB2_OPLOCK_LEVEL_BATCH)
    expect(breaks.oplock(one) == levels.SMB2_OPLOCK_LEVEL_II, "a break to level II")
    one.close()
    answered()
    expect(other.oplock_level == levels.SMB2_OPLOCK_LEVEL_BATCH, "the second has the file for itself")
    other.close()
    expect(breaks.none(), "no other break")


def wanted(key, state, epoch=0):
    """The context that asks for a lease of version 2."""
    made = SMB2CreateRequestLeaseV2()
    made["lease_key"], made["lease_state"] = key, state
    made["parent_lease_key"], made["epoch"] = b"\0" * 16, struct.pack("<H", epoch)
    context = SMB2CreateContextRequest()
    context["buffer_name"] = CreateContextName.SMB2_CREATE_REQUEST_LEASE_V2
    context["buffer_data"] = made
    return [context]


def granted(contexts):
    """State and epoch of the lease of version 2 in these answers."""
    found = [each for each in contexts or [] if hasattr(each, "fields") and "epoch" in each.fields]
    expect(len(found) == 1, f"one lease: {contexts}")
    return found[0]["lease_state"].get_value(), found[0]["epoch"].get_value()


def leases(alices, bobs):
    lease = RequestedOplockLevel.SMB2_OPLOCK_LEVEL_LEASE
    all_three = READ | HANDLE | WRITE
    mine, hers = Breaks(alices.session.connection), Breaks(bobs.session.connection)
    key, key2 = uuid.uuid4().bytes, uuid.uuid4().bytes

    one, answered = create(alices, "leased", oplock=lease, contexts=wanted(key, all_three, epoch=7))
    expect(granted(answered()) == (all_three, 8), "a lease for all, of the next epoch")
    # Another open with the same key shares the lease and breaks nothing.
    again, answered = create(alices, "leased", oplock=lease, contexts=wanted(key, all_three, epoch=8))
    expect(granted(answered()) == (all_three, 8) and mine.none(), "the same lease again")
    again.close()
    one.write(b"cached", 0)

    other, answered = create(bobs, "leased", oplock=lease, contexts=wanted(key2, all_three))
    epoch, flags, old, new = mine.lease(key)
    expect((epoch, flags, old, new) == (9, 1, all_three, READ | HANDLE), "a break of WRITE that waits for our word")
    expect(not other.connected, "the second CREATE waits")
    error = raised(lambda: acknowledge(alices, struct.pack("<HHI16sIQ", 36, 0, 0, key, all_three, 0)))
    expect(status_of(error) == STATUS_REQUEST_NOT_ACCEPTED, f"more than the break leaves: {error}")
    one.write(b"written", 0)
    acknowledge_lease(alices, key, READ | HANDLE)
    expect(granted(answered())[0] == READ | HANDLE, "both may read and keep it open")
    expect(other.read(0, 7) == b"written", "what the first wrote at the break")

    # A WRITE ends what the others have, and what the writer has stays.
    other.write(b"by the other", 0)
    epoch, flags, old, new = mine.lease(key)
    expect((epoch, flags, old, new) == (10, 1, READ | HANDLE, NONE), "a break to nothing")
    acknowledge_lease(alices, key, NONE)
    expect(hers.none(), "the writer's own lease stays")
    # Nothing left, and so nothing to acknowledge.
    error = raised(lambda: acknowledge(alices, struct.pack("<HHI16sIQ", 36, 0, 0, key, NONE, 0)))
    expect(status_of(error) in (0xC0000001, 0xC00000D0), f"an acknowledgment of nothing: {error}")
    one.close(), other.close()
    if not SAMBA:
        directory_leases(alices, bobs, mine)


def directory_leases(alices, bobs, breaks):
    lease = RequestedOplockLevel.SMB2_OPLOCK_LEVEL_LEASE
    key = uuid.uuid4().bytes
    # A name of its own for each dialect, so that what is made in it is new.
    name = f"folder {key.hex()}"
    folder, answered = create(alices, name, oplock=lease, contexts=wanted(key, READ | HANDLE), directory=True)
    state, epoch = granted(answered())
    expect(state == READ | HANDLE, f"a lease of a directory: {state}")
    opened(bobs, rf"{name}\new").close()
    new_epoch, _, old, new = breaks.lease(key)
    expect(new_epoch == epoch + 1 and old == READ | HANDLE and new & READ == 0, "a break by a new name")
    folder.close()


def leases_version_1(alices, bobs):
    lease = RequestedOplockLevel.SMB2_OPLOCK_LEVEL_LEASE
    breaks = Breaks(alices.session.connection)
    key = uuid.uuid4().bytes
    made = SMB2CreateRequestLease()
    made["lease_key"], made["lease_state"] = key, READ | HANDLE | WRITE
    context = SMB2CreateContextRequest()
    context["buffer_name"] = CreateContextName.SMB2_CREATE_REQUEST_LEASE
    context["buffer_data"] = made
    one, answered = create(alices, "leased 1", oplock=lease, contexts=[context])
    found = [each for each in answered() if hasattr(each, "fields") and "lease_state" in each.fields]
    expect(found and found[0]["lease_state"].get_value() == READ | HANDLE | WRITE, "a lease of version 1")
    other, answered = create(bobs, "leased 1")
    epoch, flags, _, new = breaks.lease(key)
    expect((epoch, flags, new) == (0, 1, READ | HANDLE), "its break, without an epoch")
    acknowledge_lease(alices, key, READ)
    answered()
    one.close(), other.close()


def watch(folder, tree_too=True, size=65536):
    watcher = FileSystemWatcher(folder)
    everything = 0xFFF
    watcher.start(everything, ChangeNotifyFlags.SMB2_WATCH_TREE if tree_too else 0, size)
    # The request is with the server once another has been answered.
    folder.connection.echo()
    return watcher


def told(folder, watcher, last, tree_too=True):
    """Actions and names of all changes up to one of the name `last`; watches on between answers."""
    seen = []
    while True:
        expect(watcher.response_event.wait(SOON), f"no word of {last}; so far {seen}")
        for change in watcher.result:
            seen.append((change["action"].get_value(), change["file_name"].get_value()))
        if any(name == last for _, name in seen):
            return seen
        watcher = watch(folder, tree_too)


def notify(alices, bobs):
    local = ARGUMENTS[1]
    added, removed = FileAction.FILE_ACTION_ADDED, FileAction.FILE_ACTION_REMOVED
    old, new = FileAction.FILE_ACTION_RENAMED_OLD_NAME, FileAction.FILE_ACTION_RENAMED_NEW_NAME
    modified = FileAction.FILE_ACTION_MODIFIED
    opened(bobs, "watched", directory=True).close()
    opened(bobs, "watched\\below", directory=True).close()
    folder = opened(alices, "watched", directory=True)

    # Another client.
    watcher = watch(folder)
    opened(bobs, "watched\\below\\file").close()
    seen = told(folder, watcher, "below\\file")
    expect((added, "below\\file") in seen, f"a new file below: {seen}")
    watcher = watch(folder)
    file = opened(bobs, "watched\\below\\file")
    file.write(b"more", 0)
    file.close()
    seen = told(folder, watcher, "below\\file")
    expect((modified, "below\\file") in seen, f"a written file: {seen}")
    watcher = watch(folder)
    file = opened(bobs, "watched\\below\\file")
    rename(file, "watched\\moved")
    seen = told(folder, watcher, "moved")
    # Out of one folder into another, both watched.
    expect(seen[0] in ((removed, "below\\file"), (old, "below\\file")), f"a moved file's old name: {seen}")
    expect(seen[-1] in ((added, "moved"), (new, "moved")), f"a moved file's new name: {seen}")
    watcher = watch(folder)
    rename(file, "watched\\moved again")
    seen = told(folder, watcher, "moved again")
    expect([(old, "moved"), (new, "moved again")] == [each for each in seen if each[0] in (old, new)], f"{seen}")
    watcher = watch(folder)
    file.close()
    delete(bobs, "watched\\moved again")
    seen = told(folder, watcher, "moved again")
    while not (removed, "moved again") in seen:
        seen += told(folder, watch(folder), "moved again")

    # The server's own machine, if it tells of that.
    watcher = watch(folder)
    inside = os.path.join(local, "watched")
    with open(os.path.join(inside, "by hand"), "w"):
        pass
    seen = told(folder, watcher, "by hand")
    expect((added, "by hand") in seen, f"a file made by hand: {seen}")
    watcher = watch(folder)
    os.rename(os.path.join(inside, "by hand"), os.path.join(inside, "by other hand"))
    seen = told(folder, watcher, "by other hand")
    expect(seen[-1] in ((new, "by other hand"), (added, "by other hand")), f"renamed by hand: {seen}")
    watcher = watch(folder)
    os.remove(os.path.join(inside, "by other hand"))
    seen = told(folder, watcher, "by other hand")
    while not (removed, "by other hand") in seen:
        seen += told(folder, watch(folder), "by other hand")

    # More than its buffer takes; and no answer at all.
    watcher = watch(folder, size=16)
    opened(bobs, "watched\\a name of more than eight letters").close()
    expect(watcher.response_event.wait(SOON) and watcher.result == [], "NOTIFY_ENUM_DIR")
    watcher = watch(folder, tree_too=False)
    while watcher._request.response is None:
        folder.connection.echo()
    watcher.cancel()
    expect(watcher.response_event.wait(SOON) and watcher.result is None, "a cancelled request is answered")
    # The changes between two requests are kept.
    folder.close()


def rename(file, name):
    """Renames an open file: FileRenameInformation ([MS-FSCC] 2.4.37.2)."""
    set_info(file, 10, struct.pack("<B7xQI", 0, 0, len(name) * 2) + name.encode("utf-16-le"))


def delete(data, name):
    file = opened(data, name)
    set_info(file, 13, b"\1")
    file.close()


def set_info(file, info_class, buffer):
    from smbprotocol.open import SMB2SetInfoRequest

    message = SMB2SetInfoRequest()
    message["info_type"], message["file_info_class"] = 1, info_class
    message["file_id"], message["buffer"] = file.file_id, buffer
    data = file.tree_connect
    conn = data.session.connection
    conn.receive(conn.send(message, data.session.session_id, data.tree_connect_id), timeout=SOON)


def main():
    what = ARGUMENTS[0]
    runs = {
        "locks": [(locks, None), (locks, Dialects.SMB_2_0_2)],
        "oplocks": [(oplocks, None), (oplocks, Dialects.SMB_2_0_2)],
        "leases": [(leases, None), (leases, Dialects.SMB_3_0_0), (leases_version_1, Dialects.SMB_2_1_0)],
        "notify": [(notify, None)],
    }[what]
    for run, dialect in runs:
        connections = [connection(dialect), connection(dialect)]
        trees = [tree(session(conn, user), "data") for conn, user in zip(connections, (ALICE, BOB))]
        run(*trees)
        for conn in connections:
            conn.disconnect()
    print(f"{what}: {len(runs)} times")


main()
