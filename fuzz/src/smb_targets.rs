//! SMB2 messages, information classes, transforms and security buffers.

use smb::FileTime;
use smb::auth::{Acceptor, AcceptorConfig, Credentials, Initiator, Step, nt_hash};
use smb::crypto::{Cipher, EncryptionKey};
use smb::wire::info::{self, directory};
use smb::wire::negotiate_context as negotiate;
use smb::wire::{self, CreateContexts, compound, create_context, ioctl, smb1, transform};

use crate::Target;

/// A message: what can be read can be written, and reads back the same.
macro_rules! messages {
    ($($name:ident: $type:ident,)*) => {
        $(
            #[doc = concat!("[`wire::", stringify!($type), "`].")]
            pub fn $name(message: &[u8]) -> bool {
                let Ok(value) = wire::$type::read(message) else {
                    return false;
                };
                let mut again = message[..wire::Header::SIZE].to_vec();
                value.write(&mut again);
                assert_eq!(wire::$type::read(&again).as_ref(), Ok(&value));
                true
            }
        )*

        /// The targets of single messages.
        pub const MESSAGES: &[(&str, Target)] = &[$((stringify!($name), $name),)*];
    };
}

messages! {
    negotiate_request: NegotiateRequest,
    negotiate_response: NegotiateResponse,
    session_setup_request: SessionSetupRequest,
    session_setup_response: SessionSetupResponse,
    logoff_request: LogoffRequest,
    logoff_response: LogoffResponse,
    tree_connect_request: TreeConnectRequest,
    tree_connect_response: TreeConnectResponse,
    tree_disconnect_request: TreeDisconnectRequest,
    tree_disconnect_response: TreeDisconnectResponse,
    create_request: CreateRequest,
    create_response: CreateResponse,
    close_request: CloseRequest,
    close_response: CloseResponse,
    flush_request: FlushRequest,
    flush_response: FlushResponse,
    read_request: ReadRequest,
    read_response: ReadResponse,
    write_request: WriteRequest,
    write_response: WriteResponse,
    lock_request: LockRequest,
    lock_response: LockResponse,
    ioctl_request: IoctlRequest,
    ioctl_response: IoctlResponse,
    cancel_request: CancelRequest,
    echo_request: EchoRequest,
    echo_response: EchoResponse,
    query_directory_request: QueryDirectoryRequest,
    query_directory_response: QueryDirectoryResponse,
    change_notify_request: ChangeNotifyRequest,
    change_notify_response: ChangeNotifyResponse,
    query_info_request: QueryInfoRequest,
    query_info_response: QueryInfoResponse,
    set_info_request: SetInfoRequest,
    set_info_response: SetInfoResponse,
    oplock_break: OplockBreak,
    lease_break_notification: LeaseBreakNotification,
    lease_break_acknowledgment: LeaseBreakAcknowledgment,
}

/// [`wire::Header`].
pub fn header(message: &[u8]) -> bool {
    let Ok(value) = wire::Header::read(message) else {
        return false;
    };
    let mut again = Vec::new();
    value.write(&mut again);
    assert_eq!(wire::Header::read(&again), Ok(value));
    true
}

/// [`wire::ErrorResponse`].
pub fn error_response(message: &[u8]) -> bool {
    wire::ErrorResponse::read(message).is_ok()
}

/// [`compound::split`], and each message by every reader.
pub fn compound(frame: &[u8]) -> bool {
    let mut understood = 0;
    for message in compound::split(frame) {
        let Ok((_, message)) = message else {
            return false;
        };
        understood += usize::from(header(message));
        for (_, target) in MESSAGES {
            target(message);
        }
    }
    understood > 1
}

/// [`smb1::MultiProtocolNegotiate`].
pub fn smb1_negotiate(frame: &[u8]) -> bool {
    let recognised = smb1::MultiProtocolNegotiate::recognise(frame);
    let Ok(value) = smb1::MultiProtocolNegotiate::read(frame) else {
        return false;
    };
    let mut again = Vec::new();
    value.write(&mut again);
    assert_eq!(
        smb1::MultiProtocolNegotiate::read(&again).as_ref(),
        Ok(&value)
    );
    recognised && value.smb2_dialect().is_some()
}

/// True if any of the readers understood; all of them run.
fn any<const N: usize>(understood: [bool; N]) -> bool {
    understood.contains(&true)
}

