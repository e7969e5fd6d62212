//! Logs to standard error, without tearing the progress that may be drawn there.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::MultiProgress;
use tempest_operator::telemetry::json_lines;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use super::problem::Problem;

/// Where logs go.
#[derive(Clone, Default)]
pub struct LogOutput {
    screen: Arc<Mutex<Option<MultiProgress>>>,
}

impl LogOutput {
    /// From now on progress is drawn on `screen`, or no longer.
    pub fn share(&self, screen: Option<MultiProgress>) {
        *self.screen.lock().unwrap_or_else(PoisonError::into_inner) = screen;
    }
}

impl Write for LogOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match screen {
            Some(screen) => screen.suspend(|| io::stderr().write_all(bytes))?,
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'writer> MakeWriter<'writer> for LogOutput {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}

/// Starts logging by `filter` (else `default`), as lines for people or as JSON.
pub fn start(filter: Option<&str>, default: &str, json: bool) -> Result<LogOutput, Problem> {
    let filter = EnvFilter::try_new(filter.unwrap_or(default)).map_err(|error| {
        Problem::input(format!("'{}' is no log filter", filter.unwrap_or(default)))
            .because(error)
            .next("give --log (or RUST_LOG) a level such as 'info', or 'tempest_operator=debug'")
    })?;
    let output = LogOutput::default();
    let lines = if json {
        json_lines(output.clone()).boxed()
    } else {
        fmt::layer().with_ansi(false).with_writer(output.clone()).boxed()
    };
    let layers = vec![lines.with_filter(filter).boxed()];
    #[cfg(feature = "otel")]
    let layers = super::traces::added_to(layers)?;
    let started = registry().with(layers).try_init();
    started.map_err(|error| Problem::unable("logging cannot be started").because(error))?;
    Ok(output)
}
