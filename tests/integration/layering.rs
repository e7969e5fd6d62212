//! Holds the design's table of who may use whom: reads the sources and looks at every path they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// A module, the modules of ours that it may use, and the crates that it must not.
struct Rule {
    module: &'static str,
    may_use: &'static [&'static str],
    not: &'static [&'static str],
}

const KUBE: &[&str] = &["kube", "k8s_openapi"];
const PURE: &[&str] = &["kube", "k8s_openapi", "reqwest", "tokio", "rand", "std::net::TcpStream", "std::fs"];

const RULES: &[Rule] = &[
    Rule { module: "outcome", may_use: &[], not: PURE },
    Rule { module: "api", may_use: &["outcome"], not: &["reqwest", "tokio", "kube::Client", "kube::Api"] },
    Rule { module: "openstack", may_use: &[], not: KUBE },
    Rule { module: "dns", may_use: &[], not: KUBE },
    Rule { module: "scenario", may_use: &["api::scenario", "outcome"], not: PURE },
    Rule { module: "plan", may_use: &["api", "scenario", "outcome"], not: PURE },
    Rule { module: "runner", may_use: &["plan", "scenario", "openstack", "dns", "outcome"], not: KUBE },
    Rule {
        module: "report",
        may_use: &["outcome", "runner::event", "plan"],
        not: &["kube", "reqwest", "tokio"],
    },
    Rule { module: "simcloud", may_use: &[], not: KUBE },
    Rule { module: "telemetry", may_use: &["openstack", "outcome"], not: &[] },
    Rule {
        module: "controller",
        may_use: &["api", "outcome", "openstack", "dns", "scenario", "plan", "runner", "report", "telemetry"],
        not: &[],
    },
];

/// What one file may use beyond its module: the status is the one place where a report meets the custom resource.
const GRANTED: &[(&str, &str)] = &[("src/report/status.rs", "api")];

fn is_granted(file: &Path, ours: &str) -> bool {
    GRANTED.iter().any(|(granted, allowed)| file.ends_with(granted) && within(ours, allowed))
}

#[derive(Default)]
struct Paths {
    found: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.found.insert(segments.join("::"));
        syn::visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        flatten(&item.tree, String::new(), &mut self.found);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // A test may reach further than the code it tests.
        let is_test = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
        });
        if !is_test {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

fn flatten(tree: &syn::UseTree, prefix: String, found: &mut BTreeSet<String>) {
    let join =
        |ident: &syn::Ident| if prefix.is_empty() { ident.to_string() } else { format!("{prefix}::{ident}") };
    match tree {
        syn::UseTree::Path(path) => flatten(&path.tree, join(&path.ident), found),
        syn::UseTree::Name(name) => drop(found.insert(join(&name.ident))),
        syn::UseTree::Rename(rename) => drop(found.insert(join(&rename.ident))),
        syn::UseTree::Glob(_) => drop(found.insert(prefix)),
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|item| flatten(item, prefix.clone(), found));
        }
    }
}

fn sources(module: &str) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![source.join(module), source.join(format!("{module}.rs"))];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            if !name.ends_with("tests") && !name.starts_with("test_") {
                files.push(path);
            }
        }
    }
    files
}

fn within(path: &str, allowed: &str) -> bool {
    path == allowed || path.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn every_module_uses_only_what_the_design_lets_it() {
    let mut broken = Vec::new();
    for rule in RULES {
        let files = sources(rule.module);
        assert!(!files.is_empty(), "module {} has no sources", rule.module);
        for file in files {
            let mut paths = Paths::default();
            paths.visit_file(&syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap());
            for path in &paths.found {
                let ours = path.strip_prefix("crate::");
                let foreign = ours.is_some_and(|ours| {
                    !within(ours, rule.module)
                        && !rule.may_use.iter().any(|allowed| within(ours, allowed))
                        && !is_granted(&file, ours)
                });
                let forbidden = ours.is_none() && rule.not.iter().any(|crate_| within(path, crate_));
                if foreign || forbidden {
                    broken.push(format!("{} uses {path}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "not allowed by the design's table:\n{}", broken.join("\n"));
}
