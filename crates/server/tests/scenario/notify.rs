//! CHANGE_NOTIFY ([MS-SMB2] 3.3.5.19, [MS-FSA] 2.1.5.11): who is told of what, when.

use smb::wire::notify_action::{
    FILE_ACTION_ADDED as ADDED, FILE_ACTION_MODIFIED as MODIFIED, FILE_ACTION_REMOVED as REMOVED,
    FILE_ACTION_RENAMED_NEW_NAME as NEW_NAME, FILE_ACTION_RENAMED_OLD_NAME as OLD_NAME,
};
use smb::wire::{
    ChangeNotifyResponse, FileId, HeaderFlags, TreeDisconnectRequest,
    file_information_class as class,
};

use super::notify_client::{DIRECTORY, EVERYTHING, NAMES, Watch, change, changes};
use super::raw::{Message, Raw, SHARED, Wanted, created};
use super::*;

/// FILE_NOTIFY_CHANGE_LAST_WRITE and FILE_NOTIFY_CHANGE_SIZE.
const DATA: u32 = 0x18;

const DOOMED: Wanted = Wanted {
    // FILE_DELETE_ON_CLOSE.
    options: 0x1000,
    ..SHARED
};

/// Alice has `d` open, which has `f` and `e` with a file `g`; Bob has nothing open.
async fn scene() -> (Scene, Raw, FileId, Raw) {
    let scene = Scene::new(|_| {});
    let directory = scene.data().join("d");
    std::fs::create_dir_all(directory.join("e")).unwrap();
    std::fs::write(directory.join("f"), b"f").unwrap();
    std::fs::write(directory.join("e").join("g"), b"g").unwrap();
    let alice = Raw::connect(&scene, ALICE, "alice", "data").await;
    let bob = Raw::connect(&scene, BOB, "bob", "data").await;
    let (directory, _) = alice.create("d", DIRECTORY).await.unwrap();
    (scene, alice, directory, bob)
}

async fn make(raw: &Raw, name: &str) {
    let (open, _) = raw.create(name, SHARED).await.unwrap();
    assert_eq!(raw.close(open).await, NtStatus::SUCCESS);
}

async fn remove(raw: &Raw, name: &str) {
    let (open, _) = raw.create(name, DOOMED).await.unwrap();
    assert_eq!(raw.close(open).await, NtStatus::SUCCESS);
}

async fn rename(raw: &Raw, from: &str, to: &str) {
    let (open, _) = raw.create(from, SHARED).await.unwrap();
    let id = raw.send_rename(open, to).await;
    assert_eq!(raw.end(id).await.status(), NtStatus::SUCCESS);
    assert_eq!(raw.close(open).await, NtStatus::SUCCESS);
}

#[tokio::test(start_paused = true)]
async fn changes_by_another_connection_are_told_and_those_between_two_requests_kept() {
    let (_scene, alice, directory, bob) = scene().await;
    let watch = Watch::of(NAMES);
    let (id, async_id) = alice.watch(directory, watch).await;
    make(&bob, r"d\new").await;
    let answer = alice.end(id).await;
    assert!(answer.header.flags.contains(HeaderFlags::ASYNC));
    assert_eq!(answer.header.async_id, async_id);
    assert_eq!(changes(&answer), [change(ADDED, "new")]);
    // Nobody waits for these.
    rename(&bob, r"d\new", r"d\newer").await;
    remove(&bob, r"d\newer").await;
    let kept = alice.kept(directory, watch).await;
    let expected = [
        change(OLD_NAME, "new"),
        change(NEW_NAME, "newer"),
        change(REMOVED, "newer"),
    ];
    assert_eq!(kept, expected);
    // Each was told once.
    alice.watch(directory, watch).await;
}

