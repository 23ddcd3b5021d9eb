//! The library's fan-out and diagnosis over our server and Samba's in one call.

use std::collections::HashMap;

use netsession::diagnosis::{Diagnosis, Software, diagnose};
use netsession::fan_out::{Event, FanOut, Outcome};
use netsession::{
    Credentials, ErrorKind, LevelChoice, Options, Server, SessionFilter, SessionLevel, Target,
};
use netsession_tests::client::hold;
use netsession_tests::subject::{ADMIN, ALICE, Kind};
use netsession_tests::{Options as Setup, Subject};

fn target(subject: &Subject) -> Target {
    Target::parse(&subject.host_and_port()).unwrap()
}

fn credentials(user: netsession_tests::subject::User) -> Credentials {
    Credentials::new("", user.name, user.password)
}

/// Each server answers at the fullest level that it has.
#[tokio::test]
async fn two_kinds_of_server() {
    let ours = Subject::of(Kind::Netsession, Setup::default());
    let samba = Subject::of(Kind::Samba, Setup::default());
    let targets = [target(&ours), target(&samba)];
    let mut levels = HashMap::new();
    let mut events = FanOut::new(credentials(ADMIN)).sessions(targets.clone());
    while let Some(event) = events.next().await {
        match event {
            Event::Session { session, level, .. } => {
                assert_eq!(session.level(), level);
                assert_eq!(session.username(), Some("admin"));
                assert_eq!(session.client(), "127.0.0.1");
            }
            Event::Done {
                target,
                level,
                sessions,
                ..
            } => {
                assert_eq!(sessions, 1, "the caller's own");
                levels.insert(Target::clone(&target), level);
            }
            Event::Failed { error, .. } => panic!("{error}"),
        }
    }
    assert_eq!(events.tally().outcome(), Outcome::All);
    assert_eq!(levels[&targets[0]], SessionLevel::Info502);
    assert_eq!(levels[&targets[1]], SessionLevel::Info1);
}

/// Who is denied at some levels and told of no others learns of the denial.
#[tokio::test]
async fn levels_of_samba() {
    let samba = Subject::of(Kind::Samba, Setup::default());
    let target = target(&samba);
    let options = Options::default();
    let _alice = hold(&samba, ALICE);
    let mut server = Server::connect(&target, &credentials(ADMIN), &options)
        .await
        .unwrap();
    let of_alice = SessionFilter {
        client: None,
        user: Some("alice".to_owned()),
    };
    let (level, sessions) = server
        .sessions_at(&of_alice, LevelChoice::Fullest)
        .await
        .unwrap();
    let sessions = sessions.collect().await.unwrap();
    assert_eq!((level, sessions.len()), (SessionLevel::Info1, 1));
    let exactly = LevelChoice::Exactly(SessionLevel::Info10);
    let error = server.sessions_at(&of_alice, exactly).await.unwrap_err();
    assert_eq!(error.net_api_status(), 124);
    let of_nobody = SessionFilter {
        client: None,
        user: Some("nobody-there".to_owned()),
    };
    let (level, mut sessions) = server
        .sessions_at(&of_nobody, LevelChoice::Fullest)
        .await
        .unwrap();
    let error = sessions.next_session().await.unwrap().unwrap_err();
    assert_eq!((level, error.net_api_status()), (SessionLevel::Info1, 2221));
    drop(sessions);
    let mut server = Server::connect(&target, &credentials(ALICE), &options)
        .await
        .unwrap();
    let all = SessionFilter::default();
    let error = server
        .sessions_at(&all, LevelChoice::Fullest)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
}

fn ids(diagnosis: &Diagnosis) -> Vec<&'static str> {
    let findings = diagnosis.findings.iter();
    findings.map(|finding| finding.id).collect()
}

#[tokio::test]
async fn diagnoses_of_samba() {
    let samba = Subject::of(Kind::Samba, Setup::default());
    let target = target(&samba);
    let options = Options::default();
    let found = diagnose(&target, &credentials(ADMIN), &options).await;
    assert_eq!(found.software, Some(Software::Samba));
    assert_eq!(
        ids(&found),
        [
            "signing-required",
            "logged-on",
            "levels-unknown",
            "samba-ends-connections"
        ]
    );
    assert!(found.can_list());
    assert_eq!(found.own_session.unwrap().username(), Some("admin"));
    let found = diagnose(&target, &credentials(ALICE), &options).await;
    assert_eq!(
        ids(&found),
        ["signing-required", "logged-on", "sessions-denied-by-samba"]
    );
    assert!(!found.can_list());
}
