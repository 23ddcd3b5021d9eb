//! Access and inheritance against models that take one bit, and one entry, at a time.

use proptest::collection::vec;
use proptest::prelude::*;
use smb::wire::security::ace_flags::{
    CONTAINER_INHERIT_ACE as CI, INHERIT_ONLY_ACE as IO, INHERITED_ACE as INHERITED,
    NO_PROPAGATE_INHERIT_ACE as NP, OBJECT_INHERIT_ACE as OI,
};
use smb::wire::security_information as part;

use super::*;

const ALICE: Sid = Sid::new(5, &[21, 1, 2, 3, 1000]);
const BOB: Sid = Sid::new(5, &[21, 1, 2, 3, 1001]);

fn token(sid: Sid, groups: &[&str]) -> Token {
    Token::new(&SecurityContext {
        user_name: "user".into(),
        domain: "SRV".into(),
        sid: sid.to_string().into(),
        groups: groups.iter().map(|&group| group.into()).collect(),
        is_guest: false,
        is_anonymous: false,
    })
}

fn alice() -> Token {
    token(ALICE, &[])
}

fn administrator() -> Token {
    token(ALICE, &["S-1-5-32-544"])
}

fn descriptor(owner: Sid, aces: Vec<Ace>) -> SecurityDescriptor {
    SecurityDescriptor {
        control: control::SE_SELF_RELATIVE | control::SE_DACL_PRESENT,
        owner: Some(owner),
        dacl: Some(Acl::new(aces)),
        ..SecurityDescriptor::default()
    }
}

#[test]
fn tokens() {
    let groups = |token: &Token| token.sids.clone();
    let known = [
        ALICE,
        Sid::EVERYONE,
        Sid::NETWORK,
        Sid::AUTHENTICATED_USERS,
        Sid::USERS,
    ];
    assert_eq!(groups(&alice()), known);
    assert_eq!(alice().primary_group.to_string(), "S-1-5-21-1-2-3-513");
    assert!(!alice().is_administrator() && administrator().is_administrator());
    let mut context = SecurityContext {
        user_name: "".into(),
        domain: "".into(),
        sid: "S-1-5-7".into(),
        groups: [].into(),
        is_guest: false,
        is_anonymous: true,
    };
    assert_eq!(
        groups(&Token::new(&context)),
        [Sid::ANONYMOUS, Sid::NETWORK]
    );
    (context.is_anonymous, context.is_guest) = (false, true);
    context.sid = "no SID".into();
    assert_eq!(
        groups(&Token::new(&context)),
        [NOBODY, Sid::EVERYONE, Sid::NETWORK]
    );
}

#[test]
fn without_a_list_nothing_is_protected_and_an_empty_one_leaves_the_owner_his_own() {
    let mut open = descriptor(BOB, Vec::new());
    open.dacl = None;
    assert_eq!(maximal_access(&open, &alice()), FILE_ALL_ACCESS);
    let empty = descriptor(BOB, Vec::new());
    assert_eq!(maximal_access(&empty, &alice()), 0);
    assert_eq!(
        maximal_access(&empty, &token(BOB, &[])),
        mask::READ_CONTROL | mask::WRITE_DAC
    );
    // What cannot be read is closed for everybody but by privilege.
    let broken = read_stored(b"no descriptor");
    assert_eq!(maximal_access(&broken, &administrator()), 0);
}

#[test]
fn entries_count_in_their_order() {
    let all = Ace::allowed(0, FILE_ALL_ACCESS, Sid::EVERYONE);
    let no_write = Ace::denied(0, mask::GENERIC_WRITE, ALICE);
    let denied_first = descriptor(BOB, vec![no_write.clone(), all.clone()]);
    assert_eq!(
        maximal_access(&denied_first, &alice()),
        FILE_ALL_ACCESS & !mask::FILE_GENERIC_WRITE
    );
    let denied_last = descriptor(BOB, vec![all, no_write]);
    assert_eq!(maximal_access(&denied_last, &alice()), FILE_ALL_ACCESS);
}

#[test]
fn creators_and_entries_for_children_mean_nobody_here() {
    for ace in [
        Ace::allowed(0, FILE_ALL_ACCESS, Sid::CREATOR_OWNER),
        Ace::allowed(OI | IO, FILE_ALL_ACCESS, ALICE),
    ] {
        let own = maximal_access(&descriptor(ALICE, vec![ace]), &alice());
        assert_eq!(own, mask::READ_CONTROL | mask::WRITE_DAC);
    }
}

