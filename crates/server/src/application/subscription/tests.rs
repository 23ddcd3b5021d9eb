use std::sync::Arc;

use smb::{FileTime, NtStatus};

use super::{Events, Notice, Subscription};
use crate::application::{Event, EventKind, Interest};

fn event(number: u64) -> Event {
    EventKind::LogonRefused {
        user_name: "alice".into(),
        client_name: "192.0.2.1".into(),
        status: NtStatus::LOGON_FAILURE,
    }
    .at(FileTime(number))
}

fn publish(events: &Events, interest: Interest, numbers: impl Iterator<Item = u64>) {
    for number in numbers {
        events.publish(interest, || event(number));
    }
}

/// Times of the events told, and how many were lost where.
fn take(subscription: &mut Subscription) -> Vec<Result<u64, u64>> {
    std::iter::from_fn(|| subscription.try_next())
        .map(|notice| match notice {
            Notice::Event(event) => Ok(event.time.0),
            Notice::Lost(lost) => Err(lost),
        })
        .collect()
}

#[test]
fn each_subscriber_is_told_what_it_wants() {
    let events = Events::default();
    let mut sessions = events.subscribe(Interest::SESSIONS);
    let mut both = events.subscribe(Interest::SESSIONS | Interest::OPENS);
    publish(&events, Interest::SESSIONS, 0..2);
    publish(&events, Interest::OPENS, 2..4);
    publish(&events, Interest::TREE_CONNECTS, 4..6);
    assert_eq!(take(&mut sessions), [Ok(0), Ok(1)]);
    assert_eq!(take(&mut both), [Ok(0), Ok(1), Ok(2), Ok(3)]);
}

#[test]
fn an_event_that_nobody_wants_is_not_made() {
    let events = Events::default();
    let unwanted = || -> Event { panic!("nobody wants it") };
    events.publish(Interest::ALL, unwanted);
    let sessions = events.subscribe(Interest::SESSIONS);
    events.publish(Interest::OPENS, unwanted);
    drop(sessions);
    // The first event behind the end of a subscription finds that out.
    publish(&events, Interest::SESSIONS, 0..1);
    events.publish(Interest::ALL, unwanted);
}

#[test]
fn a_slow_subscriber_is_told_what_it_lost_and_where() {
    let events = Events::default();
    let mut slow = events.subscribe(Interest::SESSIONS);
    let mut quick = events.subscribe(Interest::SESSIONS);
    let room = Subscription::CAPACITY as u64;
    publish(&events, Interest::SESSIONS, 0..room + 7);
    assert_eq!(take(&mut quick).len() as u64, room + 1);
    publish(&events, Interest::SESSIONS, room + 7..room + 9);
    assert_eq!(take(&mut quick), [Ok(room + 7), Ok(room + 8)]);

    let told = take(&mut slow);
    assert_eq!(told.len() as u64, room + 1, "it grows no further");
    assert!(told[..room as usize].iter().copied().eq((0..room).map(Ok)));
    assert_eq!(told[room as usize], Err(9));
    publish(&events, Interest::SESSIONS, 1..2);
    assert_eq!(take(&mut slow), [Ok(1)]);
}

#[tokio::test]
async fn who_waits_is_woken_and_told_of_the_end() {
    let events = Arc::new(Events::default());
    let mut subscription = events.subscribe(Interest::SESSIONS);
    let waiting = tokio::spawn(async move {
        let mut told = Vec::new();
        while let Some(notice) = subscription.next().await {
            told.push(notice);
        }
        told
    });
    tokio::task::yield_now().await;
    publish(&events, Interest::SESSIONS, 5..6);
    tokio::task::yield_now().await;
    drop(events);
    assert_eq!(waiting.await.unwrap(), [Notice::Event(Arc::new(event(5)))]);
}
