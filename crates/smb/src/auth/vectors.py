#!/usr/bin/env python3
"""Prints the vectors of tests/ntlm.rs and tests/exchange.rs, by pyspnego and impacket.

The computations: inputs are those of [MS-NLMP] 4.2.1 and 4.2.4; what that section prints comes out.
    INITIATOR_TOKEN=<of tests/exchange.rs> /opt/ns-venv/bin/python vectors.py
"""

import os
import socket
import struct
import tempfile

import spnego
from impacket import ntlm as impacket
from spnego._ntlm_raw import crypto, messages, security
from spnego._ntlm_raw.messages import FileTime

USER, DOMAIN, PASSWORD = "User", "Domain", "Password"
SERVER_CHALLENGE = bytes.fromhex("0123456789abcdef")
CLIENT_CHALLENGE = b"\xaa" * 8
RANDOM_SESSION_KEY = b"\x55" * 16
TARGET_INFO = bytes.fromhex(
    "02000c0044006f006d00610069006e00"
    "01000c00530065007200760065007200" "00000000")
FLAGS = 0xE28A8233


def show(name, data):
    print(f"{name:24} {data.hex()}")


nt_hash = crypto.ntowfv1(PASSWORD)
assert nt_hash == impacket.compute_nthash(PASSWORD)
show("NTOWFv1", nt_hash)
key = crypto.ntowfv2(USER, nt_hash, DOMAIN)
assert key == impacket.NTOWFv2(USER, PASSWORD, DOMAIN)
show("NTOWFv2", key)
temp = (b"\x01\x01" + bytes(6) + bytes(8) + CLIENT_CHALLENGE + bytes(4)
        + TARGET_INFO + bytes(4))
proof = crypto.hmac_md5(key, SERVER_CHALLENGE + temp)
show("NTProofStr", proof)
base = crypto.hmac_md5(key, proof)
show("SessionBaseKey", base)
show("EncryptedSessionKey", crypto.rc4k(base, RANDOM_SESSION_KEY))
for usage in "initiate", "accept":
    sign = crypto.signkey(FLAGS, RANDOM_SESSION_KEY, usage)
    seal = crypto.sealkey(FLAGS, RANDOM_SESSION_KEY, usage)
    show(f"{usage} SIGNKEY", sign)
    show(f"{usage} SEALKEY", seal)
    # SPNEGO's mechListMIC of a list that names NTLM only.
    mech_list = bytes.fromhex("300c060a2b06010401823702020a")
    show(f"{usage} mechListMIC", security.sign(
        messages.NegotiateFlags(FLAGS), crypto.rc4init(seal), sign, 0, mech_list))
    show(f"{usage} mechListMIC -KEY_EXCH", security.sign(
        messages.NegotiateFlags(FLAGS & ~0x40000000), crypto.rc4init(seal), sign, 0,
        mech_list))
show("NTOWFv2 umlaut", crypto.ntowfv2("jürgen", nt_hash, "Straße"))
assert (crypto.ntowfv2("jürgen", nt_hash, "Straße")
        == impacket.NTOWFv2("jürgen", PASSWORD, "Straße"))


# Whole exchanges with pyspnego at the other end, its random numbers and clock fixed.
os.environ["NETBIOS_COMPUTER_NAME"] = "STATION"
with tempfile.NamedTemporaryFile("w", delete=False) as accounts:
    accounts.write("DOM:User:Password\n")
os.environ["NTLM_USER_FILE"] = accounts.name
socket.gethostname = lambda: "vm"
os.urandom = lambda size: b"\x33" * size
NOW = FileTime.unpack(struct.pack("<Q", 0x01DC5A0000000000))
FileTime.now = classmethod(lambda cls: NOW)

# tests/exchange.rs: PYSPNEGO_*. The challenge is what the Acceptor answers.
CHALLENGE_MESSAGE = bytes.fromhex(
    "4e544c4d53535000020000000c000c003800000035828ae20102030405060708"
    "00000000000000007200720044000000060100000000000f5300450052005600"
    "4500520002000c0044004f004d00410049004e0001000c005300450052005600"
    "45005200040016006500780061006d0070006c0065002e006f00720067000300"
    "24007300650072007600650072002e006500780061006d0070006c0065002e00"
    "6f00720067000700080000000000005adc0100000000")
CHALLENGE_TOKEN = bytes.fromhex(
    "a181d23081cfa0030a0101a10c060a2b06010401823702020aa281b90481b6"
) + CHALLENGE_MESSAGE

client = spnego.client("DOM\\User", "Password", hostname="server", service="cifs",
                       protocol="ntlm")
show("raw negotiate", client.step())
show("raw authenticate", client.step(CHALLENGE_MESSAGE))
show("raw session key", client.session_key)

client = spnego.client("DOM\\User", "Password", hostname="server", service="cifs",
                       options=spnego.NegotiateOptions.use_negotiate)
show("SPNEGO negotiate", client.step())
show("SPNEGO authenticate", client.step(CHALLENGE_TOKEN))
show("SPNEGO session key", client.session_key)
inner = client._context
final = bytes.fromhex("a11b3019a0030a0100a3120410") + security.sign(
    messages.NegotiateFlags(0xE28A8235),
    crypto.rc4init(crypto.sealkey(0xE28A8235, client.session_key, "accept")),
    crypto.signkey(0xE28A8235, client.session_key, "accept"), 0,
    bytes.fromhex("300c060a2b06010401823702020a"))
client.step(final)
assert client.complete
show("SPNEGO final", final)

# tests/exchange.rs: INITIATOR_*. What the Initiator sends, judged by pyspnego.
START = bytes.fromhex(
    "604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a"
    "04284e544c4d5353500001000000158288e20000000000000000000000000000"
    "0000060100000000000f")
server = spnego.server(protocol="negotiate",
                       options=spnego.NegotiateOptions.use_negotiate)
show("initiator's challenge", server.step(START))
if INITIATOR_TOKEN := os.environ.get("INITIATOR_TOKEN"):
    show("initiator's final", server.step(bytes.fromhex(INITIATOR_TOKEN)))
    assert server.complete and server.client_principal == "DOM\\User"
    show("initiator's session key", server.session_key)
