"""srvsvc.py HOST PORT CASE [ndr20|ndr64]: NetrSessionEnum and NetrSessionDel with impacket."""

import struct

from common import (
    ADMIN, ALICE, ARGUMENTS, BOB, HOST, IMPACKET_DIALECT, PORT, SAMBA, connection, expect, opened, raised,
    session, tree,
)
from impacket.dcerpc.v5 import srvs, transport
from impacket.dcerpc.v5.dtypes import NULL
from impacket.dcerpc.v5.rpcrt import DCERPC_v5, DCERPCException
from impacket.uuid import bin_to_uuidtup

NDR64 = len(ARGUMENTS) > 1 and ARGUMENTS[1] == "ndr64"
LEVELS = [0, 1] if SAMBA else [0, 1, 2, 10, 502]
EVERYTHING = 0xFFFFFFFF
CLIENT = "127.0.0.1"

ACCESS_DENIED, INVALID_PARAMETER, INVALID_LEVEL, MORE_DATA = 5, 87, 124, 234
USER_NOT_FOUND, CLIENT_NAME_NOT_FOUND, INVALID_COMPUTER = 2221, 2312, 2351


def bound(user):
    """A pipe to srvsvc, bound in the chosen syntax."""
    pipe = transport.DCERPCTransportFactory(rf"ncacn_np:{HOST}[\pipe\srvsvc]")
    pipe.set_dport(PORT)
    pipe.set_credentials(*user)
    pipe.setRemoteHost(HOST)
    if IMPACKET_DIALECT is not None:
        pipe.preferred_dialect(IMPACKET_DIALECT)
    dce = pipe.get_dce_rpc()
    dce.connect()
    syntax = DCERPC_v5.NDR64Syntax if NDR64 else DCERPC_v5.NDRSyntax
    dce.bind(srvs.MSRPC_UUID_SRVS, transfer_syntax=bin_to_uuidtup(syntax))
    expect(dce.transfer_syntax == syntax, "the server took the syntax that was offered")
    return dce


class Stub:
    """Request bytes made here, for what impacket's own types cannot say."""

    def __init__(self):
        self.bytes = b""
        self.referent = 0

    def align(self, to):
        # Padding has any content.
        self.bytes += b"\xaa" * (-len(self.bytes) % to)

    def dword(self, value):
        self.align(4)
        self.bytes += struct.pack("<I", value)

    def word(self, value):
        """4 bytes in NDR 2.0, 8 in NDR64."""
        self.align(8 if NDR64 else 4)
        self.bytes += struct.pack("<Q" if NDR64 else "<I", value)

    def pointer(self, present=True):
        self.referent += 4
        self.word(0x20000 + self.referent if present else 0)

    def string(self, text):
        self.pointer(text is not None)
        if text is not None:
            count = len(text) + 1
            self.word(count), self.word(0), self.word(count)
            self.bytes += (text + "\0").encode("utf-16-le")


def enum_stub(client=None, user=None, level=10, pref=EVERYTHING, resume=0, arm=True, server="\\\\srv"):
    stub = Stub()
    stub.string(server), stub.string(client), stub.string(user)
    if NDR64:
        stub.align(8)
    stub.dword(level)
    if NDR64:
        stub.align(8)
    stub.dword(level)
    stub.pointer(arm)
    if arm:
        stub.dword(0)
        stub.word(0)
    stub.dword(pref)
    stub.pointer(resume is not None)
    if resume is not None:
        stub.dword(resume)
    return stub.bytes


def del_stub(client=None, user=None):
    stub = Stub()
    stub.string("\\\\srv"), stub.string(client), stub.string(user)
    return stub.bytes


def answer(dce, opnum, stub):
    dce.call(opnum, stub)
    return dce.recv()


def code(dce, opnum, stub):
    return struct.unpack("<I", answer(dce, opnum, stub)[-4:])[0]


def enum_code(dce, **more):
    return code(dce, 12, enum_stub(**more))


def page(dce, **more):
    """Result, rows of level 10 as (client, user), TotalEntries and ResumeHandle."""
    reply = srvs.NetrSessionEnumResponse(answer(dce, 12, enum_stub(level=10, **more)), isNDR64=NDR64)
    rows = reply["InfoStruct"]["SessionInfo"]["Level10"]["Buffer"] or []
    rows = [(text(row["sesi10_cname"]), text(row["sesi10_username"])) for row in rows]
    return reply["ErrorCode"], rows, reply["TotalEntries"], reply["ResumeHandle"]


