//! Programs in C and C++ that use the installed C library, under valgrind: against our server,
//! and against Samba at the levels it has.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use netsession::blocking::Server;
use netsession::{Credentials, Options, Target};
use netsession_tests::capi::{
    self, COMPILERS, Compiler, Linkage, compile, compile_only, prefix, valgrind,
};
use netsession_tests::client::{LONG, SHORT};
use netsession_tests::program::{self, Finished, root};
use netsession_tests::subject::{self, ADMIN, ALICE, BOB, Kind, Subject, User};
use tempfile::TempDir;

/// The test programs in crates/capi/tests/c.
const PROGRAMS: &[&str] = &[
    "child_process",
    "dead_connection",
    "driver",
    "get_and_end",
    "layout",
    "levels",
    "paging",
    "this_machine",
    "threads",
    "wild",
    "windows_program",
];

/// The examples in crates/capi/examples.
const EXAMPLES: &[&str] = &[
    "session_del",
    "session_enum",
    "session_get_info",
    "session_list_502",
];

/// How the programs are built when one build is enough: one as C and one as C++, one with each
/// library.
const TWO_BUILDS: [(Compiler, Linkage); 2] = [
    (COMPILERS[0], Linkage::Shared),
    (COMPILERS[3], Linkage::Static),
];

fn source(name: &str) -> PathBuf {
    root().join(format!("crates/capi/tests/c/{name}.c"))
}

fn example(name: &str) -> PathBuf {
    root().join(format!("crates/capi/examples/{name}.c"))
}

/// For what the programs need beyond their own text.
fn flags(name: &str) -> &'static [&'static str] {
    match name {
        "windows_program" => &["-fshort-wchar"],
        _ => &[],
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn build(name: &str, (compiler, linkage): (Compiler, Linkage), into: &TempDir) -> PathBuf {
    let source = source(name);
    compile(&source, compiler, linkage, flags(name), into.path())
}

/// Runs a test program under valgrind in both builds; `arguments` are made anew for each.
#[track_caller]
fn check(name: &str, mut arguments: impl FnMut() -> Vec<String>) {
    let folder = folder();
    for how in TWO_BUILDS {
        let program = build(name, how, &folder);
        program::run(valgrind(&program).args(arguments()), LONG)
            .succeeded()
            .says("checked");
    }
}

/// `SERVER USER%PASSWORD more…`
fn words(subject: &Subject, user: User, more: &[&str]) -> Vec<String> {
    let mut words = vec![subject.host_and_port(), user.credentials()];
    words.extend(more.iter().map(|word| (*word).to_owned()));
    words
}

/// A session of `user` from the loopback address 127.0.0.`last`, for as long as the value lives.
fn session(subject: &Subject, user: User, last: u8) -> Server {
    let target = Target::parse(&subject.host_and_port()).expect("a target");
    let options = Options {
        source_address: Some(IpAddr::from([127, 0, 0, last])),
        ..Options::default()
    };
    let credentials = Credentials::new("", user.name, user.password);
    Server::connect(&target, &credentials, &options).expect("a session")
}

fn ours() -> Subject {
    Subject::of(Kind::Netsession, subject::Options::default())
}

/// Where the server is asked from its own machine.
fn socket(subject: &Subject) -> String {
    let socket = subject.outside().join("srvsvc.sock");
    socket.to_string_lossy().into_owned()
}

#[test]
fn every_program_compiles_in_every_language_and_links_in_every_way() {
    let folder = folder();
    for compiler in COMPILERS {
        for name in PROGRAMS {
            compile_only(&source(name), compiler, flags(name));
        }
        for name in EXAMPLES {
            compile_only(&example(name), compiler, &[]);
        }
        for linkage in [Linkage::Shared, Linkage::Static] {
            for name in ["layout", "wild"] {
                let program = build(name, (compiler, linkage), &folder);
                program::run(&mut capi::command(&program), SHORT)
                    .succeeded()
                    .says("checked");
            }
        }
    }
    assert_eq!(
        there("tests/c"),
        BTreeSet::from_iter(PROGRAMS.iter().copied().map(str::to_owned))
    );
    assert_eq!(
        there("examples"),
        BTreeSet::from_iter(EXAMPLES.iter().copied().map(str::to_owned))
    );
}

/// The C files of this folder, without their ending.
fn there(folder: &str) -> BTreeSet<String> {
    fs::read_dir(root().join("crates/capi").join(folder))
        .expect("the programs")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".c").map(str::to_owned))
        .collect()
}

