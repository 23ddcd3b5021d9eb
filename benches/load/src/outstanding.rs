//! Several requests under way on one connection, and messages that nobody has asked for:
//! sent and received one by one.

use std::time::{Duration, Instant};

use netsession::smb_client::{Session, TreeConnect};
use smb::NtStatus;
use smb::wire::{Command, EchoRequest, Header};

use crate::requests::BATCH;
use crate::{Error, Result};

/// A session and a share on it, whose messages the caller sends and receives himself.
pub(crate) struct Line<'a> {
    pub(crate) session: &'a Session,
    pub(crate) tree: &'a TreeConnect,
}

impl Line<'_> {
    /// Sends a request; gives its MessageId.
    pub(crate) async fn send(
        &self,
        command: Command,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<u64> {
        let message = self.session.message(command, self.tree.id(), body).await?;
        self.session.connection().send(&message).await?;
        Ok(Header::read(&message)?.message_id)
    }

    /// The next message of the server. A signature that does not fit is an error; interim
    /// responses and breaks have none.
    pub(crate) async fn receive(&self) -> Result<(Header, Vec<u8>)> {
        let message = self.session.connection().receive().await?;
        let header = Header::read(&message)?;
        let unsigned = header.status == NtStatus::PENDING || header.message_id == u64::MAX;
        if !unsigned && !self.session.verify(&message) {
            return Err(Error::Unexpected("a response is not signed".to_owned()));
        }
        Ok((header, message))
    }

    /// The next message, which must answer this command with success.
    pub(crate) async fn success(&self, command: Command) -> Result<Vec<u8>> {
        let (header, message) = self.receive().await?;
        if header.command != command || header.status != NtStatus::SUCCESS {
            return Err(Error::Unexpected(format!(
                "{} {} where {command} was to succeed",
                header.command, header.status
            )));
        }
        Ok(message)
    }

    /// ECHO requests per second, this many under way all the time.
    pub(crate) async fn echo_rate(&self, outstanding: u32, lasting: Duration) -> Result<f64> {
        if self.session.connection().credits().await < outstanding {
            return Err(Error::Unexpected(format!(
                "the server has granted fewer than {outstanding} credits"
            )));
        }
        let echo = |out: &mut Vec<u8>| EchoRequest.write(out);
        for _ in 0..outstanding {
            self.send(Command::ECHO, echo).await?;
        }
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < lasting {
            for _ in 0..BATCH {
                self.success(Command::ECHO).await?;
                self.send(Command::ECHO, echo).await?;
            }
            count += BATCH;
        }
        let rate = f64::from(count) / start.elapsed().as_secs_f64();
        for _ in 0..outstanding {
            self.success(Command::ECHO).await?;
        }
        Ok(rate)
    }
}
