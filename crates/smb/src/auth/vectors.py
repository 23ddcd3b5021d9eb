#!/usr/bin/env python3
"""Prints the computed vectors of ntlm/tests.rs, by pyspnego and impacket.

Inputs are those of [MS-NLMP] 4.2.1 and 4.2.4; what that section prints comes out.
    /opt/ns-venv/bin/python vectors.py
"""

import base64
import struct

from impacket import ntlm as impacket
from spnego._ntlm_raw import crypto, messages, security

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
