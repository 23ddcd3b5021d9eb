//! Answers to compounds: they fit a frame, and hold nothing but what was asked for.

use netsession::smb_client::Open;
use smb::wire::{FileId, ReadRequest};

use super::*;

const MIB: usize = 1 << 20;

/// READs as one frame, unsigned: (offset, length, MinimumCount).
async fn compound(
    session: &Session,
    tree_id: u32,
    file_id: FileId,
    reads: &[(u64, u32, u32)],
) -> Vec<u8> {
    let mut frame = Vec::new();
    for (index, &(offset, length, minimum_count)) in reads.iter().enumerate() {
        let charge = length.div_ceil(65_536).max(1);
        let start = frame.len();
        let connection = session.connection();
        Header {
            credit_charge: charge as u16,
            command: Command::READ,
            credits: 1_024,
            message_id: connection.take_message_ids(charge.into()).await,
            tree_id,
            session_id: session.id(),
            ..Header::default()
        }
        .write(&mut frame);
        ReadRequest {
            length,
            offset,
            minimum_count,
            file_id,
            ..ReadRequest::default()
        }
        .write(&mut frame);
        if index + 1 < reads.len() {
            frame.resize(frame.len().next_multiple_of(8), 0);
            let next = (frame.len() - start) as u32;
            frame[start + 20..start + 24].copy_from_slice(&next.to_le_bytes());
        }
    }
    session.connection().exchange(&frame).await.unwrap()
}

/// The status of each message of an answer.
fn statuses(mut answer: &[u8]) -> Vec<NtStatus> {
    let mut statuses = Vec::new();
    loop {
        let header = Header::read(answer).unwrap();
        statuses.push(header.status);
        match header.next_command as usize {
            0 => return statuses,
            next => answer = &answer[next..],
        }
    }
}

async fn open(scene: &Scene, session: &Session, name: &str, content: &[u8]) -> (u32, Open) {
    std::fs::write(scene.directory.path().join("data").join(name), content).unwrap();
    let tree = session.tree_connect("test", "data").await.unwrap();
    let file = tree.create(name, &Create::open()).await.unwrap();
    (tree.id(), file)
}

/// Its length has 24 bits; two READs of the largest size have more.
#[tokio::test]
async fn a_compounds_answer_fits_a_frame() {
    let scene = Scene::new(|config| config.signing_required = false);
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let (tree, file) = open(&scene, &alice, "long", &vec![7; 9 * MIB]).await;
    // It grants the credits that the next one needs.
    compound(&alice, tree, file.file_id(), &[(0, 10, 0)]).await;
    let most = 8 * MIB as u32;
    let reads = [(0, most, 0), (0, most, 0), (5, 10, 0)];
    let answer = compound(&alice, tree, file.file_id(), &reads).await;
    assert_eq!(
        statuses(&answer),
        [
            NtStatus::SUCCESS,
            NtStatus::INSUFFICIENT_RESOURCES,
            NtStatus::SUCCESS
        ]
    );
    connection.echo().await.unwrap();
}

/// Buffers go from answer to answer, and so from client to client: whatever a READ does not
/// fill (a short file, its end, a refusal, padding before the next message) has no content.
#[tokio::test]
async fn no_answer_holds_bytes_of_another_clients() {
    let scene = Scene::new(|config| config.signing_required = false);
    let secret = b"secret. ".repeat(MIB / 8);
    let bobs = scene.connect(BOB).await;
    let bob = logon(&bobs, "bob").await;
    let (bobs_tree, bobs_file) = open(&scene, &bob, "bobs", &secret).await;
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let (tree, file) = open(&scene, &alice, "alices", b"alice").await;

    let long = MIB as u32;
    let holds_secret = |bytes: &[u8]| {
        bytes
            .windows(4)
            .any(|four| four == b"ecre" || four == b"ret.")
    };
    for reads in [
        &[(0, long, 0)][..],
        &[(5, long, 0)],
        &[(0, long, 6)],
        &[(0, 0, 0)],
        &[(0, long, 0), (0, long, 0)],
        &[(5, long, 0), (0, long, 0), (0, long, 9)],
        &[(0, long, 9), (3, long, 0), (4, long, 1), (9, long, 0)],
    ] {
        // Everything here runs on one thread: the buffer that bob's answer leaves is the
        // one that alice's is made in.
        let full = compound(&bob, bobs_tree, bobs_file.file_id(), &[(0, long, 0)]).await;
        assert!(holds_secret(&full) && full.len() > MIB);
        let answer = compound(&alice, tree, file.file_id(), reads).await;
        assert_eq!(statuses(&answer).len(), reads.len());
        assert!(!holds_secret(&answer), "{reads:?}");
        assert!(answer.len() < 128 * reads.len(), "{reads:?}");
    }
}
