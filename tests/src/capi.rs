//! The C library as its users have it: installed, found by pkg-config, linked with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::program::root;

/// A compiler and what it is told a C file to be.
#[derive(Clone, Copy, Debug)]
pub struct Compiler {
    /// Its name.
    pub program: &'static str,
    /// The arguments that choose the language.
    pub language: &'static [&'static str],
}

/// C and C++, each by two compilers.
pub const COMPILERS: [Compiler; 4] = [
    Compiler {
        program: "gcc",
        language: &["-std=c11"],
    },
    Compiler {
        program: "clang",
        language: &["-std=c17"],
    },
    Compiler {
        program: "g++",
        language: &["-x", "c++", "-std=c++17"],
    },
    Compiler {
        program: "clang++",
        language: &["-x", "c++", "-std=c++17"],
    },
];

/// How a program is linked with the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// `libnetsession.so`
    Shared,
    /// `libnetsession.a`
    Static,
}

/// Where the library is installed; built and installed by the first who asks
/// (`cargo xtask install-capi`).
pub fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let prefix = root().join("target/interop/capi");
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["run", "--quiet", "-p", "xtask", "--", "install-capi"])
            .arg("--prefix")
            .arg(&prefix)
            .current_dir(root())
            .output()
            .expect("cargo");
        assert!(
            output.status.success(),
            "cargo xtask install-capi: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        prefix
    })
}

/// What pkg-config says of the installed library.
pub fn pkg_config(questions: &[&str]) -> Vec<String> {
    let output = Command::new("pkg-config")
        .args(questions)
        .arg("netsession")
        .env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"))
        .output()
        .expect("pkg-config; `cargo xtask prerequisites` installs it");
    assert!(
        output.status.success(),
        "pkg-config {questions:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let words = String::from_utf8(output.stdout).expect("UTF-8");
    words.split_whitespace().map(str::to_owned).collect()
}

/// Compiles a program, warnings being errors, and links it with the library; panics with what
/// the compiler says.
#[track_caller]
pub fn compile(
    source: &Path,
    compiler: Compiler,
    linkage: Linkage,
    flags: &[&str],
    into: &Path,
) -> PathBuf {
    let name = source.file_stem().expect("a file").to_string_lossy();
    let program = into.join(format!("{name}-{}-{linkage:?}", compiler.program));
    let libraries = match linkage {
        Linkage::Shared => pkg_config(&["--libs"]),
        Linkage::Static => pkg_config(&["--static", "--libs"])
            .into_iter()
            .map(|word| match word.as_str() {
                "-lnetsession" => "-l:libnetsession.a".to_owned(),
                _ => word,
            })
            .collect(),
    };
    run_compiler(
        compiler,
        Command::new(compiler.program)
            .args(compiler.language)
            .args(STRICT)
            .args(flags)
            .args(pkg_config(&["--cflags"]))
            .args([Path::new("-o"), &program, source])
            .args(libraries),
    );
    program
}

/// Only compiles it, with the same strictness.
#[track_caller]
pub fn compile_only(source: &Path, compiler: Compiler, flags: &[&str]) {
    run_compiler(
        compiler,
        Command::new(compiler.program)
            .args(compiler.language)
            .args(STRICT)
            .args(flags)
            .args(pkg_config(&["--cflags"]))
            .args(["-c", "-o", "/dev/null"])
            .arg(source),
    );
}

const STRICT: &[&str] = &[
    "-Wall",
    "-Wextra",
    "-Werror",
    "-pedantic",
    "-g",
    "-O1",
    "-D_POSIX_C_SOURCE=200809L",
    "-pthread",
];

#[track_caller]
fn run_compiler(compiler: Compiler, command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo xtask prerequisites` installs it",
            compiler.program
        )
    });
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A compiled program, to be run with the installed library.
pub fn command(program: &Path) -> Command {
    with_library(Command::new(program))
}

/// The same under valgrind: any invalid access, any use of what was never written and any
/// lost memory makes it exit with 99. Memory that is still reachable at the end (a pool, the
/// tables of a runtime) is none of that.
pub fn valgrind(program: &Path) -> Command {
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--leak-check=full", "--error-exitcode=99"])
        .args([
            "--errors-for-leak-kinds=definite,indirect,possible",
            "--show-leak-kinds=definite,indirect,possible",
            // Threads take turns fairly, as on a machine with one processor.
            "--fair-sched=yes",
        ])
        .arg(format!(
            "--suppressions={}",
            root().join("crates/capi/tests/valgrind.supp").display()
        ))
        .arg(program);
    with_library(command)
}

fn with_library(mut command: Command) -> Command {
    command.env("LD_LIBRARY_PATH", prefix().join("lib"));
    // What is in the environment of the tests must not decide who asks.
    for variable in [
        "NETSESSION_USER",
        "NETSESSION_PASSWORD",
        "NETSESSION_LOCAL_SOCKET",
    ] {
        command.env_remove(variable);
    }
    command
}