def text(value):
    return value.rstrip("\0")


def rows_of(dce, level, client=NULL, user=NULL):
    reply = srvs.hNetrSessionEnum(dce, client, user, level)
    rows = reply["InfoStruct"]["SessionInfo"][f"Level{level}"]["Buffer"]
    expect(reply["TotalEntries"] == len(rows), f"level {level}: TotalEntries")
    return rows


def levels():
    """Every level, through impacket's own helper."""
    dce = bound(ADMIN)
    conn = connection()
    sess = session(conn, ALICE)
    data = tree(sess, "data")
    file = opened(data, "held.txt", create=True)
    for level in LEVELS:
        rows = rows_of(dce, level)
        prefix = f"sesi{level}_"
        names = [text(row[prefix + "cname"]) for row in rows]
        expect(all(name.lstrip("\\") == CLIENT for name in names), f"level {level}: {names}")
        if not SAMBA:
            bare = level == 502
            expect(all(name.startswith("\\\\") != bare for name in names), f"level {level}: {names}")
        if level == 0:
            expect(len(names) >= 2, f"level 0: {names}")
            continue
        users = [text(row[prefix + "username"]) for row in rows]
        expect(sorted(users) == ["admin", "alice"], f"level {level}: {users}")
        row = rows[users.index("alice")]
        if not SAMBA:
            expect(row[prefix + "time"] < 60, f"level {level}: {row[prefix + 'time']} s")
            expect(row[prefix + "idle_time"] <= row[prefix + "time"], f"level {level}: idle")
        if level in (1, 2, 502):
            expect(row[prefix + "num_opens"] == 1, f"level {level}: {row[prefix + 'num_opens']} opens")
            expect(row[prefix + "user_flags"] == 0, f"level {level}: no guest")
        if level in (2, 502):
            expect(text(row[prefix + "cltype_name"]) == "", f"level {level}: client type")
        if level == 502:
            expect(text(row["sesi502_transport"]) != "", "a transport")
    file.close()


def fragments():
    """An answer of many fragments: impacket takes what a READ gives for one of them."""
    dce = bound(ADMIN)
    conn = connection()
    kept = [session(conn, user) for user in (ALICE, BOB) * 60]
    for level in LEVELS:
        rows = rows_of(dce, level)
        expect(len(rows) == len(kept) + 1, f"level {level}: {len(rows)} rows")


def filters():
    """ClientName and UserName, alone and together, in every spelling that is allowed."""
    dce = bound(ADMIN)
    kept = [tree(session(connection(), user), "data") for user in (ALICE, BOB, BOB)]
    for client, user, wanted in [
        (None, None, ["admin", "alice", "bob", "bob"]),
        ("", "", ["admin", "alice", "bob", "bob"]),
        ("\\\\127.0.0.1", None, ["admin", "alice", "bob", "bob"]),
        (None, "alice", ["alice"]),
        (None, "ALICE", ["alice"]),
        (None, "bob", ["bob", "bob"]),
        ("\\\\127.0.0.1", "bob", ["bob", "bob"]),
    ]:
        result, rows, total, resume = page(dce, client=client, user=user)
        expect((result, total, resume) == (0, len(wanted), 0), f"{client} {user}: {result} {total} {resume}")
        expect(sorted(row[1] for row in rows) == wanted, f"{client} {user}: {rows}")
    for level in LEVELS:
        rows = rows_of(dce, level, "\\\\127.0.0.1\0", "alice\0")
        expect(len(rows) == 1, f"level {level}: {len(rows)} rows")
        rows = rows_of(dce, level, "\0", NULL)
        expect(len(rows) == 4, f"level {level}: an empty string is no filter")
    expect(len(kept) == 3, "kept until here")


