//! srvsvc ([MS-SRVS] 3.1) on its named pipe: one association and one endpoint per open of
//! the pipe. Answers are ready when a write returns.

mod connection;
mod endpoint;
mod file;
mod page;
mod server_info;
mod session;
mod share;

use rpc::association::server::{Association, Call, Limits};
use server::application::Ending;
use server::pipe::{Caller, Pipe, PipeRead, PipeService};
use smb::NtStatus;

pub(crate) use endpoint::Endpoint;

/// Offers srvsvc; register it as [`srvsvc::PIPE_NAME`].
#[derive(Clone, Debug, Default)]
pub struct SrvsvcService;

pub(crate) static INTERFACES: [rpc::Interface; 1] = [srvsvc::INTERFACE];

/// Bytes of one request's stub: a few names of at most 1,024 characters each, and rows that a
/// client sends along.
pub(crate) const MAX_REQUEST_STUB: usize = 128 * 1024;

impl PipeService for SrvsvcService {
    /// Refuses null sessions: [MS-SRVS] note <38>.
    fn open(&self, caller: Caller) -> Result<Box<dyn Pipe>, NtStatus> {
        if caller.security_context.is_anonymous {
            return Err(NtStatus::ACCESS_DENIED);
        }
        Ok(Box::new(SrvsvcPipe::new(Endpoint {
            session: Some(caller.session),
            security_context: caller.security_context,
            client_name: caller.client_name,
            administration: caller.application,
            close_after_reply: Vec::new(),
        })))
    }
}

/// One open of the pipe.
struct SrvsvcPipe {
    association: Association,
    endpoint: Endpoint,
    /// The fragment being read: one message of the pipe.
    fragment: Vec<u8>,
    /// How much of it has been read.
    position: usize,
    /// The client broke the protocol; what was answered before can still be read.
    broken: bool,
}

impl SrvsvcPipe {
    fn new(endpoint: Endpoint) -> Self {
        let limits = Limits {
            max_request_stub: MAX_REQUEST_STUB,
            ..Limits::default()
        };
        let association = Association::new(&INTERFACES, srvsvc::SECONDARY_ADDRESS, limits);
        Self {
            association,
            endpoint,
            fragment: Vec::new(),
            position: 0,
            broken: false,
        }
    }

    fn handle_message(&mut self, message: &[u8]) -> Result<(), rpc::association::server::Error> {
        let mut next = self.association.handle_message(message)?;
        while let Some(call) = next {
            self.answer(&call);
            next = self.association.next_call()?;
        }
        Ok(())
    }

    fn answer(&mut self, call: &Call) {
        match self.endpoint.call(call.opnum, call.syntax, &call.stub) {
            Ok(stub) => self.association.reply(call, stub),
            Err(status) => self.association.fault(call, status),
        }
    }
}

impl Pipe for SrvsvcPipe {
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus> {
        if self.broken {
            return Err(NtStatus::PIPE_BROKEN);
        }
        if let Err(error) = self.handle_message(message) {
            tracing::debug!(client = %self.endpoint.client_name, %error, "srvsvc pipe dropped");
            self.broken = true;
        }
        Ok(())
    }

    fn read(&mut self, max: usize) -> PipeRead {
        if self.position == self.fragment.len() {
            self.position = 0;
            match self.association.poll_output() {
                Some(fragment) => self.fragment = fragment,
                None => {
                    // An idle pipe keeps no buffer.
                    self.fragment = Vec::new();
                    return if self.broken {
                        PipeRead::Broken
                    } else {
                        PipeRead::Empty
                    };
                }
            }
        }
        if self.position == 0 && self.fragment.len() <= max {
            return PipeRead::Data {
                bytes: std::mem::take(&mut self.fragment),
                more: false,
            };
        }
        let rest = &self.fragment[self.position..];
        let bytes = rest[..rest.len().min(max)].to_vec();
        self.position += bytes.len();
        PipeRead::Data {
            bytes,
            more: self.position < self.fragment.len(),
        }
    }

    fn available(&self) -> usize {
        self.fragment.len() - self.position + self.association.output_len()
    }

    fn held(&self) -> usize {
        self.fragment.capacity() + self.association.held()
    }

    fn take_close_after_reply(&mut self) -> Vec<Ending> {
        std::mem::take(&mut self.endpoint.close_after_reply)
    }
}

#[cfg(test)]
mod tests;
