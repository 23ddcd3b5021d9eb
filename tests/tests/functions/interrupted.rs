//! The caller's own session is ended in the middle of a call: 64.
//!
//! A relay between caller and server holds the call's request back until an administrator
//! has ended the session that it belongs to.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use netsession_tests::client::SHORT;
use netsession_tests::subject::ADMIN;
use netsession_tests::{Kind, Options, Subject};
use rustix::net::{AddressFamily, SocketType};

use crate::call::{Asked, Call, EVERYTHING, bare, status};
use crate::driver::{self, Driver};

/// Where the relay's connections come from, as the server sees them.
const RELAY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 77);

/// Version 5.0, PTYPE request, first and last fragment, little-endian (C706 12.6.3.1).
const RPC_REQUEST: &[u8] = &[5, 0, 0, 3, 0x10, 0, 0, 0];

/// A request of an SMB2 server that carries a call: IOCTL or WRITE ([MS-SMB2] 2.2.1).
fn carries_a_call(frame: &[u8]) -> bool {
    frame.starts_with(b"\xFESMB")
        && frame
            .windows(RPC_REQUEST.len())
            .any(|bytes| bytes == RPC_REQUEST)
}

fn read_frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut prefix = [0; 4];
    from.read_exact(&mut prefix)?;
    let mut frame = vec![0; u32::from_be_bytes(prefix) as usize];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddr::from((RELAY, 0)))?;
    rustix::net::connect(&socket, &server)?;
    Ok(TcpStream::from(socket))
}

/// Passes frames on; before the first that carries a call, `interrupt` is called.
fn relay(client: TcpStream, server: SocketAddr, interrupt: impl Fn()) -> io::Result<()> {
    let mut client = client;
    let mut onward = connect(server)?;
    let (mut back, mut to_client) = (onward.try_clone()?, client.try_clone()?);
    let backward = std::thread::spawn(move || {
        let _ = io::copy(&mut back, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut interrupted = false;
    while let Ok(frame) = read_frame(&mut client) {
        if !interrupted && carries_a_call(&frame) {
            interrupted = true;
            interrupt();
        }
        let prefix = (frame.len() as u32).to_be_bytes();
        // The server may have ended the connection: the caller will be told.
        if onward.write_all(&[&prefix[..], &frame].concat()).is_err() {
            break;
        }
    }
    let _ = onward.shutdown(Shutdown::Both);
    let _ = backward.join();
    Ok(())
}

/// Ends the relay's session, and waits until it is gone.
fn end(asked: &Asked, driver: &dyn Driver) {
    let client = Some(r"\\127.0.0.77");
    let answer = driver.call(asked, &Call::del(client, Some("admin")));
    assert_eq!(answer.status, status::SUCCESS, "{answer:?}");
    let start = Instant::now();
    loop {
        let answer = driver.call(asked, &Call::all(None, None, 1));
        if !answer.rows.iter().any(|row| bare(row) == "127.0.0.77") {
            return;
        }
        assert!(start.elapsed() < SHORT, "it never ended: {answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn interrupted(kind: Kind) {
    let subject = Subject::of(kind, Options::default());
    let server = subject.address();
    let asked = |server: SocketAddr| Asked {
        server: Some(server.to_string()),
        user: ADMIN,
        socket: "/nonexistent/srvsvc.sock".into(),
    };
    let direct = asked(server);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let relayed = asked(listener.local_addr().expect("its address"));
    let interruptions = Arc::new(AtomicUsize::new(0));
    let counted = interruptions.clone();
    // Ends with the test's process.
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (direct, counted) = (direct.clone(), counted.clone());
            std::thread::spawn(move || {
                relay(client, server, || {
                    end(&direct, &driver::Rust);
                    counted.fetch_add(1, Ordering::SeqCst);
                })
            });
        }
    });
    let (client, user) = (Some(r"\\127.0.0.77"), Some("admin"));
    let calls = [
        Call::Enum {
            client: None,
            user: None,
            level: 1,
            prefmaxlen: EVERYTHING,
            resume: Some(0),
        },
        Call::get_info(client, user, 1),
        // Of a session that is not the caller's: his own would be ended, however it comes.
        Call::del(Some(r"\\192.0.2.1"), Some("alice")),
    ];
    for driver in driver::all() {
        for call in &calls {
            let before = interruptions.load(Ordering::SeqCst);
            let answer = driver.call(&relayed, call);
            let context = format!("{} {call:?}: {answer:?}", driver.name());
            assert_eq!(answer.status, status::NETNAME_DELETED, "{context}");
            assert!(answer.rows.is_empty(), "{context}");
            // Samba ends the connection before the administrator has seen to it.
            let start = Instant::now();
            while interruptions.load(Ordering::SeqCst) == before {
                assert!(start.elapsed() < SHORT, "no call was held back: {context}");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

#[test]
fn at_our_server() {
    interrupted(Kind::Netsession);
}

#[test]
fn at_samba() {
    interrupted(Kind::Samba);
}