/// The data of negotiate contexts: all readers on the same bytes.
pub fn negotiate_context(data: &[u8]) -> bool {
    any([
        negotiate::PreauthIntegrityCapabilities::read(data).is_ok(),
        negotiate::EncryptionCapabilities::read(data).is_ok(),
        negotiate::SigningCapabilities::read(data).is_ok(),
        negotiate::CompressionCapabilities::read(data).is_ok(),
        negotiate::RdmaTransformCapabilities::read(data).is_ok(),
        negotiate::TransportCapabilities::read(data).is_ok(),
        negotiate::read_net_name(data).is_ok_and(|name| name.to_string().is_ok()),
    ])
}

/// [`CreateContexts`], and the data of each context.
pub fn create_contexts(bytes: &[u8]) -> bool {
    let Ok(contexts) = CreateContexts::read(bytes) else {
        return false;
    };
    for context in contexts.iter() {
        any([
            create_context::MaximalAccess::read(context.data).is_ok(),
            create_context::QueryOnDiskId::read(context.data).is_ok(),
            create_context::Lease::read(context.data).is_ok(),
            create_context::read_allocation_size(context.data).is_ok(),
            create_context::read_timewarp_token(context.data).is_ok(),
        ]);
    }
    let mut again = Vec::new();
    contexts.write(&mut again);
    assert_eq!(CreateContexts::read(&again), Ok(contexts));
    contexts.iter().count() > 1
}

/// FSCTL_VALIDATE_NEGOTIATE_INFO, both ends.
pub fn validate_negotiate_info(bytes: &[u8]) -> bool {
    any([
        ioctl::ValidateNegotiateInfoRequest::read(bytes).is_ok(),
        ioctl::ValidateNegotiateInfoResponse::read(bytes).is_ok(),
    ])
}

/// [`transform::TransformHeader`], and decryption with every cipher.
pub fn transform(frame: &[u8]) -> bool {
    for cipher in [
        Cipher::AES128_CCM,
        Cipher::AES128_GCM,
        Cipher::AES256_CCM,
        Cipher::AES256_GCM,
    ] {
        let size = cipher.key_size().expect("a cipher of ours");
        let key = EncryptionKey::new(cipher, &[7; 32][..size]).expect("a key of its size");
        let mut frame = frame.to_vec();
        assert!(
            key.open(&mut frame).is_err(),
            "nobody has sealed this frame"
        );
    }
    transform::TransformHeader::read(frame).is_ok()
}

/// File information classes: all readers on the same bytes.
pub fn info_file(bytes: &[u8]) -> bool {
    let rename = info::FileRenameInformation::read(bytes);
    if let Ok(value) = &rename {
        let mut again = Vec::new();
        value.write(&mut again);
        assert_eq!(
            info::FileRenameInformation::read(&again).as_ref(),
            Ok(value)
        );
    }
    any([
        info::FileBasicInformation::read(bytes).is_ok(),
        info::FileStandardInformation::read(bytes).is_ok(),
        info::FileInternalInformation::read(bytes).is_ok(),
        info::FileEaInformation::read(bytes).is_ok(),
        info::FileAccessInformation::read(bytes).is_ok(),
        info::FilePositionInformation::read(bytes).is_ok(),
        info::FileModeInformation::read(bytes).is_ok(),
        info::FileAlignmentInformation::read(bytes).is_ok(),
        info::FileCompressionInformation::read(bytes).is_ok(),
        info::FileNetworkOpenInformation::read(bytes).is_ok(),
        info::FileAttributeTagInformation::read(bytes).is_ok(),
        info::FilePipeInformation::read(bytes).is_ok(),
        info::FilePipeLocalInformation::read(bytes).is_ok(),
        info::FileIdInformation::read(bytes).is_ok(),
        info::FileDispositionInformation::read(bytes).is_ok(),
        info::FileDispositionInformationEx::read(bytes).is_ok(),
        info::FileAllocationInformation::read(bytes).is_ok(),
        info::FileEndOfFileInformation::read(bytes).is_ok(),
        info::FileNameInformation::read(bytes).is_ok(),
        info::FileAllInformation::read(bytes).is_ok(),
        info::FileStreamInformation::read_list(bytes)
            .take_while(Result::is_ok)
            .count()
            > 0,
        rename.is_ok(),
    ])
}

/// File system information classes: all readers on the same bytes.
pub fn info_file_system(bytes: &[u8]) -> bool {
    any([
        info::FileFsSizeInformation::read(bytes).is_ok(),
        info::FileFsFullSizeInformation::read(bytes).is_ok(),
        info::FileFsControlInformation::read(bytes).is_ok(),
        info::FileFsDeviceInformation::read(bytes).is_ok(),
        info::FileFsObjectIdInformation::read(bytes).is_ok(),
        info::FileFsSectorSizeInformation::read(bytes).is_ok(),
        info::FileFsVolumeInformation::read(bytes).is_ok(),
        info::FileFsAttributeInformation::read(bytes).is_ok(),
    ])
}

