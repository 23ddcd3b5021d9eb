//! Logons, refused and repeated ([MS-SMB2] 3.3.5.5).

use super::*;

#[tokio::test]
async fn refused_logons_leave_nothing_behind() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    for (user, password, expected) in [
        ("alice", "wrong", NtStatus::LOGON_FAILURE),
        ("nobody", "nobody", NtStatus::LOGON_FAILURE),
        ("gone", "wrong", NtStatus::LOGON_FAILURE),
        ("gone", "gone", NtStatus::ACCOUNT_DISABLED),
    ] {
        assert_eq!(
            status(try_logon(&connection, user, password).await),
            expected,
            "{user}"
        );
    }
    assert!(scene.rows().is_empty());
    logon(&connection, "alice").await;
}

#[tokio::test]
async fn an_expired_session_may_only_authenticate_or_leave() {
    let scene = Scene::new(|config| {
        config.limits.session_lifetime = Some(Duration::from_secs(60));
    });
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let tree = alice.tree_connect("test", "data").await.unwrap();
    scene.clock.advance(Duration::from_secs(61));
    let refused = tree.create("x", &Create::overwrite()).await;
    assert_eq!(status(refused), NtStatus::NETWORK_SESSION_EXPIRED);
    assert_eq!(scene.rows().len(), 1, "still listed");
    alice.logoff().await.unwrap();
    assert!(scene.rows().is_empty());
}

/// Both legs of SESSION_SETUP inside a session that is there already.
pub async fn authenticate_again(session: &Session, user: &str) -> NtStatus {
    let credentials = smb::auth::Credentials::new("", user, user);
    let mut initiator = smb::auth::Initiator::new(credentials, "test");
    let setup = |security_buffer| SessionSetupRequest {
        security_mode: 1,
        security_buffer,
        ..SessionSetupRequest::default()
    };
    let token = initiator.start(None);
    let first = session
        .request(Command::SESSION_SETUP, 0, 0, |out| setup(&token).write(out))
        .await
        .unwrap();
    assert_eq!(first.status(), NtStatus::MORE_PROCESSING_REQUIRED);
    let challenge = SessionSetupResponse::read(first.message()).unwrap();
    let step = initiator
        .step(
            challenge.security_buffer,
            FileTime::from_unix(1_800_000_000, 0),
            [7; 8],
            [9; 16],
        )
        .unwrap();
    let second = session
        .request(Command::SESSION_SETUP, 0, 0, |out| {
            setup(&step.token).write(out)
        })
        .await
        .unwrap();
    second.status()
}

#[tokio::test]
async fn an_expired_session_authenticates_again_and_keeps_its_files_and_keys() {
    let scene = Scene::new(|config| {
        config.limits.session_lifetime = Some(Duration::from_secs(60));
    });
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let tree = alice.tree_connect("test", "data").await.unwrap();
    let file = tree.create("kept", &Create::overwrite()).await.unwrap();
    file.write(0, b"before").await.unwrap();
    scene.clock.advance(Duration::from_secs(61));
    assert_eq!(
        status(file.read(0, 9).await),
        NtStatus::NETWORK_SESSION_EXPIRED
    );

    assert_eq!(
        authenticate_again(&alice, "bob").await,
        NtStatus::ACCESS_DENIED
    );
    assert_eq!(
        status(file.read(0, 9).await),
        NtStatus::NETWORK_SESSION_EXPIRED
    );
    assert_eq!(authenticate_again(&alice, "alice").await, NtStatus::SUCCESS);
    assert_eq!(&*file.read(0, 9).await.unwrap(), b"before");
    let rows = scene.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].active.as_secs(), 61, "it is the same session");
}

/// Both legs of a logon that names an earlier session of the client.
pub async fn log_on_instead(connection: &Connection, user: &str, previous: u64) {
    let credentials = smb::auth::Credentials::new("", user, user);
    let mut initiator = smb::auth::Initiator::new(credentials, "test");
    let mut token = initiator.start(None);
    let mut session_id = 0;
    loop {
        let mut message = Vec::new();
        Header {
            credit_charge: 1,
            command: Command::SESSION_SETUP,
            credits: 8,
            message_id: connection.take_message_ids(1).await,
            session_id,
            ..Header::default()
        }
        .write(&mut message);
        SessionSetupRequest {
            security_mode: 1,
            previous_session_id: previous,
            security_buffer: &token,
            ..SessionSetupRequest::default()
        }
        .write(&mut message);
        let answer = connection.exchange(&message).await.unwrap();
        let header = Header::read(&answer).unwrap();
        if header.status == NtStatus::SUCCESS {
            break;
        }
        assert_eq!(header.status, NtStatus::MORE_PROCESSING_REQUIRED);
        session_id = header.session_id;
        let challenge = SessionSetupResponse::read(&answer).unwrap();
        let now = FileTime::from_unix(1_800_000_000, 0);
        let step = initiator
            .step(challenge.security_buffer, now, [7; 8], [9; 16])
            .unwrap();
        token = step.token.clone();
    }
}

#[tokio::test]
async fn a_client_that_comes_back_names_its_previous_session() {
    for (user, left) in [("alice", 1), ("bob", 2)] {
        let scene = Scene::new(|_| {});
        let lost = scene.connect(ALICE).await;
        let previous = logon(&lost, "alice").await;
        let connection = scene.connect(ALICE).await;
        log_on_instead(&connection, user, previous.id()).await;
        assert_eq!(
            scene.rows().len(),
            left,
            "only a session of the same user ends"
        );
    }
}
