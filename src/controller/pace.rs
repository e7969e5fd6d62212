//! How often the status is written while a run is played: what comes in bursts is written as one. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// Each of these allows one more write.
const EVERY: Duration = Duration::from_secs(5);
/// What happens within this time is one write.
const GATHER: Duration = Duration::from_millis(500);
/// Writes that may be saved up.
const SAVED: u32 = 2;

/// Allows one write every five seconds; two may be saved up for a moment when much happens.
#[derive(Clone, Debug)]
pub struct Pace {
    allowed: u32,
    since: Instant,
}

impl Pace {
    /// A pace that begins now, with its savings full.
    pub const fn new(now: Instant) -> Self {
        Self { allowed: SAVED, since: now }
    }

    /// When something that changed `now` may be written.
    pub fn next(&mut self, now: Instant) -> Instant {
        self.save(now);
        let gathered = now + GATHER;
        if self.allowed > 0 { gathered } else { gathered.max(self.since + EVERY) }
    }

    /// Notes a write.
    pub fn wrote(&mut self, now: Instant) {
        self.save(now);
        self.allowed = self.allowed.saturating_sub(1);
    }

    fn save(&mut self, now: Instant) {
        while self.allowed < SAVED && now >= self.since + EVERY {
            self.allowed += 1;
            self.since += EVERY;
        }
        if self.allowed == SAVED {
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something changes all the time: how often is it written?
    #[test]
    fn writes_are_bounded_however_much_happens() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut now = start;
        let mut writes = Vec::new();
        while now < start + Duration::from_mins(1) {
            now = pace.next(now);
            pace.wrote(now);
            writes.push((now - start).as_secs());
        }
        assert!(writes.len() <= 2 + 60 / 5, "{writes:?}");
        assert_eq!(&writes[..3], [0, 1, 5], "the first two at once");
    }

    #[test]
    fn what_changes_seldom_is_written_soon() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for minute in 0..10 {
            let now = start + Duration::from_mins(minute);
            assert_eq!(pace.next(now) - now, GATHER);
            pace.wrote(pace.clone().next(now));
        }
    }
}
