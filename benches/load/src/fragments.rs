//! NetrSessionEnum as most clients ask for it: small fragments, a pipe read as a stream.

use std::time::Instant;

use netsession::smb_client::{Create, Open};
use rpc::Syntax;
use rpc::association::client::{Association, Event, Limits};
use serde_json::{Value, json};
use srvsvc::opnum;

use crate::arguments::Enum;
use crate::client::runtime;
use crate::enumeration::{LONGEST, WARM_UP, everything, rows_are};
use crate::latency::summary;
use crate::reply::decoded;
use crate::{Dial, Error, Result};

/// What every server takes.
const SYNTAX: Syntax = Syntax::Ndr20;

/// A bound pipe.
struct Pipe {
    open: Open,
    association: Association,
    /// Bytes asked for in one READ.
    read: u32,
    /// READs of the last answer.
    reads: u32,
}

impl Pipe {
    async fn bind(open: Open, fragment: u16, read: u32) -> Result<Self> {
        let association = Association::new(srvsvc::INTERFACE, Limits::default());
        let mut pipe = Self {
            open,
            association: association.with_fragments_of(fragment),
            read,
            reads: 0,
        };
        let bind = pipe.association.bind(&[SYNTAX]);
        match pipe.exchange(&bind).await? {
            Event::Bound(_) => Ok(pipe),
            other => Err(Error::Unexpected(format!("a bind answered by {other:?}"))),
        }
    }

    async fn call(&mut self, opnum: u16, stub: Vec<u8>) -> Result<Vec<u8>> {
        let fragments = self.association.request(opnum, stub).map_err(unexpected)?;
        let [fragment] = &fragments[..] else {
            return Err(Error::Unexpected("a request of several fragments".into()));
        };
        match self.exchange(fragment).await? {
            Event::Response { stub, .. } => Ok(stub),
            other => Err(Error::Unexpected(format!("a call answered by {other:?}"))),
        }
    }

    /// Writes and reads the first fragment in one exchange, and the others with READ.
    async fn exchange(&mut self, message: &[u8]) -> Result<Event> {
        self.reads = 0;
        let (_, mut data) = self.open.transceive(message, self.read).await?;
        loop {
            if let Some(event) = self.association.handle(&data).map_err(unexpected)? {
                return Ok(event);
            }
            data = self.open.read(0, self.read).await?.to_vec();
            self.reads += 1;
        }
    }
}

fn unexpected(error: rpc::association::client::Error) -> Error {
    Error::Unexpected(error.to_string())
}

/// `enum --fragment`: as `enum`, with fragments and reads of these sizes.
pub(crate) fn list(dial: &Dial, arguments: &Enum, fragment: u16) -> Result<Value> {
    runtime()?.block_on(async {
        let connection = dial.own_connection(dial.address().ip()).await?;
        let session = dial.session(&connection, dial.admin()).await?;
        let tree = session
            .tree_connect(&dial.address().ip().to_string(), "IPC$")
            .await?;
        let open = tree.create(srvsvc::PIPE_NAME, &Create::pipe()).await?;
        let mut pipe = Pipe::bind(open, fragment, arguments.read).await?;
        let stub = everything(arguments.level).write(SYNTAX);
        let (mut times, mut bytes) = (Vec::with_capacity(arguments.calls), 0);
        let start = Instant::now();
        for number in 0..WARM_UP + arguments.calls {
            let before = Instant::now();
            let reply = pipe.call(opnum::NETR_SESSION_ENUM, stub.clone()).await?;
            let took = before.elapsed();
            bytes = reply.len();
            rows_are(arguments.rows, decoded(SYNTAX, &reply)?.entries.len())?;
            if number >= WARM_UP {
                times.push(took);
            }
            if start.elapsed() > LONGEST && times.len() >= WARM_UP {
                break;
            }
        }
        let mut measured = summary(times);
        measured["rows"] = json!(arguments.rows);
        measured["bytes"] = json!(bytes);
        measured["reads"] = json!(pipe.reads);
        session.logoff().await?;
        Ok(measured)
    })
}
