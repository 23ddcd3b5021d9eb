//! What the figures should be, and whether they are.

use serde::Serialize;
use serde_json::Value;

/// Honest requests take less, in milliseconds.
const HONEST_MS: f64 = 100.0;
/// An administrator logs on, lists and ends within this, in milliseconds.
const ADMINISTRATOR_MS: f64 = 1_000.0;
/// In a short run the machine does other work too. If it delays somebody before the attack,
/// the attack may make it so many times worse.
const TIMES_QUIET: f64 = 3.0;
/// The server grows by less, in MiB.
const GROWTH_MIB: f64 = 256.0;
/// What it may keep afterwards, in MiB: buffers of its threads, and what the allocator does
/// not give back.
pub const SLACK_MIB: f64 = 32.0;

/// The server's resident memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// Before the attack.
    pub before_mib: f64,
    /// At the most, over that.
    pub growth_mib: f64,
    /// At the last look, over that.
    pub left_mib: f64,
    /// After how long not more than [`SLACK_MIB`] were left; `None` if never.
    pub back_seconds: Option<f64>,
}

/// One figure beside its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// What was looked at.
    pub what: String,
    /// What was seen.
    pub seen: String,
    /// What it should be.
    pub target: String,
    /// Whether it is.
    pub met: bool,
}

/// Judges one attack.
///
/// In a short run beside other work, one slow request in a hundred is the machine's: there the
/// 99th percentile of honest requests is judged, else the slowest. And whoever was slow before
/// the attack may be up to three times as slow during it.
pub fn judge(seen: &Value, memory: &Memory, bounded: bool) -> Vec<Judged> {
    vec![
        honest(&seen["honest"], bounded),
        administrator(&seen["administrator"], &seen["ending"], bounded),
        Judged {
            what: "growth of the server's memory".to_owned(),
            seen: format!("{:.0} MiB", memory.growth_mib),
            target: format!("< {GROWTH_MIB} MiB"),
            met: memory.growth_mib < GROWTH_MIB,
        },
        Judged {
            what: "left of it afterwards".to_owned(),
            seen: match memory.back_seconds {
                Some(seconds) => format!("{:.0} MiB after {seconds:.1} s", memory.left_mib),
                None => format!("{:.0} MiB", memory.left_mib),
            },
            target: format!("< {SLACK_MIB} MiB within 10 s"),
            met: memory.back_seconds.is_some(),
        },
    ]
}

fn honest(seen: &Value, bounded: bool) -> Judged {
    let kinds = ["echo", "create_close", "read"];
    let slowest = |stretch: &str, key: &str| {
        let times = kinds.iter().map(|kind| &seen[kind][stretch][key]);
        times.filter_map(Value::as_f64).fold(0.0, f64::max) / 1e3
    };
    let calls = |stretch: &str| {
        let counts = kinds.iter().map(|kind| &seen[kind][stretch]["calls"]);
        counts.filter_map(Value::as_u64).sum::<u64>()
    };
    let failures = seen["failures"].as_u64();
    let usual = slowest("during", "p99_us");
    let (quiet, attacked) = (
        slowest("before", "maximum_us"),
        slowest("during", "maximum_us"),
    );
    let judged = if bounded { usual } else { attacked };
    let limit = limit(HONEST_MS, quiet, bounded);
    Judged {
        what: match bounded {
            true => "honest requests, 99 of 100".to_owned(),
            false => "honest requests, the slowest".to_owned(),
        },
        seen: format!(
            "{attacked:.1} ms of {}, 99 of 100 in {usual:.1} (slowest before: {quiet:.1}){}",
            calls("during"),
            failed(seen)
        ),
        target: format!("< {limit:.0} ms, none fails"),
        met: failures == Some(0) && calls("during") > 0 && judged < limit,
    }
}

/// The target in milliseconds, with this seen before the attack.
fn limit(target: f64, quiet: f64, bounded: bool) -> f64 {
    match bounded {
        true => target.max(TIMES_QUIET * quiet),
        false => target,
    }
}

fn administrator(watched: &Value, ending: &Value, bounded: bool) -> Judged {
    let ended = ending["took_us"].as_f64();
    let slowest = |stretch: &str| {
        let maximum = watched[stretch]["maximum_us"].as_f64();
        maximum.unwrap_or_default() / 1e3
    };
    let looked = slowest("during");
    let limit = limit(ADMINISTRATOR_MS, slowest("before"), bounded);
    let did = match ended {
        Some(took) => format!("{:.0} ms to end it, {looked:.0} to look", took / 1e3),
        None => format!(
            "never: {}",
            ending["failed"].as_str().unwrap_or("not tried")
        ),
    };
    let slowest = ended.map(|took| looked.max(took / 1e3));
    Judged {
        what: "administrator logs on, lists, ends".to_owned(),
        seen: did + &failed(watched),
        target: format!("< {limit:.0} ms"),
        met: watched["failures"].as_u64() == Some(0)
            && slowest.is_some_and(|slowest| slowest < limit),
    }
}

