//! Who may import whom: the table of `crates/README.md`, held against `cargo metadata`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Our crates, and which of ours each may import.
const OURS: &[(&str, &[&str])] = &[
    ("engine", &[]),
    ("engine-candle", &["engine"]),
    ("bundled", &[]),
    ("extract", &[]),
    ("retrieval", &[]),
    ("library", &["extract", "retrieval", "engine"]),
    ("rag", &["engine", "retrieval"]),
    (
        "server",
        &[
            "engine",
            "engine-candle",
            "bundled",
            "extract",
            "retrieval",
            "library",
            "rag",
        ],
    ),
    ("tests", &["server"]),
];

/// Libraries that only one of our crates may name.
const ONLY_IN: &[(&str, &str)] = &[
    ("candle-core", "engine-candle"),
    ("candle-nn", "engine-candle"),
    ("candle-transformers", "engine-candle"),
    ("tokenizers", "engine-candle"),
    ("llguidance", "engine-candle"),
    ("tantivy", "retrieval"),
    ("rusqlite", "library"),
    ("notify", "library"),
    ("ignore", "library"),
    ("axum", "server"),
    ("clap", "server"),
    ("rustls", "server"),
    ("tokio-rustls", "server"),
];

#[test]
fn imports_run_one_way() {
    let allowed: BTreeMap<_, _> = OURS.iter().copied().collect();
    let mut faults = Vec::new();
    for (package, dependency) in dependencies() {
        let Some(may_import) = allowed.get(package.as_str()) else {
            faults.push(format!("{package} is not in the table of crates"));
            continue;
        };
        if allowed.contains_key(dependency.as_str()) && !may_import.contains(&dependency.as_str()) {
            faults.push(format!("{package} imports {dependency}"));
        }
        let owner = ONLY_IN.iter().find(|(library, _)| *library == dependency);
        if let Some((_, owner)) = owner.filter(|(_, owner)| *owner != package) {
            faults.push(format!(
                "{package} names {dependency}, which only {owner} may"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Where the ban on unsafe code may be lifted: kernels, and the sandbox of the extractor.
const UNSAFE_IN: &[&str] = &[
    "crates/engine-candle/src/kernels/",
    "crates/extract/src/sandbox/",
    "crates/extract/src/sandbox.rs",
];

#[test]
fn only_kernels_and_the_sandbox_lift_the_ban() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![root.join("crates"), root.join("tests")];
    let mut faults = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("folders can be listed") {
            let path = entry.expect("entries can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let source = fs::read_to_string(&path).expect("sources are text");
                let place = path.strip_prefix(&root).expect("it is inside");
                let place = place.to_string_lossy().replace('\\', "/");
                let allowed = UNSAFE_IN.iter().any(|start| place.starts_with(start));
                if !allowed && lifts_the_ban(&source) {
                    faults.push(place);
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The workspace denies unsafe code, so whoever uses it has to allow it by name.
fn lifts_the_ban(source: &str) -> bool {
    let lint = concat!("unsafe", "_code");
    source.lines().any(|line| {
        let code = line.split("//").next().unwrap_or_default();
        code.contains(lint)
    })
}

/// Every (package, dependency) of the workspace. An engine's tests may ask for more of the
/// contract than it imports, so a crate's dependency on itself does not count.
fn dependencies() -> Vec<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let mut pairs = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = |value: &Value| value["name"].as_str().expect("a name").to_owned();
            pairs.push((name(package), name(dependency)));
        }
    }
    pairs
}