#[test]
fn owner_rights_replace_those_of_the_owner() {
    let owner = Ace::allowed(0, mask::FILE_READ_DATA, Sid::OWNER_RIGHTS);
    let read = Ace::allowed(0, mask::FILE_READ_EA, ALICE);
    let file = descriptor(ALICE, vec![read.clone(), owner.clone()]);
    let both = mask::FILE_READ_DATA | mask::FILE_READ_EA;
    assert_eq!(maximal_access(&file, &alice()), both);
    let others = descriptor(BOB, vec![read, owner]);
    assert_eq!(maximal_access(&others, &alice()), mask::FILE_READ_EA);
}

#[test]
fn a_denial_under_conditions_denies_and_a_grant_grants_nothing() {
    let conditional = |ace_type| {
        let mut body = mask::FILE_READ_DATA.to_le_bytes().to_vec();
        ALICE.write(&mut body);
        body.extend(b"artx");
        Ace {
            flags: 0,
            kind: AceKind::Other {
                ace_type,
                body: body.into(),
            },
        }
    };
    let all = Ace::allowed(0, FILE_ALL_ACCESS, Sid::EVERYONE);
    let denied = descriptor(BOB, vec![conditional(0x0A), all]);
    assert_eq!(
        maximal_access(&denied, &alice()),
        FILE_ALL_ACCESS & !mask::FILE_READ_DATA
    );
    let granted = descriptor(BOB, vec![conditional(0x09)]);
    assert_eq!(maximal_access(&granted, &alice()), 0);
}

/// Flags of an entry on the directory; of it on a file and on a directory made there, where
/// it counts and where it is only passed on.
#[test]
fn flags_of_inherited_entries() {
    type Flags = Option<u8>;
    let table: [(u8, Flags, Flags, Flags); 16] = [
        (0, None, None, None),
        (OI, Some(0), None, Some(OI | IO)),
        (CI, None, Some(0), Some(CI | IO)),
        (OI | CI, Some(0), Some(0), Some(OI | CI | IO)),
        (NP, None, None, None),
        (NP | OI, Some(0), None, None),
        (NP | CI, None, Some(0), None),
        (NP | OI | CI, Some(0), Some(0), None),
        (IO, None, None, None),
        (IO | OI, Some(0), None, Some(OI | IO)),
        (IO | CI, None, Some(0), Some(CI | IO)),
        (IO | OI | CI, Some(0), Some(0), Some(OI | CI | IO)),
        (IO | NP, None, None, None),
        (IO | NP | OI, Some(0), None, None),
        (IO | NP | CI, None, Some(0), None),
        (IO | NP | OI | CI, Some(0), Some(0), None),
    ];
    for (flags, on_file, on_directory, passed_on) in table {
        for mark in [0, INHERITED] {
            let write = |flags, sid| Ace::allowed(flags | mark, mask::FILE_WRITE_DATA, sid);
            let mut parent = descriptor(BOB, vec![write(flags, Sid::CREATOR_OWNER)]);
            if mark != 0 {
                parent.control |= control::SE_DACL_AUTO_INHERITED;
            }
            let made = |kind| {
                let new = create_security_descriptor(&parent, None, kind, &alice()).unwrap();
                let aces = new.dacl.unwrap().aces;
                // The default DACL stands for no inherited entry.
                (!aces.contains(&Ace::allowed(0, FILE_ALL_ACCESS, Sid::LOCAL_SYSTEM)))
                    .then_some(aces)
            };
            let here = |flags: Flags| flags.map(|flags| write(flags, ALICE));
            let below = |flags: Flags| flags.map(|flags| write(flags, Sid::CREATOR_OWNER));
            let expected = |aces: Vec<Ace>| (!aces.is_empty()).then_some(aces);
            let file = here(on_file).into_iter().collect();
            assert_eq!(made(FileKind::File), expected(file), "{flags:#x}");
            let directory = here(on_directory).into_iter().chain(below(passed_on));
            assert_eq!(
                made(FileKind::Directory),
                expected(directory.collect()),
                "{flags:#x}"
            );
        }
    }
}

#[test]
fn an_entry_that_means_the_same_further_down_is_inherited_once() {
    let parent = descriptor(BOB, vec![Ace::allowed(OI | CI | IO, 3, ALICE)]);
    let new = create_security_descriptor(&parent, None, FileKind::Directory, &alice()).unwrap();
    assert_eq!(new.dacl.unwrap().aces, [Ace::allowed(OI | CI, 3, ALICE)]);
}

