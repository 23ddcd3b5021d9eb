//! What the enumerations have in common: walking the server's rows page by page, filling an
//! answer up to PreferedMaximumLength, and sending it ([MS-SRVS] 3.1.4.1 and following).

use rpc::Syntax;
use server::application::Page;
use srvsvc::{EnumResponse, MAX_PREFERRED_LENGTH, NetApiStatus, Row};

/// What one enumeration returns.
pub(super) struct Selection<R> {
    pub(super) rows: Vec<R>,
    /// Rows that pass the filters behind the resume position.
    pub(super) total: u32,
    /// Not all of them are in `rows`.
    pub(super) more: bool,
}

/// What an enumeration was asked for, and comes back in its answer.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) syntax: Syntax,
    pub(super) level: u32,
    pub(super) resume_handle: Option<u32>,
}

impl Asked {
    /// The answer. If there is more, `position` of the last row is where to go on; if not,
    /// the handle is not prescribed: 0, the start.
    pub(super) fn answer<'a, R, I: Row + Clone>(
        self,
        selection: &'a Result<Selection<R>, NetApiStatus>,
        position: impl FnOnce(&R) -> u32,
        info: impl Fn(&'a R) -> I + Clone,
    ) -> Vec<u8> {
        let Self {
            syntax,
            level,
            resume_handle,
        } = self;
        let selection = match selection {
            Ok(selection) => selection,
            Err(status) => {
                return EnumResponse::<Vec<I>>::error(level, resume_handle, *status).write(syntax);
            }
        };
        let last = selection.rows.last().filter(|_| selection.more);
        let next = last.map_or(0, position);
        EnumResponse {
            level,
            entries: selection.rows.iter().map(info),
            total_entries: selection.total,
            resume_handle: resume_handle.map(|_| next),
            result: if selection.more {
                NetApiStatus::MORE_DATA
            } else {
                NetApiStatus::SUCCESS
            },
        }
        .write(syntax)
    }
}

/// What is left of PreferedMaximumLength.
pub(super) struct Room(Option<usize>);

impl Room {
    pub(super) fn new(prefered_maximum_length: u32) -> Self {
        Self(match prefered_maximum_length {
            MAX_PREFERRED_LENGTH => None,
            length => Some(length as usize),
        })
    }

    /// Takes what a row needs. After the first that does not fit no other does, so that the
    /// rows of an answer follow one another.
    pub(super) fn take(&mut self, size: impl FnOnce() -> usize) -> bool {
        let Some(left) = &mut self.0 else { return true };
        match left.checked_sub(size()) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => {
                *left = 0;
                false
            }
        }
    }

    /// Rows of at least this size that can fit, and the first that does not.
    pub(super) fn most(&self, size: usize) -> usize {
        self.0.map_or(usize::MAX, |left| left / size.max(1) + 2)
    }
}

/// The pages of a table behind `after`, up to the one that ends it. `position` is that of a
/// row, `query` takes a position and the most rows to return, and there is a limit for each
/// page.
pub(super) fn pages<K: Copy, R>(
    mut after: K,
    limits: impl IntoIterator<Item = usize>,
    mut query: impl FnMut(K, usize) -> Page<R>,
    position: impl Fn(&R) -> K,
) -> impl Iterator<Item = Page<R>> {
    let mut is_over = false;
    limits.into_iter().map_while(move |limit| {
        if is_over {
            return None;
        }
        let page = query(after, limit);
        match page.rows.last() {
            Some(last) => after = position(last),
            None => is_over = true,
        }
        is_over |= page.total as usize <= page.rows.len();
        Some(page)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room() {
        let mut room = Room::new(10);
        assert_eq!(room.most(3), 5);
        assert!(room.take(|| 6));
        assert!(room.take(|| 4));
        assert!(!room.take(|| 1));
        let mut room = Room::new(10);
        assert!(!room.take(|| 11));
        assert!(!room.take(|| 1), "a smaller row would leave a gap");
        let mut room = Room::new(MAX_PREFERRED_LENGTH);
        assert_eq!(room.most(3), usize::MAX);
        assert!(room.take(|| usize::MAX) && room.take(|| usize::MAX));
    }

    /// The numbers 1 to 10 as a table.
    fn query(after: u32, limit: usize) -> Page<u32> {
        Page {
            rows: (after + 1..=10).take(limit).collect(),
            total: 10 - after,
        }
    }

    #[test]
    fn pages_follow_one_another_and_end() {
        let of = |after, limits: &[usize]| {
            pages(after, limits.to_vec(), query, |&row| row)
                .map(|page| page.rows)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of(0, &[3; 9]),
            [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9], vec![10]]
        );
        // The last full page is known to be the last.
        assert_eq!(of(4, &[3; 9]), [vec![5, 6, 7], vec![8, 9, 10]]);
        assert_eq!(of(0, &[2, 8, 1]).len(), 2);
        assert_eq!(of(10, &[3; 9]), [Vec::new()]);
    }

    /// Rows that were counted may be gone when they are asked for.
    #[test]
    fn an_empty_page_ends_it() {
        let mut asked = 0;
        let vanishing = |_: u32, _| {
            asked += 1;
            Page {
                rows: Vec::<u32>::new(),
                total: 5,
            }
        };
        assert_eq!(pages(0, [3; 9], vanishing, |&row| row).count(), 1);
        assert_eq!(asked, 1);
    }
}
