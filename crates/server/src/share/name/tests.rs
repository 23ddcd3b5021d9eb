use proptest::prelude::*;

use super::*;

fn parse(name: &str) -> Result<String, NtStatus> {
    SharePath::parse(name).map(|path| path.to_local())
}

#[test]
fn parse_accepts_relative_names() {
    assert_eq!(parse("").unwrap(), "");
    assert_eq!(parse("a").unwrap(), "a");
    assert_eq!(parse("a\\b c\\Ünïcode.txt").unwrap(), "a/b c/Ünïcode.txt");
    assert_eq!(parse("a\\b\\").unwrap(), "a/b");
    assert_eq!(parse("...").unwrap(), "...");
    assert_eq!(parse("a\\file::$DATA").unwrap(), "a/file");
    assert_eq!(parse("file::$data").unwrap(), "file");
}

#[test]
fn separators_may_be_doubled_or_slashes() {
    for (name, path) in [
        ("a\\\\b", "a/b"),
        ("a\\\\\\b\\\\", "a/b"),
        ("a/b", "a/b"),
        ("a/\\b/", "a/b"),
        ("a/b::$DATA", "a/b"),
    ] {
        assert_eq!(parse(name).unwrap(), path, "{name}");
    }
    for (name, directory) in [("a", false), ("a\\", true), ("a/", true), ("", false)] {
        assert_eq!(SharePath::names_a_directory(name), directory, "{name}");
    }
}

#[test]
fn two_dots_lead_up_but_not_out() {
    for (name, path) in [
        ("a\\..", ""),
        ("a\\..\\b", "b"),
        ("a\\b\\..\\..\\c", "c"),
        ("a\\b\\..\\c", "a/c"),
        ("a/../b", "b"),
        ("a\\\\..\\\\b", "b"),
    ] {
        assert_eq!(parse(name).unwrap(), path, "{name}");
    }
    for name in ["a\\..\\..", "a\\..\\..\\b", "a\\..\\..\\a\\b", "../a"] {
        let status = Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
        assert_eq!(parse(name), status, "{name}");
    }
    // What is taken off has to be a name all the same.
    let status = Err(NtStatus::OBJECT_NAME_INVALID);
    assert_eq!(parse("a*\\..\\b"), status);
}

