//! Filters by attribute, in OpenAI's form: comparisons, and `and` and `or` around them.

use library::{AttributeValue, Comparison, Filter};
use serde_json::Value;

use super::place::{Object, Place};
use crate::error::{ApiError, ErrorKind};

/// Filters within filters.
const MAX_DEPTH: usize = 8;

/// Filters in one `and` or `or`, and values in one `in` or `nin`.
const MAX_ITEMS: usize = 100;

/// What the `type` of a filter means.
#[derive(Clone, Copy)]
enum Kind {
    Compare(Comparison),
    In,
    NotIn,
    And,
    Or,
}

const KINDS: [(&str, Kind); 10] = [
    ("eq", Kind::Compare(Comparison::Equal)),
    ("ne", Kind::Compare(Comparison::NotEqual)),
    ("gt", Kind::Compare(Comparison::Greater)),
    ("gte", Kind::Compare(Comparison::GreaterOrEqual)),
    ("lt", Kind::Compare(Comparison::Less)),
    ("lte", Kind::Compare(Comparison::LessOrEqual)),
    ("in", Kind::In),
    ("nin", Kind::NotIn),
    ("and", Kind::And),
    ("or", Kind::Or),
];

/// Reads one filter with all that are in it.
pub(crate) fn read_filter(place: &Place<'_>) -> Result<Filter, ApiError> {
    read_at(place, 1)
}

fn read_at(place: &Place<'_>, depth: usize) -> Result<Filter, ApiError> {
    if depth > MAX_DEPTH {
        let why = format!("is a filter within more than {MAX_DEPTH} others");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let fields = place.object()?;
    let key = || -> Result<String, ApiError> { Ok(fields.require("key")?.string()?.to_owned()) };
    Ok(match fields.require("type")?.choice(&KINDS)? {
        Kind::Compare(comparison) => Filter::Compare {
            key: key()?,
            comparison,
            value: read_value(&fields.require("value")?)?,
        },
        Kind::In => Filter::In {
            key: key()?,
            values: read_values(&fields)?,
        },
        Kind::NotIn => Filter::NotIn {
            key: key()?,
            values: read_values(&fields)?,
        },
        Kind::And => Filter::And(read_filters(&fields, depth)?),
        Kind::Or => Filter::Or(read_filters(&fields, depth)?),
    })
}

fn read_filters(fields: &Object<'_>, depth: usize) -> Result<Vec<Filter>, ApiError> {
    let items = few(&fields.require("filters")?)?;
    items.iter().map(|item| read_at(item, depth + 1)).collect()
}

fn read_values(fields: &Object<'_>) -> Result<Vec<AttributeValue>, ApiError> {
    few(&fields.require("value")?)?
        .iter()
        .map(read_value)
        .collect()
}

fn few<'a>(place: &Place<'a>) -> Result<Vec<Place<'a>>, ApiError> {
    let items = place.items()?;
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        let why = format!("must hold 1 to {MAX_ITEMS} items");
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    Ok(items)
}

fn read_value(place: &Place<'_>) -> Result<AttributeValue, ApiError> {
    match place.value() {
        Value::Bool(boolean) => Ok(AttributeValue::Bool(*boolean)),
        Value::Number(number) => Ok(AttributeValue::Number(number.clone())),
        Value::String(text) => Ok(AttributeValue::String(text.clone())),
        _ => Err(place.wrong_type("a string, a number or a boolean")),
    }
}
