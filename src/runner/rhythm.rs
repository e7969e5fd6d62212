//! When to look again: the cloud's own rhythm.
//!
//! Somebody who waits does not know when a thing becomes true, but clouds are regular: what took five seconds
//! last time takes about five seconds again. So waits remember how long things took and spend their polls there;
//! the first of a kind backs off in proportion to the time already waited.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many past waits of one kind are remembered.
const MEMORY: usize = 32;
/// Polls that may be spent on the time around the expected end.
const FINE_POLLS: u32 = 8;
/// Between two polls at the least, where the end is expected.
const FINEST: Duration = Duration::from_millis(80);
/// Between the first two polls when nothing is known.
const FIRST: Duration = Duration::from_millis(100);
/// Between two polls at the most.
const LONGEST: Duration = Duration::from_secs(3);
/// When nothing is known, the next look comes after this share of the time already waited.
const SHARE: f64 = 0.3;

/// What is remembered of past waits; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Rhythm {
    past: Arc<Mutex<HashMap<String, VecDeque<Duration>>>>,
}

impl Rhythm {
    /// Notes that a wait of this kind took this long.
    pub fn note(&self, key: &str, took: Duration) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = past.entry(key.to_owned()).or_default();
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        memory.push_back(took);
    }

    /// What to expect of a wait of this kind, or of the more general one.
    pub fn expectation(&self, key: &str, general: &str) -> Option<Expectation> {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = past.get(key).or_else(|| past.get(general))?;
        Expectation::of(memory.iter().copied())
    }
}

/// The span in which a wait is expected to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expectation {
    from: Duration,
    to: Duration,
}

impl Expectation {
    fn of(past: impl Iterator<Item = Duration>) -> Option<Self> {
        let (from, to) = past.fold(None, |span, took| match span {
            None => Some((took, took)),
            Some((from, to)) => Some((took.min(from), took.max(to))),
        })?;
        // A little room on both sides: the past is a sample.
        let room = to.saturating_sub(from) / 8 + from / 50 + FINEST / 2;
        Some(Self { from: from.saturating_sub(room), to: to + room })
    }
}

/// The pause before the next look, `elapsed` after the wait began. `jitter` (0 to 1) spreads waits that began
/// together.
pub fn pause(elapsed: Duration, expectation: Option<Expectation>, jitter: f64) -> Duration {
    let backing_off = |since: Duration| {
        let share = since.mul_f64(SHARE * (0.9 + 0.2 * jitter));
        share.clamp(FIRST, LONGEST)
    };
    let Some(Expectation { from, to }) = expectation else { return backing_off(elapsed) };
    if elapsed < from {
        // One look on the way, in case it is earlier this time, then one where it begins to be likely.
        let half = from / 2;
        return if elapsed < half && half > FIRST * 2 {
            half.saturating_sub(elapsed)
        } else {
            from.saturating_sub(elapsed).max(FINEST)
        };
    }
    if elapsed < to {
        return (to.saturating_sub(from) / FINE_POLLS).max(FINEST).mul_f64(0.95 + 0.1 * jitter);
    }
    backing_off(elapsed.saturating_sub(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls_until(end: Duration, expectation: Option<Expectation>) -> (u32, Duration) {
        let (mut elapsed, mut polls) = (Duration::ZERO, 1);
        while elapsed < end {
            elapsed += pause(elapsed, expectation, 0.5);
            polls += 1;
        }
        (polls, elapsed.saturating_sub(end))
    }

    #[test]
    fn the_first_wait_of_a_kind_backs_off_in_proportion() {
        let (polls, late) = polls_until(Duration::from_secs(10), None);
        assert!(polls <= 20, "{polls} polls");
        assert!(late <= Duration::from_secs(3), "{late:?} late");
    }

    #[test]
    fn a_known_wait_is_seen_soon_with_few_polls() {
        let rhythm = Rhythm::default();
        for millis in [9_800, 10_000, 10_200] {
            rhythm.note("k", Duration::from_millis(millis));
        }
        let expectation = rhythm.expectation("k", "general");
        for millis in (9_700..10_300).step_by(7) {
            let (polls, late) = polls_until(Duration::from_millis(millis), expectation);
            assert!(polls <= 12, "{polls} polls");
            assert!(late <= Duration::from_millis(150), "{late:?} late at {millis}");
        }
    }

    #[test]
    fn the_general_rhythm_serves_until_there_is_an_own_one() {
        let rhythm = Rhythm::default();
        rhythm.note("general", Duration::from_secs(5));
        assert!(rhythm.expectation("own", "general").is_some());
        assert_eq!(rhythm.expectation("own", "other"), None);
    }

    #[test]
    fn an_end_far_later_than_ever_is_still_seen() {
        let rhythm = Rhythm::default();
        rhythm.note("k", Duration::from_millis(10));
        let (polls, late) = polls_until(Duration::from_mins(1), rhythm.expectation("k", ""));
        assert!(polls < 60 && late <= LONGEST, "{polls} polls, {late:?} late");
    }
}
