//! 8.3 names ([MS-FSCC] 2.1.5.2.1): shown, because some clients give up without one. They
//! open nothing unless they are the name itself; Samba mangles with a hash too.

/// The 8.3 name of `name`: itself in capitals if it is one.
pub(crate) fn short_name(name: &str) -> String {
    if is_short(name) {
        return name.to_ascii_uppercase();
    }
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut short = String::with_capacity(12);
    push_plain(&mut short, stem, 2);
    // FNV-1a of the folded name, 16 bits of it: the same name always looks the same.
    let mut hash = 0x811C_9DC5u32;
    for c in name.chars().map(super::name::upcase) {
        hash = (hash ^ u32::from(c)).wrapping_mul(0x0100_0193);
    }
    let folded = (hash >> 16 ^ hash) & 0xFFFF;
    for shift in [12, 8, 4, 0] {
        let digit = folded >> shift & 0xF;
        short.extend(char::from_digit(digit, 16).map(|digit| digit.to_ascii_uppercase()));
    }
    short.push_str("~1");
    let without_extension = short.len();
    short.push('.');
    push_plain(&mut short, extension, 3);
    if short.len() == without_extension + 1 {
        short.pop();
    }
    short
}

/// Is `name` an 8.3 name as it is?
pub(crate) fn is_short(name: &str) -> bool {
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    (1..=8).contains(&stem.len())
        && extension.len() <= 3
        && is_plain(stem)
        && is_plain(extension)
        && !name.ends_with('.')
}

fn push_plain(short: &mut String, part: &str, most: usize) {
    let kept = part.chars().filter(char::is_ascii_alphanumeric).take(most);
    short.extend(kept.map(|c| c.to_ascii_uppercase()));
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn short_names_fit_eight_and_three() {
        assert_eq!(short_name("readme.txt"), "README.TXT");
        assert_eq!(short_name("q"), "Q");
        for name in [
            "a long name.text",
            "..",
            ".profile",
            "übung.c",
            "a.b.c.d",
            "UPPER lower",
        ] {
            let short = short_name(name);
            let (stem, extension) = short.split_once('.').unwrap_or((&short, ""));
            assert!(
                (1..=8).contains(&stem.len()) && extension.len() <= 3,
                "{name}: {short}"
            );
            assert!(short.is_ascii());
        }
        assert_eq!(short_name("Long Name.txt"), short_name("Long Name.txt"));
        assert_ne!(short_name("long name 1"), short_name("long name 2"));
    }
}
