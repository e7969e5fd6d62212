//! Following a run while it is played.

use super::RunReport;
use crate::runner::event::Event;

/// Shows what happens; it never fails and never holds the run up.
pub trait Progress: Send {
    /// Shows an event; `report` has it folded in already.
    fn event(&mut self, event: &Event, report: &RunReport);

    /// Shows a word to the person besides the events, such as that the run is being cancelled.
    fn say(&mut self, text: &str);

    /// Ends the show; nothing of it stays on the screen but what was said for good.
    fn end(&mut self);
}

/// Shows nothing.
pub struct Silent;

impl Progress for Silent {
    fn event(&mut self, _event: &Event, _report: &RunReport) {}
    fn say(&mut self, _text: &str) {}
    fn end(&mut self) {}
}
