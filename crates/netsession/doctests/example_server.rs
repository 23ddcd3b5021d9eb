// A server for the examples in the documentation, included by them and hidden there: on
// loopback, with the administrator admin/Adm1n.Pw and the user alice/Al1ce.Pw. It ends when
// it is dropped.

use std::net::SocketAddr;

use service::Service;
use service::account::{AccountFile, AccountName, Membership, NtHash};
use service::config::{LocalSocket, Overrides, ServeConfig, ShareSpec};

pub struct ExampleServer {
    address: SocketAddr,
    // Before its folder.
    service: Option<(tokio::runtime::Runtime, Service)>,
    _folder: tempfile::TempDir,
}

impl ExampleServer {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (state, data) = (folder.path().join("state"), folder.path().join("data"));
        for path in [&state, &data] {
            std::fs::create_dir(path).expect("a folder");
        }
        for (name, password, admin) in [("admin", "Adm1n.Pw", true), ("alice", "Al1ce.Pw", false)] {
            let membership = Membership { admin, ..Membership::default() };
            let name = AccountName::new(name).expect("a name");
            AccountFile::new(&state)
                .add(&name, NtHash::of_password(password), membership)
                .expect("an account");
        }
        let config = ServeConfig::resolve(Overrides {
            listen: Some(vec!["127.0.0.1:0".parse().expect("an address")]),
            data_dir: Some(state),
            server_name: Some("SRV".parse().expect("a name")),
            comment: Some("Files of the sales team".to_owned()),
            local_socket: Some(LocalSocket::Off),
            shares: vec![ShareSpec::new("data", &data).expect("a share")],
            ..Overrides::default()
        })
        .expect("a configuration");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let service = runtime.block_on(Service::start(config)).expect("a server");
        Self {
            address: service.addresses()[0],
            service: Some((runtime, service)),
            _folder: folder,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A session of alice, which lasts as long as what this returns.
    pub fn alice(&self) -> netsession::blocking::Server {
        let address = self.address;
        let target = netsession::Target::new(&address.ip().to_string(), address.port());
        let credentials = netsession::Credentials::new("", "alice", "Al1ce.Pw");
        netsession::blocking::Server::connect(
            &target.expect("a target"),
            &credentials,
            &netsession::Options::default(),
        )
        .expect("a session")
    }
}

impl Drop for ExampleServer {
    fn drop(&mut self) {
        if let Some((runtime, service)) = self.service.take() {
            runtime.block_on(service.stop());
        }
    }
}
