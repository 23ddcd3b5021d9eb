//! What clients and a server say to each other, written down for Wireshark: a relay in front of
//! the server that puts each byte it passes on into a file in pcap's format.
//!
//! It needs no privilege, as a capture on the loopback device would, and misses nothing.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::net::{AddressFamily, SocketType};

/// The server's port in the recording, whatever it has really: by it Wireshark knows SMB.
pub const SMB_PORT: u16 = 445;

/// A relay; it takes no new connections once it is dropped.
pub struct Recording {
    address: SocketAddr,
    book: Arc<Book>,
}

/// What all its connections share.
struct Book {
    file: Mutex<BufWriter<File>>,
    ended: AtomicBool,
}

impl Recording {
    /// Records what passes between its own address and `server` into `file`.
    pub fn start(server: SocketAddr, file: &Path) -> Self {
        let file = File::create(file).expect("a file for the recording");
        let mut file = BufWriter::new(file);
        file.write_all(&file_header()).expect("its first bytes");
        let book = Arc::new(Book {
            file: Mutex::new(file),
            ended: AtomicBool::new(false),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::clone(&book);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                // A client whose server has gone sees its connection end.
                let _ = relay(&shared, client, server);
            }
        });
        Recording { address, book }
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that has passed so far is in the file afterwards.
    pub fn flush(&self) {
        let mut file = self
            .book
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        file.flush().expect("the recording is written");
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.book.ended.store(true, Ordering::Relaxed);
        // It waits for a connection, and ends at the next.
        let _ = TcpStream::connect(self.address);
        self.flush();
    }
}

/// One connection as it is written down.
struct Conversation {
    book: Arc<Book>,
    client_port: u16,
    /// The next sequence numbers: the client's, the server's.
    next: Mutex<[u32; 2]>,
}

/// Who sends.
#[derive(Clone, Copy)]
enum Side {
    Client,
    Server,
}

fn relay(book: &Arc<Book>, client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let peer = client.peer_addr()?;
    let server = connect_from(peer, server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let conversation = Arc::new(Conversation {
        book: Arc::clone(book),
        client_port: peer.port(),
        next: Mutex::new([0, 0]),
    });
    conversation.segment(Side::Client, SYN, &[]);
    conversation.segment(Side::Server, SYN | ACK, &[]);
    conversation.segment(Side::Client, ACK, &[]);
    let (from_client, to_client) = (client.try_clone()?, client);
    let (from_server, to_server) = (server.try_clone()?, server);
    let other = Arc::clone(&conversation);
    thread::spawn(move || pass(&conversation, Side::Client, from_client, &to_server));
    thread::spawn(move || pass(&other, Side::Server, from_server, &to_client));
    Ok(())
}

/// A connection from the client's own address, by which the server tells clients apart.
fn connect_from(client: SocketAddr, server: SocketAddr) -> io::Result<TcpStream> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddr::new(client.ip(), 0))?;
    rustix::net::connect(&socket, &server)?;
    Ok(TcpStream::from(socket))
}

/// Passes bytes on until their sender ends, each written down before the receiver has it.
fn pass(conversation: &Conversation, side: Side, mut from: TcpStream, mut to: &TcpStream) {
    let mut bytes = vec![0; 256 << 10];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        let bytes = bytes.get(..length).unwrap_or_default();
        for part in bytes.chunks(LARGEST_SEGMENT) {
            conversation.segment(side, ACK | PSH, part);
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    conversation.segment(side, ACK | FIN, &[]);
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// Bytes of the headers of IPv4 and of TCP, without options.
const HEADERS: usize = 20 + 20;
/// The length of a packet is a 16-bit number.
const LARGEST_SEGMENT: usize = 0xFFFF - HEADERS;

impl Conversation {
    fn segment(&self, side: Side, flags: u8, data: &[u8]) {
        let (client, server) = (self.client_port, SMB_PORT);
        let (mine, theirs, from, to) = match side {
            Side::Client => (0, 1, client, server),
            Side::Server => (1, 0, server, client),
        };
        // Held until it is written: acknowledgments agree with what stands before them.
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let record = record([from, to], [next[mine], next[theirs]], flags, data);
        let counted = u32::from(flags & (SYN | FIN) != 0);
        let length = u32::try_from(data.len()).unwrap_or_default();
        next[mine] = next[mine].wrapping_add(length + counted);
        let mut file = self
            .book
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        file.write_all(&record).expect("the recording is written");
    }
}

/// An IPv4 packet with a TCP segment, as pcap keeps it: the time, its length twice, its bytes.
/// Checksums are 0, as if the network card computed them.
fn record(ports: [u16; 2], sequence: [u32; 2], flags: u8, data: &[u8]) -> Vec<u8> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = u32::try_from(now.as_secs()).unwrap_or_default();
    let length = u16::try_from(HEADERS + data.len()).expect("not longer than the largest segment");
    let mut record = Vec::with_capacity(16 + HEADERS + data.len());
    for number in [
        seconds,
        now.subsec_micros(),
        length.into(),
        u32::from(length),
    ] {
        record.extend(number.to_le_bytes());
    }
    record.extend([0x45, 0]);
    record.extend(length.to_be_bytes());
    // Not to be fragmented; 64 hops; TCP.
    record.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    record.extend(Ipv4Addr::LOCALHOST.octets());
    record.extend(Ipv4Addr::LOCALHOST.octets());
    record.extend(ports.into_iter().flat_map(u16::to_be_bytes));
    record.extend(sequence.into_iter().flat_map(u32::to_be_bytes));
    // Five words of header; a window of 65,535.
    record.extend([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    record.extend(data);
    record
}

/// pcap's first bytes: little-endian, microseconds, packets that begin with an IP header.
fn file_header() -> Vec<u8> {
    const LINKTYPE_RAW: u32 = 101;
    let mut header = Vec::with_capacity(24);
    header.extend(0xA1B2_C3D4_u32.to_le_bytes());
    header.extend(2_u16.to_le_bytes());
    header.extend(4_u16.to_le_bytes());
    header.extend([0; 8]);
    header.extend(0x4_0000_u32.to_le_bytes());
    header.extend(LINKTYPE_RAW.to_le_bytes());
    header
}
