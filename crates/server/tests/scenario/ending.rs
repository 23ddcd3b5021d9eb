//! Pipes whose services end sessions.

use super::*;

/// Ends the caller's own session, after the answer.
pub struct Ender {
    pub broken: Arc<AtomicBool>,
}

struct EnderPipe {
    caller: Caller,
    answer: Option<Vec<u8>>,
    close: Vec<Ending>,
    broken: Arc<AtomicBool>,
}

impl PipeService for Ender {
    fn open(&self, caller: Caller) -> Result<Box<dyn Pipe>, NtStatus> {
        let broken = self.broken.clone();
        Ok(Box::new(EnderPipe {
            caller,
            answer: None,
            close: Vec::new(),
            broken,
        }))
    }
}

impl Drop for EnderPipe {
    fn drop(&mut self) {
        self.broken.store(true, Ordering::SeqCst);
    }
}

impl Pipe for EnderPipe {
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus> {
        self.answer = Some(message.to_ascii_uppercase());
        if message == b"end me" {
            self.close.push(Ending {
                session: self.caller.session,
                reason: Reason::Administrator(administrator()),
            });
        }
        Ok(())
    }

    fn read(&mut self, max: usize) -> PipeRead {
        let Some(mut answer) = self.answer.take() else {
            return PipeRead::Empty;
        };
        let rest = answer.split_off(max.min(answer.len()));
        let more = !rest.is_empty();
        if more {
            self.answer = Some(rest);
        }
        PipeRead::Data {
            bytes: answer,
            more,
        }
    }

    fn available(&self) -> usize {
        self.answer.as_ref().map_or(0, Vec::len)
    }

    fn take_close_after_reply(&mut self) -> Vec<Ending> {
        std::mem::take(&mut self.close)
    }
}

#[tokio::test]
async fn the_callers_own_session_ends_after_the_reply() {
    let scene = Scene::new(|_| {});
    let broken = Arc::new(AtomicBool::new(false));
    scene.server.register_pipe(
        "Ender",
        Arc::new(Ender {
            broken: broken.clone(),
        }),
    );
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let ipc = alice.tree_connect("test", "IPC$").await.unwrap();
    let pipe = ipc.create("ender", &Create::pipe()).await.unwrap();
    assert_eq!(scene.row(&alice).unwrap().num_opens, 1, "pipes count");
    assert_eq!(
        scene
            .application()
            .opens(SessionFilter::default(), 0, 10)
            .rows[0]
            .path_name,
        r"\PIPE\ender"
    );

    // In two reads: the session lives until the answer is complete.
    pipe.write(0, b"end me").await.unwrap();
    let part = pipe.read(0, 3).await.unwrap();
    assert_eq!((&*part, part.status()), (&b"END"[..], NtStatus::SUCCESS));
    assert_eq!(scene.rows().len(), 1);
    assert_eq!(&*pipe.read(0, 10).await.unwrap(), b" ME");
    assert_eq!(status(alice.echo().await), NtStatus::USER_SESSION_DELETED);
    assert!(scene.rows().is_empty());
    assert!(
        broken.load(Ordering::SeqCst),
        "the pipe is gone with its session"
    );
}

#[tokio::test]
async fn a_waiting_pipe_read_is_answered_when_its_session_ends() {
    let scene = Scene::new(|_| {});
    scene.server.register_pipe(
        "ender",
        Arc::new(Ender {
            broken: Arc::default(),
        }),
    );
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let ipc = alice.tree_connect("test", "IPC$").await.unwrap();
    let pipe = ipc.create("ender", &Create::pipe()).await.unwrap();
    let result = Arc::new(Mutex::new(None));
    let reading = {
        let result = result.clone();
        tokio::spawn(async move {
            let read = pipe.read(0, 10).await.map(|data| data.to_vec());
            *result.lock().unwrap() = Some(status(read));
        })
    };
    // The interim answer has come when the server has counted the read as a request.
    scene.clock.advance(Duration::from_secs(1));
    while scene.row(&alice).unwrap().idle > Duration::ZERO {
        tokio::task::yield_now().await;
    }
    scene
        .application()
        .close_session(SessionGlobalId(alice.id()), Reason::AccountChanged);
    reading.await.unwrap();
    assert_eq!(*result.lock().unwrap(), Some(NtStatus::CANCELLED));
}

/// Closes the session that its client names, at once.
struct Closer;

struct CloserPipe(Caller);

impl PipeService for Closer {
    fn open(&self, caller: Caller) -> Result<Box<dyn Pipe>, NtStatus> {
        Ok(Box::new(CloserPipe(caller)))
    }
}

impl Pipe for CloserPipe {
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus> {
        let id = message
            .try_into()
            .map_err(|_| NtStatus::INVALID_PARAMETER)?;
        // Both callers are in here before either goes on.
        std::thread::sleep(Duration::from_millis(50));
        end(&*self.0.application, u64::from_le_bytes(id));
        Ok(())
    }

    fn read(&mut self, _max: usize) -> PipeRead {
        PipeRead::Empty
    }

    fn available(&self) -> usize {
        0
    }

    fn take_close_after_reply(&mut self) -> Vec<Ending> {
        Vec::new()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_callers_may_end_each_other() {
    let scene = Scene::new(|_| {});
    scene.server.register_pipe("closer", Arc::new(Closer));
    let mut pipes = Vec::new();
    let mut ids = Vec::new();
    for client in [ALICE, BOB] {
        let connection = scene.connect(client).await;
        let session = logon(&connection, "alice").await;
        ids.push(session.id());
        let ipc = session.tree_connect("test", "IPC$").await.unwrap();
        pipes.push(ipc.create("closer", &Create::pipe()).await.unwrap());
    }
    ids.reverse();
    let calls: Vec<_> = pipes
        .into_iter()
        .zip(ids)
        .map(|(pipe, other)| {
            tokio::spawn(async move {
                let _ = pipe.write(0, &other.to_le_bytes()).await;
            })
        })
        .collect();
    for call in calls {
        tokio::time::timeout(LIMIT, call)
            .await
            .expect("no deadlock")
            .unwrap();
    }
    assert!(scene.rows().is_empty());
}