#[test]
fn parse_refuses() {
    for (name, status) in [
        ("\\", NtStatus::INVALID_PARAMETER),
        ("\\a", NtStatus::INVALID_PARAMETER),
        ("\\\\server\\share", NtStatus::INVALID_PARAMETER),
        (".", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        ("..", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        ("a\\.\\b", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        ("..\\", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        ("..::$DATA", NtStatus::OBJECT_PATH_SYNTAX_BAD),
        ("/etc/passwd", NtStatus::INVALID_PARAMETER),
        ("a\0b", NtStatus::OBJECT_NAME_INVALID),
        ("a\nb", NtStatus::OBJECT_NAME_INVALID),
        ("a*", NtStatus::OBJECT_NAME_INVALID),
        ("a?", NtStatus::OBJECT_NAME_INVALID),
        ("a\"", NtStatus::OBJECT_NAME_INVALID),
        ("a<", NtStatus::OBJECT_NAME_INVALID),
        ("a>", NtStatus::OBJECT_NAME_INVALID),
        ("a|b", NtStatus::OBJECT_NAME_INVALID),
        ("a:stream", NtStatus::OBJECT_NAME_INVALID),
        ("a:stream:$DATA", NtStatus::OBJECT_NAME_INVALID),
        ("a:", NtStatus::OBJECT_NAME_INVALID),
        ("::$DATA", NtStatus::OBJECT_NAME_INVALID),
        ("a\\::$DATA", NtStatus::OBJECT_NAME_INVALID),
        ("a::$DATA::$DATA", NtStatus::OBJECT_NAME_INVALID),
        ("a::$INDEX_ALLOCATION", NtStatus::OBJECT_NAME_INVALID),
    ] {
        assert_eq!(parse(name), Err(status), "{name:?}");
    }
}

#[test]
fn parse_bounds_lengths() {
    assert!(parse(&"x".repeat(255)).is_ok());
    assert_eq!(parse(&"x".repeat(256)), Err(NtStatus::OBJECT_NAME_INVALID));
    // 128 characters, 256 bytes: a name for clients, but none for the disk.
    assert!(parse(&"é".repeat(127)).is_ok());
    assert_eq!(parse(&"é".repeat(128)), Err(NtStatus::NAME_TOO_LONG));
    assert_eq!(parse(&"é".repeat(256)), Err(NtStatus::OBJECT_NAME_INVALID));
    let long = vec!["x".repeat(100); 39].join("\\");
    assert!(long.len() <= MAX_PATH_BYTES);
    assert!(parse(&long).is_ok());
    let longer = vec!["x".repeat(100); 40].join("\\");
    assert_eq!(parse(&longer), Err(NtStatus::NAME_TOO_LONG));
    assert_eq!(parse(&"x\\".repeat(1 << 16)), Err(NtStatus::NAME_TOO_LONG));
    let long = SharePath::parse(&long).unwrap();
    assert_eq!(long.join(&"y".repeat(255)), Err(NtStatus::NAME_TOO_LONG));
}

#[test]
fn parts() {
    let path = SharePath::parse("Dir\\Sub\\File.txt").unwrap();
    assert_eq!(
        path.components().collect::<Vec<_>>(),
        ["Dir", "Sub", "File.txt"]
    );
    assert_eq!(path.file_name(), Some("File.txt"));
    assert_eq!(path.parent().unwrap().to_string(), "Dir\\Sub");
    assert_eq!(
        SharePath::parse("a").unwrap().parent(),
        Some(SharePath::root())
    );
    assert_eq!(SharePath::root().parent(), None);
    assert_eq!(SharePath::root().file_name(), None);
    assert_eq!(SharePath::root().components().count(), 0);
    assert_eq!(
        SharePath::root()
            .join("a")
            .unwrap()
            .join("b")
            .unwrap()
            .to_string(),
        "a\\b"
    );
    assert_eq!(
        SharePath::root().join("a\\b"),
        Err(NtStatus::OBJECT_NAME_INVALID)
    );
    assert_eq!(
        SharePath::root().join(".."),
        Err(NtStatus::OBJECT_PATH_SYNTAX_BAD)
    );
    let parse = |name| SharePath::parse(name).unwrap();
    assert!(path.starts_with(&parse("DIR\\sub")));
    assert!(path.starts_with(&SharePath::root()));
    assert!(path.starts_with(&path));
    assert!(!path.starts_with(&parse("Di")));
    assert!(!parse("Dir").starts_with(&path));
    assert!(parse("äÖ\\X").same_as(&parse("ÄÖ\\x")));
    assert_eq!(parse("äÖ\\x").folded(), "ÄÖ\\X");
}

#[test]
fn upcase_is_one_to_one_and_stays_out_of_ascii() {
    for (c, upper) in [
        ('a', 'A'),
        ('ä', 'Ä'),
        ('ж', 'Ж'),
        ('ß', 'ß'),
        ('ı', 'ı'),
        ('ſ', 'ſ'),
        ('1', '1'),
    ] {
        assert_eq!(upcase(c), upper);
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    Pattern::parse(pattern).unwrap().matches(name)
}

#[test]
fn patterns_match() {
    for (pattern, name) in [
        ("*", "anything"),
        ("", "anything"),
        ("*", "."),
        ("a*", "a"),
        ("A*C", "abbbc"),
        ("*.*", "a.b"),
        ("*.TXT", "a.b.txt"),
        ("?", "."),
        ("a?c", "a.c"),
        ("ntfs.sys", "NTFS.SYS"),
        ("**a**", "bab"),
        ("*a*a*a*", "aaa"),
        ("Ä*", "äb"),
        // DOS_STAR: all but the last period.
        ("<", "abc"),
        ("<.txt", "a.b.txt"),
        ("<.b", "a.b"),
        ("<\"*", "a.b.c"),
        ("<\"*", "abc"),
        ("<\"<", "abc"),
        ("a<", "abc"),
        // DOS_QM: one character, or none before a period or at the end.
        (">>>>>>>>.>>>", "abc.c"),
        (">>>>>>>>\">>>", "abc"),
        ("a>>", "a"),
        ("a>>", "ab"),
        (">", ""),
        (">.a", ".a"),
        // DOS_DOT: a period, or nothing at the end.
        ("a\"", "a"),
        ("a\"", "a."),
        ("a\"b", "a.b"),
        ("a\"\"", "a"),
    ] {
        assert!(matches(pattern, name), "{pattern:?} {name:?}");
    }
}

#[test]
fn patterns_do_not_match() {
    for (pattern, name) in [
        ("*.*", "abc"),
        ("a", "ab"),
        ("ab", "a"),
        ("?", ""),
        ("?", "ab"),
        ("a?c", "ac"),
        ("*.txt", "a.txt.bak"),
        ("<", "abc.d"),
        ("<.b", "a.b.c"),
        (">", "ab"),
        (">a", "."),
        (">>>", "abcd"),
        ("a\"b", "ab"),
        ("a\"b", "axb"),
        ("*a", "b"),
    ] {
        assert!(!matches(pattern, name), "{pattern:?} {name:?}");
    }
}

#[test]
fn pattern_refuses() {
    for pattern in ["a\\b", "a/b", "a:b", "a|b", "a\0"] {
        assert_eq!(
            Pattern::parse(pattern),
            Err(NtStatus::OBJECT_NAME_INVALID),
            "{pattern:?}"
        );
    }
    assert!(
        Pattern::parse(&"?".repeat(255))
            .unwrap()
            .matches(&"x".repeat(255))
    );
    assert_eq!(
        Pattern::parse(&"?".repeat(256)),
        Err(NtStatus::OBJECT_NAME_INVALID)
    );
}

#[test]
fn pattern_kinds() {
    assert!(Pattern::parse("**").unwrap().is_everything());
    assert!(!Pattern::parse("*.*").unwrap().is_everything());
    assert_eq!(
        Pattern::parse("a.b").unwrap().literal().as_deref(),
        Some("A.B")
    );
    assert_eq!(Pattern::parse("a?").unwrap().literal(), None);
}

#[test]
fn hostile_patterns_are_bounded() {
    let pattern = Pattern::parse(&"*a".repeat(127)).unwrap();
    let name = "a".repeat(254) + "b";
    for _ in 0..100 {
        assert!(!pattern.matches(&name));
    }
}

/// `*` and `?` straight from their definition, exponential.
fn plain_match(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| plain_match(rest, &name[skip..])),
        Some(('?', rest)) => !name.is_empty() && plain_match(rest, &name[1..]),
        Some((c, rest)) => name.first() == Some(c) && plain_match(rest, &name[1..]),
    }
}

proptest! {
    #[test]
    fn star_and_question_mark_agree_with_their_definition(
        pattern in "[AB.*?]{1,8}", name in "[AB.]{0,10}"
    ) {
        let expected = plain_match(
            &pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>());
        prop_assert_eq!(matches(&pattern, &name), expected);
    }

    #[test]
    fn any_pattern_and_name_end(pattern in "\\PC{0,300}", name in "\\PC{0,255}") {
        if let Ok(pattern) = Pattern::parse(&pattern) {
            pattern.matches(&name);
        }
    }

    #[test]
    fn parsed_paths_never_climb(name in "[a.\\\\/: $DAT\0]{0,20}") {
        if let Ok(path) = SharePath::parse(&name) {
            for component in path.to_local().split('/') {
                prop_assert!(component != ".." && component != ".");
                prop_assert!(!component.contains(['\0', '\\']));
            }
            prop_assert!(!path.to_local().starts_with('/'));
            prop_assert_eq!(SharePath::parse(path.as_str()).unwrap(), path);
        }
    }
}
