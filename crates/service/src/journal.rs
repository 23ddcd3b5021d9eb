//! What administrators have ended, in the log.

use std::sync::{Mutex, PoisonError};

use server::application::{
    Application, CloseReason, Event, EventKind, Interest, Notice, Reason, Subscription,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Writes the log in a task of its own, so that nobody who ends a session waits for it.
pub(crate) struct Journal {
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    pub(crate) fn start(application: &dyn Application) -> Self {
        let subscription = application.subscribe(Interest::ADMINISTRATION);
        let (stop, stopped) = watch::channel(false);
        Self {
            stop,
            task: Mutex::new(Some(tokio::spawn(write(subscription, stopped)))),
        }
    }

    /// Returns when everything that was told so far has been written.
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(true);
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            // It only fails if it panicked.
            let _ = task.await;
        }
    }
}

async fn write(mut subscription: Subscription, mut stop: watch::Receiver<bool>) {
    loop {
        let notice = tokio::select! {
            biased;
            notice = subscription.next() => notice,
            // A service that was dropped goes on, and its log with it.
            Ok(_) = stop.wait_for(|stop| *stop) => None,
        };
        match notice {
            Some(Notice::Event(event)) => tell(&event),
            Some(Notice::Lost(lost)) => tracing::warn!(
                lost,
                "administrators ended more sessions and files than the log could take"
            ),
            None => return,
        }
    }
}

fn tell(event: &Event) {
    match &event.kind {
        EventKind::SessionEnded(row, Reason::Administrator(by)) => tracing::info!(
            by = %by.user_name,
            from = %by.client_name,
            session = row.id.0,
            user = %row.user_name,
            client = %row.client_name,
            "session ended by NetrSessionDel"
        ),
        EventKind::Closed(row, CloseReason::Administrator(by)) => tracing::info!(
            by = %by.user_name,
            from = %by.client_name,
            file = row.id,
            path = ?row.path_name,
            user = %row.user_name,
            client = %row.client_name,
            "file closed by NetrFileClose"
        ),
        _ => {}
    }
}
