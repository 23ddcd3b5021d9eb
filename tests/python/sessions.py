"""sessions.py HOST PORT CASE: what a row of the session list means.

An administrator's pipe (impacket) watches sessions that smbprotocol makes here.
"""

import time

from common import (
    ADMIN, ALICE, ARGUMENTS, BOB, HOST, PORT, STATUS_USER_SESSION_DELETED, bind_source, connection,
    expect, opened, raised, session, status_of, tree,
)
from impacket.dcerpc.v5 import srvs, transport
from impacket.dcerpc.v5.dtypes import NULL

CLIENT = "\\\\127.0.0.1\0"


class Watch:
    """The session list through a pipe of an administrator."""

    def __init__(self):
        pipe = transport.DCERPCTransportFactory(rf"ncacn_np:{HOST}[\pipe\srvsvc]")
        pipe.set_dport(PORT)
        pipe.set_credentials(*ADMIN)
        pipe.setRemoteHost(HOST)
        self.dce = pipe.get_dce_rpc()
        self.dce.connect()
        self.dce.bind(srvs.MSRPC_UUID_SRVS)

    def rows(self):
        reply = srvs.hNetrSessionEnum(self.dce, NULL, NULL, 502)
        return [
            {
                "client": row["sesi502_cname"].rstrip("\0"),
                "user": row["sesi502_username"].rstrip("\0"),
                "opens": row["sesi502_num_opens"],
                "time": row["sesi502_time"],
                "idle": row["sesi502_idle_time"],
                "flags": row["sesi502_user_flags"],
            }
            for row in reply["InfoStruct"]["SessionInfo"]["Level502"]["Buffer"]
        ]

    def of(self, user):
        """The rows of one user."""
        return [row for row in self.rows() if row["user"] == user]

    def one(self, user):
        rows = self.of(user)
        expect(len(rows) == 1, f"one session of {user}: {rows}")
        return rows[0]

    def end(self, client, user):
        srvs.hNetrSessionDel(self.dce, client, user)


def two_users():
    """Two users on one client computer and one TCP connection: two rows; one is ended."""
    watch = Watch()
    for dialect in dialects():
        conn = connection(dialect)
        alice, bob = session(conn, ALICE), session(conn, BOB)
        at, bt = tree(alice, "data"), tree(bob, "data")
        af, bf = opened(at, "alice.txt", create=True), opened(bt, "bob.txt", create=True)
        af.write(b"of alice", 0), bf.write(b"of bob", 0)
        expect((watch.one("alice")["opens"], watch.one("bob")["opens"]) == (1, 1), "an open each")
        expect(watch.one("alice")["client"] == watch.one("bob")["client"] == "127.0.0.1", "one client")
        watch.end(CLIENT, "bob\0")
        expect(watch.of("bob") == [], "bob's session is gone")
        status = status_of(raised(lambda: bf.read(0, 6)))
        expect(status == STATUS_USER_SESSION_DELETED, f"{dialect:#x}: bob's next request: {status}")
        status = status_of(raised(lambda: opened(bt, "bob.txt")))
        expect(status == STATUS_USER_SESSION_DELETED, f"{dialect:#x}: and the one after: {status}")
        expect(af.read(0, 8) == b"of alice", "alice goes on reading, on the same connection")
        expect(watch.one("alice")["opens"] == 1, "her file is still open")
        # He may come back over the same connection.
        again = session(conn, BOB)
        opened(tree(again, "data"), "bob.txt", write=False).close()
        expect(len(watch.of("bob")) == 1, "bob is back")
        del conn.session_table[bob.session_id]
        conn.disconnect()
        wait_for(lambda: len(watch.rows()) == 1, "a connection's end ends its sessions")


def dialects():
    from smbprotocol import Dialects

    return [Dialects.SMB_2_0_2, Dialects.SMB_2_1_0, Dialects.SMB_3_0_0, Dialects.SMB_3_0_2, Dialects.SMB_3_1_1]


def two_shares():
    """A second share joins the session; leaving one keeps it."""
    watch = Watch()
    sess = session(connection(), ALICE)
    data = tree(sess, "data")
    expect(watch.one("alice")["opens"] == 0, "a share alone opens nothing")
    docs = tree(sess, "docs")
    held = opened(docs, "readme.txt", write=False)
    other = opened(data, "two.txt", create=True)
    expect(watch.one("alice")["opens"] == 2, "opens in both shares count")
    docs.disconnect()
    expect(watch.one("alice")["opens"] == 1, "a tree's end closes its opens")
    raised(lambda: held.read(0, 1))
    other.close()
    sess.open_table.clear()
    data.disconnect()
    expect(watch.one("alice")["opens"] == 0, "a session outlives its trees")
    sess.disconnect()
    expect(watch.of("alice") == [], "a logoff ends it")


