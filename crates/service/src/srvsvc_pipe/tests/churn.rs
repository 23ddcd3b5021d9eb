//! However the table changes between the pages of an enumeration, a session that lives
//! through all of it appears exactly once, and none appears twice.

use std::collections::BTreeSet;

use proptest::prelude::*;
use srvsvc::NetApiStatus;

use super::*;

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Event {
    LogOn(u8),
    /// The session at this place in the table, as a fraction.
    LogOff(u16),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        any::<u8>().prop_map(Event::LogOn),
        any::<u16>().prop_map(Event::LogOff)
    ];
    proptest::collection::vec(event, 0..8)
}

fn happen(fake: &Fake, event: &Event) {
    match *event {
        Event::LogOn(number) => {
            fake.log_on(
                &format!("192.0.2.{}", number % 4),
                &format!("user{}", number % 8),
            );
        }
        Event::LogOff(place) => {
            let ids = fake.ids();
            if !ids.is_empty() {
                fake.tables()
                    .sessions
                    .remove(&ids[usize::from(place) % ids.len()]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_living_session_appears_exactly_once(
        before in 0u8..40,
        churn in proptest::collection::vec(events(), 1..60),
        prefered_maximum_length in 0u32..400,
        level in proptest::sample::select(&[0u32, 1, 2, 10, 502][..]),
        filter in proptest::option::of(0u8..8),
    ) {
        let fake = Fake::default();
        for number in 0..before {
            happen(&fake, &Event::LogOn(number.wrapping_mul(37)));
        }
        let user_name = filter.map(|number| format!("user{number}"));
        let passes = |fake: &Fake, id: &u64| {
            let tables = fake.tables();
            user_name.as_deref().is_none_or(|name| &*tables.sessions[id].user_name == name)
        };
        let mut living: BTreeSet<u64> = fake.ids().into_iter().collect();
        let mut seen = Vec::new();
        let mut request = SessionEnumRequest {
            user_name: user_name.clone(),
            prefered_maximum_length,
            ..request(level)
        };
        // Rows carry no id: what a page shows is the table behind the handle at that moment.
        for events in churn.iter().chain(std::iter::repeat(&Vec::new())) {
            let after = request.resume_handle.unwrap_or(0);
            let behind: Vec<u64> = fake
                .ids()
                .into_iter()
                .filter(|id| *id > after.into() && passes(&fake, id))
                .collect();
            let response = enumerate(&mut admin(&fake), &request);
            if !matches!(response.result, NetApiStatus::SUCCESS | NetApiStatus::MORE_DATA) {
                prop_assert!(after == 0 && behind.is_empty() && user_name.is_some());
                break;
            }
            prop_assert_eq!(response.total_entries as usize, behind.len());
            let shown = &behind[..response.entries.len()];
            for (id, row) in shown.iter().zip(&response.entries) {
                let client = fake.tables().sessions[id].client_name.clone();
                prop_assert_eq!(row.cname.trim_start_matches('\\'), &*client);
            }
            seen.extend_from_slice(shown);
            let is_done = response.result == NetApiStatus::SUCCESS;
            prop_assert_eq!(is_done, shown.len() == behind.len());
            prop_assert!(is_done || !shown.is_empty());
            if is_done {
                break;
            }
            prop_assert_eq!(response.resume_handle, shown.last().map(|&id| id as u32));
            request.resume_handle = response.resume_handle;
            for event in events {
                happen(&fake, event);
            }
            let now: BTreeSet<u64> = fake.ids().into_iter().collect();
            living = &living & &now;
        }
        let distinct: BTreeSet<u64> = seen.iter().copied().collect();
        prop_assert_eq!(distinct.len(), seen.len(), "none twice");
        for id in living.iter().filter(|id| passes(&fake, id)) {
            prop_assert!(distinct.contains(id), "{} is missing", id);
        }
    }
}
