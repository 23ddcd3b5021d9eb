//! Random schedules, compared with a table that looks at every watcher for every change.

use std::collections::BTreeMap;

use proptest::prelude::*;
use smb::wire::Utf16;

use super::*;

/// An operation on the table.
#[derive(Clone, Debug)]
enum Step {
    Watch(u32, Path, bool, u32, u32),
    Change(Path, u32, u32),
    Rename(Path, Path, bool, Option<Path>),
    Close(u32),
    Cancel(usize),
    DeletePending(Path),
    Removed(Path),
    Overflow,
}

type Path = Vec<&'static str>;

fn path(least: usize) -> impl Strategy<Value = Path> {
    let component = prop::sample::select(vec!["a", "A", "b", "c", "é", "É"]);
    prop::collection::vec(component, least..5)
}

fn step() -> impl Strategy<Value = Step> {
    let lengths = prop::sample::select(vec![0, 13, 30, 64, 200]);
    prop_oneof![
        6 => (0..6u32, path(0), any::<bool>(), 0..8u32, lengths)
            .prop_map(|(open, path, tree, filter, length)| {
                Step::Watch(open, path, tree, filter, length)
            }),
        8 => (path(1), 1..4u32, 0..8u32)
            .prop_map(|(path, action, filter)| Step::Change(path, action, filter)),
        3 => (path(1), path(1), any::<bool>(), prop::option::of(path(1)))
            .prop_map(|(old, new, is_directory, replaced)| {
                Step::Rename(old, new, is_directory, replaced)
            }),
        2 => (0..6u32).prop_map(Step::Close),
        2 => (0..4usize).prop_map(Step::Cancel),
        1 => path(0).prop_map(Step::DeletePending),
        1 => path(1).prop_map(Step::Removed),
        1 => Just(Step::Overflow),
    ]
}

struct ModelWatcher {
    /// Folded; none if it was deleted.
    directory: Option<Vec<String>>,
    filter: u32,
    tree: bool,
    limit: u32,
    list: Vec<(u32, String)>,
    overflowed: bool,
    waiting: Vec<(Ticket, u32)>,
}

impl ModelWatcher {
    fn fits(&self, limit: u32) -> Option<Vec<u8>> {
        let names: Vec<Vec<u8>> = self.list.iter().map(|(_, name)| utf16(name)).collect();
        let entries = self.list.iter().zip(&names);
        let entries: Vec<_> = entries
            .map(|((action, _), name)| FileNotifyInformation {
                action: *action,
                file_name: Utf16::new(name).expect("even"),
            })
            .collect();
        let mut bytes = Vec::new();
        FileNotifyInformation::write_list(&mut bytes, limit as usize, &entries).then_some(bytes)
    }

    fn take(&mut self, length: u32) -> Answer {
        let bytes = self.fits(length).filter(|_| !self.overflowed);
        self.list.clear();
        self.overflowed = false;
        bytes.map_or(Answer::EnumDir, Answer::Changes)
    }

    fn note(&mut self, action: u32, name: &[&str]) {
        let entry = (action, name.join("\\"));
        if self.overflowed || self.list.last() == Some(&entry) {
            return;
        }
        self.list.push(entry);
        if self.fits(self.limit).is_none() {
            self.list.clear();
            self.overflowed = true;
        }
    }
}

fn utf16(name: &str) -> Vec<u8> {
    name.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn folded(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| part.to_uppercase()).collect()
}

#[derive(Default)]
struct Model {
    watchers: BTreeMap<u32, ModelWatcher>,
    ready: Ready,
}

impl Model {
    fn note(&mut self, action: u32, filter: u32, name: &[&str]) {
        let parent = folded(&name[..name.len() - 1]);
        for watcher in self.watchers.values_mut() {
            let Some(directory) = &watcher.directory else {
                continue;
            };
            let watches = *directory == parent || (watcher.tree && parent.starts_with(directory));
            if watches && watcher.filter & filter != 0 {
                let depth = directory.len();
                watcher.note(action, &name[depth..]);
            }
        }
    }

    fn tell(&mut self) {
        for watcher in self.watchers.values_mut() {
            let told = watcher.overflowed || !watcher.list.is_empty();
            if told && !watcher.waiting.is_empty() {
                let (ticket, length) = watcher.waiting.remove(0);
                self.ready.push((ticket, watcher.take(length)));
            }
        }
    }

    fn end(&mut self, answer: &Answer, gone: impl Fn(u32, &ModelWatcher) -> bool) -> Vec<u32> {
        let gone = |(open, watcher): (&u32, &ModelWatcher)| gone(*open, watcher).then_some(*open);
        let opens: Vec<u32> = self.watchers.iter().filter_map(gone).collect();
        for open in &opens {
            let watcher = self.watchers.get_mut(open).expect("just found");
            let tickets = watcher.waiting.drain(..);
            self.ready.extend(tickets.map(|(t, _)| (t, answer.clone())));
        }
        opens
    }

    fn watch(&mut self, open: u32, directory: &[&str], request: WatchRequest) -> Watched {
        let watcher = self.watchers.entry(open).or_insert_with(|| ModelWatcher {
            directory: Some(folded(directory)),
            filter: request.filter,
            tree: request.tree,
            limit: request.buffer_length,
            list: Vec::new(),
            overflowed: false,
            waiting: Vec::new(),
        });
        if watcher.directory.is_none() {
            return Watched::Ready(Answer::DeletePending);
        }
        if watcher.overflowed || !watcher.list.is_empty() {
            return Watched::Ready(watcher.take(request.buffer_length));
        }
        watcher
            .waiting
            .push((request.ticket, request.buffer_length));
        Watched::Waits
    }