#[tokio::test(start_paused = true)]
async fn the_filter_decides_and_is_that_of_the_first_request() {
    let (_scene, alice, directory, bob) = scene().await;
    let (names, _) = alice.create("d", DIRECTORY).await.unwrap();
    let (first, _) = alice.watch(directory, Watch::of(DATA)).await;
    let (second, _) = alice.watch(names, Watch::of(NAMES)).await;
    let (his, _) = bob.create(r"d\f", SHARED).await.unwrap();
    let write = bob.send_write(his, 0, b"longer than before").await;
    assert_eq!(bob.end(write).await.status(), NtStatus::SUCCESS);
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "CLOSE tells of it");
    assert_eq!(bob.close(his).await, NtStatus::SUCCESS);
    assert_eq!(changes(&alice.end(first).await), [change(MODIFIED, "f")]);
    make(&bob, r"d\new").await;
    assert_eq!(changes(&alice.end(second).await), [change(ADDED, "new")]);
    // A later request of the open cannot ask for something else.
    let (first, _) = alice.watch(directory, Watch::of(EVERYTHING)).await;
    remove(&bob, r"d\new").await;
    assert_eq!(alice.echo().await, NtStatus::SUCCESS);
    let (his, _) = bob.create(r"d\f", SHARED).await.unwrap();
    let resize = bob
        .send_set_info(his, class::FILE_END_OF_FILE_INFORMATION, &[0; 8])
        .await;
    assert_eq!(bob.end(resize).await.status(), NtStatus::SUCCESS);
    assert_eq!(changes(&alice.end(first).await), [change(MODIFIED, "f")]);
}

#[tokio::test(start_paused = true)]
async fn a_tree_is_watched_whole_and_its_names_are_relative() {
    let (_scene, alice, directory, bob) = scene().await;
    let (tree, _) = alice.create("d", DIRECTORY).await.unwrap();
    let (whole, _) = alice.watch(tree, Watch::tree(NAMES)).await;
    let (flat, _) = alice.watch(directory, Watch::of(NAMES)).await;
    make(&bob, r"d\e\new").await;
    let told = changes(&alice.end(whole).await);
    assert_eq!(told, [change(ADDED, r"e\new")]);
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "it is not in d");
    // From one directory to another: gone from one, new in the other.
    rename(&bob, r"d\e\new", r"d\up").await;
    let told = changes(&alice.end(flat).await);
    assert_eq!(told, [change(ADDED, "up")]);
    let kept = alice.kept(tree, Watch::tree(NAMES)).await;
    assert_eq!(kept, [change(REMOVED, r"e\new"), change(ADDED, "up")]);
    // Out of the tree.
    rename(&bob, r"d\up", "outside").await;
    let told = alice.kept(directory, Watch::of(NAMES)).await;
    assert_eq!(told, [change(REMOVED, "up")]);
    let told = alice.kept(tree, Watch::tree(NAMES)).await;
    assert_eq!(told, [change(REMOVED, "up")]);
}

#[tokio::test(start_paused = true)]
async fn who_watches_a_directory_that_gets_another_name_watches_on() {
    let (_scene, alice, directory, bob) = scene().await;
    let (id, _) = alice.watch(directory, Watch::tree(NAMES)).await;
    let (mover, _) = bob
        .create(
            r"d\e",
            Wanted {
                access: 0x0001_0080,
                ..DIRECTORY
            },
        )
        .await
        .unwrap();
    let renamed = bob.send_rename(mover, r"d\h").await;
    assert_eq!(bob.end(renamed).await.status(), NtStatus::SUCCESS);
    let told = changes(&alice.end(id).await);
    assert_eq!(told, [change(OLD_NAME, "e"), change(NEW_NAME, "h")]);
    make(&bob, r"d\h\new").await;
    let told = alice.kept(directory, Watch::tree(NAMES)).await;
    assert_eq!(told, [change(ADDED, r"h\new")]);
}

