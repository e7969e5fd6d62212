use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rstest::rstest;

use super::*;

const DURATION: Duration = Duration::from_secs(15);

/// A Lease in memory whose server can be away, silent or slow.
#[derive(Default)]
struct Memory {
    stored: Mutex<Option<Record>>,
    writes: Mutex<u64>,
}

impl Memory {
    fn stored(&self) -> Option<Record> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, version: Option<&str>, spec: LeaseSpec) -> Result<Record, StoreError> {
        let mut stored = self.stored.lock().unwrap();
        if stored.as_ref().map(|record| record.version.as_str()) != version {
            return Err(StoreError::Conflict);
        }
        let mut writes = self.writes.lock().unwrap();
        *writes += 1;
        let record = Record { version: writes.to_string(), spec };
        *stored = Some(record.clone());
        Ok(record)
    }
}

/// One candidate's way to the server.
struct Line {
    server: Arc<Memory>,
    cut: AtomicBool,
    /// Draws how long each way takes, and whether it fails, if at all.
    weather: Option<Mutex<StdRng>>,
}

impl Line {
    fn to(server: &Arc<Memory>) -> Arc<Self> {
        Arc::new(Self { server: Arc::clone(server), cut: AtomicBool::new(false), weather: None })
    }

    async fn way(&self) -> Result<(), StoreError> {
        if self.cut.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let Some(weather) = &self.weather else { return Ok(()) };
        let (pause, fails) = {
            let mut weather = weather.lock().unwrap();
            let stormy = weather.random_bool(0.1);
            let longest = if stormy { 30_000 } else { 300 };
            (weather.random_range(0..longest), weather.random_bool(0.2))
        };
        sleep(Duration::from_millis(pause)).await;
        if fails { Err(StoreError::Unavailable("away".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Leases for Line {
    async fn get(&self) -> Result<Option<Record>, StoreError> {
        self.way().await?;
        let stored = self.server.stored();
        self.way().await?;
        Ok(stored)
    }

    async fn put(&self, version: Option<String>, spec: LeaseSpec) -> Result<Record, StoreError> {
        self.way().await?;
        let written = self.server.put(version.as_deref(), spec);
        // The answer to a write that took place can be lost.
        self.way().await?;
        written
    }
}

fn candidate(line: &Arc<Line>, identity: &str) -> Elector {
    let options = LeaseOptions { identity: identity.to_owned(), duration: DURATION };
    let leases: Arc<dyn Leases> = Arc::clone(line) as _;
    // The wall clock plays no part: these disagree by years.
    let years = i64::try_from(identity.len()).unwrap();
    let clock = Clock::new(move || jiff::Timestamp::from_second(years * 31_536_000).unwrap());
    Elector::new(leases, options, clock)
}

fn seen(holder: &str, ago: u64, now: Instant) -> Known {
    let spec = LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: Some(15),
        ..LeaseSpec::default()
    };
    Known { record: Record { version: "1".to_owned(), spec }, since: now - Duration::from_secs(ago) }
}

#[rstest]
#[case::ours("me", 0, Step::Renew)]
#[case::ours_and_old("me", 100, Step::Renew)]
#[case::somebodys("other", 14, Step::Wait)]
#[case::somebodys_who_is_gone("other", 15, Step::TakeOver)]
#[case::nobodys("", 0, Step::TakeOver)]
#[tokio::test(start_paused = true)]
async fn a_lease_is_judged_by_how_long_it_was_seen(
    #[case] holder: &str,
    #[case] ago: u64,
    #[case] step: Step,
) {
    tokio::time::advance(Duration::from_mins(10)).await;
    let now = Instant::now();
    assert_eq!(decide(Some(&seen(holder, ago, now)), "me", now), step);
    assert_eq!(decide(None, "me", now), Step::Create);
}

#[tokio::test(start_paused = true)]
async fn a_leader_leads_on_and_its_release_lets_the_next_one_lead_at_once() {
    let server = Arc::default();
    let first = candidate(&Line::to(&server), "first").acquire().await;
    let second = tokio::spawn(candidate(&Line::to(&server), "second!").acquire());
    sleep(DURATION * 10).await;
    assert!(first.leadership().holds() && !second.is_finished());
    let asked = Instant::now();
    first.release().await;
    let second = second.await.unwrap();
    assert!(second.leadership().holds());
    assert!(asked.elapsed() < DURATION / 3, "{:?}", asked.elapsed());
    assert_eq!(server.stored().unwrap().spec.lease_transitions, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_stops_before_the_next_one_begins() {
    let server = Arc::default();
    let line = Line::to(&server);
    let first = candidate(&line, "first").acquire().await;
    let second = tokio::spawn(candidate(&Line::to(&server), "second!").acquire());
    sleep(DURATION).await;
    line.cut.store(true, Ordering::Relaxed);
    let cut = Instant::now();
    first.leadership().lost().cancelled().await;
    assert!(cut.elapsed() <= DURATION * 2 / 3, "{:?}", cut.elapsed());
    assert!(!second.is_finished(), "there is a while in which nobody leads");
    assert!(second.await.unwrap().leadership().holds());
    assert!(!first.leadership().holds());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_was_paused_knows_at_its_first_look() {
    let held = candidate(&Line::to(&Arc::default()), "first").acquire().await;
    // As SIGSTOP does: time goes on, and no task has run yet.
    let leadership = held.leadership().clone();
    tokio::time::advance(DURATION).await;
    assert!(!leadership.holds());
}

#[tokio::test(start_paused = true)]
async fn a_leader_sees_that_another_one_took_its_place() {
    let server: Arc<Memory> = Arc::default();
    let first = candidate(&Line::to(&server), "first").acquire().await;
    let mut stolen = server.stored().unwrap();
    stolen.spec.holder_identity = Some("thief".to_owned());
    server.put(Some(&stolen.version), stolen.spec.clone()).unwrap();
    first.leadership().lost().cancelled().await;
    assert_eq!(server.stored().unwrap().spec.holder_identity.as_deref(), Some("thief"));
}

/// Whatever the weather between candidates and server, never two lead at one moment, and somebody leads now and then.
#[rstest]
#[tokio::test(start_paused = true)]
async fn never_two_lead_at_one_moment(#[values(1, 2, 3, 4, 5, 6, 7, 8)] seed: u64) {
    let server: Arc<Memory> = Arc::default();
    let leading: Arc<Mutex<Vec<Leadership>>> = Arc::default();
    for number in 0..3_u64 {
        let weather = Some(Mutex::new(StdRng::seed_from_u64(seed * 10 + number)));
        let line = Arc::new(Line { server: Arc::clone(&server), cut: AtomicBool::new(false), weather });
        let leading = Arc::clone(&leading);
        tokio::spawn(async move {
            let mut chance = StdRng::seed_from_u64(seed * 100 + number);
            loop {
                let identity = format!("{number}-{}", chance.random::<u64>());
                let held = candidate(&line, &identity).acquire().await;
                leading.lock().unwrap().push(held.leadership().clone());
                tokio::select! {
                    () = held.leadership().lost().cancelled() => {}
                    () = sleep(Duration::from_secs(chance.random_range(1..200))) => held.release().await,
                }
            }
        });
    }
    let mut led = 0;
    for _ in 0..20_000 {
        sleep(Duration::from_millis(500)).await;
        let now = leading.lock().unwrap().iter().filter(|leadership| leadership.holds()).count();
        assert!(now <= 1, "{now} lead");
        led += now;
    }
    assert!(led > 5_000, "somebody led half of the time at the most: {led}");
}
