//! A store whose calls can be held, let go one by one, and made to panic.

use std::sync::{Condvar, MutexGuard, PoisonError};

use server::share::{
    Capacity, Cursor, DirectoryEntry, FileHandle, FileStat, Names, OpenParameters, Opened,
    SharePath, StoreError, StoreResult, Times, Waiting,
};
use tokio::sync::Notify;

use super::*;

/// What a store can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Open,
    Stat,
    Read,
    Write,
    Flush,
    SetEndOfFile,
    Rename,
    Unlink,
    List,
}

/// How a call that was held goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Go,
    Fail(NtStatus),
    Panic,
}

/// Decides which calls hang.
#[derive(Default)]
pub struct Gate {
    state: Mutex<State>,
    /// Something was decided.
    decided: Condvar,
    /// A call has come to hang, or has gone on.
    moved: Notify,
}

#[derive(Default)]
struct State {
    /// Calls that hang.
    hanging: Vec<Call>,
    /// Calls that panic at once, each time one.
    panicking: Vec<Call>,
    next: u64,
    /// Calls that hang now, oldest first, with what was decided.
    held: Vec<(u64, Call, Option<Verdict>)>,
    /// Calls that the server has made, those that would have had to wait left out.
    made: usize,
}

impl Gate {
    /// Shares the directory of `data` once more, as `slow`, behind a gate.
    pub fn of(scene: &Scene) -> Arc<Self> {
        let gate = Arc::new(Self::default());
        let inner = LocalBackend::new(&scene.data(), LocalOptions::default()).unwrap();
        let gate_of_backend = gate.clone();
        scene.share(
            "slow",
            Gated {
                inner,
                gate: gate_of_backend,
            },
        );
        gate
    }

    /// From now on these calls hang.
    pub fn hold(&self, calls: &[Call]) {
        self.state().hanging.extend_from_slice(calls);
    }

    /// The next call of this kind panics, also on a thread that must not wait.
    pub fn panic_next(&self, call: Call) {
        self.state().panicking.push(call);
    }

    /// Waits until so many calls hang.
    pub async fn held(&self, number: usize) {
        loop {
            let moved = self.moved.notified();
            let hanging = self.number_held();
            if hanging == number {
                return;
            }
            assert!(hanging < number, "{hanging} calls hang, not {number}");
            moved.await;
        }
    }

    pub fn number_held(&self) -> usize {
        let state = self.state();
        let undecided = state
            .held
            .iter()
            .filter(|(_, _, verdict)| verdict.is_none());
        undecided.count()
    }

    /// Lets the call go that has hung for longest.
    pub fn release(&self, verdict: Verdict) {
        let mut state = self.state();
        let oldest = state.held.iter_mut().find(|held| held.2.is_none());
        oldest.expect("no call hangs").2 = Some(verdict);
        self.decided.notify_all();
    }

    /// Nothing hangs any more.
    pub fn open(&self) {
        let mut state = self.state();
        state.hanging.clear();
        for held in &mut state.held {
            held.2.get_or_insert(Verdict::Go);
        }
        self.decided.notify_all();
    }

    /// Calls that were made so far.
    pub fn made(&self) -> usize {
        self.state().made
    }

    fn hangs(&self, calls: &[Call]) -> bool {
        let state = self.state();
        calls.iter().any(|call| state.hanging.contains(call))
    }

