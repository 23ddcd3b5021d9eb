//! Security descriptors: stored, told, inherited and enforced ([MS-FSA] 2.1.5.1, 2.1.5.14,
//! 2.1.5.17).

use smb::wire::create_context::{MaximalAccess, name};
use smb::wire::info::FileRenameInformation;
use smb::wire::security::{Ace, Acl, SecurityDescriptor, Sid, ace_flags, control};
use smb::wire::{
    CreateContext, CreateContexts, CreateRequest, CreateResponse, ErrorResponse, FileId,
    QueryInfoRequest, QueryInfoResponse, SetInfoRequest, Utf16, access_mask,
    file_information_class as class, info_type, security_information as part, utf16,
};

use super::logons::{authenticate_again, authenticate_instead_of};
use super::raw::{Raw, SHARED, Wanted, created};
use super::*;

const INHERITED_BY_ALL: u8 = ace_flags::OBJECT_INHERIT_ACE | ace_flags::CONTAINER_INHERIT_ACE;
const ALL: u32 = access_mask::FILE_ALL_ACCESS;
const OWNER_GROUP_DACL: u32 = part::OWNER_SECURITY_INFORMATION
    | part::GROUP_SECURITY_INFORMATION
    | part::DACL_SECURITY_INFORMATION;

/// Everything a handle can be asked to do, a directory included.
const EVERYTHING: Wanted = Wanted {
    access: ALL,
    share: 7,
    disposition: 3,
    options: 0,
    oplock: 0,
};
const DIRECTORY: Wanted = Wanted {
    options: 1,
    ..EVERYTHING
};

fn open(access: u32) -> Wanted {
    Wanted {
        access,
        disposition: 1,
        ..EVERYTHING
    }
}

fn sid(user: &str) -> Sid {
    sid_of(user).parse().unwrap()
}

fn list(aces: Vec<Ace>) -> SecurityDescriptor {
    SecurityDescriptor {
        control: control::SE_SELF_RELATIVE | control::SE_DACL_PRESENT,
        dacl: Some(Acl::new(aces)),
        ..SecurityDescriptor::default()
    }
}

/// For this user alone, here and below.
fn only(user: &str) -> SecurityDescriptor {
    list(vec![Ace::allowed(INHERITED_BY_ALL, ALL, sid(user))])
}

async fn query(raw: &Raw, file_id: FileId, parts: u32, length: u32) -> raw::Message {
    let request = QueryInfoRequest {
        info_type: info_type::SMB2_0_INFO_SECURITY,
        output_buffer_length: length,
        additional_information: parts,
        file_id,
        ..QueryInfoRequest::default()
    };
    let body = |out: &mut Vec<u8>| request.write(out);
    raw.ask_patiently(Command::QUERY_INFO, body).await
}

async fn descriptor(
    raw: &Raw,
    file_id: FileId,
    parts: u32,
) -> Result<SecurityDescriptor, NtStatus> {
    let answer = query(raw, file_id, parts, 65_536).await;
    if answer.status() != NtStatus::SUCCESS {
        return Err(answer.status());
    }
    let answer = QueryInfoResponse::read(&answer.bytes).unwrap();
    Ok(SecurityDescriptor::read(answer.output_buffer).unwrap())
}

async fn set(raw: &Raw, file_id: FileId, parts: u32, new: &SecurityDescriptor) -> NtStatus {
    let buffer = new.to_bytes().unwrap();
    let request = SetInfoRequest {
        info_type: info_type::SMB2_0_INFO_SECURITY,
        additional_information: parts,
        file_id,
        buffer: &buffer,
        ..SetInfoRequest::default()
    };
    let body = |out: &mut Vec<u8>| request.write(out);
    raw.ask_patiently(Command::SET_INFO, body).await.status()
}