/// Directory entries; the first byte is the information class.
pub fn info_directory(bytes: &[u8]) -> bool {
    let Some((class, entries)) = bytes.split_first() else {
        return false;
    };
    let Some(form) = directory::Form::of_class(*class) else {
        return false;
    };
    directory::read_list(form, entries)
        .take_while(Result::is_ok)
        .count()
        > 1
}

/// Entries of a change notification.
pub fn info_notify(bytes: &[u8]) -> bool {
    info::FileNotifyInformation::read_list(bytes)
        .take_while(Result::is_ok)
        .count()
        > 1
}

/// Lists of extended attributes, and of names of some; what was read is written and read back.
pub fn info_ea(bytes: &[u8]) -> bool {
    let names = info::FileGetEaInformation::read_list(bytes);
    let names: Vec<_> = names.map_while(Result::ok).collect();
    let mut written = Vec::new();
    info::FileGetEaInformation::write_list(&mut written, &names);
    let again = info::FileGetEaInformation::read_list(&written);
    assert_eq!(again.map_while(Result::ok).collect::<Vec<_>>(), names);

    let attributes = info::FileFullEaInformation::read_list(bytes);
    let attributes: Vec<_> = attributes.map_while(Result::ok).collect();
    let mut written = Vec::new();
    let mut writer = info::FullEaWriter::new(&mut written, usize::MAX);
    assert!(attributes.iter().all(|attribute| writer.push(attribute)));
    let again = info::FileFullEaInformation::read_list(&written);
    assert_eq!(again.map_while(Result::ok).collect::<Vec<_>>(), attributes);
    names.len() > 1 || attributes.len() > 1
}

/// The server's end of a logon: nobody is let in by bytes that know no password.
pub fn auth_acceptor(token: &[u8]) -> bool {
    let hash = nt_hash("a password that is in no corpus");
    let lookup = &mut |_: &str, _: &str| Some(hash);
    // As the first and as the second buffer, then behind a real first one.
    let mut acceptor = Acceptor::new(AcceptorConfig {
        computer_name: "SRV".to_owned(),
        domain_name: "SRV".to_owned(),
        dns_computer_name: "srv.example".to_owned(),
        dns_domain_name: String::new(),
    });
    let first = acceptor.step(token, FileTime(1), [1; 8], lookup);
    let second = acceptor.step(token, FileTime(1), [2; 8], lookup);
    let mut initiator = Initiator::new(Credentials::new("", "alice", "x"), "srv");
    let hello = initiator.start(Some(&Acceptor::negotiate_token()));
    let mut acceptor = Acceptor::new(AcceptorConfig::default());
    let challenged = acceptor.step(&hello, FileTime(1), [3; 8], lookup);
    assert!(
        matches!(challenged, Step::Continue { .. }),
        "our own client is understood"
    );
    let third = acceptor.step(token, FileTime(1), [3; 8], lookup);
    for step in [&first, &second, &third] {
        if let Step::Accepted { anonymous, .. } = step {
            assert!(anonymous, "accepted without a password");
        }
    }
    matches!(first, Step::Continue { .. })
}

/// The client's end of a logon.
pub fn auth_initiator(token: &[u8]) -> bool {
    let mut initiator = Initiator::new(Credentials::new("", "alice", "Al1ce.Pw"), "srv");
    let _ = initiator.start(Some(token));
    let understood = initiator.step(token, FileTime(1), [1; 8], [2; 16]).is_ok();
    if understood {
        let _ = initiator.finish(token);
    }
    understood
}

/// The other targets of this module.
pub const OTHERS: &[(&str, Target)] = &[
    ("header", header),
    ("error_response", error_response),
    ("compound", compound),
    ("smb1_negotiate", smb1_negotiate),
    ("negotiate_context", negotiate_context),
    ("create_contexts", create_contexts),
    ("validate_negotiate_info", validate_negotiate_info),
    ("transform", transform),
    ("info_file", info_file),
    ("info_file_system", info_file_system),
    ("info_directory", info_directory),
    ("info_notify", info_notify),
    ("info_ea", info_ea),
    ("auth_acceptor", auth_acceptor),
    ("auth_initiator", auth_initiator),
];
