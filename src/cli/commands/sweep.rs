//! `sweep`: undoes what earlier runs of this installation left in a cloud: first what their ledgers tell, then
//! what carries this installation's mark.

use jiff::{SignedDuration, Timestamp};
use tempest_operator::outcome::{Leak, RunFault};
use tempest_operator::report::{evidence, table, text};
use tempest_operator::runner::file_ledger::{FoundLedger, Origin};
use tempest_operator::runner::ledger::Ledger;
use tempest_operator::runner::{self, Control};

use super::run::describe;
use crate::cli::args::{SelectArgs, SweepArgs};
use crate::cli::exit::Exit;
use crate::cli::problem::Problem;
use crate::cli::request::{self, Request};
use crate::cli::signals::{self, Signals};
use crate::cli::state::{self, State};
use crate::cli::terminal;

/// Runs the command.
pub async fn run(args: SweepArgs) -> Result<Exit, Problem> {
    let request = Request::read(&args.cloud, &SelectArgs::default())?;
    let state = State::open(&args.state)?;
    let before = before(&args, Timestamp::now())?;
    let signals = signals::listen()?;
    let control =
        Control { cancel: signals.cancel.clone(), abandon: signals.abandon.clone(), ..Control::default() };

    let sweeping = sweep(&request, &state, before, args.dry_run, &control);
    let (left, all_read) = tokio::select! {
        swept = sweeping => swept?,
        () = interrupted(&signals) => {
            terminal::err("cancelled; what is left stays in its ledger, the same command goes on with it\n");
            return Ok(Exit::Cancelled);
        }
    };
    show(&left, args.dry_run, all_read)?;
    let all_gone = args.dry_run || left.iter().all(|leak| leak.removed);
    Ok(if all_gone && all_read { Exit::Passed } else { Exit::Failed })
}

/// Every removal is complete in itself, so the first signal may end it.
async fn interrupted(signals: &Signals) {
    signals.cancel.cancelled().await;
}

fn before(args: &SweepArgs, now: Timestamp) -> Result<Timestamp, Problem> {
    SignedDuration::try_from(args.older_than).ok().and_then(|age| now.checked_sub(age).ok()).ok_or_else(
        || Problem::input("--older-than reaches back before all time").next("give a duration such as 24h"),
    )
}

/// What was left, and whether every ledger could be read.
async fn sweep(
    request: &Request,
    state: &State,
    before: Timestamp,
    dry_run: bool,
    control: &Control,
) -> Result<(Vec<Leak>, bool), Problem> {
    let listing = state.list()?;
    state::tell_of_unreadable(&listing);
    let under_way = |found: &&FoundLedger| found.in_use && found.document.run.started < before;
    if let Some(found) = listing.found.iter().find(under_way) {
        // Its things would be taken from under it.
        return Err(Problem::unable(format!(
            "run {} is under way and older than that",
            found.document.run.run_id
        ))
        .next("wait for its end, or give a longer --older-than"));
    }
    let mut left = Vec::new();
    for found in listing.found.iter().filter(|found| !found.in_use) {
        left.extend(of_ledger(request, state, found, dry_run, control).await?);
    }
    let inputs = request.inputs(request::new_run(&state.installation));
    left.extend(runner::sweep(&inputs, before, dry_run, control).await.map_err(|fault| broken(&fault))?);
    Ok((left, listing.unreadable.is_empty()))
}

async fn of_ledger(
    request: &Request,
    state: &State,
    found: &FoundLedger,
    dry_run: bool,
    control: &Control,
) -> Result<Vec<Leak>, Problem> {
    let run = text::line(&found.document.run.run_id);
    if !found.origin.is_same_as(&request.origin()) {
        tell_of_another_cloud(&run, &found.origin);
        return Ok(Vec::new());
    }
    let entries = &found.document.entries;
    if !entries.is_empty() {
        terminal::err(&format!("run {run} left {}:\n", text::count(entries.len(), "thing")));
    }
    for entry in entries.iter().rev() {
        terminal::err(&format!("  {}\n", describe(entry)));
    }
    if dry_run {
        return Ok(Vec::new());
    }
    let unusable = |error| Problem::unable(format!("the ledger of run {run} cannot be used")).because(error);
    let Some(store) = state.ledgers.adopt(found).map_err(unusable)? else {
        return Ok(Vec::new());
    };
    let ledger = Ledger::resume(found.document.clone(), Box::new(store));
    let inputs = request.inputs(found.document.run.clone());
    let left = runner::undo(&inputs, &ledger, control).await.map_err(|fault| broken(&fault))?;
    ledger.close().await.map_err(unusable)?;
    Ok(left)
}

fn tell_of_another_cloud(run: &str, origin: &Origin) {
    terminal::err(&format!(
        "note: run {run} left things in another cloud, '{}'\n  next: {}\n",
        text::line(&origin.cloud),
        state::sweep_command(&origin.cloud)
    ));
}

/// A fault of the runner as a problem.
pub fn broken(fault: &RunFault) -> Problem {
    let facts: Vec<String> = evidence::facts(&fault.evidence)
        .into_iter()
        .map(|(label, value)| format!("{label} {value}"))
        .collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    Problem::unable(format!("{}: {}{facts}", fault.reason, fault.message))
}

fn show(left: &[Leak], dry_run: bool, all_read: bool) -> Result<(), Problem> {
    let text = match (left.is_empty(), dry_run) {
        (true, true) => "nothing further would be removed\n".to_owned(),
        (true, false) if all_read => "nothing is left\n".to_owned(),
        (true, false) => "nothing else is left\n".to_owned(),
        (false, true) => format!("would be removed:\n{}", table::leaks(left, terminal::width())),
        (false, false) => table::leaks(left, terminal::width()),
    };
    terminal::out(&text)
}
