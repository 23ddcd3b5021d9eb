use proptest::prelude::*;

use super::*;
use crate::Syntax::{Ndr20, Ndr64};

#[test]
fn alignment_is_that_of_the_syntax() {
    for (syntax, expected) in [
        (Ndr20, &[1, 0, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0][..]),
        (
            Ndr64,
            &[
                1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
            ],
        ),
    ] {
        let mut writer = Writer::new(syntax);
        writer.u32(1);
        writer.pointer(true);
        writer.u32(2);
        writer.align_structure_end();
        assert_eq!(writer.into_stub(), expected);
        let mut reader = Reader::new(syntax, expected);
        assert_eq!(reader.u32("a"), Ok(1));
        assert_eq!(reader.pointer("b"), Ok(true));
        assert_eq!(reader.u32("c"), Ok(2));
        reader.align_structure_end().unwrap();
        assert_eq!(reader.remaining(), 0);
        assert!(matches!(
            reader.u32("d"),
            Err(Error::Truncated {
                what: "d",
                needed: 4,
                remaining: 0
            })
        ));
    }
}

#[test]
fn a_count_that_wants_more_than_the_stub() {
    let mut stub = [0xff; 24];
    stub[8..16].fill(0);
    assert!(matches!(
        Reader::new(Ndr64, &stub).wide_string("name"),
        Err(Error::Truncated {
            what: "name",
            needed: usize::MAX,
            ..
        })
    ));
    assert!(
        Reader::new(Ndr64, &stub)
            .rows("rows", usize::MAX, 8)
            .is_err()
    );
    assert!(
        Reader::new(Ndr64, &stub)
            .bytes("bytes", usize::MAX)
            .is_err()
    );
}

#[test]
fn referents_never_are_null() {
    let mut writer = Writer::new(Ndr20);
    writer.pointer(true);
    writer.pointer(false);
    writer.pointer(true);
    assert_eq!(writer.into_stub(), [0, 0, 2, 0, 0, 0, 0, 0, 4, 0, 2, 0]);
}

proptest! {
    #[test]
    fn strings(text in "\\PC{0,40}", shift in 0usize..3, ndr64 in any::<bool>()) {
        let syntax = if ndr64 { Ndr64 } else { Ndr20 };
        let mut writer = Writer::new(syntax);
        for _ in 0..shift {
            writer.u32(7);
        }
        writer.unique_wide_string(Some(text.as_str()));
        writer.unique_wide_string(None::<&str>);
        writer.bytes(text.as_bytes());
        let stub = writer.into_stub();
        let mut reader = Reader::new(syntax, &stub);
        for _ in 0..shift {
            prop_assert_eq!(reader.u32("shift"), Ok(7));
        }
        prop_assert_eq!(reader.unique_wide_string("text"), Ok(Some(text.clone())));
        prop_assert_eq!(reader.unique_wide_string("null"), Ok(None));
        prop_assert_eq!(reader.bytes("bytes", text.len()), Ok(text.as_bytes()));
        prop_assert_eq!(reader.remaining(), 0);
    }
}
