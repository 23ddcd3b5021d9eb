//! NTLMv2 computations ([MS-NLMP] 3.3.2, 3.4).

use hmac::{Hmac, KeyInit, Mac};
use md4::Md4;
use md5::{Digest, Md5};
use rc4::{Rc4, StreamCipher};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::message::{NegotiateFlags, utf16};

/// NTOWF of a password: MD4 of its UTF-16LE ([MS-NLMP] 3.3.1).
pub(in crate::auth) fn nt_hash(password: &str) -> [u8; 16] {
    let mut bytes = utf16(password);
    let hash = Md4::digest(&bytes).into();
    bytes.zeroize();
    hash
}

/// NTOWFv2, which is also LMOWFv2: the response key.
pub(in crate::auth) fn ntowf_v2(nt_hash: &[u8; 16], user: &str, domain: &str) -> [u8; 16] {
    let mut upper = String::with_capacity(user.len());
    for letter in user.chars() {
        // Windows maps one UTF-16 unit to one: letters with longer capitals stay.
        let mut mapped = letter.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(capital), None) => upper.push(capital),
            _ => upper.push(letter),
        }
    }
    hmac_md5(nt_hash, &[&utf16(&upper), &utf16(domain)])
}

/// NTProofStr over the server's challenge and the client's part of the response.
pub(in crate::auth) fn nt_proof_str(
    response_key: &[u8; 16],
    server_challenge: &[u8; 8],
    client_part: &[u8],
) -> [u8; 16] {
    hmac_md5(response_key, &[server_challenge, client_part])
}

/// SessionBaseKey, which with NTLMv2 is also KeyExchangeKey.
pub(in crate::auth) fn session_base_key(
    response_key: &[u8; 16],
    nt_proof_str: &[u8; 16],
) -> [u8; 16] {
    hmac_md5(response_key, &[nt_proof_str])
}

/// RC4 of 16 bytes from a fresh state, both ways.
pub(in crate::auth) fn rc4(key: &[u8; 16], mut data: [u8; 16]) -> [u8; 16] {
    rc4_in_place(key, &mut data);
    data
}

/// MIC of the AUTHENTICATE_MESSAGE: over all three messages, its own MIC as zeros
/// ([MS-NLMP] 3.1.5.1.2).
pub(in crate::auth) fn mic(exported_session_key: &[u8; 16], messages: &[&[u8]]) -> [u8; 16] {
    hmac_md5(exported_session_key, messages)
}

/// One direction's keys for signing with extended session security
/// ([MS-NLMP] 3.4.4.2, 3.4.5.2, 3.4.5.3).
#[derive(ZeroizeOnDrop)]
pub(in crate::auth) struct SessionSecurity {
    signing_key: [u8; 16],
    /// None without NTLMSSP_NEGOTIATE_KEY_EXCH: checksums then go unencrypted.
    sealing_key: Option<[u8; 16]>,
}

impl SessionSecurity {
    pub(in crate::auth) fn client(flags: NegotiateFlags, exported_session_key: &[u8; 16]) -> Self {
        Self::new(
            flags,
            exported_session_key,
            b"session key to client-to-server signing key magic constant\0",
            b"session key to client-to-server sealing key magic constant\0",
        )
    }

    pub(in crate::auth) fn server(flags: NegotiateFlags, exported_session_key: &[u8; 16]) -> Self {
        Self::new(
            flags,
            exported_session_key,
            b"session key to server-to-client signing key magic constant\0",
            b"session key to server-to-client sealing key magic constant\0",
        )
    }

    fn new(flags: NegotiateFlags, exported: &[u8; 16], signing: &[u8], sealing: &[u8]) -> Self {
        let strength = if flags.contains(NegotiateFlags::NEGOTIATE_128) {
            16
        } else if flags.contains(NegotiateFlags::NEGOTIATE_56) {
            7
        } else {
            5
        };
        Self {
            signing_key: md5(&[exported, signing]),
            sealing_key: flags
                .contains(NegotiateFlags::KEY_EXCH)
                .then(|| md5(&[&exported[..strength], sealing])),
        }
    }

    /// mechListMIC: the NTLMSSP_MESSAGE_SIGNATURE of the MechTypeList with sequence
    /// number 0. The RC4 state is made anew, since SPNEGO resets it behind the
    /// mechListMIC ([MS-SPNG] 3.3.5.1) and SMB2 signs nothing else with NTLM.
    pub(in crate::auth) fn mech_list_mic(&self, mech_type_list: &[u8]) -> [u8; 16] {
        const VERSION: [u8; 4] = 1u32.to_le_bytes();
        const SEQUENCE_NUMBER: [u8; 4] = 0u32.to_le_bytes();
        let digest = hmac_md5(&self.signing_key, &[&SEQUENCE_NUMBER, mech_type_list]);
        let mut checksum = [0; 8];
        checksum.copy_from_slice(&digest[..8]);
        if let Some(key) = &self.sealing_key {
            rc4_in_place(key, &mut checksum);
        }
        let mut signature = [0; 16];
        signature[..4].copy_from_slice(&VERSION);
        signature[4..12].copy_from_slice(&checksum);
        signature[12..].copy_from_slice(&SEQUENCE_NUMBER);
        signature
    }
}

fn rc4_in_place(key: &[u8; 16], data: &mut [u8]) {
    // RC4 takes keys of 1 to 256 bytes: 16 always fit.
    if let Ok(mut state) = Rc4::new_from_slice(key) {
        state.apply_keystream(data);
    }
}

fn hmac_md5(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    // Shorter than a block, so that the zeros that fill it change nothing.
    let mut block = [0; 64];
    block[..16].copy_from_slice(key);
    let mut mac = Hmac::<Md5>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    block.zeroize();
    mac.finalize().into_bytes().into()
}

fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}
