//! Vectors printed by vectors.py beside this file.

use proptest::prelude::*;

use super::*;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|index| first + index as u8)
}

/// vectors.py: message().
fn message(command: u16, flags: u32) -> Vec<u8> {
    let mut out = b"\xFESMB\x40\0\0\0\0\0\0\0".to_vec();
    out.extend(command.to_le_bytes());
    out.extend([0; 2]);
    out.extend(flags.to_le_bytes());
    out.extend([0; 4]);
    out.extend(0x0123_4567_89AB_CDEF_u64.to_le_bytes());
    out.extend([0; 32]);
    out.extend(counting::<21>(100));
    out
}

fn preauth() -> PreauthIntegrityHashValue {
    let mut hash = PreauthIntegrityHashValue::default();
    hash.update(b"negotiate request");
    hash.update(b"negotiate response");
    hash
}

#[test]
fn preauth_hash() {
    let expected = "37311ce11673083a4dac7793e056d1525c9bea2864fa8795404f6191fbb3aacf\
                    294745e50a3bd0f09b69abba6e84a9fc5a5fcc3bec21db21c4f92edb6a81edf5";
    assert_eq!(preauth().0, hex(expected));
    assert_eq!(format!("{:?}", preauth()), expected);
}

#[test]
fn keys_before_3_0_are_the_session_key() {
    for dialect in [0x0202, 0x0210] {
        let keys = SessionKeys::derive(dialect, &[7; 32], None, Some(Cipher::AES128_CCM));
        assert_eq!((keys.signing_key, keys.application_key), ([7; 16], [7; 16]));
        assert!(keys.client_to_server.is_empty() && keys.server_to_client.is_empty());
    }
    // Shorter than 16 bytes: padded.
    let keys = SessionKeys::derive(0x0202, &[7; 8], None, None);
    assert_eq!(keys.signing_key, hex("07070707070707070000000000000000"));
}

#[test]
fn keys_of_3_0() {
    for dialect in [0x0300, 0x0302] {
        let key = counting::<16>(0x10);
        let keys = SessionKeys::derive(dialect, &key, None, Some(Cipher::AES128_CCM));
        assert_eq!(keys.signing_key, hex("24f1f0fdb269db9836d70efbbb97413f"));
        assert_eq!(
            keys.application_key,
            hex("fcdcc2c713f38db23189c653589890c7")
        );
        assert_eq!(
            keys.client_to_server,
            unhex("fe85e20ea4633a2437828b14d1833584")
        );
        assert_eq!(
            keys.server_to_client,
            unhex("fa192f82747e0174f720cdaea0e2f537")
        );
    }
}

#[test]
fn keys_of_3_1_1() {
    let key = counting::<16>(0x10);
    let hash = preauth();
    for cipher in [Cipher::AES128_CCM, Cipher::AES128_GCM] {
        let keys = SessionKeys::derive(0x0311, &key, Some(&hash), Some(cipher));
        assert_eq!(keys.signing_key, hex("f1ee13963a442b2e120032a9496ebd57"));
        assert_eq!(
            keys.application_key,
            hex("848314a23e58b5f2f39e89f66391125e")
        );
        assert_eq!(
            keys.client_to_server,
            unhex("fb2b714cd5b2c09c3cb8d45203df5547")
        );
        assert_eq!(
            keys.server_to_client,
            unhex("78d62934f8ecc67f8e267ec45cad8f16")
        );
    }
    for cipher in [Cipher::AES256_CCM, Cipher::AES256_GCM] {
        let keys = SessionKeys::derive(0x0311, &key, Some(&hash), Some(cipher));
        assert_eq!(keys.signing_key, hex("f1ee13963a442b2e120032a9496ebd57"));
        assert_eq!(
            keys.client_to_server,
            unhex("3595315cd920273c0da0c6bf2e0681d9e7f9e1eb2a17d8737cccc839e462183a")
        );
        assert_eq!(
            keys.server_to_client,
            unhex("d95858dd2be661258454d910b9bc52cee79c6de2bb2f2cc7e9581b8bf8574b43")
        );
    }
    for cipher in [None, Some(Cipher(0)), Some(Cipher(9))] {
        let keys = SessionKeys::derive(0x0311, &key, Some(&hash), cipher);
        assert!(keys.client_to_server.is_empty());
    }
}

#[test]
fn long_session_key_feeds_aes_256_only() {
    let key = counting::<32>(0x40);
    let keys = SessionKeys::derive(0x0311, &key, Some(&preauth()), Some(Cipher::AES256_GCM));
    assert_eq!(keys.signing_key, hex("4ff290a09965d6ac33816c734e59daef"));
    assert_eq!(
        keys.client_to_server,
        unhex("8b6eb5c9fd4a2bfaa322f5e1d8970fac0272cceb25e344a99eff971c43dbd11e")
    );
    let long = SessionKeys::derive(0x0311, &key, Some(&preauth()), Some(Cipher::AES128_GCM));
    let short = SessionKeys::derive(
        0x0311,
        &key[..16],
        Some(&preauth()),
        Some(Cipher::AES128_GCM),
    );
    assert_eq!(long.client_to_server, short.client_to_server);
}

