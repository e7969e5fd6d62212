//! What the product wrote itself and reads again: ledgers and reports.

use proptest::prelude::*;
use serde_json::{Value, json};
use tempest_operator::outcome::{Role, VerdictPolicy};
use tempest_operator::plan::RunIdentity;
use tempest_operator::report::{RunReport, json as report_json, junit, table};
use tempest_operator::runner::file_ledger::LedgerDirectory;
use tempest_operator::runner::ledger::{Forgetful, Ledger, LedgerDocument, Undo};

use super::{LONGEST_ERROR, mutate};

const REPORT: &str =
    include_str!("../../../src/report/snapshots/tempest_operator__report__json__tests__the_full_report.snap");

fn report() -> Value {
    let (_, text) = REPORT.split_once("\n---\n").unwrap();
    serde_json::from_str(text).unwrap()
}

fn ledger() -> Value {
    json!({
        "origin": { "cloud": "demo", "authUrl": "https://cloud.example/identity/v3" },
        "run": { "installation": "cli-test", "runId": "aa01", "started": "2026-11-23T00:00:00Z" },
        "entries": [
            { "number": 1, "testPrefix": "to-aa01-0", "step": "create", "role": "primary",
              "undo": { "kind": "stack", "name": "to-aa01-0-web", "id": null } },
            { "number": 2, "testPrefix": "to-aa01-0", "step": "port", "role": "admin",
              "undo": { "kind": "item", "service": "network", "collection": "/ports", "markedBy": "description",
                        "marker": "to-aa01-0", "id": "7" } },
            { "number": 3, "testPrefix": "to-aa01-0", "step": "quota", "role": "primary",
              "undo": { "kind": "restore", "service": "dns", "method": "PATCH", "path": "/x", "body": { "a": 1 } } },
        ],
    })
}

fn played() -> RunIdentity {
    RunIdentity {
        installation: "cli-test".to_owned(),
        run_id: "aa01".to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn the_seeds_are_valid() {
    serde_json::from_value::<LedgerDocument>(ledger()).unwrap();
    serde_json::from_value::<RunReport>(report()).unwrap();
}

#[tokio::test]
async fn a_ledger_with_the_last_number_there_is_takes_further_entries() {
    let mut text = ledger();
    text["entries"][0]["number"] = json!(u64::MAX);
    let ledger = Ledger::resume(serde_json::from_value(text).unwrap(), Box::new(Forgetful));
    let undo = Undo::Stack { name: "s".to_owned(), id: None };
    ledger.intend("to-aa01-0", "create", Role::Primary, undo).await.unwrap();
}

proptest! {
    #![proptest_config(mutate::few())]

    #[test]
    fn a_damaged_report_is_shown_or_refused(text in mutate::json_text(vec![report()])) {
        let Ok(report) = serde_json::from_str::<RunReport>(&text) else { return Ok(()) };
        let policy = VerdictPolicy::default();
        table::render(&report, &policy, Some(80));
        junit::render(&report, &policy).unwrap();
        let written = report_json::render(&report).unwrap();
        let read: RunReport = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(report_json::render(&read).unwrap(), written);
    }

    #[test]
    fn a_damaged_ledger_is_read_whole_or_refused(text in mutate::json_text(vec![ledger()])) {
        let Ok(document) = serde_json::from_str::<LedgerDocument>(&text) else { return Ok(()) };
        let written = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(&serde_json::from_str::<LedgerDocument>(&written).unwrap(), &document);
        let ledger = Ledger::resume(document, Box::new(Forgetful));
        let undo = Undo::Stack { name: "s".to_owned(), id: None };
        futures::executor::block_on(ledger.intend("to-aa01-0", "create", Role::Primary, undo)).unwrap();
    }

    #[test]
    fn a_damaged_file_is_a_ledger_or_listed_as_unreadable(
        text in mutate::text(vec![format!("{:#}", ledger())]),
    ) {
        let state = tempfile::tempdir().unwrap();
        let directory = LedgerDirectory::new(state.path(), &played().installation);
        std::fs::create_dir_all(directory.path()).unwrap();
        std::fs::write(directory.path().join("aa01.json"), &text).unwrap();
        let listing = directory.list().unwrap();
        prop_assert_eq!(listing.found.len() + listing.unreadable.len(), 1);
        for (_, reason) in listing.unreadable {
            prop_assert!(reason.chars().count() <= LONGEST_ERROR, "{}", reason);
        }
    }
}
