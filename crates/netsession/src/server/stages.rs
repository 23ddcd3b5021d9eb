//! The stages of a connection over SMB, one after the other or one by one.

use tokio::time::Instant;

use super::{Server, Smb};
use crate::pipe::Pipe;
use crate::smb_client::{Connection, Negotiation, Session, Transport};
use crate::{Credentials, Encryption, Error, Options, Target};

impl Server {
    /// NEGOTIATE. From here on the logon's time limit runs.
    pub(crate) async fn negotiate(
        mut transport: Transport,
        target: &Target,
        options: &Options,
    ) -> Result<Connection, Error> {
        let failed = |error| Error::smb(format!("connecting to {target}"), error);
        // The deadline rules; the limit of each exchange must not be tighter.
        transport.set_time_limit(options.logon_timeout.max(options.call_timeout));
        transport.set_deadline(Some(Instant::now() + options.logon_timeout));
        let mut negotiation = Negotiation::new(target.host()).map_err(failed)?;
        negotiation.dialects.clone_from(&options.dialects);
        Connection::negotiate(transport, &negotiation)
            .await
            .map_err(failed)
    }

    /// SESSION_SETUP, and encryption if it is wanted.
    pub(crate) async fn log_on(
        connection: &Connection,
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Session, Error> {
        let failed = |error| Error::smb(format!("logging on to {target} as {credentials}"), error);
        let session = Session::logon(connection, credentials, target.host())
            .await
            .map_err(failed)?;
        if options.encryption == Encryption::Required {
            session.require_encryption().map_err(failed)?;
        }
        Ok(session)
    }

    /// TREE_CONNECT, CREATE and the bind.
    pub(crate) async fn open_pipe(
        session: Session,
        target: &Target,
        credentials: &Credentials,
        options: &Options,
    ) -> Result<Self, Error> {
        let tried = || format!("opening the srvsvc pipe of {target}");
        let unc = target.unc();
        let tree = session
            .tree_connect(unc.trim_start_matches('\\'), "IPC$")
            .await
            .map_err(|error| Error::smb(tried(), error))?;
        let pipe = Pipe::open(&tree, &options.transfer_syntaxes)
            .await
            .map_err(|error| error.into_error(tried()))?;
        Ok(Self {
            target: target.clone(),
            user: credentials.user().to_owned(),
            options: options.clone(),
            smb: Some(Smb {
                connection: session.connection().clone(),
                session,
                tree,
            }),
            pipe,
        })
    }
}
