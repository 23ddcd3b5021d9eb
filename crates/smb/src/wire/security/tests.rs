//! Descriptors packed by impacket (`../tests/vectors.py`), round trips, hostile bytes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A line of `vectors.txt`.
fn vector(name: &str) -> Vec<u8> {
    let mut lines = include_str!("../tests/vectors.txt").lines();
    let hex = lines.find_map(|line| line.strip_prefix(&format!("{name} ")));
    let hex = hex.unwrap_or_else(|| panic!("no vector {name}")).as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    hex.chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

/// What `vectors.py` packs as SECURITY_DESCRIPTOR.
fn known() -> SecurityDescriptor {
    let user = sid("S-1-5-21-1-2-4000000000-1000");
    let other = |ace_type, mask: u32, data: &[u8]| {
        let mut body = mask.to_le_bytes().to_vec();
        Sid::EVERYONE.write(&mut body);
        body.extend_from_slice(data);
        AceKind::Other {
            ace_type,
            body: body.into(),
        }
    };
    SecurityDescriptor {
        sbz1: 0,
        control: 0x9414,
        owner: Some(user),
        group: Some(Sid::USERS),
        sacl: Some(Acl::new(vec![Ace {
            flags: ace_flags::SUCCESSFUL_ACCESS_ACE_FLAG | ace_flags::FAILED_ACCESS_ACE_FLAG,
            kind: other(ace_type::SYSTEM_AUDIT_ACE_TYPE, 0x10000, b""),
        }])),
        dacl: Some(Acl::new(vec![
            Ace::denied(0, 2, Sid::NETWORK),
            Ace::allowed(0x13, 0x1F_01FF, user),
            Ace {
                flags: 0,
                kind: other(9, 0x12_0089, b"artx\xf8\0\0\0"),
            },
            Ace::allowed(0x0B, 0x1000_0000, Sid::CREATOR_OWNER),
        ])),
    }
}

#[test]
fn known_bytes() {
    let bytes = vector("SECURITY_DESCRIPTOR");
    assert_eq!(SecurityDescriptor::read(&bytes), Ok(known()));
    assert_eq!(known().to_bytes().as_ref(), Ok(&bytes));
}

#[test]
fn a_null_list_is_not_an_empty_one() {
    let null = SecurityDescriptor {
        control: control::SE_SELF_RELATIVE | control::SE_DACL_PRESENT,
        owner: Some(Sid::EVERYONE),
        ..SecurityDescriptor::default()
    };
    let empty = SecurityDescriptor {
        control: control::SE_SELF_RELATIVE | control::SE_DACL_PRESENT,
        dacl: Some(Acl {
            revision: 4,
            aces: Vec::new(),
        }),
        ..SecurityDescriptor::default()
    };
    for (name, value) in [
        ("SECURITY_DESCRIPTOR_null", null),
        ("SECURITY_DESCRIPTOR_empty", empty),
    ] {
        let bytes = vector(name);
        assert_eq!(SecurityDescriptor::read(&bytes).as_ref(), Ok(&value));
        assert_eq!(value.to_bytes(), Ok(bytes));
        assert!(value.dacl_present());
    }
}

/// Only what is not used may be missing: nothing of this descriptor.
#[test]
fn truncated_at_every_byte() {
    for name in ["SECURITY_DESCRIPTOR", "SECURITY_DESCRIPTOR_null"] {
        let bytes = vector(name);
        for length in 0..bytes.len() {
            assert!(
                SecurityDescriptor::read(&bytes[..length]).is_err(),
                "{length}"
            );
        }
    }
}

#[test]
fn a_list_that_is_not_present_is_not_looked_at() {
    let mut bytes = vector("SECURITY_DESCRIPTOR");
    bytes[2] &= !0x14;
    // Its DACL begins far outside.
    bytes[16..20].copy_from_slice(&u32::MAX.to_le_bytes());
    let read = SecurityDescriptor::read(&bytes).unwrap();
    assert!(!read.dacl_present() && !read.sacl_present());
    assert_eq!(read.owner, known().owner);
}

#[test]
fn hostile_bytes() {
    let good = vector("SECURITY_DESCRIPTOR");
    let dacl = u32::from_le_bytes(good[16..20].try_into().unwrap()) as usize;
    let owner = u32::from_le_bytes(good[4..8].try_into().unwrap()) as usize;
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        SecurityDescriptor::read(&changed)
    };
    assert!(with(0, &[2]).is_err(), "revision of the descriptor");
    assert!(with(owner, &[2]).is_err(), "revision of a SID");
    assert!(with(owner + 1, &[16]).is_err(), "16 SubAuthorities");
    for offset in [1, 19, u32::MAX] {
        assert!(with(16, &offset.to_le_bytes()).is_err(), "offset {offset}");
    }
    for size in [0, 7, 0xFFFF_u16] {
        let changed = with(dacl + 2, &size.to_le_bytes());
        assert!(changed.is_err(), "list of {size} bytes");
    }
    assert!(
        with(dacl + 4, &[5]).is_err(),
        "one entry more than there is"
    );
    assert!(with(dacl + 4, &[0xFF, 0xFF]).is_err(), "many more");
    for size in [0, 3, 4, 8, 19, 21, 0xFFFF_u16] {
        let changed = with(dacl + 8 + 2, &size.to_le_bytes());
        assert!(changed.is_err(), "entry of {size} bytes");
    }
}