#[test]
fn what_the_request_gives_wins_and_what_it_leaves_out_is_inherited() {
    let parent = descriptor(BOB, vec![Ace::allowed(OI, 3, BOB)]);
    let file = |given: &SecurityDescriptor, token: &Token| {
        create_security_descriptor(&parent, Some(given), FileKind::File, token)
    };
    let mut given = descriptor(ALICE, vec![Ace::allowed(0, mask::GENERIC_READ, ALICE)]);
    let new = file(&given, &alice()).unwrap();
    assert_eq!(
        new.dacl.unwrap().aces,
        [Ace::allowed(0, mask::FILE_GENERIC_READ, ALICE)]
    );
    given.control |= control::SE_DACL_AUTO_INHERIT_REQ;
    let new = file(&given, &alice()).unwrap();
    assert_eq!(
        new.dacl.unwrap().aces.len(),
        2,
        "what is inherited comes behind"
    );
    given.control |= control::SE_DACL_PROTECTED;
    let new = file(&given, &alice()).unwrap();
    assert_eq!(new.dacl.unwrap().aces.len(), 1);
    let none = SecurityDescriptor::default();
    let new = file(&none, &alice()).unwrap();
    assert_eq!((new.owner, new.group), (Some(ALICE), ALICE.with_rid(513)));
    assert_eq!(new.dacl.unwrap().aces, [Ace::allowed(0, 3, BOB)]);
    given.owner = Some(BOB);
    assert_eq!(file(&given, &alice()), Err(NtStatus::INVALID_OWNER));
    assert_eq!(file(&given, &administrator()).unwrap().owner, Some(BOB));
    given = none;
    given.sacl = Some(Acl::new(Vec::new()));
    assert_eq!(file(&given, &alice()), Err(NtStatus::PRIVILEGE_NOT_HELD));
    assert!(file(&given, &administrator()).unwrap().sacl_present());
}

#[test]
fn parts_are_set_and_told_one_by_one() {
    let before = descriptor(BOB, vec![Ace::allowed(0, 1, BOB)]);
    let new = SecurityDescriptor {
        owner: Some(ALICE),
        ..descriptor(ALICE, vec![Ace::allowed(0, mask::GENERIC_ALL, ALICE)])
    };
    let set = |parts, token: &Token| apply(before.clone(), &new, parts, token);
    let owned = set(part::OWNER_SECURITY_INFORMATION, &alice()).unwrap();
    assert_eq!((owned.owner, &owned.dacl), (Some(ALICE), &before.dacl));
    let bob = token(BOB, &[]);
    assert_eq!(
        set(part::OWNER_SECURITY_INFORMATION, &bob),
        Err(NtStatus::INVALID_OWNER)
    );
    let listed = set(part::DACL_SECURITY_INFORMATION, &alice()).unwrap();
    assert_eq!(listed.owner, Some(BOB));
    assert_eq!(
        listed.dacl,
        Some(Acl::new(vec![Ace::allowed(0, FILE_ALL_ACCESS, ALICE)]))
    );
    let protected = set(part::PROTECTED_DACL_SECURITY_INFORMATION, &alice()).unwrap();
    assert_eq!(
        protected.control,
        before.control | control::SE_DACL_PROTECTED
    );
    let told = select(&protected, part::OWNER_SECURITY_INFORMATION);
    assert_eq!(
        told,
        SecurityDescriptor {
            control: control::SE_SELF_RELATIVE,
            owner: Some(BOB),
            ..SecurityDescriptor::default()
        }
    );
    let everything = select(&protected, 0xF);
    assert_eq!(everything, protected);
    // A NULL list, whether it is said to be present or not.
    let null = apply(
        before.clone(),
        &SecurityDescriptor::default(),
        part::DACL_SECURITY_INFORMATION,
        &alice(),
    );
    let null = null.unwrap();
    assert!(null.dacl_present() && null.dacl.is_none());
}

#[test]
fn auto_inherited_is_kept_only_if_it_is_asked_for() {
    let before = descriptor(ALICE, Vec::new());
    for (given, kept) in [
        (control::SE_DACL_AUTO_INHERITED, 0),
        (control::SE_DACL_AUTO_INHERIT_REQ, 0),
        (
            control::SE_DACL_AUTO_INHERITED | control::SE_DACL_AUTO_INHERIT_REQ,
            control::SE_DACL_AUTO_INHERITED,
        ),
        (control::SE_DACL_PROTECTED, control::SE_DACL_PROTECTED),
    ] {
        let mut new = descriptor(ALICE, Vec::new());
        new.control |= given;
        let after = apply(
            before.clone(),
            &new,
            part::DACL_SECURITY_INFORMATION,
            &alice(),
        );
        assert_eq!(after.unwrap().control, before.control | kept);
    }
}

