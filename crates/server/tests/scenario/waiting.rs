//! What a client sees while its request waits ([MS-SMB2] 3.3.4.2).

use smb::wire::{HeaderFlags, ReadRequest, WriteRequest};

use super::ending::Ender;
use super::*;

#[tokio::test]
async fn an_interim_response_is_not_signed() {
    let scene = Scene::new(|_| {});
    scene.server.register_pipe(
        "ender",
        Arc::new(Ender {
            broken: Arc::default(),
        }),
    );
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let ipc = alice.tree_connect("test", "IPC$").await.unwrap();
    let pipe = ipc.create("ender", &Create::pipe()).await.unwrap();
    let file_id = pipe.file_id();

    let read = ReadRequest {
        length: 10,
        file_id,
        ..ReadRequest::default()
    };
    let read = alice
        .message(Command::READ, ipc.id(), |out| read.write(out))
        .await
        .unwrap();
    let interim = connection.exchange(&read).await.unwrap();
    let header = Header::read(&interim).unwrap();
    assert_eq!(header.status, NtStatus::PENDING);
    assert!(header.flags.contains(HeaderFlags::ASYNC));
    // One MessageId is one nonce of AES-GMAC: only the final response may use it.
    assert!(!header.flags.contains(HeaderFlags::SIGNED));
    assert_eq!(header.signature, [0; 16]);

    let write = WriteRequest {
        file_id,
        data: b"hello",
        ..WriteRequest::default()
    };
    let write = alice
        .message(Command::WRITE, ipc.id(), |out| write.write(out))
        .await
        .unwrap();
    connection.send(&write).await.unwrap();
    let mut answered = Vec::new();
    for _ in 0..2 {
        let answer = connection.receive().await.unwrap();
        let header = Header::read(&answer).unwrap();
        assert!(alice.verify(&answer), "{} is signed", header.command);
        answered.push((header.command, header.status));
    }
    answered.sort_by_key(|(command, _)| command.0);
    assert_eq!(
        answered,
        [
            (Command::READ, NtStatus::SUCCESS),
            (Command::WRITE, NtStatus::SUCCESS)
        ]
    );
}
