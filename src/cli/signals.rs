//! Ctrl-C and SIGTERM: the first cancels and cleans up, the second stops at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::problem::Problem;

/// What the person asked for meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// Stop and undo.
    pub cancel: CancellationToken,
    /// Stop at once.
    pub abandon: CancellationToken,
}

/// Listens from now on.
pub fn listen() -> Result<Signals, Problem> {
    let signals = Signals::default();
    let mut streams = Streams::new()?;
    let told = signals.clone();
    tokio::spawn(async move {
        streams.next().await;
        told.cancel.cancel();
        streams.next().await;
        told.abandon.cancel();
    });
    Ok(signals)
}

struct Streams {
    interrupt: Signal,
    terminate: Signal,
}

impl Streams {
    fn new() -> Result<Self, Problem> {
        let open = |kind| {
            signal(kind).map_err(|error| Problem::unable("signals cannot be listened to").because(error))
        };
        Ok(Self { interrupt: open(SignalKind::interrupt())?, terminate: open(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
