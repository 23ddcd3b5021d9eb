//! Nothing leads out of the share, and nothing in it makes an open wait.

use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[test]
fn names_cannot_climb() {
    let store = Store::new();
    for name in [
        "..",
        "..\\outside\\secret",
        "a\\..\\..\\outside",
        "../outside/secret",
        "a/../../outside",
        ".",
    ] {
        assert_eq!(
            store.status(name),
            NtStatus::OBJECT_PATH_SYNTAX_BAD,
            "{name}"
        );
    }
    for name in ["/etc/passwd", "\\etc\\passwd"] {
        assert_eq!(store.status(name), NtStatus::INVALID_PARAMETER, "{name}");
    }
}

#[test]
fn links_inside_work_and_links_out_do_not() {
    let store = Store::new();
    fs::create_dir_all(store.path("a/b")).unwrap();
    store.put("a/file", "inside");
    symlink("a/file", store.path("link")).unwrap();
    symlink("../file", store.path("a/b/up")).unwrap();
    symlink("a", store.path("directory")).unwrap();
    assert_eq!(store.read("link"), "inside");
    assert_eq!(store.read("LINK"), "inside");
    assert_eq!(store.read("a\\b\\up"), "inside");
    assert_eq!(store.read("directory\\file"), "inside");
    assert_eq!(store.read("DIRECTORY\\FILE"), "inside");

    let secret = store.top.path().join("outside/secret");
    symlink("../outside/secret", store.path("relative")).unwrap();
    symlink(&secret, store.path("absolute")).unwrap();
    symlink("../../../outside", store.path("a/b/climb")).unwrap();
    symlink("..", store.path("top")).unwrap();
    symlink("/proc/self/root", store.path("magic")).unwrap();
    // Absolute even though it leads back into the share.
    symlink(store.path("a"), store.path("back")).unwrap();
    for name in [
        "relative",
        "absolute",
        "RELATIVE",
        "a\\b\\climb",
        "a\\b\\climb\\secret",
        "A\\B\\CLIMB\\SECRET",
        "top",
        "top\\outside\\secret",
        "magic",
        "back",
        "back\\file",
    ] {
        assert_eq!(store.status(name), NtStatus::ACCESS_DENIED, "{name}");
        for mode in [CreateMode::CreateIfMissing, CreateMode::CreateNew] {
            assert!(
                store.try_open(name, mode, KindWanted::Any).is_err(),
                "{name}"
            );
        }
    }
    symlink("loop", store.path("loop")).unwrap();
    assert_eq!(store.status("loop"), NtStatus::OBJECT_PATH_NOT_FOUND);
    assert_eq!(store.status("loop\\x"), NtStatus::OBJECT_PATH_NOT_FOUND);
    // To nothing: nothing is made where it leads.
    symlink("../outside/new", store.path("new")).unwrap();
    symlink("nothing", store.path("dangling")).unwrap();
    for name in ["new", "dangling", "DANGLING"] {
        let result = store.try_open(name, CreateMode::CreateIfMissing, KindWanted::File);
        assert!(result.is_err() || name == "DANGLING", "{name}");
    }
    assert!(!store.top.path().join("outside/new").exists());
    assert_eq!(fs::read_to_string(secret).unwrap(), "secret");
}

#[test]
fn renames_and_links_stay_inside() {
    let store = Store::new();
    store.put("f", "x");
    symlink("../outside", store.path("out")).unwrap();
    let handle = store.open("f").handle;
    for target in ["out\\f", "OUT\\f"] {
        let target = share_path(target);
        assert_eq!(
            handle.rename(&target, false, Waiting::Allowed),
            Err(NtStatus::ACCESS_DENIED.into())
        );
        assert_eq!(
            handle.link(&target, false, Waiting::Allowed),
            Err(NtStatus::ACCESS_DENIED.into())
        );
    }
    assert_eq!(
        fs::read_dir(store.top.path().join("outside"))
            .unwrap()
            .count(),
        1
    );
    // The directory of an open file becomes a way out: what goes is the file that was opened.
    fs::create_dir(store.path("d")).unwrap();
    store.put("d/secret", "inside");
    let handle = store.open("d\\secret").handle;
    fs::rename(store.path("d"), store.path("e")).unwrap();
    symlink("../outside", store.path("d")).unwrap();
    handle.unlink(Waiting::Allowed).unwrap();
    assert!(!store.path("e/secret").exists());
    assert!(store.top.path().join("outside/secret").exists());
}