def paging():
    """ResumeHandle and PreferedMaximumLength."""
    dce = bound(ADMIN)
    kept = [tree(session(connection(), user), "data") for user in (ALICE, BOB, ALICE, BOB, ALICE)]
    for pref in (0, 1, 100, 200, 4096, EVERYTHING):
        seen, resume, calls = [], 0, 0
        while True:
            result, rows, total, resume = page(dce, pref=pref, resume=resume)
            calls += 1
            seen += rows
            expect(total == 6 - len(seen) + len(rows), f"pref {pref}: {total} left")
            if result == 0:
                break
            expect(result == MORE_DATA and rows and resume != 0, f"pref {pref}: {result} {rows} {resume}")
            expect(calls < 20, f"pref {pref}: never ends")
        expect(len(seen) == 6 and resume == 0, f"pref {pref}: {seen} {resume}")
        if pref == 1:
            expect(calls == 6, f"one by one: {calls} calls")
        if pref == EVERYTHING:
            expect(calls == 1, "everything at once")
    # Filtered pages.
    result, rows, total, resume = page(dce, pref=1, user="alice")
    expect((result, len(rows), total) == (MORE_DATA, 1, 3), f"first of alice: {result} {rows} {total}")
    result, rows, total, resume = page(dce, user="alice", resume=resume)
    expect((result, len(rows), total) == (0, 2, 2), f"rest of alice: {result} {rows} {total}")
    # A caller without a handle gets everything that fits; one behind the end gets nothing.
    expect(page(dce, resume=None)[0] == 0, "no handle")
    result, rows, total, _ = page(dce, resume=0x7FFFFFFF)
    expect((result, rows, total) == (0, [], 0), f"behind the end: {result} {rows} {total}")
    expect(len(kept) == 5, "kept until here")


def codes():
    """5, 87, 124, 2221, 2312 and 2351, and which comes first."""
    dce = bound(ADMIN)
    long, longest = "\\\\" + "n" * 1022, "\\\\" + "n" * 1021
    for wanted, more in [
        (INVALID_LEVEL, {"level": 3}),
        (INVALID_LEVEL, {"level": 0xFFFFFFFF, "arm": False}),
        (INVALID_LEVEL, {"level": 3, "client": "nobackslashes"}),
        (INVALID_COMPUTER, {"client": "127.0.0.1"}),
        (INVALID_COMPUTER, {"client": "\\127.0.0.1"}),
        (INVALID_COMPUTER, {"client": "n" * 2000}),
        (INVALID_PARAMETER, {"client": long}),
        (INVALID_PARAMETER, {"user": "u" * 1024}),
        (CLIENT_NAME_NOT_FOUND, {"client": longest}),
        (CLIENT_NAME_NOT_FOUND, {"client": "\\\\192.0.2.1"}),
        (CLIENT_NAME_NOT_FOUND, {"client": "\\\\127.0.0.1", "user": "nobody"}),
        (USER_NOT_FOUND, {"user": "nobody"}),
        (USER_NOT_FOUND, {"user": "u" * 1023}),
        (0, {"arm": False}),
        (0, {"server": None}),
    ]:
        got = enum_code(dce, **more)
        expect(got == wanted, f"enum {str(more)[:80]}: {got} instead of {wanted}")
    for wanted, client, user in [
        (INVALID_PARAMETER, None, None),
        (INVALID_PARAMETER, "", ""),
        (INVALID_PARAMETER, long, None),
        (INVALID_PARAMETER, None, "u" * 1024),
        (CLIENT_NAME_NOT_FOUND, "127.0.0.1", None),
        (CLIENT_NAME_NOT_FOUND, "\\\\192.0.2.1", None),
        (CLIENT_NAME_NOT_FOUND, "\\\\127.0.0.1", "nobody"),
        (CLIENT_NAME_NOT_FOUND, None, "nobody"),
    ]:
        got = code(dce, 13, del_stub(client, user))
        expect(got == wanted, f"del {str((client, user))[:80]}: {got} instead of {wanted}")
    # An ordinary user gets 5, whatever else is wrong.
    other = bound(ALICE)
    for level in [0, 1, 2, 10, 502, 3]:
        expect(enum_code(other, level=level) == ACCESS_DENIED, f"alice at level {level}")
    expect(enum_code(other, client="nobackslashes") == ACCESS_DENIED, "access comes first")
    expect(code(other, 13, del_stub(None, None)) == ACCESS_DENIED, "del: access comes first")
    expect(code(other, 13, del_stub("\\\\127.0.0.1", "admin")) == ACCESS_DENIED, "alice may not end")
    error = raised(lambda: srvs.hNetrSessionEnum(other, NULL, NULL, 10), DCERPCException)
    expect(not isinstance(error, srvs.DCERPCSessionError) or error.get_error_code() == 5, f"{error!r}")
    # An operation number that does not exist is a fault, and the pipe goes on.
    error = raised(lambda: answer(dce, 4000, b""), DCERPCException)
    expect("op_rng" in str(error) or "0x1c010002" in str(error).lower(), f"{error!r}")
    expect(enum_code(dce) == 0, "the pipe goes on")


