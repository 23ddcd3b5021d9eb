//! `siege`: an attack on the server, beside clients who work and an administrator who comes in,
//! looks, and ends the attacker's sessions.
//!
//! Three stretches: nobody attacks; the attack begins and then holds what it got; the attacker's
//! sessions have been ended. What the others feel is told for each of the first two.

mod administrator;
mod attack;
mod hoard;
mod honest;
mod logons;
mod raw;
mod stage;

use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use netsession::Credentials;
use serde_json::{Value, json};

use crate::{Dial, Result};
use stage::Stage;

/// How long the others are watched before the attack begins.
const QUIET: Duration = Duration::from_millis(1_500);
/// How long the attack holds what it got while the others are watched.
const HOLD: Duration = Duration::from_millis(2_500);

/// `siege`.
#[derive(Args, Clone, Debug)]
pub struct Siege {
    /// Which attack
    #[arg(value_enum)]
    pub attack: Attack,
    /// How many things the attacker wants: handles, listings, pipes, answers, frames or
    /// connections
    #[arg(long)]
    pub count: u32,
    /// The attack ends its growth after so many seconds
    #[arg(long, default_value_t = 20.0)]
    pub seconds: f64,
    /// Who works meanwhile: USER%PASSWORD
    #[arg(long, default_value = "bob%B0b.Pw")]
    pub honest: Credentials,
}

/// The attacks. The share needs the file `readable`, the file `large` of 8 MiB and the
/// directory `many`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// Opens of one readable file, by one user
    Handles,
    /// Opens of the directory `many`, each with a listing begun
    Listings,
    /// Pipes, each with all but the last fragment of a request of 128 KiB
    Pipes,
    /// Answers of 8 MiB that nobody reads
    Answers,
    /// Frames one byte short: the longest after a logon, and the longest before one
    Frames,
    /// Connections from one address that say nothing
    Idle,
    /// 1,024 logons begun on each of so many connections
    Logons,
}

/// Does it.
pub(crate) fn run(dial: &Dial, siege: &Siege) -> Result<Value> {
    let stage = Stage::default();
    std::thread::scope(|scope| {
        // Whatever fails below, the others stop.
        let _end = stage.end_when_dropped();
        let worker = scope.spawn(|| honest::work(dial, &siege.honest, &stage));
        let newcomer = scope.spawn(|| honest::arrive(dial, &siege.honest, &stage));
        let watcher = scope.spawn(|| administrator::watch(dial, &stage));
        std::thread::sleep(QUIET);
        stage.begin_attack();
        let start = Instant::now();
        let attack = attack::Held::begin(dial, siege)?;
        let grown = start.elapsed();
        std::thread::sleep(HOLD);
        let ended = administrator::end(dial, dial.user().user());
        stage.end();
        let joined = |thread: std::thread::ScopedJoinHandle<'_, Value>| {
            thread
                .join()
                .unwrap_or_else(|_| json!({ "panicked": true }))
        };
        let told = attack.told();
        drop(attack);
        Ok(json!({
            "attack": told,
            "attack_seconds": grown.as_secs_f64(),
            "honest": joined(worker),
            "newcomer": joined(newcomer),
            "administrator": joined(watcher),
            "ending": ended,
        }))
    })
}