/// The example in docs/c.md, which has a server that is nobody's.
#[test]
fn the_documented_example_compiles() {
    let folder = folder();
    let text = fs::read_to_string(root().join("docs/c.md")).expect("docs/c.md");
    let example = text.split("```c\n").nth(1).expect("an example");
    let source = folder.path().join("documented.c");
    fs::write(&source, example.split("```").next().expect("its end")).expect("a file");
    for compiler in COMPILERS {
        compile_only(&source, compiler, &[]);
    }
}

/// The library exports what its headers declare, and nothing else; and says what it is.
#[test]
fn exported_symbols_are_those_of_the_headers() {
    let library = prefix().join("lib/libnetsession.so");
    let exported: BTreeSet<String> = tool("nm", &["-D", "--defined-only"], &library)
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2).map(str::to_owned))
        .collect();
    assert_eq!(exported, declared());
    let archive = tool(
        "nm",
        &["--defined-only", "--extern-only", "--quiet"],
        &prefix().join("lib/libnetsession.a"),
    );
    let in_archive: BTreeSet<&str> = archive
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    for name in &exported {
        assert!(in_archive.contains(name.as_str()), "{name}");
    }
    let dynamic = tool("readelf", &["--dynamic", "--wide"], &library);
    assert!(
        dynamic.contains("Library soname: [libnetsession.so.0]"),
        "{dynamic}"
    );
}

#[track_caller]
fn tool(program: &str, arguments: &[&str], file: &Path) -> String {
    program::run(Command::new(program).args(arguments).arg(file), SHORT)
        .succeeded()
        .stdout
}

/// The functions that the installed headers declare.
fn declared() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(prefix().join("include/netsession")).expect("headers") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("text");
        let mut comment = false;
        for line in text.lines() {
            comment |= line.starts_with("/*");
            if !comment && let Some((head, _)) = line.split_once('(') {
                let name = head.rsplit([' ', '*']).next().unwrap_or_default();
                let is_ours = name.starts_with("Net") || name.starts_with("netsession_");
                if is_ours && !line.starts_with(['#', ' ']) {
                    names.insert(name.to_owned());
                }
            }
            comment &= !line.ends_with("*/");
        }
    }
    names
}

#[test]
fn lists_at_every_level() {
    let subject = ours();
    let _held: Vec<Server> = (11..14)
        .map(|last| session(&subject, ALICE, last))
        .collect();
    let more = ["alice", "3", "0", "1", "2", "10", "502"];
    check("levels", || words(&subject, ADMIN, &more));
}

#[test]
fn pages_with_small_buffers() {
    let subject = ours();
    let _held: Vec<Server> = (11..20)
        .map(|last| session(&subject, ALICE, last))
        .collect();
    check("paging", || words(&subject, ADMIN, &["alice", "9"]));
}

#[test]
fn asks_for_one_and_ends_it() {
    let subject = ours();
    let mut held = Vec::new();
    check("get_and_end", || {
        held.push(session(&subject, BOB, 9));
        words(&subject, ADMIN, &["\\\\127.0.0.9", "bob"])
    });
}

#[test]
fn wild_arguments_are_answered() {
    check("wild", Vec::new);
}

#[test]
fn eight_threads_do_everything_at_once() {
    let subject = ours();
    let mut held: Vec<Server> = (11..20)
        .map(|last| session(&subject, ALICE, last))
        .collect();
    check("threads", || {
        held.extend((100..108).map(|last| session(&subject, BOB, last)));
        let more = ["alice", "9", "bob", "\\\\127.0.0.", "100"];
        words(&subject, ADMIN, &more)
    });
}

