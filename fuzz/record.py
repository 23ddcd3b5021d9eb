#!/usr/bin/env python3
"""Fills fuzz/corpus with what real programs say: a proxy between a client and a server.

usage: record.py LISTEN_PORT SERVER_PORT LABEL [CORPUS]

Both ports are on 127.0.0.1. Run a client (LABEL names it) against LISTEN_PORT, without
encryption; end this program with SIGTERM. A target keeps at most SEEDS recorded seeds,
each of another length, none longer than LONGEST bytes.
"""

import hashlib
import os
import socket
import struct
import sys
import threading

SEEDS, LONGEST = 12, 3000
COMMANDS = (
    "negotiate session_setup logoff tree_connect tree_disconnect create close flush read write lock ioctl "
    "cancel echo query_directory change_notify query_info set_info oplock_break"
).split()
METHODS = {
    8: "connection_enum", 9: "file_enum", 10: "file_get_info", 11: "file_close", 12: "session_enum",
    13: "session_del", 15: "share_enum", 16: "share_get_info", 21: "server_get_info", 28: "remote_tod",
}
FSCTL_PIPE_TRANSCEIVE = 0x0011C017

listen_port, server_port, label = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
corpus = sys.argv[4] if len(sys.argv) > 4 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
lock = threading.Lock()


def keep(target, data):
    """A new seed, unless the target has enough or one of this length."""
    if not 0 < len(data) <= LONGEST:
        return
    folder = os.path.join(corpus, target)
    name = f"{label}-{hashlib.sha256(data).hexdigest()[:8]}"
    with lock:
        os.makedirs(folder, exist_ok=True)
        lengths = [os.path.getsize(os.path.join(folder, other)) for other in os.listdir(folder)]
        if len(lengths) < SEEDS and len(data) not in lengths:
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)


def part(message, offset, length):
    return message[offset : offset + length]


class Talk:
    """One connection, as far as a seed needs its state."""

    def __init__(self):
        self.asked = {}
        self.opnums = {}

    def frame(self, data, response):
        if data[:4] == b"\xffSMB":
            return keep("smb1_negotiate", data)
        if data[:4] == b"\xfdSMB":
            return keep("transform", data)
        if len(data) > 20 and struct.unpack_from("<I", data, 20)[0]:
            keep("compound", data)
        while data:
            after = struct.unpack_from("<I", data, 20)[0]
            self.message(data[: after or len(data)], response)
            data = data[after:] if after else b""

    def message(self, m, response):
        number = struct.unpack_from("<H", m, 12)[0]
        status = struct.unpack_from("<I", m, 8)[0]
        mid = struct.unpack_from("<Q", m, 24)[0]
        keep("header", m[:64])
        if number >= len(COMMANDS):
            return
        command = COMMANDS[number]
        size = struct.unpack_from("<H", m, 64)[0] if len(m) > 66 else 0
        if response and size == 9 and status >> 30 == 3 and command != "session_setup":
            return keep("error_response", m)
        keep(f"{command}_{'response' if response else 'request'}", m)
        if command == "session_setup":
            offset, length = struct.unpack_from("<HH", m, 68 if response else 76)
            keep("auth_initiator" if response else "auth_acceptor", part(m, offset, length))
        elif command == "negotiate" and response:
            offset, length = struct.unpack_from("<HH", m, 120)
            keep("auth_initiator", part(m, offset, length))
        elif command == "create":
            at = 120 if not response else 144
            offset, length = struct.unpack_from("<II", m, at - 8 if not response else at)
            offset, length = struct.unpack_from("<II", m, 64 + (48 if not response else 80))
            keep("create_contexts", part(m, offset, length))
        elif command == "write" and not response:
            offset, length = struct.unpack_from("<HI", m, 66)
            self.pipe(part(m, offset, length), response)
        elif command == "read" and response and size == 17:
            self.pipe(part(m, m[66], struct.unpack_from("<I", m, 68)[0]), response)
        elif command == "ioctl" and size in (49, 57):
            code = struct.unpack_from("<I", m, 68)[0]
            offset, length = struct.unpack_from("<II", m, 64 + (32 if response else 24))
            if code == FSCTL_PIPE_TRANSCEIVE:
                self.pipe(part(m, offset, length), response)
        elif command == "query_directory":
            if not response:
                self.asked[mid] = m[66]
            elif size == 9 and mid in self.asked:
                offset, length = struct.unpack_from("<HI", m, 66)
                keep("info_directory", bytes([self.asked.pop(mid)]) + part(m, offset, length))
        elif command == "query_info":
            if not response:
                self.asked[mid] = (m[66], m[67])
            elif size == 9 and mid in self.asked:
                kind, number = self.asked.pop(mid)
                offset, length = struct.unpack_from("<HI", m, 66)
                if (kind, number) == (1, 15):
                    keep("info_ea", part(m, offset, length))
                elif kind in (1, 2):
                    keep(("info_file", "info_file_system")[kind - 1], part(m, offset, length))
        elif command == "set_info" and not response and m[66] == 1:
            length, offset = struct.unpack_from("<IH", m, 68)
            keep("info_file", part(m, offset, length))

    def pipe(self, data, response):
        if len(data) < 24 or data[0] != 5 or struct.unpack_from("<H", data, 8)[0] > len(data):
            return
        keep("pdu", data)
        keep("association_client" if response else "association_server", data)
        call = struct.unpack_from("<I", data, 12)[0]
        if data[2] == 0:
            self.opnums[call] = struct.unpack_from("<H", data, 22)[0]
            if self.opnums[call] in METHODS:
                keep(f"{METHODS[self.opnums[call]]}_request", data[24:])
        elif data[2] == 2 and self.opnums.get(call) in METHODS:
            keep(f"{METHODS[self.opnums[call]]}_response", data[24 : struct.unpack_from("<H", data, 8)[0]])


def take(source, length):
    data = b""
    while len(data) < length:
        more = source.recv(length - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


def carry(source, target, talk, response):
    try:
        while True:
            head = take(source, 4)
            data = take(source, struct.unpack(">I", head)[0])
            target.sendall(head + data)
            try:
                talk.frame(data, response)
            except (struct.error, IndexError) as error:
                print(f"not recorded: {error}", file=sys.stderr)
    except OSError:
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


listener = socket.create_server(("127.0.0.1", listen_port))
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", server_port))
    conversation = Talk()
    threading.Thread(target=carry, args=(client, server, conversation, False), daemon=True).start()
    threading.Thread(target=carry, args=(server, client, conversation, True), daemon=True).start()
