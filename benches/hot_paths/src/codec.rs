//! The codecs. Those of READ, WRITE and CREATE allocate nothing, those of a page of an
//! enumeration nothing but the page.

use std::hint::black_box;

use rpc::Syntax;
use smb::FileTime;
use smb::crypto::{SigningAlgorithm, SigningKey};
use smb::wire::info::FileNetworkOpenInformation;
use smb::wire::{
    Command, CreateContext, CreateContexts, CreateRequest, CreateResponse, FileId, Header,
    HeaderFlags, ReadRequest, ReadResponse, Utf16, WriteRequest, create_context, utf16,
};
use srvsvc::{EnumResponse, NetApiStatus, SessionEnumResponse, SessionInfo, Text, WideStr};

use crate::{Path, Round};

pub(crate) const PATHS: &[Path] = &[
    path("parse READ", Some(0), parse_read),
    path("write READ", Some(0), write_read),
    path("write READ response, 64 KiB", Some(0), write_read_response),
    path("parse WRITE, 1 MiB", Some(0), parse_write),
    path("write WRITE, 64 KiB", Some(0), write_write),
    path("parse CREATE, 4 contexts", Some(0), parse_create),
    path("write CREATE, 4 contexts", Some(0), write_create),
    path(
        "write CREATE response, 2 contexts",
        Some(0),
        write_create_response,
    ),
    path("sign 1 KiB, AES-GMAC", Some(0), sign),
    path("verify 1 KiB, AES-GMAC", Some(0), verify),
    path("write page, 1,000 x level 502, NDR", Some(1), || {
        write_page(Syntax::Ndr20)
    }),
    path("write page, 1,000 x level 502, NDR64", Some(1), || {
        write_page(Syntax::Ndr64)
    }),
    path("parse page, 1,000 x level 502, NDR", Some(1), || {
        parse_page(Syntax::Ndr20)
    }),
    path("parse page, 1,000 x level 502, NDR64", Some(1), || {
        parse_page(Syntax::Ndr64)
    }),
    path(
        "parse page, 1,000 x level 502, NDR, text of its own",
        None,
        || parse_owned_page(Syntax::Ndr20),
    ),
];

const fn path(name: &'static str, allocations: Option<u64>, prepare: fn() -> Round) -> Path {
    Path {
        name,
        allocations,
        prepare,
    }
}

const FILE: FileId = FileId {
    persistent: 7,
    volatile: 0x1_0000_0007,
};

fn header(command: Command) -> Header {
    Header {
        command,
        message_id: 9,
        session_id: 3,
        tree_id: 1,
        credits: 8,
        credit_charge: 1,
        ..Header::default()
    }
}

/// A message with this body.
fn message(command: Command, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = header(command).to_bytes().to_vec();
    body(&mut message);
    message
}

/// Writes messages into one buffer, again and again.
fn writing(command: Command, body: impl Fn(&mut Vec<u8>) + 'static) -> Round {
    let mut out = Vec::with_capacity(2 << 20);
    Box::new(move || {
        out.clear();
        black_box(header(command)).write(&mut out);
        body(&mut out);
        black_box(&out);
    })
}

fn read_request() -> ReadRequest {
    ReadRequest {
        length: 65_536,
        offset: 1 << 30,
        file_id: FILE,
        ..ReadRequest::default()
    }
}

fn parse_read() -> Round {
    let bytes = message(Command::READ, |out| read_request().write(out));
    Box::new(move || {
        let bytes = black_box(&bytes[..]);
        let _ = black_box((Header::read(bytes), ReadRequest::read(bytes)));
    })
}

fn write_read() -> Round {
    writing(Command::READ, |out| black_box(read_request()).write(out))
}

fn write_read_response() -> Round {
    let data = vec![7; 65_536];
    writing(Command::READ, move |out| {
        ReadResponse {
            data: black_box(&data),
            data_remaining: 0,
        }
        .write(out);
    })
}

fn write_request(data: &[u8]) -> WriteRequest<'_> {
    WriteRequest {
        data,
        offset: 1 << 30,
        file_id: FILE,
        ..WriteRequest::default()
    }
}

fn parse_write() -> Round {
    let data = vec![7; 1 << 20];
    let bytes = message(Command::WRITE, |out| write_request(&data).write(out));
    Box::new(move || {
        let bytes = black_box(&bytes[..]);
        let _ = black_box((Header::read(bytes), WriteRequest::read(bytes)));
    })
}

fn write_write() -> Round {
    let data = vec![7; 65_536];
    writing(Command::WRITE, move |out| {
        write_request(black_box(&data)).write(out);
    })
}

