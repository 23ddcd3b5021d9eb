"""logon.py HOST PORT CASE: logons and messages that must not be let in."""

import queue
import socket
import struct

from common import (
    ALICE, ARGUMENTS, BOB, CAROL, HOST, PORT, STATUS_ACCESS_DENIED, STATUS_ACCOUNT_DISABLED,
    STATUS_LOGON_FAILURE, connection, expect, opened, raised, session, status_of, tree,
)

STATUS_SUCCESS = 0
STATUS_MORE_PROCESSING_REQUIRED = 0xC0000016
SESSION_SETUP, WRITE = 1, 9


def dialects():
    from smbprotocol import Dialects

    return [Dialects.SMB_2_0_2, Dialects.SMB_2_1_0, Dialects.SMB_3_0_0, Dialects.SMB_3_0_2, Dialects.SMB_3_1_1]


def refused():
    """Wrong password, unknown user, disabled account; and the next logon still works."""
    from impacket.smbconnection import SMBConnection, SessionError

    cases = [
        ((ALICE[0], "wrong"), STATUS_LOGON_FAILURE),
        ((ALICE[0], ""), STATUS_LOGON_FAILURE),
        (("nobody-here", "wrong"), STATUS_LOGON_FAILURE),
        (CAROL, STATUS_ACCOUNT_DISABLED),
        ((CAROL[0], "wrong"), STATUS_LOGON_FAILURE),
    ]
    for user, wanted in cases:
        conn = connection()
        got = status_of(raised(lambda: session(conn, user)))
        expect(got == wanted, f"smbprotocol {user}: {got and hex(got)} instead of {hex(wanted)}")
        session(conn, BOB)
        conn.disconnect()
        # impacket sends raw NTLMSSP inside SPNEGO of its own making.
        other = SMBConnection(HOST, HOST, sess_port=PORT)
        got = status_of(raised(lambda: other.login(*user), SessionError))
        expect(got == wanted, f"impacket {user}: {got and hex(got)} instead of {hex(wanted)}")


def changed_byte():
    """A byte changed under way, at every dialect: refused, and the file is as it was."""
    for number, dialect in enumerate(dialects()):
        conn = connection(dialect)
        sess = session(conn, ALICE)
        data = tree(sess, "data")
        file = opened(data, f"signed{number}.txt", create=True)
        file.write(b"the right words", 0)
        real = conn.transport.send

        def change(message):
            message = bytearray(message)
            if struct.unpack_from("<H", message, 12)[0] == WRITE:
                message[-1] ^= 1
            real(bytes(message))

        conn.transport.send = change
        error = raised(lambda: file.write(b"the wrong words", 0))
        got = status_of(error)
        expect(got in (STATUS_ACCESS_DENIED, None), f"{dialect:#x}: {error!r}")
        conn.transport.send = real
        if got == STATUS_ACCESS_DENIED:
            expect(file.read(0, 15) == b"the right words", f"{dialect:#x}: the file is as it was")
            conn.disconnect()


def unsigned():
    """A request without a signature in a session that signs: refused."""
    conn = connection()
    sess = session(conn, ALICE)
    data = tree(sess, "data")
    file = opened(data, "unsigned.txt", create=True)
    file.write(b"the right words", 0)
    real = conn.transport.send

    def strip(message):
        message = bytearray(message)
        if struct.unpack_from("<H", message, 12)[0] == WRITE:
            flags = struct.unpack_from("<I", message, 16)[0] & ~8
            struct.pack_into("<I", message, 16, flags)
            message[48:64] = bytes(16)
        real(bytes(message))

    conn.transport.send = strip
    error = raised(lambda: file.write(b"the wrong words", 0))
    expect(status_of(error) in (STATUS_ACCESS_DENIED, None), f"{error!r}")


