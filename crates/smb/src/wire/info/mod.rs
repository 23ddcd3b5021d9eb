//! Information classes ([MS-FSCC] 2.4, 2.5, 2.7): what QUERY_INFO, SET_INFO,
//! QUERY_DIRECTORY and CHANGE_NOTIFY carry in their buffers.
//!
//! Reading takes what the class needs from the front: reserved bytes at its end may be
//! missing and whatever follows is ignored, as servers do.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{FileTime, Guid};

/// A type that a fixed field can have.
trait Field: Copy {
    type Wire: FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned + Copy;
    fn from_wire(wire: Self::Wire) -> Self;
    fn into_wire(self) -> Self::Wire;
}

macro_rules! field {
    ($type:ty, $wire:ty, $value:ident => $read:expr, $write:expr) => {
        impl Field for $type {
            type Wire = $wire;
            fn from_wire($value: $wire) -> Self {
                $read
            }
            fn into_wire(self) -> $wire {
                let $value = self;
                $write
            }
        }
    };
}

field!(u8, u8, value => value, value);
// Any number but 0 is true.
field!(bool, u8, value => value != 0, value.into());
field!(u16, U16, value => value.get(), value.into());
field!(u32, U32, value => value.get(), value.into());
field!(u64, U64, value => value.get(), value.into());
field!(FileTime, U64, value => FileTime(value.get()), value.0.into());
field!(Guid, [u8; 16], value => Guid(value), value.0);
field!([u8; 16], [u8; 16], value => value, value);
field!([u8; 48], [u8; 48], value => value, value);

/// Declares a class of fixed size: its fields in order, then so many reserved bytes.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $name:ident, size $size:literal, reserved $reserved:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        const _: () = {
            #[derive(
                zerocopy::FromBytes,
                zerocopy::IntoBytes,
                zerocopy::KnownLayout,
                zerocopy::Immutable,
                zerocopy::Unaligned,
            )]
            #[repr(C)]
            struct Layout {
                $($field: <$type as $crate::wire::info::Field>::Wire,)*
            }

            assert!(size_of::<Layout>() + $reserved == $name::SIZE);

            impl $name {
                /// Bytes on the wire.
                pub const SIZE: usize = $size;

                /// Reads the class from the front of `bytes`.
                ///
                /// # Errors
                /// [`Error::Truncated`]($crate::wire::Error::Truncated).
                pub fn read(bytes: &[u8]) -> Result<Self, $crate::wire::Error> {
                    let what = stringify!($name);
                    let (layout, _) = $crate::wire::codec::prefix::<Layout>(what, bytes)?;
                    Ok(Self { $($field: $crate::wire::info::Field::from_wire(layout.$field),)* })
                }

                /// Appends the class.
                pub fn write(&self, out: &mut Vec<u8>) {
                    let layout = Layout {
                        $($field: $crate::wire::info::Field::into_wire(self.$field),)*
                    };
                    $crate::wire::codec::put(out, &layout);
                    out.extend_from_slice(&[0; $reserved]);
                }
            }
        };
    };
}

pub mod chain;
pub mod directory;
pub mod ea;
pub mod file;
pub mod file_system;
mod network_open;
pub mod notify;

pub use directory::DirectoryEntry;
pub use ea::{FILE_NEED_EA, FileFullEaInformation, FileGetEaInformation, FullEaWriter};
pub use file::*;
pub use file_system::*;
pub(super) use network_open::RawNetworkOpen;
pub use notify::FileNotifyInformation;
