//! The bytes of an ECHO over bare TCP connections: what the kernel allows.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::arguments::Rate;
use crate::requests::{BATCH, told};
use crate::{Error, Result};

/// A length prefix, a header and the body of ECHO: as many there as back.
const FRAME: usize = 4 + 64 + 4;

/// `bare-echo`: a thread for each connection at either end.
pub(crate) fn run(arguments: &Rate) -> Result<Value> {
    let lasting = Duration::from_secs_f64(arguments.seconds);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let rates = std::thread::scope(|scope| {
        let mut clients = Vec::new();
        for _ in 0..arguments.connections {
            let stream = TcpStream::connect(address)?;
            let (other, _) = listener.accept()?;
            scope.spawn(move || echo(other));
            clients.push(scope.spawn(move || ask(stream, lasting)));
        }
        let rates = clients.into_iter().map(|client| {
            let panicked = |_| Err(Error::Unexpected("a thread panicked".to_owned()));
            client.join().unwrap_or_else(panicked)
        });
        rates.collect::<Result<Vec<f64>>>()
    })?;
    Ok(told(&rates))
}

/// Ends with the connection.
fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut frame = [0; FRAME];
    loop {
        stream.read_exact(&mut frame)?;
        stream.write_all(&frame)?;
    }
}

fn ask(mut stream: TcpStream, lasting: Duration) -> Result<f64> {
    stream.set_nodelay(true)?;
    let mut frame = [0; FRAME];
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < lasting {
        for _ in 0..BATCH {
            stream.write_all(&frame)?;
            stream.read_exact(&mut frame)?;
        }
        count += BATCH;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
