//! Names of the form 8.3 ([MS-FSCC] 2.1.5.2.1), for clients that show them.

/// An 8.3 name to show: smbclient's allinfo gives up without one. It opens nothing unless
/// it is the name itself; Samba mangles with a hash too.
pub(in crate::connection) fn short_name(name: &str) -> String {
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if (1..=8).contains(&stem.len())
        && extension.len() <= 3
        && is_plain(stem)
        && is_plain(extension)
    {
        return name.to_ascii_uppercase();
    }
    let plain = |part: &str, most: usize| -> String {
        let kept = part.chars().filter(char::is_ascii_alphanumeric).take(most);
        kept.map(|c| c.to_ascii_uppercase()).collect()
    };
    // FNV-1a of the folded name, 16 bits of it: the same name always looks the same.
    let hash = name
        .to_lowercase()
        .bytes()
        .fold(0x811C_9DC5u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
    let folded = (hash >> 16 ^ hash) & 0xFFFF;
    let mut short = format!("{}{folded:04X}~1", plain(stem, 2));
    let extension = plain(extension, 3);
    if !extension.is_empty() {
        short.push('.');
        short.push_str(&extension);
    }
    short
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
