//! Our server asked through its Unix socket, by the user it runs as: an administrator.

use netsession::{
    Ended, ErrorKind, Options, Server, SessionFilter, SessionLevel, Syntax, Target, blocking,
};

use super::admin;
use super::peer::Peer;

#[tokio::test]
async fn lists_and_ends() {
    let peer = Peer::own();
    let options = peer.local_options();
    let remote = Server::connect(peer.target(), &admin(), &Options::default())
        .await
        .unwrap();
    for syntaxes in peer.transfer_syntaxes() {
        let options = Options {
            transfer_syntaxes: syntaxes.clone(),
            ..options.clone()
        };
        let mut server = Server::connect(&Target::this_machine(), &admin(), &options)
            .await
            .unwrap();
        assert!(server.target().is_this_machine());
        assert_eq!((server.dialect(), server.cipher()), (None, None));
        assert_eq!(
            (server.signing_algorithm(), server.is_encrypted()),
            (None, false)
        );
        let is_wide = syntaxes.contains(&Syntax::Ndr64);
        assert_eq!(server.syntax() == Syntax::Ndr64, is_wide);
        for level in SessionLevel::ALL {
            let sessions = server.sessions(&SessionFilter::default(), level);
            let sessions = sessions.collect().await.unwrap();
            // Asking this way takes no session.
            assert_eq!(sessions.len(), 1, "{sessions:?}");
            assert_eq!(sessions[0].client(), "127.0.0.1");
        }
        assert!(!server.server_info(101).await.unwrap().name.is_empty());
        let files = server.files(None, None).await.unwrap();
        assert_eq!(files.len(), 1, "the pipe of the one session: {files:?}");
        server.disconnect().await.unwrap();
    }
    let mut server = Server::this_machine(&options).await.unwrap();
    let ended = server.end(None, Some("admin")).await.unwrap();
    assert_eq!(ended, Ended::Confirmed);
    drop(remote);
    let sessions = server.sessions(&SessionFilter::default(), SessionLevel::Info0);
    assert_eq!(sessions.collect().await.unwrap(), []);
    let error = server.end(None, Some("admin")).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.name()),
        (ErrorKind::NoSuchSession, Some("NERR_ClientNameNotFound"))
    );
}

#[tokio::test]
async fn files_are_closed() {
    let peer = Peer::own();
    let options = peer.local_options();
    let mut remote = Server::connect(peer.target(), &admin(), &Options::default())
        .await
        .unwrap();
    let mut server = Server::this_machine(&options).await.unwrap();
    let files = server.files(None, Some("admin")).await.unwrap();
    assert_eq!((files.len(), &*files[0].user_name), (1, "admin"));
    let other = server.files(None, Some("nobody-there")).await;
    assert!(
        !matches!(&other, Ok(files) if !files.is_empty()),
        "{other:?}"
    );
    server.close_file(files[0].id).await.unwrap();
    let error = server.close_file(files[0].id).await.unwrap_err();
    assert_eq!(error.net_api_status(), 2314, "{error}");
    // It loses one call; the next opens the pipe again.
    let error = remote.server_info(101).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    remote.server_info(101).await.unwrap();
}

#[test]
fn blocking_face() {
    let peer = Peer::own();
    let options = peer.local_options();
    let mut server = blocking::Server::this_machine(&options).unwrap();
    let filter = SessionFilter {
        client: Some("198.51.100.1".to_owned()),
        user: None,
    };
    let mut sessions = server.sessions(&filter, SessionLevel::Info10);
    let error = sessions.next().unwrap().unwrap_err();
    assert_eq!(error.net_api_status(), 2312);
    assert!(sessions.next().is_none());
    drop(sessions);
    server.disconnect().unwrap();
}
