//! What Python does with values and Jinja in Rust does not: chat templates are written against it.

use minijinja::value::{Value, ValueKind, from_args};
use minijinja::{Error, Output, State, escape_formatter};
use minijinja_contrib::pycompat;

use super::percent;

/// Writes `{{ value }}`: numbers as Python's `str` does.
pub(crate) fn format(output: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match f64::try_from(value.clone()) {
        Ok(number) if value.kind() == ValueKind::Number && !value.is_integer() => {
            escape_formatter(output, state, &Value::from_safe_string(float(number)))
        }
        _ => escape_formatter(output, state, value),
    }
}

/// Python's `repr` of a float: the shortest digits that are read back as the same number, with an
/// exponent below 1e-4 and from 1e16 on.
pub(crate) fn float(number: f64) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            "nan".to_owned()
        } else {
            number.to_string()
        };
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific
        .split_once('e')
        .expect("the format has an exponent");
    let exponent = exponent.parse::<i32>().expect("an exponent is a number");
    if number != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = number.to_string();
    match plain.contains('.') {
        true => plain,
        false => plain + ".0",
    }
}

/// Methods of Python's strings and dictionaries.
pub(crate) fn method(
    state: &mut State,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    match (value.as_str(), method) {
        (Some(text), percent::METHOD) => percent::format(text, arguments),
        (Some(text), "rsplit") => rsplit(text, arguments),
        (Some(text), "removeprefix") => {
            let (prefix,): (&str,) = from_args(arguments)?;
            Ok(text.strip_prefix(prefix).unwrap_or(text).into())
        }
        (Some(text), "removesuffix") => {
            let (suffix,): (&str,) = from_args(arguments)?;
            Ok(text.strip_suffix(suffix).unwrap_or(text).into())
        }
        (Some(text), "partition") => {
            let (separator,): (&str,) = from_args(arguments)?;
            let parts = text.split_once(separator).map(|(a, b)| [a, separator, b]);
            Ok(parts.unwrap_or([text, "", ""]).into_iter().collect())
        }
        (Some(text), "rpartition") => {
            let (separator,): (&str,) = from_args(arguments)?;
            let parts = text.rsplit_once(separator).map(|(a, b)| [a, separator, b]);
            Ok(parts.unwrap_or(["", "", text]).into_iter().collect())
        }
        _ => pycompat::unknown_method_callback(state, value, method, arguments),
    }
}

/// `text.rsplit(separator=None, maxsplit=-1)`.
fn rsplit(text: &str, arguments: &[Value]) -> Result<Value, Error> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(arguments)?;
    let most = most.and_then(|most| usize::try_from(most).ok());
    let parts = most.map_or(usize::MAX, |most| most.saturating_add(1));
    let mut found: Vec<&str> = match separator {
        Some(separator) => text.rsplitn(parts, separator).collect(),
        None => split_at_blanks(text, parts),
    };
    found.reverse();
    Ok(found.into_iter().collect())
}

/// From the end; the last part keeps the blanks inside it.
fn split_at_blanks(text: &str, parts: usize) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && found.len() + 1 < parts {
        let word = rest.rfind(char::is_whitespace).map_or(0, |at| {
            at + rest[at..].chars().next().map_or(0, char::len_utf8)
        });
        found.push(&rest[word..]);
        rest = rest[..word].trim_end();
    }
    if !rest.is_empty() {
        found.push(rest);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let check = |number: f64, expected: &str| assert_eq!(float(number), expected);
        check(1.0, "1.0");
        check(0.1, "0.1");
        check(-2.5, "-2.5");
        check(0.0, "0.0");
        check(1e15, "1000000000000000.0");
        check(1e16, "1e+16");
        check(1.5e300, "1.5e+300");
        check(0.0001, "0.0001");
        check(1e-7, "1e-07");
        check(1.25e-5, "1.25e-05");
    }

    #[test]
    fn texts_are_split_from_the_right() {
        let check = |text: &str, arguments: &[Value], expected: &str| {
            let parts = rsplit(text, arguments).expect("it is split");
            assert_eq!(parts.to_string(), expected);
        };
        check("a-b-c", &["-".into(), 1.into()], "['a-b', 'c']");
        check("a-b-c", &["-".into()], "['a', 'b', 'c']");
        check(" a  b c ", &[], "['a', 'b', 'c']");
        check(" a  b c ", &[Value::from(()), 1.into()], "['a  b', 'c']");
    }
}
