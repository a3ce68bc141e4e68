//! Reading JSON Lines, packed with gzip or not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// Every line of a `.jsonl` or `.jsonl.gz` file as an object; blank lines are passed over.
///
/// # Errors
///
/// Names the file and the line that cannot be read.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Value>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn Read> = if is_packed {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut values = Vec::new();
    for (n, line) in (1..).zip(BufReader::new(reader).lines()) {
        let place = || format!("{}, line {n}", path.display());
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let value: Value = serde_json::from_str(&line).with_context(place)?;
        anyhow::ensure!(value.is_object(), "{}: not a JSON object", place());
        values.push(value);
    }
    Ok(values)
}

/// The text of a field; empty when there is none.
pub(super) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

/// The texts of a field that holds a list of them; empty when there is none.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    let texts = items.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// What a set is called: its file's name without the endings.
pub(super) fn set_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".jsonl").unwrap_or(name).to_owned()
}
