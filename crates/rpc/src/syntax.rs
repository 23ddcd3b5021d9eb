//! Interface and transfer syntax identifiers (C706 12.6.3.1, [MS-RPCE] 2.2.4.12).

use std::fmt;

/// A UUID in its wire order: the first three fields little-endian.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// From the five printed groups, `aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee`.
    pub const fn from_groups(a: u32, b: u16, c: u16, d: u16, e: u64) -> Self {
        let (a, b, c) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
        let (d, e) = (d.to_be_bytes(), e.to_be_bytes());
        Self([
            a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], e[2], e[3], e[4], e[5],
            e[6], e[7],
        ])
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = &self.0;
        write!(
            f,
            "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-",
            b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9]
        )?;
        b[10..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// p_syntax_id_t: names an interface or a transfer syntax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SyntaxId {
    /// if_uuid.
    pub uuid: Uuid,
    /// Major version.
    pub version: u16,
    /// Minor version.
    pub minor_version: u16,
}

/// An interface a server offers or a client asks for (an abstract syntax).
pub type Interface = SyntaxId;

/// A transfer syntax this project speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// NDR 2.0: counts and referent ids of 4 bytes (C706 chapter 14).
    Ndr20,
    /// NDR64: counts and referent ids of 8 bytes ([MS-RPCE] 2.2.5).
    Ndr64,
}

impl Syntax {
    /// The identifier a bind carries.
    pub const fn id(self) -> SyntaxId {
        match self {
            Self::Ndr20 => SyntaxId {
                uuid: Uuid::from_groups(0x8a88_5d04, 0x1ceb, 0x11c9, 0x9fe8, 0x0800_2b10_4860),
                version: 2,
                minor_version: 0,
            },
            Self::Ndr64 => SyntaxId {
                uuid: Uuid::from_groups(0x7171_0533, 0xbeba, 0x4937, 0x8319, 0xb5db_ef9c_cc36),
                version: 1,
                minor_version: 0,
            },
        }
    }

    /// The syntax an identifier names, if it is one of the two.
    pub fn from_id(id: SyntaxId) -> Option<Self> {
        [Self::Ndr20, Self::Ndr64]
            .into_iter()
            .find(|syntax| syntax.id() == id)
    }

    /// Bytes of a count or a referent id, which is also the alignment of every structure
    /// that holds a pointer.
    pub const fn pointer_size(self) -> usize {
        match self {
            Self::Ndr20 => 4,
            Self::Ndr64 => 8,
        }
    }
}
