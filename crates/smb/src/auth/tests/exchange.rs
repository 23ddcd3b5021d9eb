//! Acceptor and Initiator, against pyspnego's recorded tokens and each other.

use proptest::prelude::*;

use super::{hex, unhex};
use crate::{
    FileTime, NtStatus,
    auth::{
        Acceptor, AcceptorConfig, Credentials, Error, Initiator, Step, nt_hash,
        ntlm::{AuthenticateMessage, NegotiateFlags, NegotiateMessage, SessionSecurity},
        spnego::{self, NegState, NegTokenInit, NegTokenResp, NegotiationToken},
    },
};

const NOW: FileTime = FileTime(0x01DC_5A00_0000_0000);
const SERVER_CHALLENGE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

const PYSPNEGO_RAW_NEGOTIATE: &str =
    "4e544c4d5353500001000000378208e200000000280000000000000028000000000c04000000000f";
const PYSPNEGO_RAW_AUTHENTICATE: &str =
    "4e544c4d53535000030000001800180058000000c400c400700000000600060034010000080008003a010000
     0e000e0042010000100010005001000035828ae2000c04000000000f8ca8f697fad4a9c8dcd462af6bd68cba
     000000000000000000000000000000000000000000000000967d6f9496e62694c4993c26feef9edf01010000
     0000000000000000005adc0133333333333333330000000002000c0044004f004d00410049004e0001000c00
     530045005200560045005200040016006500780061006d0070006c0065002e006f0072006700030024007300
     650072007600650072002e006500780061006d0070006c0065002e006f007200670007000800000000000
     05adc010900160063006900660073002f0073006500720076006500720006000400020000000000000000000
     00044004f004d005500730065007200530054004100540049004f004e00c8ff67312951be89625c678753
     02aae3";
const PYSPNEGO_NEGOTIATE: &str =
    "604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a0428";
const PYSPNEGO_AUTHENTICATE_HEAD: &str = "a182018530820181a0030a0101a282016404820160";
const PYSPNEGO_AUTHENTICATE_MIC: &str = "a312041001000000ed8c856c545d8de900000000";
const PYSPNEGO_FINAL: &str = "a11b3019a0030a0100a3120410010000002eb406044455927b00000000";

const CHALLENGE_MESSAGE: &str =
    "4e544c4d53535000020000000c000c003800000035828ae20102030405060708000000000000000072007200
     44000000060100000000000f53004500520056004500520002000c0044004f004d00410049004e0001000c00
     530045005200560045005200040016006500780061006d0070006c0065002e006f0072006700030024007300
     650072007600650072002e006500780061006d0070006c0065002e006f007200670007000800000000000
     05adc0100000000";
const CHALLENGE_TOKEN_HEAD: &str = "a181d23081cfa0030a0101a10c060a2b06010401823702020aa281b90481b6";

const INITIATOR_START: &str =
    "604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a04284e544c4d535350000100
     0000158288e200000000000000000000000000000000060100000000000f";
const PYSPNEGO_CHALLENGE: &str =
    "a1819030818da0030a0103a10c060a2b06010401823702020aa27804764e544c4d5353500002000000040004
     003800000015828ae2333333333333333300000000000000003a003a003c000000000c04000000000f56004d
     000100040056004d000200160057004f0052004b00530054004100540049004f004e000300040076006d0007
     00080000000000005adc0100000000";
const INITIATOR_TOKEN: &str =
    "a18201533082014fa0030a0101a28201320482012e4e544c4d53535000030000001800180066000000a000a0
     007e0000000600060058000000080008005e0000000000000066000000100010001e010000158288e2060100
     000000000fec542baefca898787f7d7a692c923e2244004f004d005500730065007200000000000000000000
     0000000000000000000000000000006622c621f11e258b7ce59ad99964d07501010000000000000000000000
     5adc010909090909090909000000000100040056004d000200160057004f0052004b00530054004100540049
     004f004e000300040076006d000700080000000000005adc0106000400020000000a00100000000000000000
     0000000000000000000900160063006900660073002f00730065007200760065007200000000000000000051
     140595d130225eee269aa9589d700fa31204100100000043cf9691e4c38fc800000000";