def ending():
    """NetrSessionDel through impacket's helper."""
    dce = bound(ADMIN)
    one, two, three = (connection() for _ in range(3))
    alice, bob, other_bob = session(one, ALICE), session(two, BOB), session(three, BOB)
    trees = [tree(alice, "data"), tree(bob, "data"), tree(other_bob, "data")]
    srvs.hNetrSessionDel(dce, "\\\\127.0.0.1\0", "bob\0")
    expect(page(dce)[2] == 2, "both of bob's sessions are gone")
    opened(trees[0], "alive.txt", create=True).close()
    for dead in trees[1:]:
        raised(lambda dead=dead: opened(dead, "dead.txt", create=True))
    error = raised(lambda: srvs.hNetrSessionDel(dce, "\\\\127.0.0.1\0", "bob\0"), srvs.DCERPCSessionError)
    expect(error.get_error_code() == CLIENT_NAME_NOT_FOUND, f"again: {error!r}")
    srvs.hNetrSessionDel(dce, NULL, "Alice\0")
    expect(page(dce)[2] == 1, "only admin is left")


def own():
    """A caller ends its own session: the answer arrives, then nothing more works."""
    dce = bound(ADMIN)
    try:
        srvs.hNetrSessionDel(dce, NULL, "admin\0")
    except DCERPCException:
        raise
    except Exception:  # noqa: BLE001
        expect(SAMBA, "the reply leaves before the session ends")
    raised(lambda: enum_code(dce))
    fresh = bound(ADMIN)
    expect(page(fresh)[2] == 1, "only the new session is left")


def neighbours():
    """What tools call on the way to a session list."""
    dce = bound(ADMIN)
    for level in (100, 101, 102):
        info = srvs.hNetrServerGetInfo(dce, level)["InfoStruct"][f"ServerInfo{level}"]
        expect(text(info[f"sv{level}_name"]) != "", f"a name at level {level}")
    for level in (0, 1, 2, 501, 502):
        try:
            reply = srvs.hNetrShareEnum(dce, level)
        except KeyError:
            continue  # impacket has no arm for the level
        rows = reply["InfoStruct"]["ShareInfo"][f"Level{level}"]["Buffer"]
        names = {text(row[f"shi{level}_netname"]).lower() for row in rows}
        expect({"data", "docs", "ipc$"} <= names, f"shares at level {level}: {names}")
    for level in (0, 1, 2, 501, 502, 1005):
        srvs.hNetrShareGetInfo(dce, "data\0", level)
    error = raised(lambda: srvs.hNetrShareGetInfo(dce, "nothere\0", 1), DCERPCException)
    expect(error.get_error_code() == (123 if SAMBA else 2310), f"{error.get_error_code()}")
    expect(srvs.hNetrRemoteTOD(dce)["BufferPtr"]["tod_elapsedt"] > 1_700_000_000, "the time of day")
    sess = session(connection(), ALICE)
    data = tree(sess, "data")
    file = opened(data, "held.txt", create=True)
    for level in (0, 1):
        rows = srvs.hNetrConnectionEnum(dce, "data\0", level)["InfoStruct"]["ConnectInfo"]
        expect(len(rows[f"Level{level}"]["Buffer"]) == 1, f"connections at level {level}")
    for level in (3,) if SAMBA else (2, 3):
        reply = srvs.hNetrFileEnum(dce, NULL, "alice\0", level)
        rows = reply["InfoStruct"]["FileInfo"][f"Level{level}"]["Buffer"]
        expect(len(rows) == 1, f"files at level {level}: {len(rows)}")
    expect("held.txt" in rows[0]["fi3_path_name"], f"its name: {rows[0]['fi3_path_name']}")
    if SAMBA:
        return
    number = rows[0]["fi3_id"]
    expect(srvs.hNetrFileGetInfo(dce, number, 3)["InfoStruct"]["FileInfo3"]["fi3_id"] == number, "the id")
    srvs.hNetrFileClose(dce, number)
    raised(lambda: file.read(0, 1))
    opened(data, "held.txt", write=False).close()
    error = raised(lambda: srvs.hNetrFileGetInfo(dce, number, 3), DCERPCException)
    expect(error.get_error_code() == 2314, f"{error!r}")


CASES = [levels, fragments, filters, paging, codes, ending, own, neighbours]
{case.__name__: case for case in CASES}[ARGUMENTS[0]]()
