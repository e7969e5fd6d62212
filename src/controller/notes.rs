//! What of a run is worth a Kubernetes Event: pure. The start, each test that failed, leaks and the end; never one a
//! poll, and about tests a bounded number: the status tells them all.

use kube::runtime::events::EventType;

use crate::outcome::{Leak, Reason, TestResult};
use crate::runner::event::{Event, EventKind};

/// Most Events about single tests in one attempt of a run.
const ABOUT_TESTS: usize = 20;

/// What one Event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether something is wrong.
    pub type_: EventType,
    /// In one word, for a machine.
    pub reason: String,
    /// What was being done.
    pub action: &'static str,
    /// For a person.
    pub text: String,
}

impl Note {
    fn new(type_: EventType, reason: &str, action: &'static str, text: String) -> Self {
        Self { type_, reason: reason.to_owned(), action, text }
    }
}

/// Makes the notes of one attempt.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    about_tests: usize,
    went_wrong: usize,
}

impl Notes {
    /// The notes that this event is worth.
    pub fn of(&mut self, event: &Event) -> Vec<Note> {
        match &event.kind {
            EventKind::RunStarted { run } => {
                let text = format!("run {} began", run.run_id);
                vec![Note::new(EventType::Normal, "Started", "Play", text)]
            }
            EventKind::TestFinished { result } => {
                self.went_wrong += usize::from(result.outcome.went_wrong());
                let mut notes = about(result);
                let room = ABOUT_TESTS.saturating_sub(self.about_tests);
                self.about_tests += notes.len();
                notes.truncate(room);
                notes
            }
            EventKind::RunFinished { end } => {
                let mut notes: Vec<Note> = self.left_out().into_iter().collect();
                notes.extend(leaked("the run", &end.leaked));
                notes.push(match &end.fault {
                    Some(fault) => {
                        let text = format!("{}: {}", fault.reason, fault.message);
                        Note::new(EventType::Warning, "Finished", "Play", text)
                    }
                    None => Note::new(EventType::Normal, "Finished", "Play", self.in_all()),
                });
                notes
            }
            _ => Vec::new(),
        }
    }

    fn left_out(&self) -> Option<Note> {
        let more = self.about_tests.checked_sub(ABOUT_TESTS).filter(|more| *more > 0)?;
        let text = format!("{more} more Events about tests are left out; status.tests tells them all");
        Some(Note::new(EventType::Warning, "EventsLeftOut", "Play", text))
    }

    fn in_all(&self) -> String {
        match self.went_wrong {
            0 => "the run ended".to_owned(),
            1 => "the run ended; 1 test did not pass".to_owned(),
            more => format!("the run ended; {more} tests did not pass"),
        }
    }
}

fn about(result: &TestResult) -> Vec<Note> {
    let mut notes = Vec::new();
    if result.outcome.went_wrong() {
        let reason = result.reason.unwrap_or(Reason::ServiceError);
        let message = result.message.as_deref().unwrap_or_default();
        let text = format!("{} {} ({reason}): {message}", result.name, result.outcome);
        notes.push(Note::new(EventType::Warning, &format!("Test{}", result.outcome), "Play", text));
    }
    notes.extend(leaked(&result.name, &result.leaked));
    notes
}

fn leaked(who: &str, leaks: &[Leak]) -> Option<Note> {
    let things: Vec<String> = leaks.iter().map(|leak| format!("{} {}", leak.kind, leak.id)).collect();
    let text = format!("{who} left behind: {}", things.join(", "));
    (!leaks.is_empty()).then(|| Note::new(EventType::Warning, "Leaked", "CleanUp", text))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::outcome::Outcome;
    use crate::runner::event::RunEnd;

    fn leak() -> Leak {
        Leak {
            service: "dns".to_owned(),
            kind: "zone".to_owned(),
            id: "z1".to_owned(),
            name: "a.example.".to_owned(),
            removed: false,
            message: None,
        }
    }

    fn finished(notes: &mut Notes, outcome: Outcome, leaked: Vec<Leak>) -> Vec<Note> {
        let message = "no record".to_owned();
        let result = TestResult::not_started("t", None, outcome, Reason::RecordMissing, message);
        let kind = EventKind::TestFinished { result: Box::new(TestResult { leaked, ..result }) };
        notes.of(&Event { at: Timestamp::UNIX_EPOCH, kind })
    }

    fn ended(notes: &mut Notes, leaked: Vec<Leak>) -> Vec<Note> {
        let kind = EventKind::RunFinished { end: Box::new(RunEnd { fault: None, leaked }) };
        notes.of(&Event { at: Timestamp::UNIX_EPOCH, kind })
    }

    fn reasons(notes: &[Note]) -> Vec<&str> {
        notes.iter().map(|note| note.reason.as_str()).collect()
    }

    #[test]
    fn a_test_that_failed_is_told_with_its_reason_and_one_that_passed_is_not() {
        let mut notes = Notes::default();
        let told = finished(&mut notes, Outcome::Failed, Vec::new());
        assert_eq!(reasons(&told), ["TestFailed"]);
        assert_eq!(told[0].text, "t Failed (RecordMissing): no record");
        assert_eq!(finished(&mut notes, Outcome::Passed, Vec::new()), []);
        assert_eq!(ended(&mut notes, Vec::new())[0].text, "the run ended; 1 test did not pass");
    }

    #[test]
    fn leaks_are_told_of_tests_and_of_the_run() {
        let mut notes = Notes::default();
        assert_eq!(reasons(&finished(&mut notes, Outcome::Passed, vec![leak()])), ["Leaked"]);
        let told = ended(&mut notes, vec![leak()]);
        assert_eq!(reasons(&told), ["Leaked", "Finished"]);
        assert_eq!(told[0].text, "the run left behind: zone z1");
    }

    #[test]
    fn however_many_tests_fail_the_events_are_few_and_the_last_ones_say_how_many() {
        let mut notes = Notes::default();
        let told: usize = (0..76).map(|_| finished(&mut notes, Outcome::Failed, vec![leak()]).len()).sum();
        assert_eq!(told, ABOUT_TESTS);
        let told = ended(&mut notes, Vec::new());
        assert_eq!(reasons(&told), ["EventsLeftOut", "Finished"]);
        assert!(told[0].text.starts_with("132 more Events"), "{told:?}");
        assert_eq!(told[1].text, "the run ended; 76 tests did not pass");
    }
}