const PYSPNEGO_ACCEPTED: &str = "a11b3019a0030a0100a31204100100000079dbf4271fb8de1100000000";

fn acceptor() -> Acceptor {
    Acceptor::new(AcceptorConfig {
        computer_name: "SERVER".into(),
        domain_name: "DOMAIN".into(),
        dns_computer_name: "server.example.org".into(),
        dns_domain_name: "example.org".into(),
    })
}

fn lookup(_domain: &str, user: &str) -> Option<[u8; 16]> {
    (user == "User").then(|| nt_hash("Password"))
}

fn step(acceptor: &mut Acceptor, token: &[u8]) -> Step {
    acceptor.step(token, NOW, SERVER_CHALLENGE, &mut lookup)
}

fn challenged(acceptor: &mut Acceptor, token: &[u8]) -> Vec<u8> {
    match step(acceptor, token) {
        Step::Continue { token } => token,
        other => panic!("{other:?}"),
    }
}

fn raw_authenticate() -> Vec<u8> {
    unhex(PYSPNEGO_RAW_AUTHENTICATE)
}

fn spnego_authenticate() -> Vec<u8> {
    let parts = [
        PYSPNEGO_AUTHENTICATE_HEAD,
        PYSPNEGO_RAW_AUTHENTICATE,
        PYSPNEGO_AUTHENTICATE_MIC,
    ];
    unhex(&parts.concat())
}

fn spnego_negotiate() -> Vec<u8> {
    unhex(&[PYSPNEGO_NEGOTIATE, PYSPNEGO_RAW_NEGOTIATE].concat())
}

fn accepted(token: Vec<u8>) -> Step {
    Step::Accepted {
        token,
        domain: "DOM".into(),
        user_name: "User".into(),
        workstation: "STATION".into(),
        anonymous: false,
        session_key: [0x33; 16],
    }
}

#[test]
fn pyspnego_raw() {
    let mut acceptor = acceptor();
    let challenge = challenged(&mut acceptor, &unhex(PYSPNEGO_RAW_NEGOTIATE));
    assert_eq!(challenge, unhex(CHALLENGE_MESSAGE));
    assert_eq!(
        step(&mut acceptor, &raw_authenticate()),
        accepted(Vec::new())
    );
    let done = step(&mut acceptor, &raw_authenticate());
    assert_eq!(done, Step::Denied(NtStatus::INVALID_PARAMETER));
}

#[test]
fn pyspnego_in_spnego() {
    let mut acceptor = acceptor();
    let challenge = challenged(&mut acceptor, &spnego_negotiate());
    assert_eq!(
        challenge,
        unhex(&[CHALLENGE_TOKEN_HEAD, CHALLENGE_MESSAGE].concat())
    );
    assert_eq!(
        step(&mut acceptor, &spnego_authenticate()),
        accepted(unhex(PYSPNEGO_FINAL))
    );
}

#[test]
fn pyspnego_as_server() {
    let mut initiator = Initiator::new(Credentials::new("DOM", "User", "Password"), "server");
    assert_eq!(initiator.start(None), unhex(INITIATOR_START));
    let step = initiator
        .step(&unhex(PYSPNEGO_CHALLENGE), FileTime(5), [9; 8], [0x77; 16])
        .unwrap();
    assert_eq!(step.token, unhex(INITIATOR_TOKEN));
    assert_eq!(step.session_key, [0x77; 16]);
    assert_eq!(initiator.finish(&unhex(PYSPNEGO_ACCEPTED)), Ok(()));
    assert_eq!(initiator.finish(&[]), Err(Error::State));
}

