//! The JSON of the program, judged by docs/schema: an independent validator (the Python
//! package `jsonschema`) looks at whatever any test has it print.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::program::{python, root};

/// The schema of what `netsession WORDS…` prints, and whether it prints lines.
fn schema(words: &[String]) -> Option<(&'static str, bool)> {
    let format = words
        .iter()
        .position(|word| word == "--format")
        .and_then(|at| words.get(at + 1));
    let has = |name: &str| {
        format.is_some_and(|format| format == name) || words.contains(&format!("--{name}"))
    };
    let command: Vec<&str> = words.iter().take(2).map(String::as_str).collect();
    match (command.as_slice(), has("json"), has("jsonl")) {
        (["list", ..], true, _) => Some(("list", false)),
        (["list" | "show", ..], _, true) => Some(("list-line", true)),
        (["show", ..], true, _) => Some(("show", false)),
        (["doctor", ..], true, _) => Some(("doctor", false)),
        (["account", "list"], true, _) => Some(("accounts", false)),
        _ => None,
    }
}

/// Panics if `netsession WORDS…` was asked for JSON and `printed` is not what its schema
/// describes. A command that fails before it knows anything prints nothing.
#[track_caller]
pub fn check(words: &[String], printed: &str) {
    let Some((schema, lines)) = schema(words) else {
        return;
    };
    if printed.is_empty() {
        return;
    }
    let wrong = judge(schema, lines, printed);
    assert!(
        wrong.is_empty(),
        "docs/schema/{schema}.json: {wrong}\n`netsession {}` printed\n{printed}",
        words.join(" ")
    );
}

struct Judge {
    // Held so that it lives as long as the pipes.
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// What is wrong with `text`, or with one of its lines; empty if nothing is.
pub fn judge(schema: &str, lines: bool, text: &str) -> String {
    static JUDGE: Mutex<Option<Judge>> = Mutex::new(None);
    // A test that failed while it held the lock has left the judge between two questions.
    let mut judge = JUDGE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let judge = judge.get_or_insert_with(start);
    let question = json!({"schema": schema, "lines": lines, "text": text});
    writeln!(judge.stdin, "{question}").expect("the validator reads");
    let mut answer = String::new();
    judge
        .stdout
        .read_line(&mut answer)
        .expect("the validator answers");
    match serde_json::from_str(&answer) {
        Ok(Value::String(wrong)) => wrong,
        _ => panic!("the validator says {answer:?}"),
    }
}

/// It ends when its input does: with the process of the tests.
fn start() -> Judge {
    let mut child = Command::new(python())
        .arg("-B")
        .arg(root().join("tests/python/json_schema.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python; `cargo xtask prerequisites` installs it");
    let stdin = child.stdin.take().expect("its input is a pipe");
    let stdout = child.stdout.take().expect("its output is a pipe");
    Judge {
        _child: child,
        stdin,
        stdout: BufReader::new(stdout),
    }
}
