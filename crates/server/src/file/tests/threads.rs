//! Many threads on few files: nobody waits for ever, and nothing is left behind.

use super::*;

const THREADS: u64 = 4;
const ROUNDS: u64 = 4_000;
const PATHS: [(&str, Option<&str>); 4] = [
    ("a", None),
    ("a", Some("S")),
    ("d/b", None),
    ("d/b", Some("S")),
];

/// xorshift64: enough for a schedule.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 33) as usize
}

fn unlink_all(table: &FileTable, mut unlink: Option<Unlink>) {
    while let Some(Unlink::File(file) | Unlink::Stream(file)) = unlink {
        unlink = table.removed(&file);
    }
}

fn work(table: &FileTable, thread: u64, now: Instant) {
    let mut random = thread + 1;
    let mut held: Vec<(u32, Arc<File>)> = Vec::new();
    let mut effects = Effects::default();
    for round in 0..ROUNDS {
        let number = next(&mut random);
        if !number.is_multiple_of(3) && !held.is_empty() {
            let (open, file) = held.swap_remove(next(&mut random) % held.len());
            match number % 7 {
                0 => table.rename(&file, open, &name(["a", "e", "d/b", "e/c"][number % 4])),
                1 => file.contend(open, now, &mut effects),
                2 => {
                    let _ = file.acknowledge_oplock(open, 1, now, &mut effects);
                }
                3 => file.set_delete_pending(number.is_multiple_of(2)),
                _ => drop(table.name_of(&file, open)),
            }
            unlink_all(table, table.close(&file, open, now, &mut effects).unlink);
            continue;
        }
        let (path, stream) = PATHS[number % PATHS.len()];
        let open = (thread * ROUNDS + round + 1) as u32;
        let outcome = table.open(
            &OpenRequest {
                identity: &FileIdentity {
                    store: 0,
                    key: FileKey {
                        device: 1,
                        inode: path.len() as u64,
                    },
                    stream: stream.map(Into::into),
                },
                open,
                name: &name(path),
                is_directory: false,
                access: [ALL, READ, ATTRIBUTES][number % 3],
                share_access: SHARE_ALL,
                effect: CreateEffect::Opened,
                delete_on_close: number.is_multiple_of(11),
                caching: match number % 5 {
                    0 => CachingRequest::Oplock(OplockLevel::Batch),
                    1 => CachingRequest::None,
                    key => {
                        CachingRequest::Lease(lease_request((number % 4 * 8 + key) as u8, "RWH"))
                    }
                },
                ticket: Ticket(open.into()),
                again: false,
            },
            now,
            &mut effects,
        );
        match outcome {
            OpenOutcome::Granted { file, .. } => held.push((open, file)),
            OpenOutcome::Wait { file, .. } => file.cancel(Ticket(open.into())),
            OpenOutcome::Refused(_) => {}
        }
        for one in std::mem::take(&mut effects.breaks) {
            if let Break::Lease {
                lease_key,
                new_state,
                ..
            } = one
            {
                // It may have ended meanwhile.
                let _ = table.acknowledge_lease(CLIENT, lease_key, new_state, now, &mut effects);
            }
        }
        table.break_directory_leases(&name("d"), None, now, &mut effects);
        table.any_open_below(&name("d"));
    }
    for (open, file) in held {
        unlink_all(table, table.close(&file, open, now, &mut effects).unlink);
    }
}

#[test]
fn threads_leave_nothing_behind() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (table, now) = (&bench.table, bench.now);
            scope.spawn(move || work(table, thread, now));
        }
    });
    bench.end();
}
