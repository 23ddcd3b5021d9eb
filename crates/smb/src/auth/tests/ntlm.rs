//! [MS-NLMP] 4.2.4 and messages.

use proptest::prelude::*;

use super::{hex, unhex};
use crate::auth::{Error, ntlm::*};

const TARGET_INFO: &str = "02000c0044006f006d00610069006e00
                           01000c00530065007200760065007200 00000000";

#[test]
fn ntlmv2_of_the_specification() {
    let nt_hash = nt_hash("Password");
    assert_eq!(nt_hash, hex("a4f49c406510bdcab6824ee7c30fd852"));
    let key = ntowf_v2(&nt_hash, "User", "Domain");
    assert_eq!(key, hex("0c868a403bfd7a93a3001ef22ef02e3f"));
    let mut temp = unhex("0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000");
    temp.extend(unhex(TARGET_INFO));
    temp.extend([0; 4]);
    let proof = nt_proof_str(&key, &hex("0123456789abcdef"), &temp);
    assert_eq!(proof, hex("68cd0ab851e51c96aabc927bebef6a1c"));
    let base = session_base_key(&key, &proof);
    assert_eq!(base, hex("8de40ccadbc14a82f15cb0ad0de95ca3"));
    let encrypted = rc4(&base, [0x55; 16]);
    assert_eq!(encrypted, hex("c5dad2544fc9799094ce1ce90bc9d03e"));
    assert_eq!(rc4(&base, encrypted), [0x55; 16]);
}

#[test]
fn user_names_are_raised_letter_by_letter() {
    let hash = nt_hash("Password");
    let key = hex("78c38069d4cb525a60bf24e185e0c17d");
    assert_eq!(ntowf_v2(&hash, "jürgen", "Straße"), key);
    assert_eq!(ntowf_v2(&hash, "JÜRGEN", "Straße"), key);
    assert_ne!(ntowf_v2(&hash, "jürgen", "STRASSE"), key);
    // ß has no capital of one letter, so it is not SS.
    assert_ne!(ntowf_v2(&hash, "groß", ""), ntowf_v2(&hash, "gross", ""));
}

#[test]
fn mech_list_mic() {
    let list = unhex("300c060a2b06010401823702020a");
    let flags = NegotiateFlags(0xE28A_8233);
    let no_key_exch = NegotiateFlags(flags.0 & !NegotiateFlags::KEY_EXCH.0);
    let key = [0x55; 16];
    let cases = [
        (
            SessionSecurity::client(flags, &key),
            "0100000022a3984fefbb9c3200000000",
        ),
        (
            SessionSecurity::client(no_key_exch, &key),
            "010000002646f52a31a2c3ee00000000",
        ),
        (
            SessionSecurity::server(flags, &key),
            "010000007dd6da05648a73ae00000000",
        ),
        (
            SessionSecurity::server(no_key_exch, &key),
            "010000003bdec7b235306e4700000000",
        ),
    ];
    for (security, expected) in cases {
        assert_eq!(security.mech_list_mic(&list), hex(expected));
        // The state starts anew each time.
        assert_eq!(security.mech_list_mic(&list), hex(expected));
    }
}

#[test]
fn av_pairs() {
    let bytes = unhex(TARGET_INFO);
    let pairs = AvPairs::new(&bytes);
    let domain = utf16("Domain");
    assert_eq!(pairs.find(AvId::NB_DOMAIN_NAME), Ok(Some(&domain[..])));
    assert_eq!(pairs.find(AvId::TIMESTAMP), Ok(None));
    assert_eq!(pairs.flags(), Ok(0));
    // Nothing counts behind the end.
    let mut longer = bytes.clone();
    AvPairs::write(&mut longer, AvId::FLAGS, &[2, 0, 0, 0]);
    assert_eq!(AvPairs::new(&longer).flags(), Ok(0));
    assert_eq!(AvPairs::new(&longer[bytes.len()..]).flags(), Ok(2));
    for length in 0..bytes.len() {
        let mut cut = AvPairs::new(&bytes[..length]);
        let mut seen = 0;
        let end = loop {
            match cut.next() {
                Ok(Some(_)) => seen += 1,
                end => break end,
            }
        };
        // Whole pairs without MsvAvEOL pass, anything else is cut off.
        let whole = matches!(length, 0 | 16 | 32);
        assert_eq!(end.is_ok(), whole, "{length}");
        assert_eq!(seen, length / 16);
    }
}

