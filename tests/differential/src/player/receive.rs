//! What comes from the server, sorted: answers by MessageId, interim answers, breaks.

use smb::wire::{CreateResponse, LeaseBreakNotification, oplock_level};

use super::*;
use crate::answer;
use crate::request::lease_number;
use crate::step::{lease, oplock};

/// MessageId of what answers no request ([MS-SMB2] 2.2.1.2).
const UNSOLICITED: u64 = u64::MAX;

/// Flags of a lease break notification: an acknowledgment is required ([MS-SMB2] 2.2.23.2).
const ACK_REQUIRED: u32 = 1;

impl Player {
    /// Takes in a frame.
    pub(super) fn handle(&mut self, connection: usize, frame: Result<Vec<u8>, Error>) {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                self.lost(connection, &error);
                return;
            }
        };
        for message in compound::split(&frame) {
            match message {
                Ok((header, message)) => self.message(connection, &header, message),
                Err(error) => self
                    .lines
                    .push(format!("connection {connection}: malformed, {error}")),
            }
        }
    }

    fn message(&mut self, connection: usize, header: &Header, message: &[u8]) {
        if header.message_id == UNSOLICITED {
            self.unsolicited(connection, message);
            return;
        }
        if let Some(place) =
            (self.echoes.iter()).position(|echo| *echo == (connection, header.message_id))
        {
            self.echoes.remove(place);
            return;
        }
        let place = self.outstanding.iter().position(|request| {
            request.message_id == header.message_id
                && self.clients[request.client].connection == connection
        });
        let Some(place) = place else {
            let line = format!("{} {} for nobody", header.command, header.status);
            self.lines.push(format!("connection {connection}: {line}"));
            return;
        };
        if header.status == NtStatus::PENDING && header.flags.contains(HeaderFlags::ASYNC) {
            self.outstanding[place].async_id = Some(header.async_id);
            return;
        }
        let request = self.outstanding.remove(place);
        self.answered(&request, header, message);
    }

    fn answered(&mut self, request: &Outstanding, header: &Header, message: &[u8]) {
        let name = name(request);
        self.lines.push(format!("{name}: {}", header.status));
        if !self.clients[request.client].session.verify(message) {
            self.lines.push(format!("{name}: not signed"));
        }
        let has_body = [
            NtStatus::SUCCESS,
            NtStatus::BUFFER_OVERFLOW,
            NtStatus::NOTIFY_ENUM_DIR,
        ]
        .contains(&header.status);
        if has_body {
            let lines = answer::lines(&request.action, message, &self.root);
            self.lines
                .extend(lines.into_iter().map(|line| format!("{name}: {line}")));
            self.take_effect(request, message);
        }
    }

    /// Opens that begin or end, and breaks that are acknowledged or need it no more.
    fn take_effect(&mut self, request: &Outstanding, message: &[u8]) {
        match &request.action {
            Action::Create(create) => {
                if let Ok(answer) = CreateResponse::read(message) {
                    let opened = Opened {
                        file_id: answer.file_id,
                        client: request.client,
                        create: create.clone(),
                        is_directory: answer.file.file_attributes & 0x10 != 0,
                        level: answer.oplock_level,
                        path: create.path.clone(),
                        has_locked: false,
                        is_renamed: false,
                        is_closed: false,
                    };
                    self.opens.insert(request.step, opened);
                }
            }
            Action::On {
                open,
                operation: Operation::Close { .. },
            } => {
                // In a compound it is the open of the step itself.
                let open = if *open == 0 { request.step } else { *open };
                self.closed(open);
            }
            Action::On {
                open,
                operation: Operation::Set(Set::Rename { to, .. }),
            } => {
                let open = if *open == 0 { request.step } else { *open };
                let old = self.opens.get(&open).map(|opened| opened.path.clone());
                if old.as_ref().is_some_and(|old| self.linked.contains(old)) {
                    self.linked.insert(to.clone());
                }
                for opened in self.opens.values_mut() {
                    if Some(&opened.path) == old.as_ref() {
                        opened.path = to.clone();
                        opened.is_renamed = true;
                    }
                }
            }
            Action::On {
                open,
                operation: Operation::Set(Set::Link { to, .. }),
            } => {
                let open = if *open == 0 { request.step } else { *open };
                if let Some(opened) = self.opens.get(&open) {
                    self.linked.extend([opened.path.clone(), to.clone()]);
                }
            }
            Action::On {
                open,
                operation: Operation::Lock { .. },
            } => {
                if let Some(opened) = self.opens.get_mut(open) {
                    opened.has_locked = true;
                }
            }
            Action::AcknowledgeOplock { open, level } => {
                if let Some(opened) = self.opens.get_mut(open) {
                    opened.level = *level;
                }
                self.breaks.retain(
                    |waiting| !matches!(&waiting.of, Broken::Oplock { open: of, .. } if of == open),
                );
            }
            Action::AcknowledgeLease { key, .. } => {
                let connection = self.clients[request.client].connection;
                self.forget_lease(connection, &key.to_string());
            }
            _ => {}
        }
    }

    fn closed(&mut self, open: u32) {
        self.breaks.retain(
            |waiting| !matches!(&waiting.of, Broken::Oplock { open: of, .. } if *of == open),
        );
        let Some(opened) = self.opens.get_mut(&open) else {
            return;
        };
        opened.is_closed = true;
        // The last open of a lease takes its break along.
        let client = opened.client;
        let Caching::Lease { key, .. } = opened.create.caching else {
            return;
        };
        let connection = self.clients[client].connection;
        let holds = |open: &Opened| {
            !open.is_closed
                && self.clients[open.client].connection == connection
                && matches!(open.create.caching, Caching::Lease { key: of, .. } if of == key)
        };
        if !self.opens.values().any(holds) {
            self.forget_lease(connection, &key.to_string());
        }
    }

    fn forget_lease(&mut self, connection: usize, key: &str) {
        self.breaks.retain(|waiting| {
            waiting.connection != connection
                || !matches!(&waiting.of, Broken::Lease { key: of, .. } if of == key)
        });
    }

    fn unsolicited(&mut self, connection: usize, message: &[u8]) {
        let line = match (
            LeaseBreakNotification::read(message),
            OplockBreak::read(message),
        ) {
            (Ok(told), _) => self.lease_broken(connection, &told),
            (_, Ok(told)) => {
                self.broken.push((connection, told));
                return;
            }
            _ => "BREAK malformed".to_owned(),
        };
        self.lines.push(format!("connection {connection}: {line}"));
    }

    fn lease_broken(&mut self, connection: usize, told: &LeaseBreakNotification) -> String {
        let key = lease_number(told.lease_key);
        let line = format!(
            "BREAK lease key {key} {} to {} epoch {} flags {}",
            lease(told.current_lease_state),
            lease(told.new_lease_state),
            told.new_epoch,
            told.flags
        );
        self.forget_lease(connection, &key);
        if told.flags & ACK_REQUIRED != 0 {
            self.breaks.push(Break {
                connection,
                of: Broken::Lease {
                    key,
                    state: told.new_lease_state,
                },
            });
        }
        line
    }

    /// How much has been received that is to be compared.
    pub(super) fn said(&self) -> usize {
        self.lines.len() + self.broken.len()
    }

    /// Notes the oplock breaks, now that the answers that name their opens are there.
    pub(super) fn note_breaks(&mut self) {
        for (connection, told) in std::mem::take(&mut self.broken) {
            let line = self.oplock_broken(connection, &told);
            self.lines.push(format!("connection {connection}: {line}"));
        }
    }

    fn oplock_broken(&mut self, connection: usize, told: &OplockBreak) -> String {
        let level = told.oplock_level;
        let open = (self.opens.iter_mut()).find(|(_, open)| {
            open.file_id == told.file_id && self.clients[open.client].connection == connection
        });
        let Some((&step, opened)) = open else {
            return format!("BREAK oplock of an unknown open to {}", oplock(level));
        };
        let from = opened.level;
        opened.level = level;
        self.breaks
            .retain(|waiting| !matches!(&waiting.of, Broken::Oplock { open, .. } if *open == step));
        if from != oplock_level::SMB2_OPLOCK_LEVEL_II && !opened.is_closed {
            self.breaks.push(Break {
                connection,
                of: Broken::Oplock { open: step, level },
            });
        }
        format!(
            "BREAK oplock of #{step} {} to {}",
            oplock(from),
            oplock(level)
        )
    }
}