def changed_byte_encrypted():
    """A byte changed under way in an encrypted session: the connection ends ([MS-SMB2] 3.3.5.2.1.1)."""
    for number, dialect in enumerate(dialects()[2:]):
        conn = connection(dialect)
        file = opened(tree(session(conn, ALICE, encrypt=True), "data"), f"sealed{number}.txt", create=True)
        file.write(b"the right words", 0)
        real = conn.transport.send

        def change(message):
            message = bytearray(message)
            expect(message[:4] == b"\xfdSMB", "it is encrypted")
            message[-1] ^= 1
            real(bytes(message))

        conn.transport.send = change
        error = raised(lambda: file.write(b"the wrong words", 0))
        expect(status_of(error) is None, f"{dialect:#x}: {error!r}")


class Raw:
    """A connection that sends recorded messages."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, PORT), timeout=30)

    def exchange(self, message):
        """Status of the answer, or None if the server hung up."""
        try:
            self.socket.sendall(struct.pack(">I", len(message)) + message)
            head = self.take(4)
            body = head and self.take(struct.unpack(">I", head)[0])
        except ConnectionError:
            return None
        return struct.unpack_from("<I", body, 8)[0] if body else None

    def take(self, length):
        taken = b""
        while len(taken) < length:
            more = self.socket.recv(length - len(taken))
            if not more:
                return None
            taken += more
        return taken


def recorded(user):
    """One good logon: its live connection, the messages sent, and a queue of those received."""
    from smbprotocol import transport

    sent, received = [], queue.Queue()
    send, receive = transport.Tcp.send, transport.Tcp.recv

    def record_sent(self, message):
        sent.append(bytes(message))
        send(self, message)

    def record_received(self, timeout):
        message = receive(self, timeout)
        received.put(bytes(message or b""))
        return message

    transport.Tcp.send, transport.Tcp.recv = record_sent, record_received
    conn = connection()
    session(conn, user)
    transport.Tcp.send = send
    # The worker of `conn` looks `recv` up at each message, so it stays recorded.
    return conn, sent, received


def replayed():
    """A recorded logon sent again, on a connection of its own and on the same one."""
    conn, sent, received = recorded(ALICE)
    commands = [struct.unpack_from("<H", message, 12)[0] for message in sent]
    expect(commands == [0, SESSION_SETUP, SESSION_SETUP], f"a logon is three messages: {commands}")

    other = Raw()
    expect(other.exchange(sent[0]) == STATUS_SUCCESS, "the negotiation may be repeated")
    status = other.exchange(sent[1])
    expect(status == STATUS_MORE_PROCESSING_REQUIRED, f"the first leg gets a challenge: {status}")
    # The second leg names the old session; with the old id and with the new one.
    status = other.exchange(sent[2])
    expect(status not in (STATUS_SUCCESS, STATUS_MORE_PROCESSING_REQUIRED), f"replayed: {status}")

    third = Raw()
    expect(third.exchange(sent[0]) == STATUS_SUCCESS, "the negotiation may be repeated")
    third.socket.sendall(struct.pack(">I", len(sent[1])) + sent[1])
    answer = third.take(struct.unpack(">I", third.take(4))[0])
    renamed = bytearray(sent[2])
    renamed[40:48] = answer[40:48]
    status = third.exchange(bytes(renamed))
    expect(status not in (STATUS_SUCCESS, STATUS_MORE_PROCESSING_REQUIRED), f"renamed: {status}")

    # On its own connection, as it was: the message id has been used.
    while not received.empty():
        received.get()
    conn.transport.send(sent[2])
    try:
        answer = received.get(timeout=30)
    except queue.Empty:
        raise AssertionError("a used message id gets an error or the end of the connection") from None
    status = struct.unpack_from("<I", answer, 8)[0] if answer else None
    expect(status not in (STATUS_SUCCESS, STATUS_MORE_PROCESSING_REQUIRED), f"again: {status}")
    tree(session(connection(), BOB), "data")


CASES = [refused, changed_byte, changed_byte_encrypted, unsigned, replayed]
{case.__name__: case for case in CASES}[ARGUMENTS[0]]()
