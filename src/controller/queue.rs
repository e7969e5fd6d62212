//! Whose turn it is: pure. Runs wait in a queue that is fair between namespaces and knows each cloud's limit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use jiff::Timestamp;

use crate::runner::CloudIdentity;

/// How many runs may play at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In this operator.
    pub runs: usize,
    /// In one project of one cloud.
    pub runs_of_a_cloud: usize,
}

/// A run in the queue, or playing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The UID of its object.
    pub uid: String,
    /// Its namespace: namespaces take turns.
    pub namespace: String,
    /// When its object was made: the oldest of a namespace comes first.
    pub created: Timestamp,
    /// Where it plays.
    pub cloud: CloudIdentity,
    /// It keeps its place and lets others go first.
    pub suspended: bool,
    /// It plays in a process of its own, which does not know the locks of this one.
    pub elsewhere: bool,
    /// Some of its scenarios need locks.
    pub locks: bool,
}

impl Entry {
    /// Whether the two must not play at once: what one locks the other does not see.
    fn excludes(&self, other: &Self) -> bool {
        self.cloud.endpoint == other.cloud.endpoint
            && (self.elsewhere || other.elsewhere)
            && (self.locks || other.locks)
    }
}

/// Who waits and who plays.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    waiting: Vec<Entry>,
    playing: Vec<Entry>,
}

/// Where a waiting run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From 1.
    pub position: u32,
    /// What it waits for, for a person.
    pub message: String,
}

impl Queue {
    /// Adds a run that waits.
    pub fn enter(&mut self, entry: Entry) {
        self.leave(&entry.uid);
        self.waiting.push(entry);
    }

    /// Adds a run that plays already, whatever the limits say.
    pub fn play(&mut self, entry: Entry) {
        self.leave(&entry.uid);
        self.playing.push(entry);
    }

    /// Removes a run, whether it waited or played.
    pub fn leave(&mut self, uid: &str) {
        self.waiting.retain(|entry| entry.uid != uid);
        self.playing.retain(|entry| entry.uid != uid);
    }