fn failed(seen: &Value) -> String {
    match seen["failures"].as_u64() {
        Some(0) => String::new(),
        Some(count) => format!(
            "; {count} failed: {}",
            seen["first_failure"].as_str().unwrap_or_default()
        ),
        None => "; not seen".to_owned(),
    }
}

/// The figures of one attack, for people.
pub fn table(judged: &[Judged], seen: &Value) -> String {
    let attack = &seen["attack"];
    let mut text = format!(
        "  wanted {}, got {}, refused {}, in {:.1} s",
        attack["wanted"],
        attack["got"],
        attack["refused"],
        seen["attack_seconds"].as_f64().unwrap_or_default()
    );
    if let Some(open) = attack["still_open"].as_u64() {
        text += &format!(", still open {open}");
    }
    text.push('\n');
    for (reason, times) in attack["reasons"].as_object().into_iter().flatten() {
        text += &format!("    {times} times: {reason}\n");
    }
    let newcomer = &seen["newcomer"];
    text += &format!(
        "  newcomers: {} let in, the slowest after {:.1} ms{}\n",
        newcomer["logon"]["during"]["calls"],
        newcomer["logon"]["during"]["maximum_us"]
            .as_f64()
            .unwrap_or_default()
            / 1e3,
        failed(newcomer)
    );
    for one in judged {
        let met = if one.met { "met" } else { "MISSED" };
        text += &format!(
            "  {met:<6}  {:<36} {:<28} {}\n",
            one.what, one.target, one.seen
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CALM: Memory = Memory {
        before_mib: 20.0,
        growth_mib: 100.0,
        left_mib: 5.0,
        back_seconds: Some(0.4),
    };

    fn seen(slowest_us: f64, failures: u64, ending: Value) -> Value {
        let times = json!({
            "before": { "calls": 9, "maximum_us": 500.0 },
            "during": { "calls": 9, "maximum_us": slowest_us, "p99_us": 900.0 },
        });
        json!({
            "attack": { "wanted": 5, "got": 3, "refused": 2, "reasons": { "no": 2 } },
            "attack_seconds": 1.0,
            "honest": { "echo": times, "create_close": times, "read": times, "failures": failures },
            "newcomer": { "logon": times, "failures": 0 },
            "administrator": { "during": { "maximum_us": 9e3 }, "failures": 0 },
            "ending": ending,
        })
    }

    fn met(seen: &Value, memory: &Memory) -> Vec<bool> {
        judge(seen, memory, false)
            .iter()
            .map(|one| one.met)
            .collect()
    }

    #[test]
    fn each_target() {
        let ended = || json!({ "took_us": 20e3 });
        assert_eq!(met(&seen(9e3, 0, ended()), &CALM), [true; 4]);
        assert!(!met(&seen(101e3, 0, ended()), &CALM)[0]);
        assert!(judge(&seen(101e3, 0, ended()), &CALM, true)[0].met);
        assert!(!met(&seen(9e3, 1, ended()), &CALM)[0]);
        assert!(!met(&seen(9e3, 0, json!({ "took_us": 2e6 })), &CALM)[1]);
        assert!(!met(&seen(9e3, 0, json!({ "failed": "refused" })), &CALM)[1]);
        assert!(!met(&Value::Null, &CALM)[0]);
        let large = Memory {
            growth_mib: 300.0,
            back_seconds: None,
            ..CALM
        };
        assert_eq!(
            met(&seen(9e3, 0, ended()), &large),
            [true, true, false, false]
        );
    }

    #[test]
    fn a_machine_that_was_slow_before_may_be_slow() {
        let ended = json!({ "took_us": 20e3 });
        let mut seen = seen(400e3, 0, ended);
        for kind in ["echo", "create_close", "read"] {
            seen["honest"][kind]["during"]["p99_us"] = json!(250e3);
        }
        seen["administrator"]["during"]["maximum_us"] = json!(2e6);
        let met = |seen: &Value, bounded| {
            let judged = judge(seen, &CALM, bounded);
            [judged[0].met, judged[1].met]
        };
        assert_eq!(met(&seen, true), [false, false]);
        seen["honest"]["read"]["before"]["maximum_us"] = json!(100e3);
        seen["administrator"]["before"] = json!({ "maximum_us": 800e3 });
        assert_eq!(met(&seen, true), [true, true]);
        assert_eq!(met(&seen, false), [false, false]);
    }

    #[test]
    fn everything_is_shown() {
        let seen = seen(9e3, 1, json!({ "failed": "refused" }));
        let text = table(&judge(&seen, &CALM, false), &seen);
        for word in [
            "wanted 5",
            "2 times: no",
            "MISSED",
            "never: refused",
            "100 MiB",
        ] {
            assert!(text.contains(word), "{word} in {text}");
        }
    }
}
