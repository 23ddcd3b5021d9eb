//! Does a server that does not negotiate SMB2 speak SMB1 ([MS-CIFS] 2.2.4.52)?

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::smb_client::Transport;

/// SMB_COM_NEGOTIATE with the one dialect that every SMB1 server knows.
const NEGOTIATE: &[u8] = b"\xFFSMB\x72\
    \0\0\0\0\x18\x01\xC0\0\0\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xFE\xFF\0\0\0\0\
    \0\x0C\0\x02NT LM 0.12\0";

/// Offset of WordCount, after the header.
const WORD_COUNT: usize = 32;

/// Asks on a connection of its own.
pub(super) async fn answers(address: SocketAddr, source: Option<IpAddr>, limit: Duration) -> bool {
    let Ok(mut transport) = Transport::connect_to(&[address], source, limit).await else {
        return false;
    };
    match transport.exchange(NEGOTIATE).await {
        Ok(answer) => has_chosen(&answer),
        Err(_) => false,
    }
}

/// A response to NEGOTIATE that chooses the first dialect, the only one.
fn has_chosen(answer: &[u8]) -> bool {
    answer.starts_with(b"\xFFSMB\x72")
        && answer.get(WORD_COUNT).is_some_and(|words| *words > 0)
        && answer.get(WORD_COUNT + 1..WORD_COUNT + 3) == Some(&[0, 0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_sizes_that_it_states() {
        assert_eq!(NEGOTIATE.len(), WORD_COUNT + 3 + 12);
        assert_eq!(NEGOTIATE[WORD_COUNT..WORD_COUNT + 3], [0, 12, 0]);
    }

    #[test]
    fn what_counts_as_an_answer() {
        let mut answer = [&b"\xFFSMB\x72"[..], &[0; 27], &[17, 0, 0, 3]].concat();
        assert!(has_chosen(&answer));
        for end in 0..WORD_COUNT + 3 {
            assert!(!has_chosen(&answer[..end]), "{end}");
        }
        answer[WORD_COUNT + 1] = 0xFF;
        assert!(!has_chosen(&answer), "no dialect in common");
        assert!(!has_chosen(b"HTTP/1.1 400 Bad Request"));
    }
}
