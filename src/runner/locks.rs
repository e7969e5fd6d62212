//! Locks of scenarios, held across the runs of a process: who must be alone in a project or a cloud, and who shares a
//! name with others.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use super::admission::CloudIdentity;
use crate::scenario::Exclusive;

/// The locks of this process; clones are one.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    known: Arc<Mutex<HashMap<Key, Weak<RwLock<()>>>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Cloud(String),
    Project(CloudIdentity),
    /// Names are a cloud's: what they stand for is there once for all its projects.
    Named(String, String),
}

/// Locks that are held until this is dropped.
#[derive(Debug, Default)]
pub struct Held {
    shared: Vec<OwnedRwLockReadGuard<()>>,
    alone: Vec<OwnedRwLockWriteGuard<()>>,
}

impl Locks {
    /// Takes what a scenario needs, in one order for all, so that two cannot wait for one another. Whoever must be
    /// alone is not overtaken for ever: the locks are fair.
    pub async fn take(
        &self,
        cloud: &CloudIdentity,
        exclusive: Option<Exclusive>,
        names: &BTreeSet<String>,
    ) -> Held {
        let mut held = Held::default();
        let everywhere = self.lock(Key::Cloud(cloud.endpoint.clone()));
        if exclusive == Some(Exclusive::Cloud) {
            held.alone.push(everywhere.write_owned().await);
        } else {
            held.shared.push(everywhere.read_owned().await);
        }
        let project = self.lock(Key::Project(cloud.clone()));
        if exclusive == Some(Exclusive::Project) {
            held.alone.push(project.write_owned().await);
        } else {
            held.shared.push(project.read_owned().await);
        }
        for name in names {
            held.alone.push(self.lock(Key::Named(cloud.endpoint.clone(), name.clone())).write_owned().await);
        }
        held
    }

    fn lock(&self, key: Key) -> Arc<RwLock<()>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = known.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        // What nobody holds or waits for is forgotten.
        known.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        known.insert(key, Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use rstest::rstest;

    fn cloud(endpoint: &str, project: &str) -> CloudIdentity {
        CloudIdentity { endpoint: endpoint.to_owned(), project_id: project.to_owned() }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    const ALONE_IN_PROJECT: Option<Exclusive> = Some(Exclusive::Project);
    const ALONE_IN_CLOUD: Option<Exclusive> = Some(Exclusive::Cloud);

    #[rstest]
    #[case::both_share(None, None, "a", true)]
    #[case::alone_in_a_project(ALONE_IN_PROJECT, None, "a", false)]
    #[case::in_another_project(ALONE_IN_PROJECT, None, "b", true)]
    #[case::alone_in_the_cloud(ALONE_IN_CLOUD, None, "b", false)]
    #[case::both_alone(ALONE_IN_PROJECT, ALONE_IN_PROJECT, "a", false)]
    fn who_may_play_beside_whom(
        #[case] first: Option<Exclusive>,
        #[case] second: Option<Exclusive>,
        #[case] project: &str,
        #[case] beside: bool,
    ) {
        let (locks, none) = (Locks::default(), names(&[]));
        let (here, there) = (cloud("c", "a"), cloud("c", project));
        let held = locks.take(&here, first, &none).now_or_never().expect("nobody holds anything");
        assert_eq!(locks.take(&there, second, &none).now_or_never().is_some(), beside);
        drop(held);
        assert!(locks.take(&there, second, &none).now_or_never().is_some(), "given back");
    }

    #[test]
    fn a_name_is_held_by_one_in_a_cloud() {
        let locks = Locks::default();
        let try_take = |endpoint: &str, name: &str| {
            locks.take(&cloud(endpoint, name), None, &names(&[name])).now_or_never()
        };
        let _held = try_take("c", "quota").expect("nobody holds anything");
        assert!(try_take("c", "quota").is_none());
        assert!(try_take("c", "tld").is_some() && try_take("d", "quota").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_must_be_alone_is_not_overtaken() {
        let locks = Locks::default();
        let (here, none) = (cloud("c", "a"), names(&[]));
        let first = locks.take(&here, None, &none).await;
        let alone = tokio::spawn({
            let (locks, here, none) = (locks.clone(), here.clone(), none.clone());
            async move { locks.take(&here, ALONE_IN_PROJECT, &none).await }
        });
        tokio::task::yield_now().await;
        assert!(locks.take(&here, None, &none).now_or_never().is_none(), "it would overtake");
        drop(first);
        drop(alone.await.unwrap());
        assert!(locks.take(&here, None, &none).now_or_never().is_some());
    }

    #[test]
    fn what_nobody_holds_is_forgotten() {
        let locks = Locks::default();
        for number in 0..100 {
            locks.take(&cloud("c", &number.to_string()), None, &names(&["x"])).now_or_never().unwrap();
        }
        assert!(locks.known.lock().unwrap().len() <= 4);
    }
}
