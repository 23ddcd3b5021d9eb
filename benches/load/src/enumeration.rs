//! NetrSessionEnum: latency, everything in pages, one of many.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use netsession::Server;
use rpc::Syntax;
use serde_json::{Value, json};
use srvsvc::{MAX_PREFERRED_LENGTH, NetApiStatus, SessionEnumRequest, opnum};

use crate::addresses::Block;
use crate::arguments::{Enum, EnumAll, GetOne};
use crate::client::runtime;
use crate::fragments;
use crate::latency::summary;
use crate::reply::{decoded, pages, result};
use crate::{Dial, Error, Result};

/// Calls before the first one that counts.
pub(crate) const WARM_UP: usize = 10;

/// A measurement ends here even if calls are left: two thousand sessions of a slow server.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

pub(crate) fn rows_are(expected: usize, found: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Unexpected(format!(
        "{found} rows where {expected} were expected"
    )))
}

fn request(level: u32, page: u32) -> SessionEnumRequest {
    SessionEnumRequest {
        server_name: None,
        client_name: None,
        user_name: None,
        level,
        prefered_maximum_length: page,
        resume_handle: Some(0),
    }
}

/// The request for all rows at once.
pub(crate) fn everything(level: u32) -> SessionEnumRequest {
    request(level, MAX_PREFERRED_LENGTH)
}

/// `enum`: from the request to the last byte of the reply; decoding is not in it, but
/// every reply is decoded and counted behind the clock's back.
pub(crate) fn list(dial: &Dial, arguments: &Enum) -> Result<Value> {
    if let Some(fragment) = arguments.fragment {
        return fragments::list(dial, arguments, fragment);
    }
    runtime()?.block_on(async {
        let mut server = dial.server().await?;
        let request = everything(arguments.level);
        let (mut times, mut bytes) = (Vec::with_capacity(arguments.calls), 0);
        let start = Instant::now();
        for number in 0..WARM_UP + arguments.calls {
            let before = Instant::now();
            let stubs = pages(&mut server, request.clone()).await?;
            let took = before.elapsed();
            let (rows, length) = count(server.syntax(), &stubs)?;
            rows_are(arguments.rows, rows)?;
            bytes = length;
            if number >= WARM_UP {
                times.push(took);
            }
            if start.elapsed() > LONGEST && times.len() >= WARM_UP {
                break;
            }
        }
        let mut measured = summary(times);
        measured["rows"] = json!(arguments.rows);
        measured["bytes"] = json!(bytes);
        server.disconnect().await?;
        Ok(measured)
    })
}

/// Rows and bytes of these replies.
fn count(syntax: Syntax, stubs: &[Vec<u8>]) -> Result<(usize, usize)> {
    let (mut rows, mut bytes) = (0, 0);
    for stub in stubs {
        rows += decoded(syntax, stub)?.entries.len();
        bytes += stub.len();
    }
    Ok((rows, bytes))
}

/// `enum-all`: the pages decoded as they come; then the same bytes from a thread over one
/// loopback connection, decoded as they come. In turn, so that both see the same machine.
pub(crate) fn all(dial: &Dial, arguments: &EnumAll) -> Result<Value> {
    let runtime = runtime()?;
    let mut server = runtime.block_on(dial.server())?;
    let syntax = server.syntax();
    let (mut wire, mut copy, mut bytes, mut page_count) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..arguments.rounds.max(1) {
        let start = Instant::now();
        let rows = runtime.block_on(paged(&mut server, arguments))?;
        wire.push(start.elapsed().as_secs_f64());
        rows_are(arguments.rows, rows)?;

        let stubs =
            runtime.block_on(pages(&mut server, request(arguments.level, arguments.page)))?;
        bytes = stubs.iter().map(Vec::len).sum();
        page_count = stubs.len();
        let (rows, took) = copied(syntax, &stubs)?;
        copy.push(took.as_secs_f64());
        rows_are(arguments.rows, rows)?;
    }
    runtime.block_on(server.disconnect())?;
    Ok(json!({
        "rows": arguments.rows,
        "bytes": bytes,
        "pages": page_count,
        "wire_s": wire,
        "copy_s": copy,
    }))
}

