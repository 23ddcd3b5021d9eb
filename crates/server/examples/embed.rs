//! The server inside a program of your own: one account, one share, until the time is up.
//!
//! `cargo run -p netsession-server --example embed -- 127.0.0.1:1446 /srv/data alice secret 60`

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use netsession_server::account::{Account, AccountStore, SID_AUTHENTICATED_USERS, SecurityContext};
use netsession_server::share::local::{LocalBackend, LocalOptions};
use netsession_server::{Encryption, Limits, Server, ServerConfig, ShareConfig, SystemClock};

struct OneAccount(Account);

impl AccountStore for OneAccount {
    fn account(&self, _domain: &str, user_name: &str) -> Option<Account> {
        user_name
            .eq_ignore_ascii_case(&self.0.security_context.user_name)
            .then(|| self.0.clone())
    }

    fn anonymous(&self) -> Option<Arc<SecurityContext>> {
        None
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, root, user, password, seconds] = &arguments[..] else {
        return Err("usage: embed ADDRESS:PORT DIRECTORY USER PASSWORD SECONDS".into());
    };
    let account = Account {
        nt_hash: smb::auth::nt_hash(password),
        security_context: Arc::new(SecurityContext {
            user_name: user.as_str().into(),
            domain: "EMBED".into(),
            sid: "S-1-5-21-1-2-3-1000".into(),
            groups: [SID_AUTHENTICATED_USERS.into()].into(),
            is_guest: false,
            is_anonymous: false,
        }),
        refused: None,
    };
    let server = Server::new(ServerConfig {
        name: "EMBED".into(),
        comment: "".into(),
        signing_required: true,
        encryption: Encryption::Enabled,
        min_dialect: 0x0202,
        max_dialect: 0x0311,
        limits: Limits::default(),
        clock: Arc::new(SystemClock),
        accounts: Arc::new(OneAccount(account)),
    })?;
    server.add_share(ShareConfig {
        name: "data".into(),
        remark: String::new(),
        backend: Arc::new(LocalBackend::new(Path::new(root), LocalOptions::default())?),
        read_only: false,
        encrypt_data: false,
        max_uses: None,
    });
    println!("listening on {}", server.listen(address.parse()?).await?);
    tokio::time::sleep(Duration::from_secs(seconds.parse()?)).await;
    server.shutdown().await;
    Ok(())
}