#[test]
fn no_byte_of_a_logon_may_be_cut_off() {
    for length in 0..raw_authenticate().len() {
        let mut raw = acceptor();
        challenged(&mut raw, &unhex(PYSPNEGO_RAW_NEGOTIATE));
        let outcome = step(&mut raw, &raw_authenticate()[..length]);
        assert!(matches!(outcome, Step::Denied(_)), "{length}: {outcome:?}");
    }
    for length in 0..spnego_authenticate().len() {
        let mut wrapped = acceptor();
        challenged(&mut wrapped, &spnego_negotiate());
        let outcome = step(&mut wrapped, &spnego_authenticate()[..length]);
        assert!(matches!(outcome, Step::Denied(_)), "{length}: {outcome:?}");
    }
    for length in 0..spnego_negotiate().len() {
        let outcome = step(&mut acceptor(), &spnego_negotiate()[..length]);
        assert_eq!(
            outcome,
            Step::Denied(NtStatus::INVALID_PARAMETER),
            "{length}"
        );
    }
}

#[test]
fn no_byte_of_a_logon_may_be_altered() {
    for at in 0..raw_authenticate().len() {
        let mut altered = raw_authenticate();
        altered[at] ^= 0x20;
        let mut raw = acceptor();
        challenged(&mut raw, &unhex(PYSPNEGO_RAW_NEGOTIATE));
        let outcome = step(&mut raw, &altered);
        assert!(matches!(outcome, Step::Denied(_)), "{at}: {outcome:?}");
    }
}

#[test]
fn altered_mech_list_mic() {
    let mut altered = spnego_authenticate();
    let last = altered.len() - 6;
    altered[last] ^= 1;
    let mut acceptor = acceptor();
    challenged(&mut acceptor, &spnego_negotiate());
    assert_eq!(
        step(&mut acceptor, &altered),
        Step::Denied(NtStatus::ACCESS_DENIED)
    );
}

/// Runs a whole logon; the acceptor's last word.
fn logon(credentials: Credentials, hints: Option<&[u8]>) -> Step {
    let mut initiator = Initiator::new(credentials, "server");
    let mut acceptor = acceptor();
    let challenge = challenged(&mut acceptor, &initiator.start(hints));
    let answer = initiator.step(&challenge, NOW, [9; 8], [0x77; 16]).unwrap();
    let outcome = step(&mut acceptor, &answer.token);
    if let Step::Accepted {
        token, session_key, ..
    } = &outcome
    {
        assert_eq!(*session_key, answer.session_key);
        assert_eq!(initiator.finish(token), Ok(()));
    }
    outcome
}

