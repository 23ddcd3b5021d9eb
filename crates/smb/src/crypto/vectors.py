#!/usr/bin/env python3
"""Prints the vectors of tests.rs, by OpenSSL (package `cryptography`) alone.

The key derivation is checked against a second implementation, impacket's.
    /opt/ns-venv/bin/python vectors.py
"""

import hashlib

from cryptography.hazmat.primitives import cmac, hashes, hmac
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.kdf.kbkdf import (
    KBKDFHMAC, CounterLocation, Mode)
from impacket.crypto import KDF_CounterMode


def kdf(key, label, context, size):
    out = KBKDFHMAC(
        algorithm=hashes.SHA256(), mode=Mode.CounterMode, length=size, rlen=4,
        llen=4, location=CounterLocation.BeforeFixed, label=label,
        context=context, fixed=None).derive(key)
    if size == 16:
        assert out == KDF_CounterMode(key, label, context, 128)
    return out


def show(name, data):
    print(f"{name:32} {data.hex()}")


SESSION_KEY = bytes(range(0x10, 0x20))
FULL_KEY = bytes(range(0x40, 0x60))

# Preauthentication: two messages, one after the other.
h = hashlib.sha512(bytes(64) + b"negotiate request").digest()
show("preauth 1", h)
h = hashlib.sha512(h + b"negotiate response").digest()
show("preauth 2", h)

for name, label, context in (
        ("3.0 signing", b"SMB2AESCMAC\0", b"SmbSign\0"),
        ("3.0 application", b"SMB2APP\0", b"SmbRpc\0"),
        ("3.0 c2s", b"SMB2AESCCM\0", b"ServerIn \0"),
        ("3.0 s2c", b"SMB2AESCCM\0", b"ServerOut\0"),
        ("3.1.1 signing", b"SMBSigningKey\0", h),
        ("3.1.1 application", b"SMBAppKey\0", h),
        ("3.1.1 c2s", b"SMBC2SCipherKey\0", h),
        ("3.1.1 s2c", b"SMBS2CCipherKey\0", h)):
    show(name, kdf(SESSION_KEY, label, context, 16))
show("3.1.1 c2s 256", kdf(SESSION_KEY, b"SMBC2SCipherKey\0", h, 32))
show("3.1.1 s2c 256", kdf(SESSION_KEY, b"SMBS2CCipherKey\0", h, 32))
show("3.1.1 c2s 256, 32-byte key", kdf(FULL_KEY, b"SMBC2SCipherKey\0", h, 32))
show("3.1.1 signing, 32-byte key", kdf(FULL_KEY[:16], b"SMBSigningKey\0", h, 16))

# Signing: a header with MessageId 0x0123456789ABCDEF and 21 bytes of body.
KEY = bytes(range(0x20, 0x30))
BODY = bytes(range(100, 121))


def message(command, flags):
    return (b"\xfeSMB" + (64).to_bytes(2, "little") + bytes(6)
            + command.to_bytes(2, "little") + bytes(2)
            + flags.to_bytes(4, "little") + bytes(4)
            + (0x0123456789ABCDEF).to_bytes(8, "little") + bytes(16)
            + bytes(16) + BODY)


for name, command, flags in (
        ("request", 0x10, 0x08), ("response", 0x10, 0x09), ("cancel", 0x0C, 0x08)):
    m = message(command, flags)
    mac = hmac.HMAC(KEY, hashes.SHA256())
    mac.update(m)
    show(f"{name} HMAC-SHA256", mac.finalize()[:16])
    mac = cmac.CMAC(algorithms.AES(KEY))
    mac.update(m)
    show(f"{name} AES-CMAC", mac.finalize())
    role = (flags & 1) | (2 if command == 0x0C else 0)
    nonce = m[24:32] + role.to_bytes(4, "little")
    show(f"{name} AES-GMAC", AESGCM(KEY).encrypt(nonce, b"", m))

# Encryption of that request for session 0x1122334455667788 with nonce 0x0A0B0C0D.
KEY = bytes(range(0x80, 0xA0))
for name, aead, size, nonce_size in (
        ("AES-128-CCM", AESCCM, 16, 11), ("AES-128-GCM", AESGCM, 16, 12),
        ("AES-256-CCM", AESCCM, 32, 11), ("AES-256-GCM", AESGCM, 32, 12)):
    plain = message(0x10, 0)
    nonce = (0x0A0B0C0D).to_bytes(16, "little")
    aad = (nonce + len(plain).to_bytes(4, "little") + bytes(2) + b"\x01\x00"
           + (0x1122334455667788).to_bytes(8, "little"))
    out = aead(KEY[:size]).encrypt(nonce[:nonce_size], plain, aad)
    show(name, b"\xfdSMB" + out[-16:] + aad + out[:-16])