fn authenticate() -> AuthenticateMessage<'static> {
    AuthenticateMessage {
        lm_challenge_response: &[0; 24],
        nt_challenge_response: b"a response of any length",
        domain_name: b"D\0",
        user_name: b"U\0s\0",
        workstation: b"",
        encrypted_random_session_key: &[7; 16],
        flags: NegotiateFlags(0xE288_8215),
        mic: Some([9; 16]),
    }
}

#[test]
fn messages_round_trip_and_truncate() {
    let negotiate = NegotiateMessage {
        flags: NegotiateFlags(0xE208_8297),
    };
    let bytes = negotiate.write();
    assert_eq!(NegotiateMessage::read(&bytes), Ok(negotiate));
    (0..16).for_each(|length| assert!(NegotiateMessage::read(&bytes[..length]).is_err()));

    let info = unhex(TARGET_INFO);
    let challenge = ChallengeMessage {
        flags: NegotiateFlags(0xE28A_8215),
        server_challenge: *b"8 bytes.",
        target_name: b"S\0",
        target_info: &info,
    };
    let bytes = challenge.write().unwrap();
    assert_eq!(ChallengeMessage::read(&bytes), Ok(challenge));
    for length in 0..bytes.len() {
        assert!(
            ChallengeMessage::read(&bytes[..length]).is_err(),
            "{length}"
        );
    }

    let bytes = authenticate().write().unwrap();
    assert_eq!(AuthenticateMessage::read(&bytes), Ok(authenticate()));
    for length in 0..bytes.len() {
        assert!(
            AuthenticateMessage::read(&bytes[..length]).is_err(),
            "{length}"
        );
    }
}

#[test]
fn messages_of_the_wrong_kind() {
    let bytes = authenticate().write().unwrap();
    let wrong = Error::MessageType {
        expected: 1,
        found: 3,
    };
    assert_eq!(NegotiateMessage::read(&bytes), Err(wrong));
    assert_eq!(NegotiateMessage::read(b"NTLMSSP"), Err(Error::NotNtlmssp));
    assert_eq!(NegotiateMessage::read(b""), Err(Error::NotNtlmssp));
}

#[test]
fn old_messages_have_no_mic_and_no_version() {
    // Payload from byte 64 on: Windows 2000's layout.
    let mut bytes = authenticate().write().unwrap();
    bytes.drain(64..88);
    for at in [12, 20, 28, 36, 52] {
        bytes[at + 4] -= 24;
    }
    let message = AuthenticateMessage::read(&bytes).unwrap();
    assert_eq!(
        message,
        AuthenticateMessage {
            mic: None,
            ..authenticate()
        }
    );
}

#[test]
fn offset_of_an_empty_field_is_not_looked_at() {
    let mut bytes = authenticate().write().unwrap();
    bytes[48..52].copy_from_slice(&[0xFF; 4]);
    assert_eq!(AuthenticateMessage::read(&bytes), Ok(authenticate()));
    // Of a field with content it is.
    bytes[40..44].copy_from_slice(&[0xFF; 4]);
    assert_eq!(
        AuthenticateMessage::read(&bytes),
        Err(Error::Truncated("NTLMSSP payload"))
    );
}

#[test]
fn names() {
    assert_eq!(read_utf16(&utf16("Jürgen 𝄞")).unwrap(), "Jürgen 𝄞");
    assert_eq!(read_utf16(b"a"), Err(Error::Utf16));
    assert_eq!(read_utf16(&[0x00, 0xD8]), Err(Error::Utf16));
}

proptest! {
    #[test]
    fn readers_survive_anything(
        kind in 0u32..5,
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut bytes = b"NTLMSSP\0".to_vec();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(body);
        let _ = NegotiateMessage::read(&bytes);
        let _ = ChallengeMessage::read(&bytes);
        let _ = AuthenticateMessage::read(&bytes);
        let _ = AvPairs::new(&bytes[12..]).flags();
    }

    #[test]
    fn authenticate_round_trip(
        parts: [Vec<u8>; 6],
        flags: u32,
        mic: [u8; 16],
    ) {
        let [lm, nt, domain, user, workstation, key] = &parts;
        let message = AuthenticateMessage {
            lm_challenge_response: lm,
            nt_challenge_response: nt,
            domain_name: domain,
            user_name: user,
            workstation,
            encrypted_random_session_key: key,
            flags: NegotiateFlags(flags),
            mic: Some(mic),
        };
        let bytes = message.write().unwrap();
        prop_assert_eq!(AuthenticateMessage::read(&bytes), Ok(message));
    }
}