#[test]
fn both_ends() {
    let mut credentials = Credentials::with_nt_hash("DÖM", "User", nt_hash("Password"));
    credentials.workstation = "Station".into();
    match logon(credentials, Some(&Acceptor::negotiate_token())) {
        Step::Accepted {
            domain,
            user_name,
            workstation,
            anonymous,
            ..
        } => {
            assert_eq!((&domain[..], &user_name[..]), ("DÖM", "User"));
            assert_eq!((&workstation[..], anonymous), ("Station", false));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn wrong_password_and_unknown_user_look_the_same() {
    let denied = Step::Denied(NtStatus::LOGON_FAILURE);
    assert_eq!(
        logon(Credentials::new("", "User", "password"), None),
        denied
    );
    assert_eq!(logon(Credentials::new("", "User", ""), None), denied);
    assert_eq!(
        logon(Credentials::new("", "Other", "Password"), None),
        denied
    );
    // An unknown user whose guess is the hash that stands in for a missing one.
    assert_eq!(
        logon(Credentials::with_nt_hash("", "Other", [0; 16]), None),
        denied
    );
}

#[test]
fn anonymous() {
    match logon(Credentials::anonymous(), None) {
        Step::Accepted {
            anonymous,
            user_name,
            domain,
            ..
        } => {
            assert!(anonymous);
            assert_eq!((&user_name[..], &domain[..]), ("", ""));
        }
        other => panic!("{other:?}"),
    }
}

/// What a client that prefers Kerberos sends.
fn kerberos_first(token: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let list = spnego::mech_type_list(&[spnego::KERBEROS, spnego::NTLMSSP]);
    let init = NegTokenInit::write(&list, token);
    (list, init)
}

#[test]
fn kerberos_first_is_sent_on_to_ntlm() {
    let (list, init) = kerberos_first(b"\x60\x05a ticket");
    let mut acceptor = acceptor();
    let redirect = challenged(&mut acceptor, &init);
    let NegotiationToken::Resp(redirect) = NegotiationToken::read(&redirect).unwrap() else {
        panic!();
    };
    assert_eq!(redirect.neg_state, Some(NegState::REQUEST_MIC));
    assert_eq!(redirect.supported_mech, Some(spnego::NTLMSSP));
    assert_eq!(redirect.response_token, None);

    let negotiate = unhex(PYSPNEGO_RAW_NEGOTIATE);
    let second = NegTokenResp {
        response_token: Some(&negotiate),
        ..NegTokenResp::default()
    };
    let challenge = challenged(&mut acceptor, &second.write());
    let NegotiationToken::Resp(challenge) = NegotiationToken::read(&challenge).unwrap() else {
        panic!();
    };
    assert_eq!(challenge.neg_state, Some(NegState::ACCEPT_INCOMPLETE));
    assert_eq!(challenge.supported_mech, None);
    assert_eq!(
        challenge.response_token,
        Some(&unhex(CHALLENGE_MESSAGE)[..])
    );

    // The mechListMIC covers the list as this client sent it.
    let flags = NegotiateFlags(0xE28A_8235);
    let mic = SessionSecurity::client(flags, &[0x33; 16]).mech_list_mic(&list);
    let authenticate = raw_authenticate();
    let third = NegTokenResp {
        response_token: Some(&authenticate),
        mech_list_mic: Some(&mic),
        ..NegTokenResp::default()
    };
    let server_mic = SessionSecurity::server(flags, &[0x33; 16]).mech_list_mic(&list);
    let last = NegTokenResp {
        neg_state: Some(NegState::ACCEPT_COMPLETED),
        mech_list_mic: Some(&server_mic),
        ..NegTokenResp::default()
    };
    assert_eq!(step(&mut acceptor, &third.write()), accepted(last.write()));
}

#[test]
fn mech_list_that_was_altered_is_noticed() {
    // The client offered NTLM alone, somebody put Kerberos before it.
    let (_, init) = kerberos_first(&unhex(PYSPNEGO_RAW_NEGOTIATE));
    let mut acceptor = acceptor();
    let challenge = challenged(&mut acceptor, &init);
    assert_eq!(
        challenge,
        unhex(&[CHALLENGE_TOKEN_HEAD, CHALLENGE_MESSAGE].concat())
    );
    let outcome = step(&mut acceptor, &spnego_authenticate());
    assert_eq!(outcome, Step::Denied(NtStatus::ACCESS_DENIED));
}

#[test]
fn ntlm_first_without_a_token() {
    let list = spnego::mech_type_list(&[spnego::NTLMSSP]);
    let mut acceptor = acceptor();
    let answer = challenged(&mut acceptor, &NegTokenInit::write(&list, b""));
    assert_eq!(
        answer,
        unhex("a1153013a0030a0101a10c060a2b06010401823702020a")
    );
}

#[test]
fn no_common_mechanism() {
    let list = spnego::mech_type_list(&[spnego::KERBEROS]);
    let outcome = step(&mut acceptor(), &NegTokenInit::write(&list, b"ticket"));
    assert_eq!(outcome, Step::Denied(NtStatus::INVALID_PARAMETER));
}

#[test]
fn what_is_held_for_a_stranger_is_bounded() {
    let mut negotiate = unhex(PYSPNEGO_RAW_NEGOTIATE);
    negotiate.resize(2049, 0);
    let denied = Step::Denied(NtStatus::INVALID_PARAMETER);
    assert_eq!(step(&mut acceptor(), &negotiate), denied);
    assert!(matches!(
        step(&mut acceptor(), &negotiate[..2048]),
        Step::Continue { .. }
    ));
}

#[test]
fn ntlm_v1_is_denied() {
    let message = AuthenticateMessage {
        lm_challenge_response: &[1; 24],
        nt_challenge_response: &[2; 24],
        domain_name: b"",
        user_name: b"U\0s\0e\0r\0",
        workstation: b"",
        encrypted_random_session_key: b"",
        flags: NegotiateFlags(0x0000_0201),
        mic: None,
    };
    // Anonymous needs more than the flag: a user with responses is none.
    for flags in [message.flags, message.flags | NegotiateFlags::ANONYMOUS] {
        let mut acceptor = acceptor();
        challenged(&mut acceptor, &unhex(PYSPNEGO_RAW_NEGOTIATE));
        let outcome = step(
            &mut acceptor,
            &AuthenticateMessage { flags, ..message }.write().unwrap(),
        );
        assert_eq!(outcome, Step::Denied(NtStatus::LOGON_FAILURE));
    }
}

/// The response that NetApp's network diagnosis sends: the list behind its head is cut off.
#[test]
fn a_response_with_a_broken_list_is_malformed() {
    let mut response = vec![0xAB; 16];
    response.extend_from_slice(&[1, 1, 0, 0, 0, 0, 0, 0]);
    response.extend_from_slice(&[0x3F; 8]);
    response.extend_from_slice(&[0x55; 12]);
    // AvId 0x3850 with 0x7822 bytes, of which few are there.
    response.extend_from_slice(&[0x50, 0x38, 0x22, 0x78, 0x2B, 0x94]);
    for user_name in [&b"U\0s\0e\0r\0"[..], b"N\0o\0b\0o\0d\0y\0"] {
        let message = AuthenticateMessage {
            lm_challenge_response: &[0; 24],
            nt_challenge_response: &response,
            domain_name: b"",
            user_name,
            workstation: b"",
            encrypted_random_session_key: b"",
            flags: NegotiateFlags(0x0000_0201),
            mic: None,
        };
        let mut acceptor = acceptor();
        challenged(&mut acceptor, &unhex(PYSPNEGO_RAW_NEGOTIATE));
        let outcome = step(&mut acceptor, &message.write().unwrap());
        assert_eq!(outcome, Step::Denied(NtStatus::INVALID_PARAMETER));
    }
}

#[test]
fn key_exchange_needs_16_bytes() {
    let message = AuthenticateMessage {
        lm_challenge_response: b"",
        nt_challenge_response: b"",
        domain_name: b"",
        user_name: b"",
        workstation: b"",
        encrypted_random_session_key: &[1; 15],
        flags: NegotiateFlags::UNICODE | NegotiateFlags::KEY_EXCH,
        mic: None,
    };
    let mut acceptor = acceptor();
    challenged(&mut acceptor, &unhex(PYSPNEGO_RAW_NEGOTIATE));
    let outcome = step(&mut acceptor, &message.write().unwrap());
    assert_eq!(outcome, Step::Denied(NtStatus::INVALID_PARAMETER));
}

#[test]
fn client_without_unicode() {
    let negotiate = NegotiateMessage {
        flags: NegotiateFlags(0x0000_0202),
    }
    .write();
    assert_eq!(
        step(&mut acceptor(), &negotiate),
        Step::Denied(NtStatus::INVALID_PARAMETER)
    );
}

fn started(hints: Option<&[u8]>) -> Initiator {
    let mut initiator = Initiator::new(Credentials::new("DOM", "User", "Password"), "server");
    initiator.start(hints);
    initiator
}

#[test]
fn initiator_refuses() {
    let mut fresh = Initiator::new(Credentials::anonymous(), "server");
    let token = unhex(PYSPNEGO_CHALLENGE);
    assert_eq!(fresh.step(&token, NOW, [0; 8], [0; 16]), Err(Error::State));

    let reject = unhex("a1073005a0030a0102");
    let rejected = started(None).step(&reject, NOW, [0; 8], [0; 16]);
    assert_eq!(rejected, Err(Error::Rejected));
    let kerberos = spnego::mech_type_list(&[spnego::KERBEROS]);
    let rejected =
        started(Some(&NegTokenInit::write_hints(&kerberos))).step(&reject, NOW, [0; 8], [0; 16]);
    assert_eq!(rejected, Err(Error::Mechanism));

    for length in 0..token.len() {
        let cut = started(None).step(&token[..length], NOW, [0; 8], [0; 16]);
        assert!(cut.is_err(), "{length}");
    }

    let mut initiator = started(None);
    initiator.step(&token, NOW, [9; 8], [0x77; 16]).unwrap();
    let mut wrong = unhex(PYSPNEGO_ACCEPTED);
    let last = wrong.len() - 6;
    wrong[last] ^= 1;
    assert_eq!(initiator.finish(&wrong), Err(Error::MechListMic));

    let mut initiator = started(None);
    initiator.step(&token, NOW, [9; 8], [0x77; 16]).unwrap();
    assert_eq!(initiator.finish(&reject), Err(Error::Rejected));
}

#[test]
fn secrets_do_not_show() {
    let credentials = Credentials::with_nt_hash("D", "U", hex("abababababababababababababababab"));
    let shown = format!(
        "{:?} {:?}",
        credentials.clone(),
        Initiator::new(credentials, "s")
    );
    assert!(!shown.contains("171"), "{shown}");
    let shown = format!("{:?}", accepted(Vec::new()));
    assert!(!shown.contains("51"), "{shown}");
}

proptest! {
    #[test]
    fn any_names_log_on(
        domain in "\\PC{0,20}",
        user in "\\PC{1,20}",
        password in "\\PC{0,20}",
        target in "\\PC{0,20}",
    ) {
        let credentials = Credentials::new(&domain[..], &user[..], &password);
        let mut initiator = Initiator::new(credentials, &target);
        let mut acceptor = acceptor();
        let challenge = challenged(&mut acceptor, &initiator.start(None));
        let answer = initiator.step(&challenge, NOW, [9; 8], [0x77; 16]).unwrap();
        let mut asked = None;
        let outcome = acceptor.step(&answer.token, NOW, [0; 8], &mut |domain, user| {
            asked = Some((domain.to_owned(), user.to_owned()));
            Some(nt_hash(&password))
        });
        prop_assert_eq!(asked, Some((domain, user)));
        let Step::Accepted { token, .. } = outcome else { panic!("{outcome:?}") };
        prop_assert_eq!(initiator.finish(&token), Ok(()));
    }

    #[test]
    fn acceptor_survives_anything(tokens: [Vec<u8>; 2], raw: bool) {
        let _ = step(&mut acceptor(), &tokens[0]);
        let mut acceptor = acceptor();
        let first = if raw { unhex(PYSPNEGO_RAW_NEGOTIATE) } else { spnego_negotiate() };
        challenged(&mut acceptor, &first);
        prop_assert!(matches!(step(&mut acceptor, &tokens[1]), Step::Denied(_)));
    }

    #[test]
    fn initiator_survives_altered_challenges(at: prop::sample::Index, byte: u8) {
        let mut token = unhex(PYSPNEGO_CHALLENGE);
        let at = at.index(token.len());
        token[at] = byte;
        let _ = started(None).step(&token, NOW, [0; 8], [0; 16]);
    }
}