#[test]
fn a_link_swapped_in_while_opening_gains_nothing() {
    for new in [LocalBackend::new, LocalBackend::without_openat2] {
        let store = Store::with(new);
        for name in ["d", "spare"] {
            fs::create_dir(store.path(name)).unwrap();
        }
        store.put("d/secret", "inside");
        symlink("../outside", store.path("swap")).unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let exchange = rustix::fs::RenameFlags::EXCHANGE;
                let (d, swap) = (store.path("d"), store.path("swap"));
                while !stop.load(Ordering::Relaxed) {
                    rustix::fs::renameat_with(CWD, &d, CWD, &swap, exchange).unwrap();
                }
            });
            let (mut inside, mut refused) = (0, 0);
            let started = Instant::now();
            while (inside < 100 || refused < 100) && started.elapsed() < Duration::from_secs(20) {
                match store.try_open("D\\SECRET", CreateMode::Existing, KindWanted::Any) {
                    Ok(opened) => {
                        assert_eq!(read(&*opened.handle), "inside");
                        inside += 1;
                    }
                    Err(_) => refused += 1,
                }
                let name = format!("d\\new {inside} {refused}");
                let _ = store.try_open(&name, CreateMode::CreateNew, KindWanted::File);
            }
            stop.store(true, Ordering::Relaxed);
            assert!(inside > 0 && refused > 0, "{inside} {refused}");
        });
        assert_eq!(
            fs::read_dir(store.top.path().join("outside"))
                .unwrap()
                .count(),
            1
        );
    }
}

#[test]
fn pipes_devices_and_sockets_are_refused_at_once() {
    let store = Store::new();
    rustix::fs::mkfifoat(CWD, store.path("fifo"), Mode::RWXU).unwrap();
    let _listener = UnixListener::bind(store.path("socket")).unwrap();
    let mut names = vec!["fifo", "socket", "link to fifo"];
    symlink("fifo", store.path("link to fifo")).unwrap();
    // Making a device takes privileges that a test may lack.
    let null = rustix::fs::makedev(1, 3);
    let device = rustix::fs::FileType::CharacterDevice;
    if rustix::fs::mknodat(CWD, store.path("null"), device, Mode::RWXU, null).is_ok() {
        names.push("null");
    }
    let started = Instant::now();
    for name in names {
        for (read, write) in [(true, true), (true, false), (false, true), (false, false)] {
            for mode in [CreateMode::Existing, CreateMode::CreateIfMissing] {
                let result = store.open_as(name, mode, KindWanted::Any, read, write);
                assert_eq!(result.err(), Some(NtStatus::ACCESS_DENIED.into()), "{name}");
            }
        }
    }
    assert!(started.elapsed() < Duration::from_secs(5));
    // Nor does anything take their place.
    store.put("f", "");
    let handle = store.open("f").handle;
    assert_eq!(
        handle.rename(&share_path("fifo"), true, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
    assert_eq!(
        handle.link(&share_path("fifo"), true, Waiting::Allowed),
        Err(NtStatus::ACCESS_DENIED.into())
    );
}

#[test]
fn without_openat2_links_are_not_followed_and_the_rest_works() {
    let store = Store::with(LocalBackend::without_openat2);
    fs::create_dir_all(store.path("Dir/Sub")).unwrap();
    store.put("Dir/Sub/File", "inside");
    symlink("Dir", store.path("link")).unwrap();
    symlink("Dir/Sub/File", store.path("file link")).unwrap();
    symlink("../outside/secret", store.path("out")).unwrap();
    assert_eq!(store.read("Dir\\Sub\\File"), "inside");
    assert_eq!(store.read("DIR\\sub\\FILE"), "inside");
    assert_eq!(store.status("none\\x"), NtStatus::OBJECT_PATH_NOT_FOUND);
    assert_eq!(
        store.status("link\\Sub\\File"),
        NtStatus::OBJECT_PATH_NOT_FOUND
    );
    assert_eq!(store.status("file link"), NtStatus::ACCESS_DENIED);
    assert_eq!(store.status("out"), NtStatus::ACCESS_DENIED);
    let root = store.open("").handle;
    assert!(root.entry("link", Waiting::Allowed).unwrap().is_none());
    assert!(root.entry("out", Waiting::Allowed).unwrap().is_none());
    let handle = store.create("DIR\\new").handle;
    handle
        .rename(&share_path("dir\\SUB\\newer"), false, Waiting::Allowed)
        .unwrap();
    assert!(store.path("Dir/Sub/newer").is_file());
    handle.unlink(Waiting::Allowed).unwrap();
    assert!(!store.path("Dir/Sub/newer").exists());
}
