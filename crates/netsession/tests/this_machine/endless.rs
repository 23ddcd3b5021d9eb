//! Servers that never come to an end, and names that would end too much.

use netsession::{ErrorKind, Server, SessionCursor, SessionFilter, SessionLevel};
use rpc::association::server::Call;
use srvsvc::{FileEnumRequest, FileInfo, NetApiStatus, opnum};

use super::peer::Peer;
use super::{answer, beside, list, netapi, read, row};

/// One entry a page, and handles that go in a circle of this length after a way to it.
fn circle(call: &Call, length: u32) -> Option<Vec<u8>> {
    let next = |handle: u32| match handle {
        0..10 => handle + 1,
        _ => 10 + (handle - 9) % length,
    };
    if call.opnum == opnum::NETR_FILE_ENUM {
        let request = FileEnumRequest::read(call.syntax, &call.stub).unwrap();
        let response: srvsvc::EnumResponse<Vec<FileInfo>> = srvsvc::EnumResponse {
            level: request.level,
            entries: vec![FileInfo::default()],
            total_entries: 99,
            resume_handle: request.resume_handle.map(next),
            result: NetApiStatus::MORE_DATA,
        };
        return Some(response.write(call.syntax));
    }
    let asked = read(call).resume_handle;
    let rows = vec![row(r"\\pc", "alice")];
    answer(call, rows, asked.map(next), NetApiStatus::MORE_DATA)
}

#[tokio::test]
async fn pages_in_a_circle() {
    for length in [2, 3, 100] {
        let peer = Peer::answering(move |call| circle(call, length));
        let mut server = Server::this_machine(&peer.options()).await.unwrap();
        let all = SessionFilter::default();
        let error = list(&mut server, &all).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        let error = server.files(None, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");

        // Nothing passes the filter, so that no item would ever give the caller a turn.
        let nobody = SessionFilter {
            client: Some("elsewhere".to_owned()),
            user: None,
        };
        let error = list(&mut server, &nobody).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        let mut cursor = SessionCursor::new(&nobody, SessionLevel::Info10.into());
        let error = cursor.next_page(&mut server).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(cursor.next_page(&mut server).await.unwrap().is_none());
    }
}

/// 234 with handle 0 would let a caller's loop begin again.
#[tokio::test]
async fn back_to_the_beginning() {
    let peer = Peer::answering(|call| {
        let rows = vec![row("pc", "alice")];
        answer(call, rows, Some(0), NetApiStatus::MORE_DATA)
    });
    let netapi = netapi(&peer);
    beside(move || {
        let error = netapi.net_session_enum(None, None, None, 10, 1, Some(7));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Protocol);
    })
    .await;
}

/// Samba takes the backslashes off, and an empty name for every computer.
#[tokio::test]
async fn backslashes_alone_are_no_computer() {
    let peer = Peer::answering(|call| {
        assert_ne!(call.opnum, opnum::NETR_SESSION_DEL, "it was sent");
        answer(
            call,
            vec![row("pc", "alice")],
            Some(0),
            NetApiStatus::SUCCESS,
        )
    });
    let mut server = Server::this_machine(&peer.options()).await.unwrap();
    for client in [r"\\", r"\", r"\\\"] {
        for user in [None, Some("alice")] {
            let error = server.end(Some(client), user).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        }
        let one = server.session(client, "alice", SessionLevel::Info10).await;
        assert_eq!(one.unwrap_err().kind(), ErrorKind::Usage);
        let filter = SessionFilter {
            client: Some(client.to_owned()),
            user: Some("alice".to_owned()),
        };
        let error = list(&mut server, &filter).await.unwrap_err();
        assert_eq!(error.net_api_status(), 2312, "not the sessions of all");
    }
    let netapi = netapi(&peer);
    beside(move || {
        for user in [None, Some("alice")] {
            let error = netapi.net_session_del(None, Some(r"\\"), user);
            assert_eq!(error.unwrap_err().net_api_status(), 2312);
        }
    })
    .await;
}