#[test]
fn signatures() {
    let cases = [
        (
            "b8715f74afb4ed8832755e38261e3ed6",
            SigningAlgorithm::HMAC_SHA256,
            0x10,
            8,
        ),
        (
            "b78a5f372b5704389b968a317eefe295",
            SigningAlgorithm::AES_CMAC,
            0x10,
            8,
        ),
        (
            "63bb33c47d927888f4df01c9fb856177",
            SigningAlgorithm::AES_GMAC,
            0x10,
            8,
        ),
        (
            "fdb321da2af9094ec4ea16973c40fcce",
            SigningAlgorithm::HMAC_SHA256,
            0x10,
            9,
        ),
        (
            "62c33aa83afd1ae615d1881703674da0",
            SigningAlgorithm::AES_CMAC,
            0x10,
            9,
        ),
        (
            "cc16687476ce5bb44ab35319734da79a",
            SigningAlgorithm::AES_GMAC,
            0x10,
            9,
        ),
        (
            "cdedaf91521f080738cb2ff2fe940cd5",
            SigningAlgorithm::HMAC_SHA256,
            0x0C,
            8,
        ),
        (
            "9c21a5bd3111e1e6e9309489dcc1d291",
            SigningAlgorithm::AES_CMAC,
            0x0C,
            8,
        ),
        (
            "eb075a5dcf3de4380ba2a0c6a79e8034",
            SigningAlgorithm::AES_GMAC,
            0x0C,
            8,
        ),
    ];
    for (expected, algorithm, command, flags) in cases {
        let key = SigningKey::new(algorithm, &counting(0x20));
        let mut signed = message(command, flags);
        // What was in the Signature before does not count.
        signed[48..64].fill(0xEE);
        key.sign(&mut signed);
        assert_eq!(
            signed[48..64],
            unhex(expected)[..],
            "{algorithm:?} {command:#x} {flags}"
        );
        assert!(key.verify(&signed) && key.verify_in_place(&mut signed));
        assert_eq!(signed[48..64], unhex(expected)[..]);
    }
}

#[test]
fn verify_refuses_what_is_short_altered_or_of_an_unknown_algorithm() {
    for number in 0..3 {
        let key = SigningKey::new(SigningAlgorithm(number), &[1; 16]);
        for length in 0..64 {
            let mut short = vec![0; length];
            key.sign(&mut short);
            assert!(!key.verify(&short) && !key.verify_in_place(&mut short));
        }
        let mut signed = message(5, 8);
        key.sign(&mut signed);
        for at in 0..signed.len() {
            signed[at] ^= 0x80;
            assert!(!key.verify(&signed), "{number}: byte {at}");
            let before = signed.clone();
            assert!(!key.verify_in_place(&mut signed), "{number}: byte {at}");
            assert_eq!(before, signed);
            signed[at] ^= 0x80;
        }
    }
    let unknown = SigningKey::new(SigningAlgorithm(3), &[1; 16]);
    let mut signed = message(5, 8);
    unknown.sign(&mut signed);
    assert!(!unknown.verify(&signed) && !unknown.verify_in_place(&mut signed));
}

const SEALED: [(Cipher, &str); 4] = [
    (
        Cipher::AES128_CCM,
        "fd534d42b1fc96bca64c0306a14e0c9df86d40f00d0c0b0a0000000000000000000000005500000000000100\
         88776655443322119dc143838186c0511e7de1c90edab5358141696b422ed474d3ff53f0cd8aa5a1035d13be\
         a1a73444c69cb06e44109e282f4badb5c0628c5d3aa968aab0b22ed77b382d36d31ce9adb15c9b1245123bd7\
         c34d171dbd",
    ),
    (
        Cipher::AES128_GCM,
        "fd534d42da2a2b2d886b5ac8b494fd6b20077e440d0c0b0a0000000000000000000000005500000000000100\
         88776655443322119ce430d2f087776b91b0d36797b7c7b665a79e29c2eb94182663be2b524acbf3437df884\
         0db1ffa85fabaae1bbfb42b8505a25eb144c9aa0ec6567ff441e0b3cefadc478b0a08c7e0c3900a3aa253b28\
         80646a35ca",
    ),
    (
        Cipher::AES256_CCM,
        "fd534d423b7e26248229a9a9598df562672af4ba0d0c0b0a0000000000000000000000005500000000000100\
         88776655443322113929b5444d6af48451b086ca5e44f516e924ef28a17e421f567a06512baf3531259ca215\
         0a170b24e7aa0e3ba9c5990e1cc0a4279a43cb0b0735143db3bac64dde60e5540a7bdd88653a4a12193400b1\
         1e74cf2a95",
    ),
    (
        Cipher::AES256_GCM,
        "fd534d428374587c968028a07c267e82621aaa380d0c0b0a0000000000000000000000005500000000000100\
         88776655443322113c3f264881480455d5c440ffd55b1d9feb660574775ab6cff55d3c96353e807e2d9dcb26\
         a66609d8892bb5dd401efd38a1a7fc2952ca89a01cfaea9c4782c67199fb7602c789f6c0325a0a37b38d4186\
         9b9051f7e2",
    ),
];