const ASKED: [CreateContext<'_>; 4] = [
    CreateContext {
        name: create_context::name::SMB2_CREATE_DURABLE_HANDLE_REQUEST,
        data: &[0; 16],
    },
    CreateContext {
        name: create_context::name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
        data: &[],
    },
    CreateContext {
        name: create_context::name::SMB2_CREATE_QUERY_ON_DISK_ID,
        data: &[],
    },
    CreateContext {
        name: create_context::name::SMB2_CREATE_REQUEST_LEASE,
        data: &[0; 32],
    },
];

fn create_request(name: Utf16<'_>) -> CreateRequest<'_> {
    CreateRequest {
        impersonation_level: 2,
        desired_access: 0x0012_0089,
        share_access: 7,
        create_disposition: 1,
        name,
        contexts: CreateContexts::from(&ASKED[..]),
        ..CreateRequest::default()
    }
}

fn parse_create() -> Round {
    let name = utf16(r"folder\subfolder\a file of some length.txt");
    let bytes = message(Command::CREATE, |out| {
        create_request(Utf16::new(&name).unwrap_or_default()).write(out);
    });
    Box::new(move || {
        let bytes = black_box(&bytes[..]);
        let request = CreateRequest::read(bytes);
        if let Ok(request) = &request {
            for name in [
                create_context::name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
                create_context::name::SMB2_CREATE_QUERY_ON_DISK_ID,
            ] {
                black_box(request.contexts.find(name));
            }
        }
        let _ = black_box((Header::read(bytes), request));
    })
}

fn write_create() -> Round {
    let name = utf16(r"folder\subfolder\a file of some length.txt");
    writing(Command::CREATE, move |out| {
        create_request(Utf16::new(black_box(&name)).unwrap_or_default()).write(out);
    })
}

fn write_create_response() -> Round {
    let contexts = [
        CreateContext {
            name: create_context::name::SMB2_CREATE_QUERY_MAXIMAL_ACCESS_REQUEST,
            data: &[0; 8],
        },
        CreateContext {
            name: create_context::name::SMB2_CREATE_QUERY_ON_DISK_ID,
            data: &[0; 32],
        },
    ];
    writing(Command::CREATE, move |out| {
        CreateResponse {
            create_action: 1,
            file: FileNetworkOpenInformation {
                creation_time: FileTime(1),
                end_of_file: 5,
                ..FileNetworkOpenInformation::default()
            },
            file_id: FILE,
            contexts: CreateContexts::from(black_box(&contexts[..])),
            ..CreateResponse::default()
        }
        .write(out);
    })
}

fn signed() -> (SigningKey, Vec<u8>) {
    let key = SigningKey::new(SigningAlgorithm::AES_GMAC, &[5; 16]);
    let mut bytes = Header {
        flags: HeaderFlags::SIGNED,
        ..header(Command::READ)
    }
    .to_bytes()
    .to_vec();
    bytes.resize(1024, 3);
    key.sign(&mut bytes);
    (key, bytes)
}

fn sign() -> Round {
    let (key, mut bytes) = signed();
    Box::new(move || key.sign(black_box(&mut bytes)))
}

fn verify() -> Round {
    let (key, mut bytes) = signed();
    Box::new(move || {
        black_box(key.verify_in_place(black_box(&mut bytes)));
    })
}

fn names() -> Vec<(String, String)> {
    (0..1_000)
        .map(|number| {
            let (high, low) = (number / 250, number % 250);
            (format!("10.1.{high}.{low}"), format!("user{number}"))
        })
        .collect()
}

fn row((client, user): &(String, String)) -> SessionInfo<Text<'_>> {
    SessionInfo {
        cname: client.as_str().into(),
        username: user.as_str().into(),
        num_opens: 3,
        time: 86_400,
        idle_time: 17,
        user_flags: 0,
        cltype_name: "".into(),
        transport: r"\Device\NetbiosSmb".into(),
    }
}

fn page<'n>(
    names: &'n [(String, String)],
) -> EnumResponse<impl Iterator<Item = SessionInfo<Text<'n>>> + Clone> {
    EnumResponse {
        level: 502,
        entries: names.iter().map(row),
        total_entries: 100_000,
        resume_handle: Some(1_000),
        result: NetApiStatus::MORE_DATA,
    }
}

fn write_page(syntax: Syntax) -> Round {
    let names = names();
    Box::new(move || {
        black_box(page(black_box(&names)).write(syntax));
    })
}

fn parse_page(syntax: Syntax) -> Round {
    let stub = page(&names()).write(syntax);
    Box::new(move || {
        let page: Result<EnumResponse<Vec<SessionInfo<WideStr<'_>>>>, _> =
            EnumResponse::read(syntax, black_box(&stub));
        let _ = black_box(page);
    })
}

fn parse_owned_page(syntax: Syntax) -> Round {
    let stub = page(&names()).write(syntax);
    Box::new(move || {
        let _ = black_box(SessionEnumResponse::read(syntax, black_box(&stub)));
    })
}