fn any_sid() -> impl Strategy<Value = Sid> {
    prop::sample::select(vec![
        ALICE,
        BOB,
        Sid::EVERYONE,
        Sid::USERS,
        Sid::ADMINISTRATORS,
        Sid::OWNER_RIGHTS,
        Sid::CREATOR_OWNER,
    ])
}

fn any_mask() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        (0..32_u32).prop_map(|bit| 1 << bit),
        Just(FILE_ALL_ACCESS),
    ]
}

fn any_ace() -> impl Strategy<Value = Ace> {
    (any::<bool>(), 0..32_u8, any_mask(), any_sid()).prop_map(|(denies, flags, mask, sid)| {
        match denies {
            true => Ace::denied(flags, mask, sid),
            false => Ace::allowed(flags, mask, sid),
        }
    })
}

/// Is one right granted? Goes through the list from the front and stops where it is decided.
fn granted_by_model(bit: u32, owner: Sid, aces: &[Ace], groups: &[Sid]) -> bool {
    let counting: Vec<_> = aces.iter().filter(|ace| ace.flags & IO == 0).collect();
    let speaks = |ace: &Ace| match &ace.kind {
        AceKind::Allowed { mask, sid } => (*mask, *sid, true),
        AceKind::Denied { mask, sid } => (*mask, *sid, false),
        AceKind::Other { .. } => unreachable!("the strategy makes none"),
    };
    let is_owner = groups.contains(&owner);
    let has_owner_rights = counting
        .iter()
        .any(|ace| speaks(ace).1 == Sid::OWNER_RIGHTS);
    if is_owner && !has_owner_rights && bit & (0x2_0000 | 0x4_0000) != 0 {
        return true;
    }
    for ace in counting {
        let (mask, sid, allows) = speaks(ace);
        let is_mine = groups.contains(&sid) || sid == Sid::OWNER_RIGHTS && is_owner;
        let generic = [
            (1 << 31, 0x12_0089),
            (1 << 30, 0x12_0116),
            (1 << 29, 0x12_00A0),
            (1 << 28, 0x1F_01FF),
        ];
        let means = generic
            .iter()
            .any(|&(from, to)| mask & from != 0 && to & bit != 0);
        if is_mine && (mask & bit != 0 || means) {
            return allows;
        }
    }
    false
}

proptest! {
    #[test]
    fn access_is_the_models(
        owner in any_sid(),
        aces in vec(any_ace(), 0..8),
        is_administrator: bool,
    ) {
        let token = if is_administrator { administrator() } else { alice() };
        let mut groups = vec![
            ALICE,
            Sid::EVERYONE,
            Sid::NETWORK,
            Sid::AUTHENTICATED_USERS,
            Sid::USERS,
        ];
        if is_administrator {
            groups.push(Sid::ADMINISTRATORS);
        }
        let maximal = maximal_access(&descriptor(owner, aces.clone()), &token);
        for bit in (0..32).map(|bit| 1_u32 << bit) {
            let expected = FILE_ALL_ACCESS & bit != 0
                && granted_by_model(bit, owner, &aces, &groups);
            prop_assert_eq!(maximal & bit != 0, expected, "bit {:#x}", bit);
        }
    }

    /// Who is under a directory two levels up gets the same, whether the rights come in one
    /// step (a file) or through a directory between.
    #[test]
    fn inheritance_goes_on_unless_it_is_stopped(
        aces in vec(any_ace(), 1..6),
    ) {
        let aces: Vec<_> = aces
            .into_iter()
            .map(|ace| Ace { flags: ace.flags & !NP | OI | CI, ..ace })
            .collect();
        let top = descriptor(BOB, aces);
        let make = |parent: &SecurityDescriptor, kind| {
            create_security_descriptor(parent, None, kind, &alice()).unwrap()
        };
        let near = make(&top, FileKind::File);
        let between = make(&top, FileKind::Directory);
        let far = make(&between, FileKind::File);
        for token in [alice(), token(BOB, &[]), administrator()] {
            prop_assert_eq!(maximal_access(&near, &token), maximal_access(&far, &token));
            // And the directory itself lets do what its files let do.
            prop_assert_eq!(maximal_access(&near, &token), maximal_access(&between, &token));
        }
    }

    /// What was made can be stored and read back.
    #[test]
    fn what_is_made_can_be_stored(aces in vec(any_ace(), 0..6), is_file: bool) {
        let kind = if is_file { FileKind::File } else { FileKind::Directory };
        let parent = descriptor(BOB, aces);
        let new = create_security_descriptor(&parent, None, kind, &alice()).unwrap();
        prop_assert_eq!(read_stored(&new.to_bytes().unwrap()), new);
    }
}