    /// Suspends or resumes a run that waits.
    pub fn suspend(&mut self, uid: &str, suspended: bool) {
        for entry in self.waiting.iter_mut().filter(|entry| entry.uid == uid) {
            entry.suspended = suspended;
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Lets the next one play and gives its UID; [`None`] when nobody may.
    ///
    /// Of those whose cloud has room: the namespace that plays least, and of that the oldest.
    pub fn admit(&mut self, limits: &Limits) -> Option<String> {
        if self.playing.len() >= limits.runs {
            return None;
        }
        let may = |entry: &&Entry| {
            !entry.suspended
                && self.playing_in(&entry.cloud) < limits.runs_of_a_cloud
                && !self.playing.iter().any(|other| entry.excludes(other))
        };
        let next = self.waiting.iter().filter(may).min_by_key(|entry| {
            (self.playing_for(&entry.namespace), entry.created, entry.namespace.clone(), entry.uid.clone())
        })?;
        let uid = next.uid.clone();
        let index = self.waiting.iter().position(|entry| entry.uid == uid)?;
        self.playing.push(self.waiting.remove(index));
        Some(uid)
    }

    /// Where everybody stands who waits, in the order in which they would be admitted.
    pub fn places(&self, limits: &Limits) -> BTreeMap<String, Place> {
        let mut by_namespace = BTreeMap::<&str, Vec<&Entry>>::new();
        for entry in self.waiting.iter().filter(|entry| !entry.suspended) {
            by_namespace.entry(&entry.namespace).or_default().push(entry);
        }
        // The oldest last, where it is taken from.
        for entries in by_namespace.values_mut() {
            entries.sort_by(|one, other| (other.created, &other.uid).cmp(&(one.created, &one.uid)));
        }
        let mut turns: BinaryHeap<_> = by_namespace
            .iter()
            .filter_map(|(namespace, entries)| {
                Some(Reverse((self.playing_for(namespace), entries.last()?.created, *namespace)))
            })
            .collect();
        let mut places = BTreeMap::new();
        while let Some(Reverse((playing, _, namespace))) = turns.pop() {
            let Some(entries) = by_namespace.get_mut(namespace) else { continue };
            let Some(entry) = entries.pop() else { continue };
            let position = u32::try_from(places.len() + 1).unwrap_or(u32::MAX);
            places.insert(entry.uid.clone(), Place { position, message: self.why(entry, limits) });
            if let Some(next) = entries.last() {
                turns.push(Reverse((playing + 1, next.created, namespace)));
            }
        }
        places
    }

    fn why(&self, entry: &Entry, limits: &Limits) -> String {
        let here = self.playing_in(&entry.cloud);
        if here >= limits.runs_of_a_cloud {
            return format!(
                "{here} runs play in project {} of {}, as many as --max-concurrent-runs-per-cloud allows",
                entry.cloud.project_id, entry.cloud.endpoint
            );
        }
        if self.playing.iter().any(|other| entry.excludes(other)) {
            return format!(
                "another run plays in {}, one of the two in a pod, and scenarios of theirs need locks",
                entry.cloud.endpoint
            );
        }
        let all = self.playing.len();
        if all >= limits.runs {
            return format!("{all} runs play, as many as --max-concurrent-runs allows");
        }
        "its turn comes".to_owned()
    }

    fn playing_in(&self, cloud: &CloudIdentity) -> usize {
        self.playing.iter().filter(|entry| entry.cloud == *cloud).count()
    }

    fn playing_for(&self, namespace: &str) -> usize {
        self.playing.iter().filter(|entry| entry.namespace == namespace).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: Limits = Limits { runs: 3, runs_of_a_cloud: 2 };

    fn entry(namespace: &str, age: i64, project: &str) -> Entry {
        Entry {
            uid: format!("{namespace}-{age}"),
            namespace: namespace.to_owned(),
            created: Timestamp::from_second(age).unwrap(),
            cloud: CloudIdentity { endpoint: "https://cloud".to_owned(), project_id: project.to_owned() },
            suspended: false,
            elsewhere: false,
            locks: false,
        }
    }

    fn queue(entries: &[Entry]) -> Queue {
        Queue { waiting: entries.to_vec(), playing: Vec::new() }
    }

    fn admitted(queue: &mut Queue, limits: &Limits) -> Vec<String> {
        std::iter::from_fn(|| queue.admit(limits)).collect()
    }

    #[test]
    fn namespaces_take_turns_and_the_oldest_of_each_comes_first() {
        let all = [entry("a", 1, "p"), entry("a", 2, "q"), entry("a", 3, "r"), entry("b", 9, "s")];
        let mut queue = queue(&all);
        assert_eq!(admitted(&mut queue, &LIMITS), ["a-1", "b-9", "a-2"]);
        queue.leave("b-9");
        assert_eq!(admitted(&mut queue, &LIMITS), ["a-3"]);
    }

    #[test]
    fn a_full_cloud_does_not_hold_up_the_others() {
        let mut queue =
            queue(&[entry("a", 1, "p"), entry("a", 2, "p"), entry("a", 3, "p"), entry("a", 4, "q")]);
        assert_eq!(admitted(&mut queue, &LIMITS), ["a-1", "a-2", "a-4"]);
        let wide = Limits { runs: 9, ..LIMITS };
        let places = queue.places(&wide);
        assert_eq!(places["a-3"].position, 1);
        assert!(places["a-3"].message.contains("--max-concurrent-runs-per-cloud"), "{places:?}");
        assert!(queue.places(&LIMITS)["a-3"].message.contains("project p of https://cloud"));
    }

    #[test]
    fn a_suspended_run_lets_others_go_first_and_keeps_its_age() {
        let mut queue = queue(&[entry("a", 1, "p"), entry("a", 2, "q")]);
        queue.suspend("a-1", true);
        let one = Limits { runs: 1, runs_of_a_cloud: 1 };
        assert_eq!(admitted(&mut queue, &one), ["a-2"]);
        assert!(queue.places(&one).is_empty(), "who is suspended has no place");
        queue.suspend("a-1", false);
        queue.enter(entry("a", 5, "q"));
        queue.leave("a-2");
        assert_eq!(admitted(&mut queue, &one), ["a-1"]);
    }

    #[test]
    fn whoever_plays_in_a_pod_is_alone_with_locks_in_its_cloud() {
        let pod = |age: i64, project: &str| Entry { elsewhere: true, ..entry("a", age, project) };
        let lock = |entry: Entry| Entry { locks: true, ..entry };
        // Without locks they share a cloud, and with locks those of one process do.
        for two in [[pod(1, "p"), entry("a", 2, "q")], [lock(entry("a", 1, "p")), lock(entry("a", 2, "q"))]] {
            assert_eq!(admitted(&mut queue(&two), &LIMITS).len(), 2, "{two:?}");
        }
        for two in [[lock(pod(1, "p")), entry("a", 2, "q")], [pod(1, "p"), lock(entry("a", 2, "q"))]] {
            let mut queue = queue(&two);
            assert_eq!(admitted(&mut queue, &LIMITS), ["a-1"], "{two:?}");
            assert!(queue.places(&LIMITS)["a-2"].message.contains("need locks"));
            queue.leave("a-1");
            assert_eq!(admitted(&mut queue, &LIMITS), ["a-2"]);
        }
    }

    #[test]
    fn whoever_is_found_playing_counts_whatever_the_limits_say() {
        let mut queue = queue(&[entry("a", 1, "p")]);
        let one = Limits { runs: 1, runs_of_a_cloud: 1 };
        queue.play(entry("b", 1, "p"));
        queue.play(entry("b", 2, "p"));
        assert!(admitted(&mut queue, &one).is_empty());
        queue.leave("b-1");
        queue.leave("b-2");
        assert_eq!(admitted(&mut queue, &one), ["a-1"]);
    }

    #[test]
    fn whoever_comes_back_is_there_once() {
        let mut queue = queue(&[entry("a", 1, "p")]);
        queue.enter(entry("a", 1, "p"));
        assert_eq!(queue.waiting(), 1);
    }

    fn some_entries() -> impl Strategy<Value = Vec<Entry>> {
        proptest::collection::vec((0_u8..4, 0_i64..1000, 0_u8..3), 0..30).prop_map(|all| {
            let mut entries: Vec<Entry> = all
                .into_iter()
                .map(|(namespace, age, project)| entry(&format!("n{namespace}"), age, &format!("p{project}")))
                .collect();
            entries.sort_by(|one, other| one.uid.cmp(&other.uid));
            entries.dedup_by(|one, other| one.uid == other.uid);
            entries
        })
    }

    proptest! {
        /// What a waiting run is told is what then happens, as long as clouds have room.
        #[test]
        fn places_tell_the_order_of_admission(entries in some_entries()) {
            let queue = queue(&entries);
            let places = queue.places(&LIMITS);
            let mut told: Vec<_> = places.iter().map(|(uid, place)| (place.position, uid.clone())).collect();
            told.sort();
            let endless = Limits { runs: usize::MAX, runs_of_a_cloud: usize::MAX };
            let order = admitted(&mut queue.clone(), &endless);
            prop_assert_eq!(told.into_iter().map(|(_, uid)| uid).collect::<Vec<_>>(), order);
        }

        /// Nobody is lost, the limits hold, and everybody's turn comes.
        #[test]
        fn everybody_plays_once_within_the_limits(entries in some_entries()) {
            let mut queue = queue(&entries);
            let mut played = Vec::new();
            while queue.waiting() > 0 {
                admitted(&mut queue, &LIMITS);
                prop_assert!(!queue.playing.is_empty(), "nobody plays although somebody waits");
                prop_assert!(queue.playing.len() <= LIMITS.runs);
                prop_assert!(queue.playing.iter().all(|one| queue.playing_in(&one.cloud) <= LIMITS.runs_of_a_cloud));
                let first = queue.playing[0].uid.clone();
                queue.leave(&first);
                played.push(first);
            }
            played.extend(queue.playing.iter().map(|one| one.uid.clone()));
            played.sort();
            prop_assert_eq!(played, entries.iter().map(|one| one.uid.clone()).collect::<Vec<_>>());
        }
    }
}