fn key_of(cipher: Cipher) -> EncryptionKey {
    EncryptionKey::new(cipher, &counting::<32>(0x80)[..cipher.key_size().unwrap()]).unwrap()
}

#[test]
fn sealed_frames() {
    for (cipher, expected) in SEALED {
        let key = key_of(cipher);
        let mut frame = vec![0xCC; TRANSFORM_HEADER_SIZE];
        frame.extend(message(0x10, 0));
        key.seal(0x1122_3344_5566_7788, 0x0A0B_0C0D, &mut frame)
            .unwrap();
        assert_eq!(frame, unhex(expected), "{cipher:?}");
        assert_eq!(key.open(&mut frame).unwrap(), message(0x10, 0));
    }
}

#[test]
fn open_refuses_what_is_cut_off_or_altered() {
    for (cipher, sealed) in SEALED {
        let key = key_of(cipher);
        let sealed = unhex(sealed);
        for length in 0..sealed.len() {
            let error = key.open(&mut sealed[..length].to_vec()).unwrap_err();
            let expected = if length < TRANSFORM_HEADER_SIZE {
                Error::FrameLength(length)
            } else {
                Error::TransformHeader
            };
            assert_eq!(error, expected);
        }
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            let opened = key.open(&mut altered);
            // CCM reads 11 of the 16 nonce bytes, GCM 12, but the tag covers them all.
            assert!(opened.is_err(), "{cipher:?}: byte {at}");
        }
        let wrong = EncryptionKey::new(cipher, &vec![0; cipher.key_size().unwrap()]).unwrap();
        assert_eq!(wrong.open(&mut sealed.clone()), Err(Error::Authentication));
    }
}

#[test]
fn keys_that_cannot_be() {
    assert_eq!(
        EncryptionKey::new(Cipher(5), &[0; 16]).unwrap_err(),
        Error::UnknownCipher(5)
    );
    assert_eq!(
        EncryptionKey::new(Cipher::AES256_GCM, &[0; 16]).unwrap_err(),
        Error::KeyLength {
            expected: 32,
            actual: 16
        }
    );
    assert_eq!(
        key_of(Cipher::AES128_GCM)
            .seal(1, 1, &mut [0; 51])
            .unwrap_err(),
        Error::FrameLength(51)
    );
}

#[test]
fn keys_do_not_show() {
    let keys = SessionKeys::derive(0x0311, &[1; 16], None, None);
    assert_eq!(format!("{keys:?}"), "SessionKeys { .. }");
    let shown = format!(
        "{:?}",
        SigningKey::new(SigningAlgorithm::AES_CMAC, &[0xAB; 16])
    );
    assert_eq!(shown, "SigningKey { algorithm: SigningAlgorithm(1), .. }");
    let shown = format!("{:?}", key_of(Cipher::AES128_GCM));
    assert_eq!(shown, "EncryptionKey { cipher: Cipher(2), .. }");
}

proptest! {
    #[test]
    fn sealed_opens_to_what_it_was(
        number in 1u16..5,
        session_id: u64,
        nonce: u64,
        plain in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let key = key_of(Cipher(number));
        let mut frame = vec![0; TRANSFORM_HEADER_SIZE];
        frame.extend(&plain);
        key.seal(session_id, nonce, &mut frame).unwrap();
        prop_assert_eq!(key.open(&mut frame).unwrap(), &plain[..]);
    }

    #[test]
    fn signed_verifies(
        number in 0u16..3,
        key: [u8; 16],
        mut bytes in proptest::collection::vec(any::<u8>(), 64..1500),
        at: prop::sample::Index,
        bit in 0u8..8,
    ) {
        let key = SigningKey::new(SigningAlgorithm(number), &key);
        key.sign(&mut bytes);
        prop_assert!(key.verify(&bytes) && key.verify_in_place(&mut bytes));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(!key.verify(&bytes) && !key.verify_in_place(&mut bytes));
    }

    #[test]
    fn open_survives_anything(
        number in 1u16..5,
        mut frame in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(key_of(Cipher(number)).open(&mut frame).is_err());
    }
}
