//! Who may do what.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use netsession_service::config::LocalSocket;
use netsession_service::local::{self, LocalConfig, LocalEndpoint, Peer, PeerCredentials};
use netsession_service::{Service, ServiceError};
use rpc::Syntax::Ndr20;
use srvsvc::{NetApiStatus, ServerGetInfoRequest, opnum};

use crate::stage::{Caller, GROUP, MEMBER, Pretended, ROOT, STRANGER, Stage, config};

/// May this caller administer?
async fn may(endpoint: &LocalEndpoint) -> bool {
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    let listed = caller.list(10).await;
    let deleted = caller.delete(None, Some("nobody-of-this-name")).await;
    match (listed.result, deleted) {
        (NetApiStatus::SUCCESS, NetApiStatus::CLIENT_NAME_NOT_FOUND) => {
            assert_eq!(listed.entries.len(), 1);
            true
        }
        (NetApiStatus::ACCESS_DENIED, NetApiStatus::ACCESS_DENIED) => {
            assert_eq!((listed.entries.len(), listed.total_entries), (0, 0));
            false
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn root_the_own_user_and_the_group_are_administrators() {
    let stage = Stage::new().await;
    let _session = stage.log_on("alice", "Al1ce.Pw").await;
    let own = Peer {
        uid: rustix::process::geteuid().as_raw(),
        ..STRANGER
    };
    let pretended = Pretended::new(ROOT);
    let endpoint = LocalEndpoint::start(stage.config(pretended.clone()));
    let endpoint = endpoint.await.unwrap();
    for (peer, expected) in [
        (ROOT, true),
        (own, true),
        (MEMBER, true),
        (STRANGER, false),
        // The group of root is nothing special.
        (Peer { gid: 0, ..STRANGER }, false),
    ] {
        pretended.set(peer);
        assert_eq!(may(&endpoint).await, expected, "{peer:?}");
    }
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_group_nobody_else_is() {
    let stage = Stage::new().await;
    let _session = stage.log_on("alice", "Al1ce.Pw").await;
    let config = LocalConfig {
        administrators_group: None,
        ..stage.config(Pretended::new(MEMBER))
    };
    let endpoint = LocalEndpoint::start(config).await.unwrap();
    assert!(!may(&endpoint).await);
    endpoint.stop().await;
    stage.service.stop().await;
}

/// Supplementary groups come from the system's databases, not from the process that asks:
/// each user that /etc/group lists as a member, without that group's number of its own.
#[tokio::test(flavor = "multi_thread")]
async fn supplementary_groups_count() {
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let uid_of = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next() == Some(name);
            found.then(|| fields.nth(1)?.parse::<u32>().ok()).flatten()
        })
    };
    let stage = Stage::new().await;
    let _session = stage.log_on("alice", "Al1ce.Pw").await;
    for line in groups.lines() {
        let fields: Vec<_> = line.split(':').collect();
        let [name, _, gid, members] = fields[..] else {
            continue;
        };
        let gid: u32 = gid.parse().unwrap();
        assert_eq!(local::group_id(name).await.unwrap(), gid);
        for uid in members.split(',').filter_map(uid_of) {
            let peer = Peer {
                uid,
                gid: STRANGER.gid,
                pid: None,
            };
            for (group, expected) in [(gid, true), (GROUP, false)] {
                let config = LocalConfig {
                    administrators_group: Some(group),
                    ..stage.config(Pretended::new(peer))
                };
                let endpoint = LocalEndpoint::start(config).await.unwrap();
                assert_eq!(may(&endpoint).await, expected, "{name}: {uid}");
                endpoint.stop().await;
            }
        }
    }
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_ask_what_the_server_is() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint(STRANGER).await;
    let mut caller = Caller::bound(endpoint.path(), Ndr20).await;
    for (level, status) in [
        (101, NetApiStatus::SUCCESS),
        (102, NetApiStatus::ACCESS_DENIED),
    ] {
        let request = ServerGetInfoRequest {
            server_name: None::<String>,
            level,
        };
        let stub = request.write(Ndr20);
        let stub = caller
            .call(opnum::NETR_SERVER_GET_INFO, stub)
            .await
            .unwrap();
        let response = srvsvc::ServerGetInfoResponse::read(Ndr20, level, &stub).unwrap();
        assert_eq!(response.result, status);
    }
    endpoint.stop().await;
    stage.service.stop().await;
}

/// What a program with these rights gets, from raw bytes: a bind, then NetrSessionEnum at
/// level 10. Prints the result of the call.
const PROGRAM: &str = r"
import socket, struct, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1])
def pdu(kind, body):
    s.sendall(struct.pack('<BBBBIHHI', 5, 0, kind, 3, 0x10, 16 + len(body), 0, 1) + body)
    head = b''
    while len(head) < 16: head += s.recv(16 - len(head))
    size, rest = struct.unpack_from('<H', head, 8)[0] - 16, b''
    while len(rest) < size: rest += s.recv(size - len(rest))
    return head[2], rest
srvsvc = bytes.fromhex('c84f324b7016d30112785a47bf6ee18803000000')
ndr = bytes.fromhex('045d888aeb1cc9119fe808002b10486002000000')
kind, _ = pdu(11, struct.pack('<HHIBBHHBB', 4280, 4280, 0, 1, 0, 0, 0, 1, 0) + srvsvc + ndr)
assert kind == 12, kind
stub = struct.pack('<IIIIIIIIII', 0, 0, 0, 10, 10, 0x20000, 0, 0, 0xffffffff, 0)
kind, rest = pdu(0, struct.pack('<IHH', len(stub), 0, 12) + stub)
assert kind == 2, (kind, rest)
print(struct.unpack_from('<I', rest, len(rest) - 4)[0])
";

/// The kernel's word, not a pretended one: this program as it is, and as nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_nobody_is_refused() {
    const NOBODY: u32 = 65_534;
    let stage = Stage::new().await;
    // For nobody to get there.
    let everyone = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(stage.directory.path(), everyone).unwrap();
    let config = stage.config(Arc::new(PeerCredentials));
    let endpoint = LocalEndpoint::start(config).await.unwrap();
    let run = |as_nobody: bool| {
        let mut command = Command::new("python3");
        command.args(["-c", PROGRAM]).arg(endpoint.path());
        command.stdin(Stdio::null()).current_dir("/");
        if as_nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        async {
            let output = tokio::task::spawn_blocking(move || command.output().unwrap());
            let output = output.await.unwrap();
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{error}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        }
    };
    assert_eq!(run(false).await, "0");
    // Only root can become somebody else.
    if rustix::process::geteuid().is_root() {
        assert_eq!(run(true).await, "5");
    }
    endpoint.stop().await;
    stage.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_group_is_an_error_of_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(
        directory.path(),
        LocalSocket::At(directory.path().join("s.sock")),
    );
    config.administrators_group = Some("no-such-group".to_owned());
    let error = Service::start(config).await.err().unwrap();
    assert!(matches!(error, ServiceError::Group(_)));
    assert_eq!(
        error.to_string(),
        "administrators_group: this machine has no group named \"no-such-group\"; name a group \
         of this machine (`getent group`), or none"
    );
    assert!(!directory.path().join("s.sock").exists());
}
