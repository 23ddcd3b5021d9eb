//! Every bound of the server, with its reason.

use std::time::Duration;

/// Bounds on what clients can make the server hold.
#[derive(Clone, Debug)]
pub struct Limits {
    /// TCP connections at once: below the usual descriptor limit of 20,000 with room for files.
    pub connections: usize,
    /// Sessions on one connection, half-done logons included: terminal servers reach hundreds.
    pub sessions_per_connection: usize,
    /// Tree connects of one session: a client uses one per share it mounts.
    pub tree_connects_per_session: usize,
    /// Opens of one session: Windows' default of 16,384.
    pub opens_per_session: usize,
    /// Credits outstanding on one connection: as many as Windows and Samba grant. A credit
    /// costs nothing until it is used, and [`Limits::pending_requests`] bounds what waits.
    pub credits: u32,
    /// Largest READ, WRITE and transaction from dialect 2.1 on, in bytes.
    pub max_transact: u32,
    /// Requests that wait (pipe reads) on one connection; each holds a few hundred bytes.
    pub pending_requests: usize,
    /// Messages in one compound: clients send up to about ten.
    pub compound_messages: usize,
    /// A connection without a session is dropped after this long ([MS-SMB2] note <442>).
    pub handshake: Duration,
    /// A client that takes nothing of its answers for this long is dropped; so is one that
    /// sends nothing of a frame it has begun, or has no memory for it. A request that finds no
    /// memory for its answer for so long is refused.
    pub write: Duration,
    /// Memory that clients may take of the server together, in bytes, from 96 to 768 MiB;
    /// `None` for a quarter of the machine's within those bounds.
    pub memory: Option<u32>,
    /// A session must authenticate again after this long; `None` for never (NTLM has no
    /// expiry of its own).
    pub session_lifetime: Option<Duration>,
    /// Descriptors that the process may have open; `None` for what the system says. What
    /// peers may hold of them is a part of this.
    pub descriptors: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 16_000,
            sessions_per_connection: 1_024,
            tree_connects_per_session: 1_024,
            opens_per_session: 16_384,
            credits: 8_192,
            max_transact: 8 * 1024 * 1024,
            pending_requests: 256,
            compound_messages: 64,
            handshake: Duration::from_secs(45),
            write: Duration::from_secs(60),
            memory: None,
            session_lifetime: None,
            descriptors: None,
        }
    }
}

/// Largest READ, WRITE and transaction of dialect 2.0.2, which has no multi-credit requests.
pub const MAX_TRANSACT_2_0_2: u32 = 65_536;

/// Room in a frame beside the largest payload: headers, names, contexts and a compound's
/// further messages.
pub const FRAME_OVERHEAD: usize = 65_536;

/// Largest frame before NEGOTIATE has succeeded: nothing longer is legitimate.
pub const FRAME_BEFORE_NEGOTIATE: usize = 65_536;

/// Largest frame before the connection's first session: NEGOTIATE or SESSION_SETUP, whose
/// token has a 16-bit length. Who has not logged on makes the server hold no more.
pub const FRAME_BEFORE_SESSION: usize = 2 * 65_536;

/// Largest answer to one frame: its length prefix has 24 bits.
pub const ANSWER: usize = (1 << 24) - 1;

/// What a compound's answer takes beside the data asked for: headers, bodies, padding.
pub const ANSWER_OVERHEAD: usize = 65_536;

/// Who has reached the limit of memory tries again after this long: 20 times a second costs
/// nothing, and is soon enough for somebody who waits for his own answers to be taken.
pub const MEMORY_RETRY: Duration = Duration::from_millis(50);

/// An answer with less data is not charged: a connection holds few of them, because while
/// they are not taken no further request of that connection is read.
pub const ANSWER_WITHOUT_CHARGE: u32 = 16 * 1024;

/// A client whose last session has been ended by somebody else may take this long for what is
/// still on its way to it.
pub const LAST_WORDS: Duration = Duration::from_secs(5);
