//! What a scraper reads, and that the documentation knows all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::outcome::{Outcome, Propagation, Reason};

/// One metric as the text declares it.
#[derive(Debug, Default)]
struct Declared {
    type_: String,
    has_help: bool,
}

/// Metrics with something of everything in them: a family without a sample is not in the text.
fn used() -> Metrics {
    let metrics = Metrics::default();
    let leak = Leak {
        service: "dns".to_owned(),
        kind: "zone".to_owned(),
        id: "z1".to_owned(),
        name: "a.example.".to_owned(),
        removed: false,
        message: None,
    };
    let result =
        TestResult::not_started("user/mine", None, Outcome::Failed, Reason::RecordMissing, String::new());
    let published =
        Propagation { published: true, all_name_servers_ms: Some(1500), ..Propagation::default() };
    metrics.test_finished(&TestResult { leaked: vec![leak], propagation: vec![published], ..result });
    metrics.run_finished(Verdict::Failed, Some(Duration::from_secs(90)));
    metrics.count_phases_by(|| vec![(["Running".to_owned()], 3)]);
    metrics.count_schedules_by(|| vec![(["True", "False"].map(ToOwned::to_owned), 2)]);
    metrics.observed(&RequestRecord {
        service: Service::Dns,
        method: http::Method::GET,
        status_or_error: Ok(404),
        elapsed: Duration::from_millis(20),
        request_id: None,
    });
    metrics
}

/// Reads the `OpenMetrics` text and holds its rules: a type and a help before the samples, one end.
fn declared(text: &str) -> BTreeMap<String, Declared> {
    let mut all = BTreeMap::<String, Declared>::new();
    let body = text.strip_suffix("# EOF\n").expect("it ends with # EOF");
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (keyword, name, value) =
                (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            let metric = all.entry(name.to_owned()).or_default();
            match keyword {
                "HELP" => metric.has_help = true,
                "TYPE" => metric.type_ = value.to_owned(),
                "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{name} has not its unit's suffix"),
                other => panic!("{other} is no keyword"),
            }
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a sample has a value");
        value.parse::<f64>().expect("a value is a number");
        let name = sample.split('{').next().unwrap();
        let suffixes = ["", "_total", "_info", "_bucket", "_sum", "_count"];
        let mut bare = suffixes.iter().filter_map(|suffix| name.strip_suffix(suffix));
        assert!(bare.any(|name| all.contains_key(name)), "{name} is not declared");
    }
    all
}

#[test]
fn a_scraper_can_read_every_metric() {
    for (name, metric) in declared(&used().text().unwrap()) {
        assert!(name.starts_with("tempest_operator_"), "{name}");
        assert!(metric.has_help, "{name} has no help");
        assert!(["counter", "gauge", "histogram", "info"].contains(&metric.type_.as_str()), "{metric:?}");
        assert_eq!(metric.type_ == "histogram", name.ends_with("_seconds"), "{name}");
    }
}

#[test]
fn what_happened_is_counted_under_labels_from_closed_sets() {
    let text = used().text().unwrap();
    for sample in [
        r#"tests_total{scenario="user",outcome="Failed"} 1"#,
        r#"runs_total{verdict="Failed"} 1"#,
        "run_duration_seconds_sum 90.0",
        r#"runs_in_phase{phase="Running"} 3"#,
        r#"schedules{ready="True",healthy="False"} 2"#,
        r#"propagation_seconds_sum{change="published"} 1.5"#,
        r#"leaks_total{service="dns",removed="false"} 1"#,
        r#"openstack_requests_total{service="dns",status="4xx"} 1"#,
        r#"openstack_request_duration_seconds_count{service="dns"} 1"#,
    ] {
        assert!(text.contains(&format!("\ntempest_operator_{sample}\n")), "no {sample} in {text}");
    }
}

/// `increase` sees nothing of a series that begins at 1, so the first failure of a process would never be heard.
#[test]
fn what_alerts_ask_for_begins_at_zero() {
    let text = Metrics::default().text().unwrap();
    for verdict in ["Passed", "Failed", "Errored", "Cancelled"] {
        assert!(
            text.contains(&format!("\ntempest_operator_runs_total{{verdict=\"{verdict}\"}} 0\n")),
            "{text}"
        );
    }
    for service in ["identity", "compute", "network", "dns", "image", "orchestration"] {
        for removed in [true, false] {
            let labels = format!("service=\"{service}\",removed=\"{removed}\"");
            assert!(text.contains(&format!("\ntempest_operator_leaks_total{{{labels}}} 0\n")), "{text}");
        }
    }
    for change in ["published", "withdrawn"] {
        let labels = format!("le=\"+Inf\",change=\"{change}\"");
        let sample = format!("\ntempest_operator_propagation_seconds_bucket{{{labels}}} 0\n");
        assert!(text.contains(&sample), "no {sample} in {text}");
    }
}

#[test]
fn states_are_counted_when_they_are_read() {
    let (metrics, unhealthy) = (Metrics::default(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    assert!(
        !metrics.text().unwrap().contains("tempest_operator_schedules{"),
        "who does not lead counts none"
    );
    let counted = Arc::clone(&unhealthy);
    metrics.count_schedules_by(move || {
        vec![(["True", "False"].map(ToOwned::to_owned), counted.load(std::sync::atomic::Ordering::Relaxed))]
    });
    for now in [0, 2, 1, 0] {
        unhealthy.store(now, std::sync::atomic::Ordering::Relaxed);
        let sample = format!("\ntempest_operator_schedules{{ready=\"True\",healthy=\"False\"}} {now}\n");
        assert!(metrics.text().unwrap().contains(&sample), "no {sample}");
    }
}

/// What the chart's `ServiceMonitor` gives every sample; the target's `service` it drops, for ours.
#[test]
fn no_label_is_one_that_a_scrape_gives() {
    let text = used().text().unwrap();
    for taken in ["namespace", "job", "pod", "instance", "endpoint", "container", "node"] {
        for before in ['{', ','] {
            assert!(!text.contains(&format!("{before}{taken}=\"")), "{taken} in {text}");
        }
    }
}

#[test]
fn the_documentation_has_every_metric_with_its_type_and_no_other() {
    let document = include_str!("../../docs/observability.md");
    let documented: BTreeSet<(String, String)> = document
        .lines()
        .filter(|line| line.starts_with("| `tempest_operator_"))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect();
    let registered = declared(&used().text().unwrap()).into_iter().map(|(name, metric)| {
        let suffix = match metric.type_.as_str() {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        (format!("{name}{suffix}"), metric.type_)
    });
    assert_eq!(documented, registered.collect());
}

/// Prometheus would say nothing of a name that no operator has.
#[test]
fn the_chart_asks_only_for_metrics_that_there_are() {
    let chart = concat!(
        include_str!("../../charts/tempest-operator/files/alerts.yaml"),
        include_str!("../../charts/tempest-operator/files/dashboard.json"),
    );
    let text = used().text().unwrap();
    let samples: BTreeSet<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(['{', ' ']).next().unwrap())
        .collect();
    let asked: BTreeSet<&str> = chart
        .split(|at: char| !at.is_ascii_alphanumeric() && at != '_')
        .filter(|word| word.starts_with("tempest_operator_"))
        .collect();
    assert!(asked.len() > 10, "{asked:?}");
    assert!(asked.is_subset(&samples), "{:?}", asked.difference(&samples));
}