#[test]
fn a_list_that_does_not_fit_is_not_written() {
    let entry = Ace::allowed(0, 1, Sid::EVERYONE);
    let fit = (MAX_ACL_SIZE - 8) / entry.size();
    let descriptor = |count| SecurityDescriptor {
        dacl: Some(Acl::new(vec![entry.clone(); count])),
        ..SecurityDescriptor::default()
    };
    assert!(descriptor(fit).to_bytes().is_ok());
    assert!(matches!(
        descriptor(fit + 1).to_bytes(),
        Err(Error::Size { what: "ACL", .. })
    ));
}

#[test]
fn sids_in_printed_form() {
    for text in [
        "S-1-0-0",
        "S-1-5-21-1-2-4294967295-1000",
        "S-1-0x010000000000-7",
        "S-1-16",
    ] {
        assert_eq!(sid(text).to_string(), text);
    }
    assert_eq!(sid("s-1-5-32-544"), Sid::ADMINISTRATORS);
    assert_eq!(Sid::ADMINISTRATORS.with_rid(545), Some(Sid::USERS));
    for text in [
        "",
        "S",
        "S-1",
        "S-2-5-1",
        "S-1-5-",
        "S-1-5-4294967296",
        "S-1-0x1000000000000-1",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
        "S-1-5-+1-",
    ] {
        assert_eq!(text.parse::<Sid>(), Err(ParseSidError), "{text}");
    }
}

fn any_sid() -> impl Strategy<Value = Sid> {
    (0..1_u64 << 48, vec(any::<u32>(), 0..=MAX_SUB_AUTHORITIES))
        .prop_map(|(authority, numbers)| Sid::new(authority, &numbers))
}

fn any_ace() -> impl Strategy<Value = Ace> {
    let rights = || (any::<u32>(), any_sid());
    let other = (2..=u8::MAX, vec(any::<[u8; 4]>(), 0..6));
    let kind = prop_oneof![
        rights().prop_map(|(mask, sid)| AceKind::Allowed { mask, sid }),
        rights().prop_map(|(mask, sid)| AceKind::Denied { mask, sid }),
        other.prop_map(|(ace_type, body)| AceKind::Other {
            ace_type,
            body: body.concat().into(),
        }),
    ];
    (any::<u8>(), kind).prop_map(|(flags, kind)| Ace { flags, kind })
}

fn any_acl() -> impl Strategy<Value = Option<Acl>> {
    let list = (any::<u8>(), vec(any_ace(), 0..8));
    proptest::option::of(list.prop_map(|(revision, aces)| Acl { revision, aces }))
}

proptest! {
    #[test]
    fn round_trip(
        sbz1: u8,
        control: u16,
        owner in proptest::option::of(any_sid()),
        group in proptest::option::of(any_sid()),
        sacl in any_acl(),
        dacl in any_acl(),
    ) {
        let mut value = SecurityDescriptor { sbz1, control, owner, group, sacl, dacl };
        let bytes = value.to_bytes().unwrap();
        value.control |= control::SE_SELF_RELATIVE;
        if value.sacl.is_some() {
            value.control |= control::SE_SACL_PRESENT;
        }
        if value.dacl.is_some() {
            value.control |= control::SE_DACL_PRESENT;
        }
        prop_assert_eq!(SecurityDescriptor::read(&bytes), Ok(value));
    }

    #[test]
    fn printed_sids_read_back(sid in any_sid()) {
        prop_assert_eq!(sid.to_string().parse(), Ok(sid));
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        let _ = SecurityDescriptor::read(&bytes);
    }
}