#[test]
fn a_server_that_dies_does_not_take_the_program_along() {
    let folder = folder();
    for how in TWO_BUILDS {
        let program = build("dead_connection", how, &folder);
        let subject = ours();
        let (socket, pid) = (socket(&subject), subject.pid().to_string());
        // Without valgrind: it must be the kernel that decides about signals.
        program::run(
            capi::command(&program).args(words(&subject, ADMIN, &[&socket, &pid])),
            SHORT,
        )
        .succeeded()
        .says("checked");
    }
}

#[test]
fn a_child_process_has_a_session_of_its_own() {
    let folder = folder();
    for how in TWO_BUILDS {
        let program = build("child_process", how, &folder);
        let subject = ours();
        // Without valgrind: what the child leaves alone because it is its parent's, it would
        // count as lost.
        program::run(
            capi::command(&program).args(words(&subject, ADMIN, &[])),
            SHORT,
        )
        .succeeded()
        .says("checked");
    }
}

#[test]
fn this_machine_is_asked_through_its_socket() {
    let subject = ours();
    let _held = session(&subject, ALICE, 11);
    let socket = socket(&subject);
    check("this_machine", || vec![socket.clone(), "0".to_owned()]);
    check("this_machine", || {
        vec!["/nonexistent/srvsvc.sock".to_owned(), "2114".to_owned()]
    });
}

#[test]
fn a_program_for_windows_keeps_its_literals() {
    let subject = ours();
    check("windows_program", || words(&subject, ADMIN, &[]));
}

/// An example, run as its first lines say.
#[track_caller]
fn run_example(name: &str, subject: &Subject, more: &[&str]) -> Finished {
    let folder = folder();
    let source = example(name);
    let program = compile(&source, COMPILERS[0], Linkage::Shared, &[], folder.path());
    program::run(
        valgrind(&program)
            .args([&subject.host_and_port(), ADMIN.name, ADMIN.password])
            .args(more),
        SHORT,
    )
}

#[test]
fn the_examples_work_with_our_server() {
    let subject = ours();
    let _held: Vec<Server> = (11..16)
        .map(|last| session(&subject, ALICE, last))
        .collect();
    let _bob = session(&subject, BOB, 9);
    run_example("session_enum", &subject, &[])
        .succeeded()
        .says("\\\\127.0.0.11\talice\t")
        .says("\\\\127.0.0.15\talice\t")
        .says("7 sessions");
    run_example("session_list_502", &subject, &[])
        .succeeded()
        .says("127.0.0.9\tbob\t\t\\Device\\NetbiosSmb\t");
    let bob = ["\\\\127.0.0.9", "bob"];
    run_example("session_get_info", &subject, &bob)
        .succeeded()
        .says("guest       no");
    run_example("session_del", &subject, &bob)
        .succeeded()
        .says("ended");
    run_example("session_del", &subject, &bob)
        .failed()
        .says("no such session");
    run_example("session_get_info", &subject, &bob)
        .failed()
        .says("NERR_ClientNameNotFound (2312)");
}

/// Samba has levels 0 and 1, keeps to no preferred length, and ends a whole connection.
#[test]
fn the_programs_work_with_samba_at_its_levels() {
    let subject = Subject::of(Kind::Samba, subject::Options::default());
    let _held: Vec<Server> = (11..13)
        .map(|last| session(&subject, ALICE, last))
        .collect();
    let _bob = session(&subject, BOB, 9);
    check("levels", || {
        words(&subject, ADMIN, &["alice", "2", "0", "1"])
    });
    run_example("session_enum", &subject, &[])
        .failed()
        .says("ERROR_INVALID_LEVEL (124)");
    let bob = ["\\\\127.0.0.9", "bob"];
    run_example("session_get_info", &subject, &bob)
        .succeeded()
        .says("user        bob");
    run_example("session_del", &subject, &bob)
        .succeeded()
        .says("ended");
}
