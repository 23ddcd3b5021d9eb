use std::net::TcpStream;
use std::path::Path;

use super::*;
use crate::config::{ListenAddress, LocalSocket, Overrides};

fn config(directory: &Path, share: &str) -> ServeConfig {
    ServeConfig::resolve(Overrides {
        local_socket: Some(LocalSocket::Off),
        listen: Some(vec!["127.0.0.1:0".parse::<ListenAddress>().unwrap()]),
        data_dir: Some(directory.join("state")),
        server_name: Some("SRV".parse().unwrap()),
        shares: vec![ShareSpec::parse(share).unwrap()],
        ..Overrides::default()
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_starts_listens_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let share = format!("data={},ro,comment=Files", directory.path().display());
    let service = Service::start(config(directory.path(), &share))
        .await
        .unwrap();
    let [address] = service.addresses() else {
        panic!()
    };
    assert_ne!(address.port(), 0);
    let stream = TcpStream::connect(address).unwrap();
    assert!(service.accounts().is_empty());
    let application = service.application();
    let names: Vec<_> = application
        .shares()
        .iter()
        .map(|row| row.name.to_string())
        .collect();
    assert_eq!(names, ["data", "IPC$"]);
    assert_eq!(&*application.server_facts().name, "SRV");

    // The same address again is refused with advice.
    let mut again = config(directory.path(), &share);
    again.listen = vec![*address];
    let message = Service::start(again).await.err().unwrap().to_string();
    assert!(message.contains(&address.to_string()), "{message}");
    assert!(message.contains("another program"), "{message}");

    service.stop().await;
    drop(stream);
    // The listener goes a moment later, in its own task.
    let refused = async {
        while TcpStream::connect(address).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), refused)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_be_shared_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let share = format!("data={}", missing.display());
    let message = Service::start(config(directory.path(), &share))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("missing") && message.contains("\"data\""),
        "{message}"
    );
}

#[test]
fn settings_reach_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path(), "data=/,encrypt");
    config.encryption = Encryption::Off;
    assert_eq!(encryption(&config), server::Encryption::Enabled);
    config.shares.clear();
    assert_eq!(encryption(&config), server::Encryption::Off);
    config.encryption = Encryption::Required;
    assert_eq!(encryption(&config), server::Encryption::Required);

    let number = std::num::NonZeroU32::new;
    let limits = limits(&LimitOverrides {
        connections: number(1),
        sessions_per_connection: number(2),
        tree_connects_per_session: number(3),
        opens_per_session: number(4),
        handshake_seconds: number(5),
        session_lifetime_seconds: number(6),
    });
    assert_eq!((limits.connections, limits.sessions_per_connection), (1, 2));
    assert_eq!(
        (limits.tree_connects_per_session, limits.opens_per_session),
        (3, 4)
    );
    assert_eq!(limits.handshake, Duration::from_secs(5));
    assert_eq!(limits.session_lifetime, Some(Duration::from_secs(6)));
}