/// Not an error, but a response without a list ([MS-SMB2] 3.3.4.4).
fn is_told_to_look(answer: &Message) {
    assert_eq!(answer.status(), NtStatus::NOTIFY_ENUM_DIR);
    let response = ChangeNotifyResponse::read(&answer.bytes).unwrap();
    assert!(response.output_buffer.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_the_request_is_told_by_no_list() {
    let (_scene, alice, directory, bob) = scene().await;
    let short = Watch {
        length: 16,
        ..Watch::of(NAMES)
    };
    let (id, _) = alice.watch(directory, short).await;
    make(&bob, r"d\a long name").await;
    is_told_to_look(&alice.end(id).await);
    // That was all: the next one waits, and is told of what fits.
    let (id, _) = alice.watch(directory, short).await;
    make(&bob, r"d\x").await;
    assert_eq!(changes(&alice.end(id).await), [change(ADDED, "x")]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_the_buffer_of_the_open_is_told_by_no_list() {
    let (_scene, alice, directory, bob) = scene().await;
    let watch = Watch {
        length: 100,
        ..Watch::of(NAMES)
    };
    let (id, _) = alice.watch(directory, watch).await;
    make(&bob, r"d\0").await;
    assert_eq!(changes(&alice.end(id).await), [change(ADDED, "0")]);
    for number in 1..20 {
        make(&bob, &format!(r"d\{number}")).await;
    }
    // A longer request does not bring back what was dropped.
    let id = alice.send_watch(directory, Watch::of(NAMES)).await;
    is_told_to_look(&alice.end(id).await);
    let (id, _) = alice.watch(directory, watch).await;
    make(&bob, r"d\later").await;
    assert_eq!(changes(&alice.end(id).await), [change(ADDED, "later")]);
}

#[tokio::test(start_paused = true)]
async fn requests_of_one_open_are_answered_in_order() {
    let (_scene, alice, directory, bob) = scene().await;
    let (first, _) = alice.watch(directory, Watch::of(NAMES)).await;
    let (second, _) = alice.watch(directory, Watch::of(NAMES)).await;
    make(&bob, r"d\1").await;
    assert_eq!(changes(&alice.end(first).await), [change(ADDED, "1")]);
    assert_eq!(alice.echo().await, NtStatus::SUCCESS, "the other waits on");
    make(&bob, r"d\2").await;
    assert_eq!(changes(&alice.end(second).await), [change(ADDED, "2")]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_cancelled_loses_no_change() {
    let (scene, alice, directory, bob) = scene().await;
    let before = scene.server.usage().pending_requests;
    for by_async_id in [true, false] {
        let (id, async_id) = alice.watch(directory, Watch::of(NAMES)).await;
        alice.cancel(id, by_async_id.then_some(async_id)).await;
        assert_eq!(alice.end(id).await.status(), NtStatus::CANCELLED);
        make(&bob, r"d\new").await;
        let kept = alice.kept(directory, Watch::of(NAMES)).await;
        assert_eq!(kept, [change(ADDED, "new")]);
        remove(&bob, r"d\new").await;
        let kept = alice.kept(directory, Watch::of(NAMES)).await;
        assert_eq!(kept, [change(REMOVED, "new")]);
    }
    assert_eq!(scene.server.usage().pending_requests, before);
}

#[tokio::test(start_paused = true)]
async fn a_close_cleans_up() {
    let (scene, alice, directory, _bob) = scene().await;
    let (first, _) = alice.watch(directory, Watch::of(NAMES)).await;
    let (second, _) = alice.watch(directory, Watch::of(NAMES)).await;
    let close = alice.send_close(directory).await;
    let ends = alice.ends(&[first, second, close]).await;
    let cleanup = NtStatus::NOTIFY_CLEANUP;
    assert_eq!(ends, [cleanup, cleanup, NtStatus::SUCCESS]);
    assert_eq!(scene.server.usage().watchers, 0);
    let id = alice.send_watch(directory, Watch::of(NAMES)).await;
    assert_eq!(alice.end(id).await.status(), NtStatus::FILE_CLOSED);
}

#[tokio::test(start_paused = true)]
async fn what_ends_the_open_cleans_up() {
    for by_administrator in [true, false] {
        let (scene, alice, directory, _bob) = scene().await;
        let (id, _) = alice.watch(directory, Watch::of(NAMES)).await;
        if by_administrator {
            assert!(end(&*scene.application(), alice.session.id()));
            assert_eq!(alice.end(id).await.status(), NtStatus::NOTIFY_CLEANUP);
        } else {
            let disconnect = alice
                .send(Command::TREE_DISCONNECT, |out| {
                    TreeDisconnectRequest.write(out)
                })
                .await;
            let ends = alice.ends(&[id, disconnect]).await;
            assert_eq!(ends, [NtStatus::NOTIFY_CLEANUP, NtStatus::SUCCESS]);
        }
        assert_eq!(scene.server.usage().watchers, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn who_watches_what_will_be_deleted_is_told_so() {
    let (scene, alice, _directory, bob) = scene().await;
    std::fs::create_dir(scene.data().join("doomed")).unwrap();
    let (directory, _) = alice.create("doomed", DIRECTORY).await.unwrap();
    let (id, _) = alice.watch(directory, Watch::of(NAMES)).await;
    let delete = Wanted {
        access: 0x0001_0081,
        ..DIRECTORY
    };
    let (his, _) = bob.create("doomed", delete).await.unwrap();
    let dispose = bob
        .send_set_info(his, class::FILE_DISPOSITION_INFORMATION, &[1])
        .await;
    assert_eq!(bob.end(dispose).await.status(), NtStatus::SUCCESS);
    let pending = NtStatus::DELETE_PENDING;
    assert_eq!(alice.end(id).await.status(), pending);
    let id = alice.send_watch(directory, Watch::of(NAMES)).await;
    assert_eq!(alice.end(id).await.status(), pending);
    // If it is kept after all, it can be watched again.
    let dispose = bob
        .send_set_info(his, class::FILE_DISPOSITION_INFORMATION, &[0])
        .await;
    assert_eq!(bob.end(dispose).await.status(), NtStatus::SUCCESS);
    let (id, _) = alice.watch(directory, Watch::of(NAMES)).await;
    make(&bob, r"doomed\new").await;
    assert_eq!(changes(&alice.end(id).await), [change(ADDED, "new")]);
}

#[tokio::test]
async fn the_same_connection_is_told_of_its_own_changes_once() {
    let (scene, alice, directory, _bob) = scene().await;
    let (id, _) = alice.watch(directory, Watch::of(NAMES)).await;
    let create = alice.send_create(r"d\mine", SHARED).await;
    let (mut told, mut mine) = (Vec::new(), None);
    for _ in 0..2 {
        let answer = alice.receive().await;
        if answer.header.message_id == id {
            told = changes(&answer);
        } else {
            assert_eq!(answer.header.message_id, create);
            mine = Some(created(&answer).unwrap().0);
        }
    }
    assert_eq!(alice.close(mine.unwrap()).await, NtStatus::SUCCESS);
    assert_eq!(told, [change(ADDED, "mine")]);
    remove(&alice, r"d\mine").await;
    // The kernel's news of both would have come before this.
    std::fs::write(scene.data().join("d").join("last"), b"").unwrap();
    let told = alice.watch_until(directory, Watch::of(NAMES), "last").await;
    assert_eq!(told, [change(REMOVED, "mine"), change(ADDED, "last")]);
}

#[tokio::test]
async fn changes_of_the_machine_itself_are_told() {
    let (scene, alice, directory, _bob) = scene().await;
    let path = scene.data().join("d");
    let watch = Watch::tree(EVERYTHING);
    let (id, _) = alice.watch(directory, watch).await;
    std::fs::write(path.join("shell"), b"").unwrap();
    let told = changes(&alice.end(id).await);
    assert_eq!(told[0], change(ADDED, "shell"));
    std::fs::rename(path.join("shell"), path.join("bash")).unwrap();
    let told = alice.watch_until(directory, watch, "bash").await;
    let names: Vec<_> = told.iter().filter(|(action, _)| *action > 3).collect();
    assert_eq!(
        names,
        [&change(OLD_NAME, "shell"), &change(NEW_NAME, "bash")]
    );
    std::fs::write(path.join("e").join("g"), b"other").unwrap();
    let told = alice.watch_until(directory, watch, r"e\g").await;
    assert_eq!(told.last(), Some(&change(MODIFIED, r"e\g")));
    std::fs::remove_file(path.join("bash")).unwrap();
    let told = alice.watch_until(directory, watch, "bash").await;
    assert_eq!(told.last(), Some(&change(REMOVED, "bash")));
}

#[tokio::test(start_paused = true)]
async fn only_directories_are_watched_and_only_by_who_may_list_them() {
    let (_scene, alice, _directory, _bob) = scene().await;
    let look = Wanted {
        access: 0x80,
        ..DIRECTORY
    };
    let (blind, _) = alice.create("d", look).await.unwrap();
    let (file, _) = alice.create(r"d\f", SHARED).await.unwrap();
    for (open, expected) in [
        (blind, NtStatus::ACCESS_DENIED),
        (file, NtStatus::INVALID_PARAMETER),
    ] {
        let id = alice.send_watch(open, Watch::of(NAMES)).await;
        assert_eq!(alice.end(id).await.status(), expected);
    }
}
