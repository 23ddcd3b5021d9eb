//! Trees of files to send there and back.

use std::fs;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

/// A small generator of bytes (xorshift64*), so that every run moves the same ones.
pub struct Bytes(u64);

impl Bytes {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Bytes(seed | 1)
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.word().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// Makes `folder` with `files` files in nested folders: empty ones, small ones, some over
/// 64 KiB, names with spaces and letters beyond ASCII.
pub fn make(folder: &Path, files: usize) {
    let mut bytes = Bytes::new(files as u64);
    for number in 0..files {
        let parent = folder
            .join(format!("folder {}", number / 100))
            .join(format!("ü{}", number / 20 % 5));
        fs::create_dir_all(&parent).expect("a folder");
        let length = match number % 50 {
            0 => 0,
            1 => 70_000,
            2 => 65_536,
            _ => (bytes.word() % 3000) as usize,
        };
        fs::write(
            parent.join(format!("file {number}.bin")),
            bytes.take(length),
        )
        .expect("a file");
    }
}

/// Makes a file of `length` bytes.
pub fn make_file(path: &Path, length: u64) {
    let mut file = BufWriter::with_capacity(1 << 20, fs::File::create(path).expect("a file"));
    let mut bytes = Bytes::new(length);
    let mut left = length;
    while left > 0 {
        let chunk = bytes.take(left.min(1 << 20) as usize);
        file.write_all(&chunk).expect("space");
        left -= chunk.len() as u64;
    }
    file.flush().expect("space");
}

/// Panics unless both files have the same bytes.
#[track_caller]
pub fn assert_same_file(left: &Path, right: &Path) {
    let length = |path: &Path| {
        fs::metadata(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .len()
    };
    assert_eq!(
        length(left),
        length(right),
        "{} and {}",
        left.display(),
        right.display()
    );
    let open =
        |path: &Path| BufReader::with_capacity(1 << 20, fs::File::open(path).expect("a file"));
    let (mut left_file, mut right_file) = (open(left), open(right));
    let (mut a, mut b) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut at = 0;
    let length = length(left);
    while at < length {
        let want = (length - at).min(1 << 20) as usize;
        left_file.read_exact(&mut a[..want]).expect("it reads");
        right_file.read_exact(&mut b[..want]).expect("it reads");
        assert!(
            a[..want] == b[..want],
            "{} differs from {} behind {at}",
            left.display(),
            right.display()
        );
        at += want as u64;
    }
}

/// Panics unless both folders hold the same names and bytes.
#[track_caller]
pub fn assert_same(left: &Path, right: &Path) {
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let here = names(left);
    assert_eq!(
        here,
        names(right),
        "{} and {}",
        left.display(),
        right.display()
    );
    for name in here {
        let (a, b) = (left.join(&name), right.join(&name));
        if a.is_dir() {
            assert_same(&a, &b);
        } else {
            assert_same_file(&a, &b);
        }
    }
}
