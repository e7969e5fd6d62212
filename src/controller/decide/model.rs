//! Lives of runs, drawn at random: whatever can happen to a run happens to it, in any order.

mod acts;
mod world;

use std::collections::HashSet;
use std::mem::discriminant;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::api::tempest_run::OnInterruption;
use world::{Happening, Nature, World};

/// How many kinds of decisions there are.
const DECISIONS: usize = 20;

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        1 => Just(Happening::Cancel),
        2 => any::<bool>().prop_map(Happening::Suspend),
        2 => Just(Happening::NewToken),
        1 => Just(Happening::Delete),
        3 => any::<bool>().prop_map(Happening::Secret),
        3 => any::<bool>().prop_map(Happening::Cloud),
        2 => Just(Happening::Kill),
        1 => Just(Happening::Stop),
        4 => prop_oneof![1..5_u64, 20..90_u64, 600..3000_u64].prop_map(Happening::Time),
        8 => Just(Happening::Progress),
        4 => any::<bool>().prop_map(Happening::TaskEnds),
        1 => Just(Happening::TaskBreaks),
        2 => Just(Happening::PodLost),
    ]
}

fn nature() -> impl Strategy<Value = Nature> {
    let time = |seconds| proptest::option::of(Just(Duration::from_secs(seconds)));
    let on_interruption = prop_oneof![Just(OnInterruption::Restart), Just(OnInterruption::Fail)];
    (on_interruption, time(300), time(120), any::<bool>()).prop_map(
        |(on_interruption, time_to_live, keeps, in_job)| Nature {
            on_interruption,
            time_to_live,
            keeps,
            in_job,
        },
    )
}

fn life() -> impl Strategy<Value = (Nature, Vec<Happening>)> {
    (nature(), proptest::collection::vec(happening(), 0..50))
}

/// Lives it to its end; every step is checked on the way.
fn live(nature: Nature, happenings: &[Happening]) -> World {
    let mut world = World::new(nature);
    world.settle();
    for happening in happenings {
        if !world.is_gone {
            world.happen(*happening);
        }
    }
    world.come_to_rest();
    world
}

proptest! {
    #[test]
    fn every_life_comes_to_its_end((nature, happenings) in life()) {
        live(nature, &happenings).is_at_its_end();
    }

    #[test]
    fn what_was_made_is_gone_where_cloud_and_secret_stay((nature, happenings) in life()) {
        let stays = |happening: &&Happening| {
            !matches!(happening, Happening::Secret(false) | Happening::Cloud(false))
        };
        let happenings: Vec<Happening> = happenings.iter().filter(stays).copied().collect();
        let world = live(nature, &happenings);
        prop_assert_eq!((world.recorded, world.has_finalizer), (0, false), "{:#?}", world);
    }

    #[test]
    fn a_cloud_that_refuses_is_not_asked_without_pause((nature, happenings) in life()) {
        let mut world = World::new(nature);
        for happening in &happenings {
            world.happen(*happening);
        }
        let before = world.undone_for_deletion;
        world.happen(Happening::Cloud(false));
        world.happen(Happening::Delete);
        world.come_to_rest();
        prop_assert!(world.undone_for_deletion - before <= 35, "{:#?}", world);
    }
}

#[test]
fn the_lives_that_are_drawn_know_every_decision() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let fixed = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, fixed);
    let mut kinds = HashSet::new();
    for _ in 0..500 {
        let (nature, happenings) = life().new_tree(&mut runner).unwrap().current();
        kinds.extend(live(nature, &happenings).decided.iter().map(discriminant));
    }
    assert_eq!(kinds.len(), DECISIONS);
}
