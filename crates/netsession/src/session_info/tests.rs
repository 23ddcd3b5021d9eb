use rpc::Syntax;
use srvsvc::{EnumResponse, NetApiStatus, SessionEnumResponse};

use super::*;

fn row() -> srvsvc::SessionInfo {
    srvsvc::SessionInfo {
        cname: r"\\192.0.2.10".to_owned(),
        username: "alice".to_owned(),
        num_opens: 7,
        time: u32::MAX,
        idle_time: 5,
        user_flags: 0x8000_0011,
        cltype_name: "Windows NT 1381".to_owned(),
        transport: r"\Device\NetbiosSmb".to_owned(),
    }
}

/// Through the bytes of both transfer syntaxes: a level tells its fields and no others.
#[test]
fn every_level_from_the_wire() {
    for syntax in [Syntax::Ndr20, Syntax::Ndr64] {
        for level in SessionLevel::ALL {
            let stub = EnumResponse {
                level: level.into(),
                entries: vec![row()],
                total_entries: 1,
                resume_handle: Some(0),
                result: NetApiStatus::SUCCESS,
            }
            .write(syntax);
            let mut response = SessionEnumResponse::read(syntax, &stub).unwrap();
            let info = SessionInfo::from_row(level, response.entries.remove(0));
            let number = u32::from(level);
            assert_eq!(info.level(), level);
            assert_eq!(
                (info.cname(), info.client()),
                (r"\\192.0.2.10", "192.0.2.10")
            );
            let has = |levels: &[u32]| levels.contains(&number);
            let named = has(&[1, 2, 10, 502]);
            assert_eq!(info.username(), named.then_some("alice"));
            let time = Duration::from_secs(u32::MAX.into());
            assert_eq!(info.time(), named.then_some(time));
            assert_eq!(info.idle_time(), named.then_some(Duration::from_secs(5)));
            let counted = has(&[1, 2, 502]);
            assert_eq!(info.num_opens(), counted.then_some(7));
            let flags = info.user_flags().map(UserFlags::bits);
            assert_eq!(flags, counted.then_some(0x8000_0011));
            let typed = has(&[2, 502]).then_some("Windows NT 1381");
            assert_eq!(info.cltype_name(), typed);
            let carried = has(&[502]).then_some(r"\Device\NetbiosSmb");
            assert_eq!(info.transport(), carried);
        }
    }
}

#[test]
fn flags() {
    let flags = UserFlags::from_bits(0x11);
    assert!(flags.is_guest() && flags.contains(UserFlags::GUEST));
    assert!(!flags.contains(UserFlags::NOENCRYPTION));
    assert!(!flags.contains(UserFlags::GUEST | UserFlags::NOENCRYPTION));
    for (flags, text) in [
        (UserFlags::default(), "0x0"),
        (UserFlags::GUEST, "GUEST"),
        (
            UserFlags::GUEST | UserFlags::NOENCRYPTION,
            "GUEST | NOENCRYPTION",
        ),
        (flags, "GUEST | 0x10"),
        (UserFlags::from_bits(0x8000_0000), "0x80000000"),
    ] {
        assert_eq!(format!("{flags:?}"), text);
        assert_eq!(UserFlags::from_bits(flags.bits()), flags);
    }
}
