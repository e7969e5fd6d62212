//! The matrix as a page: `docs/fault-matrix.md`, which says what was just proven.

use std::fmt::Write as _;

use super::Matrix;
use super::table::EXCEPTIONS;
use crate::support::repository;

const PAGE: &str = "docs/fault-matrix.md";
const HEAD: &str = "# Fault matrix

Made by `tests/run matrix`; do not edit. Each ● is a run of its own: the scenario against a simulated cloud that is broken
in this one way until the test cleans up. It did not pass, its reason is one of those below, and nothing was left behind.
Where there is no mark the fault cannot show: played on the whole cloud, the scenario does not do what the fault breaks,
or does not look afterwards. That rule (`tests/integration/sim/matrix/healthy.rs`) does not know how the runs end.
";

/// Writes the page, or compares it when it is not to be written.
pub fn keep(matrix: &Matrix) {
    let path = repository(PAGE);
    let page = render(matrix);
    if std::env::var("MATRIX_PAGE").is_ok_and(|how| how == "write") {
        std::fs::write(path, page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == page, "{PAGE} is not what was proven; MATRIX_PAGE=write tests/run matrix writes it");
}

fn render(matrix: &Matrix) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(
        page,
        "\n{} faults × {} scenarios, {} runs.\n\n## Faults\n\n| | fault | told as | scenarios |\n|--:|---|---|--:|",
        matrix.rows.len(),
        matrix.scenarios.len(),
        matrix.cells.len()
    );
    for (number, row) in (1..).zip(&matrix.rows) {
        let reasons: Vec<_> = row.reasons.iter().map(ToString::to_string).collect();
        let count = matrix.of_fault(row.name);
        let leaks = if row.leaks { ", or leaked" } else { "" };
        let _ = writeln!(page, "| {number} | {} | {}{leaks} | {count} |", row.name, reasons.join(", "));
    }
    let numbers: Vec<_> = (1..=matrix.rows.len()).map(|number| number.to_string()).collect();
    let _ = writeln!(page, "\n## Scenarios\n\n| scenario | faults | {} |", numbers.join(" | "));
    let _ = writeln!(page, "|---|--:|{}", "---|".repeat(numbers.len()));
    for scenario in &matrix.scenarios {
        let _ = write!(page, "| {} | {} |", scenario.name, matrix.of_scenario(&scenario.name));
        for row in &matrix.rows {
            let here = |cell: &super::Cell| cell.scenario.name == scenario.name && cell.row.name == row.name;
            let mark = if matrix.cells.iter().any(here) { "●" } else { "" };
            let _ = write!(page, " {mark} |");
        }
        page.push('\n');
    }
    if !EXCEPTIONS.is_empty() {
        page.push_str("\n## Cannot show all the same\n\n| fault | scenario | why |\n|---|---|---|\n");
        for (fault, scenario, why) in EXCEPTIONS {
            let _ = writeln!(page, "| {fault} | {scenario} | {why} |");
        }
    }
    page
}