/// One enumeration, each page decoded before the next is asked for and then dropped.
async fn paged(server: &mut Server, arguments: &EnumAll) -> Result<usize> {
    let syntax = server.syntax();
    let mut request = request(arguments.level, arguments.page);
    let mut rows = 0;
    loop {
        let stub = server
            .call(opnum::NETR_SESSION_ENUM, &request.write(syntax))
            .await?;
        let reply = decoded(syntax, &stub)?;
        rows += reply.entries.len();
        if reply.result == NetApiStatus::SUCCESS {
            return Ok(rows);
        }
        if reply.resume_handle == request.resume_handle {
            return Err(Error::Unexpected(
                "the server has more entries (234) but does not go on to them".to_owned(),
            ));
        }
        request.resume_handle = reply.resume_handle;
    }
}

/// The bytes over one connection of this machine to itself, decoded page by page: rows, and
/// the time from the connection to the last row.
fn copied(syntax: Syntax, stubs: &[Vec<u8>]) -> Result<(usize, Duration)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || -> std::io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            stubs.iter().try_for_each(|stub| stream.write_all(stub))
        });
        let start = Instant::now();
        let mut stream = TcpStream::connect(address)?;
        let mut rows = 0;
        for stub in stubs {
            let mut page = vec![0; stub.len()];
            stream.read_exact(&mut page)?;
            rows += decoded(syntax, &page)?.entries.len();
        }
        let took = start.elapsed();
        match sender.join() {
            Ok(sent) => sent?,
            Err(_) => return Err(Error::Unexpected("the copying thread panicked".to_owned())),
        }
        Ok((rows, took))
    })
}

/// `get-one`: the request that NetSessionGetInfo sends, for a session of our own from an
/// address that no other session has. From the request to the reply, which must have one row.
pub(crate) fn get_one(dial: &Dial, arguments: &GetOne) -> Result<Value> {
    runtime()?.block_on(async {
        let mut server = dial.server().await?;
        let syntax = server.syntax();
        let source = Block::Victims.address(0);
        let connection = dial.own_connection(source).await?;
        let session = dial.session(&connection, dial.user()).await?;
        let stub = SessionEnumRequest {
            client_name: Some(format!(r"\\{source}")),
            user_name: Some(dial.user().user().to_owned()),
            ..request(arguments.level, MAX_PREFERRED_LENGTH)
        }
        .write(syntax);
        let mut times = Vec::with_capacity(arguments.calls);
        for number in 0..WARM_UP + arguments.calls {
            let before = Instant::now();
            let reply = server.call(opnum::NETR_SESSION_ENUM, &stub).await?;
            let took = before.elapsed();
            if result(&reply) != Some(NetApiStatus::SUCCESS) {
                return Err(Error::Unexpected("no success".to_owned()));
            }
            rows_are(1, decoded(syntax, &reply)?.entries.len())?;
            if number >= WARM_UP {
                times.push(took);
            }
        }
        session.logoff().await?;
        server.disconnect().await?;
        Ok(summary(times))
    })
}

#[cfg(test)]
mod tests {
    use srvsvc::{EnumResponse, SessionInfo};

    use super::*;

    #[test]
    fn copying_counts_every_row() {
        let page = |rows: usize, result| {
            EnumResponse {
                level: 502,
                entries: vec![
                    SessionInfo {
                        cname: "192.0.2.1",
                        username: "alice",
                        ..SessionInfo::default()
                    };
                    rows
                ],
                total_entries: 5,
                resume_handle: Some(3),
                result,
            }
            .write(Syntax::Ndr20)
        };
        let stubs = [
            page(3, NetApiStatus::MORE_DATA),
            page(2, NetApiStatus::SUCCESS),
        ];
        assert_eq!(result(&stubs[0]), Some(NetApiStatus::MORE_DATA));
        assert_eq!(result(&stubs[1]), Some(NetApiStatus::SUCCESS));
        let (rows, took) = copied(Syntax::Ndr20, &stubs).unwrap();
        assert_eq!(rows, 5);
        assert!(took > Duration::ZERO);
    }
}