def same_user():
    """One user with two connections: two rows; a filter by user ends both."""
    watch = Watch()
    one, two = session(connection(), ALICE), session(connection(), ALICE)
    trees = [tree(one, "data"), tree(two, "data")]
    expect(len(watch.of("alice")) == 2, "two rows")
    watch.end(NULL, "ALICE\0")
    expect(watch.of("alice") == [], "none left")
    for dead in trees:
        status = status_of(raised(lambda dead=dead: opened(dead, "dead.txt", create=True)))
        expect(status == STATUS_USER_SESSION_DELETED, f"{status}")


def clients():
    """Sessions of several client computers; the client's name selects among them."""
    watch = Watch()
    trees = {}
    for source in ("127.0.0.2", "127.0.0.3"):
        bind_source(source)
        conn = connection()
        trees[source] = [tree(session(conn, user), "data") for user in (ALICE, BOB)]
    rows = sorted((row["client"], row["user"]) for row in watch.rows())
    expect(rows == [("127.0.0.1", "admin")] + [(f"127.0.0.{n}", u) for n in (2, 3) for u in ("alice", "bob")], f"{rows}")
    watch.end("\\\\127.0.0.3\0", "bob\0")
    expect(len(watch.rows()) == 4, "one of one client")
    raised(lambda: opened(trees["127.0.0.3"][1], "dead.txt", create=True))
    opened(trees["127.0.0.3"][0], "alive.txt", create=True).close()
    watch.end("\\\\127.0.0.2\0", NULL)
    rows = sorted((row["client"], row["user"]) for row in watch.rows())
    expect(rows == [("127.0.0.1", "admin"), ("127.0.0.3", "alice")], f"{rows}")
    opened(trees["127.0.0.3"][0], "alive.txt", create=True).close()


def idle():
    """Idle time grows and falls back; active time only grows; opens rise and fall."""
    watch = Watch()
    data = tree(session(connection(), ALICE), "data")
    files = []
    for number in range(3):
        files.append(opened(data, f"open{number}.txt", create=True))
        expect(watch.one("alice")["opens"] == number + 1, "opens rise")
    time.sleep(3.2)
    row = watch.one("alice")
    expect(3 <= row["idle"] <= 10 and row["time"] >= row["idle"], f"idle has grown: {row}")
    before = row["time"]
    files.pop().close()
    row = watch.one("alice")
    expect(row["idle"] <= 1 and row["time"] >= before, f"idle has fallen back: {row}")
    expect(row["opens"] == 2, "opens fall")
    # Asking does not touch the session asked about.
    time.sleep(1.2)
    expect(watch.one("alice")["idle"] >= 1, "looking is not using")
    # Any request counts, also one that fails.
    raised(lambda: opened(data, "nothere.txt"))
    expect(watch.one("alice")["idle"] <= 1, "a failed request is a request")
    for file in files:
        file.close()
    row = watch.one("alice")
    expect((row["opens"], row["flags"]) == (0, 0), f"nothing open, no guest: {row}")
    pipe = tree_and_pipe()
    expect(watch.one("bob")["opens"] == 1, "a pipe is an open")
    pipe.close()
    expect(watch.one("bob")["opens"] == 0, "until it is closed")


def tree_and_pipe():
    ipc = tree(session(connection(), BOB), "IPC$")
    return opened(ipc, "srvsvc")


def own():
    """The administrator's own session: the answer leaves first, the neighbour lives."""
    watch = Watch()
    conn = connection()
    data = tree(session(conn, ALICE), "data")
    watch.end(NULL, "admin\0")
    raised(watch.rows)
    opened(data, "alive.txt", create=True).close()
    fresh = Watch()
    expect(len(fresh.of("admin")) == 1, "only the new one")


def previous():
    """PreviousSessionId ends the session it names ([MS-SMB2] 3.3.5.5.3), of the same user only."""
    from smbprotocol.session import Session

    watch = Watch()
    alice, bob = session(connection(), ALICE), session(connection(), BOB)
    at, bt = tree(alice, "data"), tree(bob, "data")

    def reconnect(user, previous_id):
        import smbprotocol.session as module

        real = module.SMB2SessionSetupRequest

        def made():
            message = real()
            message["previous_session_id"] = previous_id
            return message

        module.SMB2SessionSetupRequest = made
        try:
            return session(connection(), user)
        finally:
            module.SMB2SessionSetupRequest = real

    expect(Session is not None, "smbprotocol is there")
    reconnect(ALICE, alice.session_id)
    expect(len(watch.of("alice")) == 1, "the old session has gone")
    status = status_of(raised(lambda: opened(at, "old.txt", create=True)))
    expect(status == STATUS_USER_SESSION_DELETED, f"{status}")
    kept = reconnect(ALICE, bob.session_id)
    opened(bt, "bobs.txt", create=True).close()
    expect(len(watch.of("bob")) == 1 and kept is not None, "another user's session stays")


def wait_for(condition, what):
    start = time.monotonic()
    while not condition():
        expect(time.monotonic() - start < 20, what)
        time.sleep(0.05)


CASES = [two_users, two_shares, same_user, clients, idle, own, previous]
{case.__name__: case for case in CASES}[ARGUMENTS[0]]()
