//! Requests that no honest client sends.

use super::*;

#[tokio::test]
async fn a_changed_or_unsigned_or_repeated_request_is_refused() {
    let scene = Scene::new(|_| {});
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let write = |out: &mut Vec<u8>| EchoRequest.write(out);

    let mut changed = alice.message(Command::ECHO, 0, write).await.unwrap();
    changed[Header::SIZE + 2] ^= 1;
    let answer = connection.exchange(&changed).await.unwrap();
    assert_eq!(
        Header::read(&answer).unwrap().status,
        NtStatus::ACCESS_DENIED
    );

    let mut unsigned = alice.message(Command::ECHO, 0, write).await.unwrap();
    unsigned[16] &= !8;
    unsigned[Header::SIGNATURE].fill(0);
    let answer = connection.exchange(&unsigned).await.unwrap();
    assert_eq!(
        Header::read(&answer).unwrap().status,
        NtStatus::ACCESS_DENIED
    );

    let good = alice.message(Command::ECHO, 0, write).await.unwrap();
    let answer = connection.exchange(&good).await.unwrap();
    assert_eq!(Header::read(&answer).unwrap().status, NtStatus::SUCCESS);
    assert!(
        connection.exchange(&good).await.is_err(),
        "a repeated message ends the connection"
    );
}

/// StructureSize of each command's request, so that bodies get past the first check.
const STRUCTURE_SIZES: [u16; 19] = [
    36, 25, 4, 9, 4, 57, 24, 24, 49, 49, 48, 57, 4, 4, 33, 32, 41, 33, 24,
];

#[tokio::test]
async fn hostile_bodies_are_answered_or_end_the_connection() {
    let scene = Scene::new(|config| config.signing_required = false);
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut answered = 0;
    let mut connections = 0;
    let mut current: Option<(Connection, Session, u32, u64, u64)> = None;
    for _ in 0..4_000 {
        if current.is_none() {
            connections += 1;
            let connection = scene.connect(ALICE).await;
            let session = logon(&connection, "alice").await;
            let tree = session.tree_connect("test", "data").await.unwrap();
            let file = tree.create("target", &Create::overwrite()).await.unwrap();
            let id = file.file_id();
            current = Some((connection, session, tree.id(), id.persistent, id.volatile));
        }
        let Some((connection, session, tree, persistent, volatile)) = &current else {
            break;
        };
        let command = random() as usize % STRUCTURE_SIZES.len();
        let size = STRUCTURE_SIZES[command];
        let length = usize::from(size & !1) - 2 + random() as usize % 64;
        let mut body = size.to_le_bytes().to_vec();
        for _ in 0..length {
            // Mostly small numbers: large ones fail the first bound they meet.
            let byte = random();
            body.push(if byte & 0x300 == 0 {
                byte as u8
            } else {
                (byte & 0x0F) as u8
            });
        }
        // A FileId that exists, where most commands have theirs.
        for place in [8, 16, 24] {
            if random() & 1 == 0 && body.len() >= place + 16 {
                body[place..place + 8].copy_from_slice(&persistent.to_le_bytes());
                body[place + 8..place + 16].copy_from_slice(&volatile.to_le_bytes());
            }
        }
        let mut message = Vec::new();
        Header {
            credit_charge: 1,
            command: Command(command as u16),
            credits: 64,
            message_id: connection.take_message_ids(1).await,
            tree_id: *tree,
            session_id: session.id(),
            ..Header::default()
        }
        .write(&mut message);
        message.extend_from_slice(&body);
        if command == usize::from(Command::CANCEL.0) {
            if connection.send(&message).await.is_err() {
                current = None;
            }
            continue;
        }
        match connection.exchange(&message).await {
            Ok(answer) => {
                answered += 1;
                let status = Header::read(&answer).unwrap().status;
                let lost = [
                    NtStatus::USER_SESSION_DELETED,
                    NtStatus::NETWORK_NAME_DELETED,
                    NtStatus::FILE_CLOSED,
                ];
                if lost.contains(&status) && random() & 3 == 0 {
                    current = None;
                }
            }
            Err(_) => current = None,
        }
    }
    drop(current);
    assert!(answered > 1_000, "only {answered} answers");
    assert!(connections > 1, "nothing ended a connection");
    // The server is well, and holds nothing of all this.
    let connection = scene.connect(BOB).await;
    let bob = logon(&connection, "bob").await;
    while scene.rows().len() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.rows()[0].id.0, bob.id());
    assert_eq!(
        scene
            .application()
            .opens(SessionFilter::default(), 0, 10)
            .total,
        0
    );
}
