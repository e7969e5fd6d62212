//! The pace of the cloud, on a paused clock: nothing happens but what is due.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::simcloud::{
    Fault, Faults, Latency, NameServerMode, SimOptions, Stages,
    wire::{Caller, Service},
    world::World,
};

fn world(faults: &Faults) -> World {
    let stages = Stages {
        serial_batch: Duration::from_secs(5),
        poll_delay: Duration::from_secs(5),
        transfer: Duration::from_secs(1),
        ..Stages::default()
    };
    let options = SimOptions { latency: Latency::Stages(stages), ..SimOptions::default() };
    World::new(options, faults.clone(), "http://sim".to_owned())
}

fn call(world: &mut World, method: Method, path: &str, body: Value) -> Value {
    let caller = Caller { project_id: "p".to_owned(), roles: vec!["member".to_owned()], ..Caller::default() };
    world.internal(&caller, Service::Dns, method, path, body).unwrap()
}

async fn after(world: &mut World, seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
    world.advance();
}

fn zone(world: &mut World) -> String {
    let body = json!({"name": "c.example.test.", "email": "a@b.test"});
    let made = call(world, Method::POST, "/v2/zones", body);
    format!("/v2/zones/{}", made["id"].as_str().unwrap())
}

fn status(world: &mut World, path: &str) -> Value {
    call(world, Method::GET, path, Value::Null)["status"].clone()
}

#[tokio::test(start_paused = true)]
async fn changes_wait_for_the_batch_the_transfers_and_the_poll() {
    let mut world = world(&Faults::default());
    let zone = zone(&mut world);
    after(&mut world, 1).await;
    let on = |world: &World, server| world.wire.serial(server, "c.example.test.");
    assert!(on(&world, 0).is_some() && on(&world, 1).is_none());
    assert_eq!(status(&mut world, &zone), "PENDING");
    after(&mut world, 6).await;
    assert_eq!(status(&mut world, &zone), "ACTIVE");
    let first = on(&world, 0).unwrap();
    let sets = format!("{zone}/recordsets");
    for name in ["a", "b"] {
        let set = json!({"name": format!("{name}.c.example.test."), "type": "A",
            "records": ["192.0.2.1"]});
        call(&mut world, Method::POST, &sets, set);
        after(&mut world, 1).await;
    }
    assert_eq!(on(&world, 1), Some(first));
    after(&mut world, 3).await;
    // Both changes went out with one serial.
    let second = call(&mut world, Method::GET, &zone, Value::Null)["serial"].as_u64().unwrap();
    after(&mut world, 2).await;
    assert_eq!(on(&world, 1).map(u64::from), Some(second));
    assert!(second > u64::from(first));
    assert_eq!(status(&mut world, &zone), "PENDING");
    after(&mut world, 5).await;
    assert_eq!(status(&mut world, &zone), "ACTIVE");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_makes_an_error_that_heals() {
    let faults = Faults::default();
    let mut world = world(&faults);
    faults.inject(Fault::NameServer { index: 1, mode: NameServerMode::Stopped });
    let zone = zone(&mut world);
    after(&mut world, 8).await;
    assert_eq!(status(&mut world, &zone), "PENDING");
    after(&mut world, 30).await;
    assert_eq!(status(&mut world, &zone), "ERROR");
    faults.clear_all();
    after(&mut world, 0).await;
    after(&mut world, 8).await;
    assert_eq!(status(&mut world, &zone), "ACTIVE");
}