    fn rename(
        &mut self,
        old: &[&str],
        new: &[&str],
        is_directory: bool,
        replaced: Option<&[&str]>,
    ) {
        let filter = if is_directory { DIR_NAME } else { FILE_NAME };
        if replaced == Some(new) {
            self.note(REMOVED, filter, old);
            self.note(MODIFIED, 0x1FC, new);
        } else {
            let parent = |path: &[&str]| folded(&path[..path.len() - 1]);
            let (gone, came) = match parent(old) == parent(new) {
                true => (OLD_NAME, NEW_NAME),
                false => (REMOVED, ADDED),
            };
            if let Some(replaced) = replaced {
                self.note(REMOVED, FILE_NAME, replaced);
            }
            self.note(gone, filter, old);
            self.note(came, filter, new);
        }
        let (old, new) = (folded(old), folded(new));
        let directories = self.watchers.values_mut().map(|w| &mut w.directory);
        for directory in directories.flatten().filter(|_| is_directory) {
            if directory.starts_with(&old) {
                directory.splice(..old.len(), new.iter().cloned());
            }
        }
        self.tell();
    }
}

fn absolute(path: &[&str]) -> FileName {
    FileName::local(&path.join("/"))
}

fn request_of(tree: bool, filter: u32, buffer_length: u32, ticket: u64) -> WatchRequest {
    WatchRequest {
        tree,
        filter,
        buffer_length,
        ticket: Ticket(ticket),
    }
}

/// Both must say the same; gives what the table said.
fn run(
    table: &WatchTable,
    model: &mut Model,
    step: &Step,
    number: u64,
    waiting: &[Ticket],
) -> Ready {
    let mut ready = Ready::new();
    match step {
        Step::Watch(open, directory, tree, filter, length) => {
            let request = request_of(*tree, *filter, *length, number);
            let watched = table.watch(*open, &absolute(directory), request);
            assert_eq!(watched, model.watch(*open, directory, request));
        }
        Step::Change(name, action, filter) => {
            let change = Change {
                name: &absolute(name),
                action: *action,
                filter: *filter,
            };
            table.changed(change, &mut ready);
            model.note(*action, *filter, name);
            model.tell();
        }
        Step::Rename(old, new, is_directory, replaced) => {
            let names = (
                absolute(old),
                absolute(new),
                replaced.as_deref().map(absolute),
            );
            let rename = Rename {
                old: &names.0,
                new: &names.1,
                is_directory: *is_directory,
                replaced: names.2.as_ref(),
            };
            table.renamed(&rename, &mut ready);
            model.rename(old, new, *is_directory, replaced.as_deref());
        }
        Step::Close(open) => {
            table.close(*open, &mut ready);
            model.end(&Answer::Cleanup, |watching, _| watching == *open);
            model.watchers.remove(open);
        }
        Step::Cancel(nth) => {
            if let Some(ticket) = waiting.get(*nth) {
                assert!(table.cancel(*ticket));
                assert!(!table.cancel(*ticket));
                for watcher in model.watchers.values_mut() {
                    watcher.waiting.retain(|(waiting, _)| waiting != ticket);
                }
            }
        }
        Step::DeletePending(path) => {
            table.delete_pending(&absolute(path), &mut ready);
            let path = Some(folded(path));
            let gone = model.end(&Answer::DeletePending, |_, w| w.directory == path);
            model.watchers.retain(|open, _| !gone.contains(open));
        }
        Step::Removed(path) => {
            table.directory_removed(&absolute(path), &mut ready);
            let path = folded(path);
            let is_below =
                |w: &ModelWatcher| w.directory.as_ref().is_some_and(|d| d.starts_with(&path));
            let gone = model.end(&Answer::DeletePending, |_, w| is_below(w));
            for open in gone {
                let watcher = model.watchers.get_mut(&open).expect("just found");
                (watcher.directory, watcher.overflowed) = (None, false);
                watcher.list.clear();
            }
        }
        Step::Overflow => {
            table.overflow(&mut ready);
            let watching = model.watchers.values_mut();
            for watcher in watching.filter(|watcher| watcher.directory.is_some()) {
                watcher.list.clear();
                watcher.overflowed = true;
            }
            model.tell();
        }
    }
    ready
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_table_does_what_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        let (table, mut model) = (WatchTable::default(), Model::default());
        for (number, step) in steps.iter().enumerate() {
            let waiting = model.watchers.values().flat_map(|w| &w.waiting);
            let waiting: Vec<Ticket> = waiting.map(|(ticket, _)| *ticket).collect();
            let mut ready = run(&table, &mut model, step, number as u64, &waiting);
            let mut expected = std::mem::take(&mut model.ready);
            ready.sort_by_key(|(ticket, _)| ticket.0);
            expected.sort_by_key(|(ticket, _)| ticket.0);
            prop_assert_eq!(ready, expected);
            let bytes = model.watchers.values().map(|w| w.fits(u32::MAX).map_or(0, |b| b.len()));
            prop_assert_eq!(table.buffered_bytes(), bytes.sum::<usize>());
            prop_assert_eq!(table.is_watched(), !model.watchers.is_empty());
        }
        let mut ready = Ready::new();
        (0..6).for_each(|open| table.close(open, &mut ready));
        prop_assert_eq!(table.buffered_bytes(), 0);
        prop_assert!(!table.is_watched());
        prop_assert_eq!(table.state().waiting.len(), 0);
        prop_assert_eq!(table.state().directories.len(), 1);
    }
}