/// CREATE with contexts; the answer.
async fn create_with(
    raw: &Raw,
    path: &str,
    wanted: Wanted,
    contexts: &[CreateContext<'_>],
) -> raw::Message {
    let path = utf16(path);
    raw.ask_patiently(Command::CREATE, |out| {
        CreateRequest {
            requested_oplock_level: 0,
            impersonation_level: 2,
            desired_access: wanted.access,
            file_attributes: 0,
            share_access: wanted.share,
            create_disposition: wanted.disposition,
            create_options: wanted.options,
            name: Utf16::new(&path).unwrap(),
            contexts: CreateContexts::from(contexts),
        }
        .write(out);
    })
    .await
}

/// Makes a directory with a descriptor, and closes it.
async fn directory(raw: &Raw, path: &str, security: &SecurityDescriptor) {
    let bytes = security.to_bytes().unwrap();
    let context = CreateContext {
        name: name::SMB2_CREATE_SD_BUFFER,
        data: &bytes,
    };
    let answer = create_with(raw, path, DIRECTORY, &[context]).await;
    let (file_id, _) = created(&answer).unwrap();
    assert_eq!(raw.close(file_id).await, NtStatus::SUCCESS);
}

async fn rename(raw: &Raw, file_id: FileId, target: &str, replace: bool) -> NtStatus {
    let name = utf16(target);
    let mut buffer = Vec::new();
    FileRenameInformation {
        replace_if_exists: replace,
        root_directory: 0,
        file_name: Utf16::new(&name).unwrap(),
    }
    .write(&mut buffer);
    let request = SetInfoRequest {
        info_type: info_type::SMB2_0_INFO_FILE,
        file_info_class: class::FILE_RENAME_INFORMATION,
        file_id,
        buffer: &buffer,
        ..SetInfoRequest::default()
    };
    let body = |out: &mut Vec<u8>| request.write(out);
    raw.ask_patiently(Command::SET_INFO, body).await.status()
}

/// Opens and closes.
async fn may(raw: &Raw, path: &str, wanted: Wanted) -> Result<(), NtStatus> {
    let (file_id, _) = raw.create(path, wanted).await?;
    assert_eq!(raw.close(file_id).await, NtStatus::SUCCESS);
    Ok(())
}

struct Two {
    scene: Scene,
    alice: Raw,
    bob: Raw,
}

async fn two() -> Two {
    let scene = Scene::new(|_| {});
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    Two { scene, alice, bob }
}

const DENIED: Result<(), NtStatus> = Err(NtStatus::ACCESS_DENIED);

#[tokio::test]
async fn without_a_descriptor_everybody_may_do_everything() {
    let Two { scene, alice, bob } = two().await;
    assert_eq!(may(&alice, "f", EVERYTHING).await, Ok(()));
    let (file_id, _) = bob.create("f", EVERYTHING).await.unwrap();
    let told = descriptor(&bob, file_id, OWNER_GROUP_DACL).await.unwrap();
    assert_eq!(told.owner, Some(sid("bob")), "it belongs to whoever asks");
    assert_eq!(told.group, sid("bob").with_rid(513));
    let entry = Ace::allowed(ace_flags::INHERITED_ACE, ALL, Sid::EVERYONE);
    assert_eq!(told.dacl.unwrap().aces, [entry]);
    let path = scene.directory.path().join("data/f");
    let mut names = Vec::with_capacity(1_000);
    let count = rustix::fs::listxattr(&path, rustix::buffer::spare_capacity(&mut names));
    assert_eq!(count, Ok(0), "and nothing has been stored");
}

#[tokio::test]
async fn a_list_lets_in_whom_it_names() {
    let Two {
        scene: _scene,
        alice,
        bob,
    } = two().await;
    directory(&alice, "hers", &only("alice")).await;
    assert_eq!(may(&alice, r"hers\f", EVERYTHING).await, Ok(()));
    for access in [
        access_mask::FILE_READ_DATA,
        access_mask::FILE_WRITE_DATA,
        access_mask::READ_CONTROL,
        access_mask::WRITE_DAC,
        access_mask::WRITE_OWNER,
        access_mask::DELETE,
        access_mask::FILE_READ_ATTRIBUTES,
        access_mask::GENERIC_READ,
        access_mask::MAXIMUM_ALLOWED,
    ] {
        let denied = may(&bob, r"hers\f", open(access)).await;
        assert_eq!(
            denied, DENIED,
            "{access:#x} on the file, which has inherited"
        );
        let allowed = may(&alice, r"hers\f", open(access)).await;
        assert_eq!(allowed, Ok(()), "{access:#x}");
    }
    let reads = open(access_mask::FILE_LIST_DIRECTORY);
    assert_eq!(may(&bob, "hers", reads).await, DENIED);
    // The share's root lets everybody see and delete what is in it.
    for access in [access_mask::DELETE, access_mask::FILE_READ_ATTRIBUTES] {
        assert_eq!(may(&bob, "hers", open(access)).await, Ok(()), "{access:#x}");
    }
    let audit = open(access_mask::ACCESS_SYSTEM_SECURITY);
    let refused = may(&alice, r"hers\f", audit).await;
    assert_eq!(refused, Err(NtStatus::PRIVILEGE_NOT_HELD));
}

#[tokio::test]
async fn who_may_not_change_a_directory_makes_nothing_in_it() {
    let Two { scene, alice, bob } = two().await;
    let files_only = access_mask::FILE_GENERIC_READ | access_mask::FILE_ADD_FILE;
    let mut security = only("alice");
    let entry = Ace::allowed(0, files_only, sid("bob"));
    security.dacl.as_mut().unwrap().aces.push(entry);
    directory(&alice, "d", &security).await;
    let made = bob.create(r"d\f", EVERYTHING).await.unwrap().0;
    // Who makes it has what he asked for, though the list of the file does not name him.
    let told = descriptor(&bob, made, OWNER_GROUP_DACL).await.unwrap();
    assert_eq!(told.owner, Some(sid("bob")));
    assert_eq!(
        told.dacl.unwrap().aces,
        [Ace::allowed(0, ALL, sid("alice"))]
    );
    assert_eq!(bob.close(made).await, NtStatus::SUCCESS);
    assert_eq!(
        may(&bob, r"d\f", open(access_mask::FILE_READ_DATA)).await,
        DENIED
    );
    // The owner may always see and change the list.
    let own = open(access_mask::READ_CONTROL | access_mask::WRITE_DAC);
    assert_eq!(may(&bob, r"d\f", own).await, Ok(()));
    assert_eq!(may(&bob, r"d\sub", DIRECTORY).await, DENIED);
    assert!(!scene.directory.path().join("data/d/sub").exists());
    let stream = may(&bob, r"d\g:stream", EVERYTHING).await;
    assert_eq!(stream, Ok(()), "a stream makes a file");
}

#[tokio::test]
async fn overwriting_takes_the_right_to_write() {
    let Two {
        scene: _scene,
        alice,
        bob,
    } = two().await;
    let mut security = only("alice");
    let entry = Ace::allowed(
        ace_flags::OBJECT_INHERIT_ACE,
        access_mask::FILE_GENERIC_READ,
        sid("bob"),
    );
    security.dacl.as_mut().unwrap().aces.push(entry);
    directory(&alice, "d", &security).await;
    assert_eq!(may(&alice, r"d\f", EVERYTHING).await, Ok(()));
    let read = access_mask::FILE_READ_DATA;
    for disposition in [0, 4, 5] {
        let wanted = Wanted {
            disposition,
            ..open(read)
        };
        assert_eq!(may(&bob, r"d\f", wanted).await, DENIED, "{disposition}");
    }
    assert_eq!(may(&bob, r"d\f", open(read)).await, Ok(()));
    let deleted = Wanted {
        options: 0x1000,
        ..open(access_mask::DELETE)
    };
    assert_eq!(may(&bob, r"d\f", deleted).await, DENIED);
    assert_eq!(may(&alice, r"d\f", deleted).await, Ok(()));
}

#[tokio::test]
async fn what_is_moved_is_made_where_it_goes() {
    let Two { scene, alice, bob } = two().await;
    directory(&alice, "hers", &only("alice")).await;
    assert_eq!(may(&alice, r"hers\kept", EVERYTHING).await, Ok(()));
    let (file_id, _) = bob.create("f", EVERYTHING).await.unwrap();
    for (target, replace) in [(r"hers\f", false), (r"hers\kept", true)] {
        let status = rename(&bob, file_id, target, replace).await;
        assert_eq!(status, NtStatus::ACCESS_DENIED, "{target}");
    }
    assert_eq!(
        rename(&bob, file_id, r"none\f", false).await,
        NtStatus::OBJECT_PATH_NOT_FOUND
    );
    // Replacing deletes.
    let mut hers = only("alice");
    let adds = Ace::allowed(0, access_mask::FILE_ADD_FILE, sid("bob"));
    hers.dacl.as_mut().unwrap().aces.push(adds);
    let (folder, _) = alice.create("hers", DIRECTORY).await.unwrap();
    let parts = part::DACL_SECURITY_INFORMATION;
    assert_eq!(set(&alice, folder, parts, &hers).await, NtStatus::SUCCESS);
    assert_eq!(alice.close(folder).await, NtStatus::SUCCESS);
    assert_eq!(
        rename(&bob, file_id, r"hers\kept", true).await,
        NtStatus::ACCESS_DENIED
    );
    assert_eq!(
        rename(&bob, file_id, r"hers\f", false).await,
        NtStatus::SUCCESS
    );
    assert!(scene.directory.path().join("data/hers/f").exists());
}

#[tokio::test]
async fn rights_to_see_and_set_parts() {
    let Two {
        scene: _scene,
        alice,
        bob,
    } = two().await;
    assert_eq!(may(&alice, "f", EVERYTHING).await, Ok(()));
    let dacl = part::DACL_SECURITY_INFORMATION;
    let owner = part::OWNER_SECURITY_INFORMATION;
    let mut new = only("bob");
    new.owner = Some(sid("bob"));
    for (access, seen, listed, owned) in [
        (access_mask::FILE_READ_DATA, false, false, false),
        (access_mask::READ_CONTROL, true, false, false),
        (access_mask::WRITE_DAC, false, true, false),
        (access_mask::WRITE_OWNER, false, false, true),
    ] {
        let (file_id, _) = bob.create("f", open(access)).await.unwrap();
        let told = descriptor(&bob, file_id, OWNER_GROUP_DACL).await;
        assert_eq!(told.is_ok(), seen, "{access:#x}");
        let status = set(&bob, file_id, dacl, &new).await;
        assert_eq!(status == NtStatus::SUCCESS, listed, "{access:#x}");
        let status = set(&bob, file_id, owner, &new).await;
        assert_eq!(status == NtStatus::SUCCESS, owned, "{access:#x}");
        let audit = descriptor(&bob, file_id, part::SACL_SECURITY_INFORMATION).await;
        assert_eq!(audit, Err(NtStatus::ACCESS_DENIED));
        assert_eq!(bob.close(file_id).await, NtStatus::SUCCESS);
    }
    let (file_id, _) = bob.create("f", EVERYTHING).await.unwrap();
    new.owner = Some(sid("alice"));
    let status = set(&bob, file_id, owner, &new).await;
    assert_eq!(status, NtStatus::INVALID_OWNER, "nobody gives files away");
    let garbage = SetInfoRequest {
        info_type: info_type::SMB2_0_INFO_SECURITY,
        additional_information: dacl,
        file_id,
        buffer: &[1; 40],
        ..SetInfoRequest::default()
    };
    let body = |out: &mut Vec<u8>| garbage.write(out);
    let answer = bob.ask_patiently(Command::SET_INFO, body).await;
    assert_eq!(answer.status(), NtStatus::INVALID_SECURITY_DESCR);
}

#[tokio::test]
async fn too_small_a_buffer_is_told_how_large_it_must_be() {
    for max_dialect in [0x0302, 0x0311] {
        let scene = Scene::new(|config| config.max_dialect = max_dialect);
        let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
        let (file_id, _) = alice.create("f", EVERYTHING).await.unwrap();
        let whole = descriptor(&alice, file_id, OWNER_GROUP_DACL).await.unwrap();
        let length = whole.to_bytes().unwrap().len() as u32;
        for short in [0, 1, length - 1] {
            let answer = query(&alice, file_id, OWNER_GROUP_DACL, short).await;
            assert_eq!(answer.status(), NtStatus::BUFFER_TOO_SMALL);
            let error = ErrorResponse::read(&answer.bytes).unwrap();
            let needed = length.to_le_bytes();
            let context = [4_u32.to_le_bytes(), [0; 4], needed].concat();
            match max_dialect {
                0x0311 => assert_eq!(
                    (error.error_context_count, error.error_data),
                    (1, &context[..])
                ),
                _ => assert_eq!(
                    (error.error_context_count, error.error_data),
                    (0, &needed[..])
                ),
            }
        }
        let exact = query(&alice, file_id, OWNER_GROUP_DACL, length).await;
        assert_eq!(exact.status(), NtStatus::SUCCESS);
    }
}

/// The context MxAc, and MAXIMUM_ALLOWED.
#[tokio::test]
async fn maximal_access_is_the_truth() {
    let Two {
        scene: _scene,
        alice,
        bob,
    } = two().await;
    let mut security = only("alice");
    let reads = access_mask::FILE_GENERIC_READ;
    let entry = Ace::allowed(0, reads, Sid::EVERYONE);
    security.dacl.as_mut().unwrap().aces.push(entry);
    directory(&alice, "d", &security).await;
    let asks = CreateContext {
        name: name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
        data: &[],
    };
    // The root of the share gives DELETE.
    let his = reads | access_mask::DELETE;
    for (raw, expected) in [(&alice, ALL), (&bob, his)] {
        let answer = create_with(raw, "d", open(access_mask::READ_CONTROL), &[asks]).await;
        let response = CreateResponse::read(&answer.bytes).unwrap();
        let context = response
            .contexts
            .find(name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST)
            .unwrap();
        let told = MaximalAccess::read(context.data).unwrap();
        assert_eq!(told.query_status, NtStatus::SUCCESS);
        assert_eq!(told.maximal_access, expected);
    }
    let wanted = open(access_mask::MAXIMUM_ALLOWED);
    let (file_id, _) = bob.create("d", wanted).await.unwrap();
    let seen = descriptor(&bob, file_id, OWNER_GROUP_DACL).await;
    assert_eq!(seen.unwrap().owner, Some(sid("alice")));
    let status = set(&bob, file_id, part::DACL_SECURITY_INFORMATION, &only("bob")).await;
    assert_eq!(status, NtStatus::ACCESS_DENIED);
    let more = open(access_mask::MAXIMUM_ALLOWED | access_mask::FILE_ADD_FILE);
    assert_eq!(may(&bob, "d", more).await, DENIED);
}

#[tokio::test]
async fn a_read_only_share_lets_nobody_set() {
    let scene = Scene::new(|_| {});
    let root = scene.directory.path().join("data");
    std::fs::write(root.join("f"), "x").unwrap();
    let backend = LocalBackend::new(&root, LocalOptions::default()).unwrap();
    assert!(scene.server.add_share(ShareConfig {
        name: "read".into(),
        remark: String::new(),
        backend: Arc::new(backend),
        read_only: true,
        encrypt_data: false,
        max_uses: None,
    }));
    let alice = Raw::connect(&scene, ALICE, "alice", "read").await;
    assert_eq!(may(&alice, "f", open(access_mask::WRITE_DAC)).await, DENIED);
    let (file_id, _) = alice
        .create("f", open(access_mask::MAXIMUM_ALLOWED))
        .await
        .unwrap();
    assert!(descriptor(&alice, file_id, OWNER_GROUP_DACL).await.is_ok());
    let status = set(
        &alice,
        file_id,
        part::DACL_SECURITY_INFORMATION,
        &only("bob"),
    )
    .await;
    assert_eq!(status, NtStatus::ACCESS_DENIED);
}

#[tokio::test]
async fn descriptors_outlive_the_server_and_hold_in_every_share_of_the_directory() {
    let Two { scene, alice, bob } = two().await;
    directory(&alice, "hers", &only("alice")).await;
    drop((alice, bob));
    let Scene { directory, .. } = scene;
    let again = Scene::new(|_| {});
    let root = directory.path().join("data");
    let backend = LocalBackend::new(&root, LocalOptions::default()).unwrap();
    assert!(again.server.add_share(ShareConfig {
        name: "again".into(),
        remark: String::new(),
        backend: Arc::new(backend),
        read_only: false,
        encrypt_data: false,
        max_uses: None,
    }));
    let alice = Raw::connect(&again, ALICE, "alice", "again").await;
    let bob = Raw::connect(&again, BOB, "bob", "again").await;
    assert_eq!(may(&bob, r"hers\f", SHARED).await, DENIED);
    assert_eq!(may(&alice, r"hers\f", SHARED).await, Ok(()));
    let (file_id, _) = alice.create("hers", DIRECTORY).await.unwrap();
    let told = descriptor(&alice, file_id, OWNER_GROUP_DACL).await.unwrap();
    assert_eq!(told.owner, Some(sid("alice")));
    assert_eq!(told.dacl, only("alice").dacl);
}

#[tokio::test]
async fn administrators_take_over_what_is_closed_to_them() {
    let Two { scene, alice, bob } = two().await;
    directory(&alice, "hers", &only("alice")).await;
    let admin = Raw::connect(&scene, BOB, "root", "data").await;
    let read = access_mask::READ_CONTROL;
    assert_eq!(may(&admin, "hers", open(read)).await, DENIED);
    // FILE_OPEN_FOR_BACKUP_INTENT.
    let backup = Wanted {
        options: 0x4000,
        ..open(read | access_mask::FILE_LIST_DIRECTORY | access_mask::WRITE_DAC)
    };
    assert_eq!(may(&admin, "hers", backup).await, Ok(()));
    assert_eq!(
        may(&bob, "hers", backup).await,
        DENIED,
        "only administrators"
    );
    assert_eq!(may(&admin, r"hers\f", EVERYTHING).await, DENIED);
    let (file_id, _) = admin
        .create("hers", open(access_mask::WRITE_OWNER))
        .await
        .unwrap();
    let given = SecurityDescriptor {
        owner: Some(sid("bob")),
        ..SecurityDescriptor::default()
    };
    let owner = part::OWNER_SECURITY_INFORMATION;
    let status = set(&admin, file_id, owner, &given).await;
    assert_eq!(status, NtStatus::SUCCESS, "they may set any owner");
    let audit = open(access_mask::ACCESS_SYSTEM_SECURITY);
    let (file_id, _) = admin.create("hers", audit).await.unwrap();
    let mut audited = SecurityDescriptor {
        sacl: Some(Acl::new(Vec::new())),
        ..SecurityDescriptor::default()
    };
    let sacl = part::SACL_SECURITY_INFORMATION;
    let status = set(&admin, file_id, sacl, &audited).await;
    assert_eq!(status, NtStatus::SUCCESS);
    audited.control = control::SE_SELF_RELATIVE | control::SE_SACL_PRESENT;
    assert_eq!(descriptor(&admin, file_id, sacl).await, Ok(audited));
}

/// Nobody may authenticate in the place of a session's user ([MS-SMB2] 3.3.5.5.2): it takes
/// every right away but those of open handles, until the user authenticates again.
#[tokio::test]
async fn a_session_that_nobody_has_renewed_has_its_handles_and_nothing_else() {
    let scene = Scene::new(|config| {
        config.limits.session_lifetime = Some(Duration::from_secs(60));
    });
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let other = Raw::connect(&scene, BOB, "alice", "data").await;
    let (held, _) = alice.create("f", EVERYTHING).await.unwrap();
    let previous = other.session.id();
    let status = authenticate_instead_of(&alice.session, "", previous).await;
    assert_eq!(status, NtStatus::SUCCESS);
    assert_eq!(
        other.echo().await,
        NtStatus::SUCCESS,
        "nobody ends a session"
    );

    assert!(descriptor(&alice, held, OWNER_GROUP_DACL).await.is_ok());
    let dacl = part::DACL_SECURITY_INFORMATION;
    assert_eq!(
        may(&alice, "f", open(access_mask::FILE_READ_DATA)).await,
        DENIED
    );
    assert_eq!(
        may(&alice, "f", open(access_mask::MAXIMUM_ALLOWED)).await,
        DENIED
    );
    assert_eq!(may(&alice, "new", EVERYTHING).await, DENIED);
    assert_eq!(may(&alice, "new", DIRECTORY).await, DENIED);
    assert!(!scene.directory.path().join("data/new").exists());
    assert_eq!(
        rename(&alice, held, "g", false).await,
        NtStatus::ACCESS_DENIED
    );
    let refused = alice.session.tree_connect("test", "docs").await;
    assert!(
        matches!(refused, Err(Error::Status { status, .. }) if status == NtStatus::ACCESS_DENIED)
    );
    assert_eq!(
        set(&alice, held, dacl, &only("alice")).await,
        NtStatus::SUCCESS
    );
    let told = descriptor(&alice, held, OWNER_GROUP_DACL).await.unwrap();
    assert_eq!(told.owner, Some(sid("alice")), "it stays hers");

    // It does not last longer for it.
    scene.clock.advance(Duration::from_secs(61));
    assert_eq!(
        descriptor(&alice, held, OWNER_GROUP_DACL).await,
        Err(NtStatus::NETWORK_SESSION_EXPIRED)
    );
    let status = authenticate_again(&alice.session, "").await;
    assert_eq!(status, NtStatus::SUCCESS);
    assert_eq!(
        descriptor(&alice, held, OWNER_GROUP_DACL).await,
        Err(NtStatus::NETWORK_SESSION_EXPIRED)
    );
    let status = authenticate_again(&alice.session, "alice").await;
    assert_eq!(status, NtStatus::SUCCESS);
    assert_eq!(rename(&alice, held, "g", false).await, NtStatus::SUCCESS);
    assert_eq!(may(&alice, "new", EVERYTHING).await, Ok(()));
}
