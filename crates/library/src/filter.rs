//! Which files of a collection a search may look into, by what is noted about them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::store::{collections, memberships};
use crate::{AttributeValue, Library, LibraryError, Membership};

/// A condition on a file of a collection.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Every one holds; so it does of none.
    And(Vec<Filter>),
    /// At least one holds.
    Or(Vec<Filter>),
    /// What is noted under `key` compares so with a value.
    ///
    /// Beside the attributes, the keys `file_id`, `filename`, `language` and `created_at` (when the
    /// file came into the collection, in seconds since 1970) mean what they say, unless an
    /// attribute has the name.
    Compare {
        /// The name of the attribute.
        key: String,
        /// How it must compare.
        comparison: Comparison,
        /// With what. Values of different types are different, and neither is less.
        value: AttributeValue,
    },
    /// What is noted under `key` is one of the values.
    In {
        /// The name of the attribute.
        key: String,
        /// Any of these.
        values: Vec<AttributeValue>,
    },
    /// What is noted under `key` is none of the values, or nothing is noted.
    NotIn {
        /// The name of the attribute.
        key: String,
        /// None of these.
        values: Vec<AttributeValue>,
    },
}

/// How two values are compared. Numbers are ordered by size and texts by code point, which orders
/// dates written as `2026-11-26`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same value.
    Equal,
    /// Another value, or none.
    NotEqual,
    /// More.
    Greater,
    /// More, or the same.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less, or the same.
    LessOrEqual,
}

impl Filter {
    /// Whether the filter lets a file through.
    pub fn matches(&self, file: &Membership) -> bool {
        match self {
            Filter::And(filters) => filters.iter().all(|filter| filter.matches(file)),
            Filter::Or(filters) => filters.iter().any(|filter| filter.matches(file)),
            Filter::Compare {
                key,
                comparison,
                value,
            } => compares(noted(file, key).as_ref(), *comparison, value),
            Filter::In { key, values } => is_one_of(file, key, values),
            Filter::NotIn { key, values } => !is_one_of(file, key, values),
        }
    }
}

impl Library {
    /// The files of a collection that can be searched and that the filter lets through.
    ///
    /// # Errors
    ///
    /// [`LibraryError::NotFound`] for an unknown collection.
    pub fn matching(
        &self,
        collection: &str,
        filter: &Filter,
    ) -> Result<BTreeSet<String>, LibraryError> {
        let files = self.core.store.read(|connection| {
            let collection_id = collections::require(connection, collection)?;
            memberships::completed(connection, &collection_id)
        })?;
        let matching = files.into_iter().filter(|file| filter.matches(file));
        Ok(matching.map(|file| file.file_id).collect())
    }
}

fn noted(file: &Membership, key: &str) -> Option<AttributeValue> {
    let own = || match key {
        "file_id" => Some(AttributeValue::String(file.file_id.clone())),
        "filename" => Some(AttributeValue::String(file.filename.clone())),
        "language" => file.language.clone().map(AttributeValue::String),
        "created_at" => Some(AttributeValue::Number(file.created_at.into())),
        _ => None,
    };
    file.attributes.get(key).cloned().or_else(own)
}

fn is_one_of(file: &Membership, key: &str, values: &[AttributeValue]) -> bool {
    let noted = noted(file, key);
    let equals = |value| compares(noted.as_ref(), Comparison::Equal, value);
    values.iter().any(equals)
}

fn compares(
    noted: Option<&AttributeValue>,
    comparison: Comparison,
    value: &AttributeValue,
) -> bool {
    let order = noted.and_then(|noted| order(noted, value));
    match comparison {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
    }
}

/// `None` for values of different types.
fn order(one: &AttributeValue, other: &AttributeValue) -> Option<Ordering> {
    match (one, other) {
        (AttributeValue::Bool(one), AttributeValue::Bool(other)) => Some(one.cmp(other)),
        (AttributeValue::String(one), AttributeValue::String(other)) => Some(one.cmp(other)),
        (AttributeValue::Number(one), AttributeValue::Number(other)) => {
            match (one.as_i64(), other.as_i64()) {
                (Some(one), Some(other)) => Some(one.cmp(&other)),
                _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Attributes, Status};

    fn file() -> Membership {
        let pairs = [
            ("year", AttributeValue::Number(2024.into())),
            ("kind", AttributeValue::String("law".into())),
            ("dated", AttributeValue::String("2026-11-26".into())),
            ("draft", AttributeValue::Bool(false)),
        ];
        let pairs: BTreeMap<_, _> = pairs.map(|(key, value)| (key.to_owned(), value)).into();
        Membership {
            file_id: "file-1".into(),
            filename: "labor.md".into(),
            collection_id: "vs_1".into(),
            status: Status::Completed,
            last_error: None,
            created_at: 1000,
            usage_bytes: 0,
            language: Some("ko".into()),
            attributes: Attributes::new(pairs).expect("few and short"),
        }
    }

    fn compare(key: &str, comparison: Comparison, value: AttributeValue) -> Filter {
        Filter::Compare {
            key: key.into(),
            comparison,
            value,
        }
    }

    #[test]
    fn values_compare_by_type() {
        let number = |number: i64| AttributeValue::Number(number.into());
        let text = |text: &str| AttributeValue::String(text.into());
        let check = |key: &str, comparison, value: AttributeValue, expected: bool| {
            let filter = compare(key, comparison, value);
            assert_eq!(filter.matches(&file()), expected, "{filter:?}");
        };
        check("year", Comparison::Equal, number(2024), true);
        check("year", Comparison::Equal, text("2024"), false);
        check("year", Comparison::NotEqual, text("2024"), true);
        check("year", Comparison::Greater, number(2023), true);
        check("year", Comparison::Greater, number(2024), false);
        check("year", Comparison::GreaterOrEqual, number(2024), true);
        check("year", Comparison::Less, text("3000"), false);
        check("dated", Comparison::LessOrEqual, text("2026-12-31"), true);
        check(
            "draft",
            Comparison::Equal,
            AttributeValue::Bool(false),
            true,
        );
        check("absent", Comparison::Equal, number(1), false);
        check("absent", Comparison::NotEqual, number(1), true);
        check("filename", Comparison::Equal, text("labor.md"), true);
        check("created_at", Comparison::Less, number(1001), true);
        check("language", Comparison::Equal, text("ko"), true);
    }

    #[test]
    fn filters_combine() {
        let law = || {
            compare(
                "kind",
                Comparison::Equal,
                AttributeValue::String("law".into()),
            )
        };
        let draft = || compare("draft", Comparison::Equal, AttributeValue::Bool(true));
        let check = |filter: Filter, expected: bool| {
            assert_eq!(filter.matches(&file()), expected, "{filter:?}");
        };
        check(Filter::And(vec![law(), draft()]), false);
        check(Filter::Or(vec![law(), draft()]), true);
        check(Filter::And(vec![]), true);
        check(Filter::Or(vec![]), false);
        let (key, values) = ("year".to_owned(), vec![AttributeValue::Number(2024.into())]);
        check(
            Filter::In {
                key: key.clone(),
                values: values.clone(),
            },
            true,
        );
        check(
            Filter::NotIn {
                key,
                values: values.clone(),
            },
            false,
        );
        check(
            Filter::NotIn {
                key: "absent".into(),
                values,
            },
            true,
        );
    }
}