    fn pass(&self, call: Call, waiting: Waiting) -> StoreResult<()> {
        let mut state = self.state();
        if let Some(index) = state.panicking.iter().position(|one| *one == call) {
            state.panicking.remove(index);
            drop(state);
            panic!("the store has a mistake in {call:?}");
        }
        if !state.hanging.contains(&call) {
            state.made += 1;
            return Ok(());
        }
        if waiting == Waiting::Refused {
            return Err(StoreError::WouldWait);
        }
        state.made += 1;
        let id = state.next;
        state.next += 1;
        state.held.push((id, call, None));
        self.moved.notify_one();
        let undecided = |state: &mut State| {
            let mut held = state.held.iter();
            held.any(|held| held.0 == id && held.2.is_none())
        };
        // A test that forgets a call does not hang for ever.
        let (mut state, _) = self
            .decided
            .wait_timeout_while(state, LIMIT, undecided)
            .unwrap_or_else(PoisonError::into_inner);
        let index = state.held.iter().position(|held| held.0 == id);
        let (_, _, verdict) = state.held.remove(index.unwrap());
        drop(state);
        self.moved.notify_one();
        match verdict.expect("the call was never let go") {
            Verdict::Go => Ok(()),
            Verdict::Fail(status) => Err(status.into()),
            Verdict::Panic => panic!("the store has a mistake in {call:?}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Gated {
    inner: LocalBackend,
    gate: Arc<Gate>,
}

struct GatedHandle {
    inner: Arc<dyn FileHandle>,
    gate: Arc<Gate>,
}

// What is behind the gate never waits by itself: only the gate decides.
const NEVER: Waiting = Waiting::Allowed;

impl Backend for Gated {
    fn open(&self, parameters: &OpenParameters<'_>, waiting: Waiting) -> StoreResult<Opened> {
        self.gate.pass(Call::Open, waiting)?;
        let opened = self.inner.open(parameters, NEVER)?;
        Ok(Opened {
            handle: Arc::new(GatedHandle {
                inner: opened.handle,
                gate: self.gate.clone(),
            }),
            ..opened
        })
    }

    fn capacity(&self, _: Waiting) -> StoreResult<Capacity> {
        self.inner.capacity(NEVER)
    }

    fn file_system_name(&self) -> &str {
        self.inner.file_system_name()
    }

    fn store(&self) -> u64 {
        self.inner.store()
    }

    fn volume_serial_number(&self) -> u32 {
        self.inner.volume_serial_number()
    }

    fn local_path(&self) -> String {
        self.inner.local_path()
    }
}

impl FileHandle for GatedHandle {
    fn changes_wait(&self) -> bool {
        self.gate
            .hangs(&[Call::SetEndOfFile, Call::Rename, Call::Unlink])
    }

    fn stat(&self, waiting: Waiting) -> StoreResult<FileStat> {
        self.gate.pass(Call::Stat, waiting)?;
        self.inner.stat(NEVER)
    }

    fn read(&self, buffer: &mut [u8], offset: u64, waiting: Waiting) -> StoreResult<usize> {
        self.gate.pass(Call::Read, waiting)?;
        self.inner.read(buffer, offset, NEVER)
    }

    fn write(&self, data: &[u8], offset: u64, waiting: Waiting) -> StoreResult<()> {
        self.gate.pass(Call::Write, waiting)?;
        self.inner.write(data, offset, NEVER)
    }

    fn flush(&self, waiting: Waiting) -> StoreResult<()> {
        self.gate.pass(Call::Flush, waiting)
    }

    fn set_end_of_file(&self, length: u64, waiting: Waiting) -> StoreResult<()> {
        self.gate.pass(Call::SetEndOfFile, waiting)?;
        self.inner.set_end_of_file(length, NEVER)
    }

    fn set_allocation(&self, length: u64, _: Waiting) -> StoreResult<()> {
        self.inner.set_allocation(length, NEVER)
    }

    fn set_times(&self, times: &Times, _: Waiting) -> StoreResult<()> {
        self.inner.set_times(times, NEVER)
    }

    fn set_attributes(&self, attributes: u32, _: Waiting) -> StoreResult<()> {
        self.inner.set_attributes(attributes, NEVER)
    }

    fn rename(&self, target: &SharePath, replace: bool, waiting: Waiting) -> StoreResult<()> {
        self.gate.pass(Call::Rename, waiting)?;
        self.inner.rename(target, replace, NEVER)
    }

    fn link(&self, target: &SharePath, replace: bool, _: Waiting) -> StoreResult<()> {
        self.inner.link(target, replace, NEVER)
    }

    fn unlink(&self, waiting: Waiting) -> StoreResult<()> {
        self.gate.pass(Call::Unlink, waiting)?;
        self.inner.unlink(NEVER)
    }

    fn is_empty_directory(&self, _: Waiting) -> StoreResult<bool> {
        self.inner.is_empty_directory(NEVER)
    }

    fn list(&self, cursor: &mut Cursor, names: &mut Names, waiting: Waiting) -> StoreResult<()> {
        self.gate.pass(Call::List, waiting)?;
        self.inner.list(cursor, names, NEVER)
    }

    fn entry(&self, name: &str, _: Waiting) -> StoreResult<Option<DirectoryEntry>> {
        self.inner.entry(name, NEVER)
    }
}
