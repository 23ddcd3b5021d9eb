//! SPNEGO tokens and their DER.

use proptest::prelude::*;

use super::unhex;
use crate::auth::{Acceptor, Error, der, spnego::*};

fn read_init(token: &[u8]) -> NegTokenInit<'_> {
    match NegotiationToken::read(token).unwrap() {
        NegotiationToken::Init(init) => init,
        other => panic!("{other:?}"),
    }
}

#[test]
fn neg_token_init_2_of_the_server() {
    // The bytes that Samba and Windows send for NTLM alone.
    let expected = unhex(
        "604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa32a3028a0261b24
         6e6f745f646566696e65645f696e5f5246433431373840706c656173655f69676e6f7265",
    );
    assert_eq!(Acceptor::negotiate_token(), expected);
    let init = read_init(&expected);
    assert_eq!(init.mech_types, [NTLMSSP]);
    assert_eq!((init.mech_token, init.mech_list_mic), (None, None));
    for length in 0..expected.len() {
        assert!(
            NegotiationToken::read(&expected[..length]).is_err(),
            "{length}"
        );
    }
}

#[test]
fn neg_token_init_with_everything() {
    let list = mech_type_list(&[KERBEROS, NTLMSSP]);
    let mut fields = der::element(der::context(0), &list);
    // reqFlags, then a field nobody knows.
    fields.extend(unhex("a10403020106 a7020500"));
    fields.extend(unhex("a205 0403 010203 a304 0402 aabb"));
    let sequence = der::element(der::SEQUENCE, &fields);
    let bare = der::element(der::context(0), &sequence);
    let framed = der::element(
        der::APPLICATION_0,
        &[unhex("06062b0601050502"), bare.clone()].concat(),
    );
    for token in [bare, framed] {
        let init = read_init(&token);
        assert_eq!(init.mech_types, [KERBEROS, NTLMSSP]);
        assert_eq!(init.mech_type_list, list);
        assert_eq!(init.mech_token, Some(&[1, 2, 3][..]));
        assert_eq!(init.mech_list_mic, Some(&[0xAA, 0xBB][..]));
    }
}

#[test]
fn neg_token_resp() {
    let resp = NegTokenResp {
        neg_state: Some(NegState::REQUEST_MIC),
        supported_mech: Some(NTLMSSP),
        response_token: Some(&[5; 200]),
        mech_list_mic: Some(&[6; 16]),
    };
    let bytes = resp.write();
    assert_eq!(
        NegotiationToken::read(&bytes),
        Ok(NegotiationToken::Resp(resp))
    );
    for length in 0..bytes.len() {
        assert!(
            NegotiationToken::read(&bytes[..length]).is_err(),
            "{length}"
        );
    }
    let completed = NegTokenResp {
        neg_state: Some(NegState::ACCEPT_COMPLETED),
        ..NegTokenResp::default()
    };
    assert_eq!(completed.write(), unhex("a1073005a0030a0100"));
}

#[test]
fn lengths_in_more_bytes_than_needed() {
    // As written by encoders that fix the size of their lengths.
    let token = unhex("a1820013 3082000f a0820003 0a0100 a2840000 0002 0400");
    let NegotiationToken::Resp(resp) = NegotiationToken::read(&token).unwrap() else {
        panic!();
    };
    assert_eq!(resp.neg_state, Some(NegState::ACCEPT_COMPLETED));
    assert_eq!(resp.response_token, Some(&[][..]));
}

#[test]
fn der_that_is_refused() {
    for (token, why) in [
        ("", "nothing"),
        ("60", "no length"),
        ("a180 3005a0030a0100 0000", "indefinite length"),
        ("a185 0000000007 3005a0030a0100", "length of five bytes"),
        ("bf01 02 0500", "tag of two bytes"),
        ("a1073005a0030a0200", "negState in two types"),
        ("a1083006a0040a020000", "negState of two bytes"),
        ("a1 02 0400", "no SEQUENCE"),
        ("a2 02 3000", "neither choice"),
    ] {
        assert_eq!(
            NegotiationToken::read(&unhex(token)),
            Err(Error::Der),
            "{why}"
        );
    }
    let kerberos = unhex("600b 06092a864886f712010202");
    assert_eq!(NegotiationToken::read(&kerberos), Err(Error::Mechanism));
}

#[test]
fn mech_types_are_bounded() {
    for (count, accepted) in [(MAX_MECH_TYPES, true), (MAX_MECH_TYPES + 1, false)] {
        let token = NegTokenInit::write(&mech_type_list(&vec![NTLMSSP; count]), b"");
        assert_eq!(NegotiationToken::read(&token).is_ok(), accepted);
    }
}

proptest! {
    #[test]
    fn read_survives_anything(token in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = NegotiationToken::read(&token);
    }

    #[test]
    fn read_survives_altered_tokens(
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let list = mech_type_list(&[KERBEROS, NTLMSSP]);
        let mut token = NegTokenInit::write(&list, &[1; 40]);
        let at = at.index(token.len());
        token[at] = byte;
        let _ = NegotiationToken::read(&token);
    }

    #[test]
    fn elements_of_any_size(tag in prop::sample::select(vec![0x04u8, 0x30, 0x60]), length in 0usize..70_000) {
        let content = vec![0xAB; length];
        let encoded = der::element(tag, &content);
        let mut reader = der::Reader::new(&encoded);
        let element = reader.expect(tag).unwrap();
        prop_assert_eq!(element.content, &content[..]);
        prop_assert_eq!(element.encoded, &encoded[..]);
        prop_assert!(reader.next().unwrap().is_none());
    }
}
