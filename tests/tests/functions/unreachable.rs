//! Servers that cannot be asked.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use netsession_tests::subject::ADMIN;

use crate::call::{Asked, Call, EVERYTHING, status};
use crate::driver;

/// Each of the functions, with arguments that only the server could refuse.
fn calls() -> [Call; 3] {
    let (client, user) = (Some(r"\\127.0.0.2"), Some("alice"));
    [
        Call::Enum {
            client: None,
            user: None,
            level: 1,
            prefmaxlen: EVERYTHING,
            resume: Some(0),
        },
        Call::get_info(client, user, 502),
        Call::del(client, user),
    ]
}

/// Everybody gets `library`, the command line `command_line`.
fn everybody_gets(server: Option<&str>, socket: PathBuf, library: u32, command_line: u32) {
    let asked = Asked {
        server: server.map(str::to_owned),
        user: ADMIN,
        socket,
    };
    for driver in driver::all() {
        let expected = match driver.is_command_line() {
            true => command_line,
            false => library,
        };
        for call in calls() {
            let answer = driver.call(&asked, &call);
            let context = format!("{} {server:?} {call:?}: {answer:?}", driver.name());
            assert_eq!(answer.status, expected, "{context}");
            assert!(answer.rows.is_empty(), "{context}");
            // Counts that a program might believe.
            assert_eq!(answer.entries.unwrap_or(0), 0, "{context}");
            assert_eq!(answer.total.unwrap_or(0), 0, "{context}");
        }
    }
}

fn nowhere() -> PathBuf {
    "/nonexistent/srvsvc.sock".into()
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let server = listener.local_addr().expect("its address").to_string();
    drop(listener);
    let code = status::BAD_NETPATH;
    everybody_gets(Some(&server), nowhere(), code, code);
    everybody_gets(Some(&format!(r"\\{server}")), nowhere(), code, code);
}

#[test]
fn no_such_host() {
    let code = status::BAD_NETPATH;
    everybody_gets(Some("no-such-host.invalid"), nowhere(), code, code);
}

/// The command line says what is wrong with the name, and sends nothing.
#[test]
fn no_host_can_have_that_name() {
    let (library, command_line) = (status::BAD_NETPATH, status::INVALID_PARAMETER);
    everybody_gets(Some("a b"), nowhere(), library, command_line);
}

#[test]
fn no_service_on_this_machine() {
    let code = status::SERVER_NOT_STARTED;
    everybody_gets(None, nowhere(), code, code);
    // The socket of a service that is gone.
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("srvsvc.sock");
    drop(UnixListener::bind(&socket).expect("a socket"));
    assert!(socket.exists());
    everybody_gets(None, socket, code, code);
}

#[test]
fn a_host_that_hangs_up() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let server = listener.local_addr().expect("its address").to_string();
    // Ends with the test's process.
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let code = status::NETNAME_DELETED;
    everybody_gets(Some(&server), nowhere(), code, code);
}
