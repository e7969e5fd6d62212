//! Standard output and standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use super::problem::Problem;

/// Writes a result. A reader that has seen enough (`| head`) is no problem.
pub fn out(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::unable("the result cannot be written to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Writes something besides the result; there is nobody to tell when that fails.
pub fn err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes a file.
pub fn file(path: &Path, text: &str) -> Result<(), Problem> {
    std::fs::write(path, text).map_err(|error| {
        Problem::unable(format!("{} cannot be written", path.display()))
            .because(error)
            .next("name a file in a directory that exists and that you may write to")
    })
}

/// Columns of the terminal that standard output is; [`None`] when it is none.
pub fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    console::Term::stdout().size_checked().map(|(_, columns)| columns)
}

/// Whether progress may be drawn.
pub fn is_live() -> bool {
    io::stderr().is_terminal()
}
