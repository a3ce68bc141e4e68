//! Reading JSON with an eye on where we are, so that every refusal names its field.
//!
//! A [`Place`] is a value and its path (`messages[2].content`). Each reader checks type and
//! range together and refuses in one sentence. `null` counts as absent, as OpenAI's does.

use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::error::{ApiError, ErrorKind};

/// An object in a request.
pub(crate) struct Object<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

/// A value in a request.
pub(crate) struct Place<'a> {
    value: &'a Value,
    path: String,
}

/// Parses a body that must be one JSON object.
pub(crate) fn parse_object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let invalid = |message| ApiError::new(ErrorKind::InvalidJson, message);
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(invalid(format!(
            "the body must be a JSON object, but is {}",
            describe(&other)
        ))),
        Err(error) => Err(invalid(format!("the body is not valid JSON: {error}"))),
    }
}

impl<'a> Object<'a> {
    /// The outermost object of a body.
    pub(crate) fn root(fields: &'a Map<String, Value>) -> Self {
        Self {
            fields,
            path: String::new(),
        }
    }

    /// The field called `name`, unless it is absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<Place<'a>> {
        let value = self.fields.get(name).filter(|value| !value.is_null())?;
        Some(Place {
            value,
            path: self.path_of(name),
        })
    }

    /// The field called `name` was written, even if as null.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The field called `name`, which must be there.
    pub(crate) fn require(&self, name: &str) -> Result<Place<'a>, ApiError> {
        self.get(name).ok_or_else(|| {
            let path = self.path_of(name);
            ApiError::new(ErrorKind::MissingParameter, format!("'{path}' is required")).at(path)
        })
    }

    /// The field called `name` as `read` reads it, if it is there.
    pub(crate) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Place<'a>) -> Result<T, ApiError>,
    ) -> Result<Option<T>, ApiError> {
        self.get(name).map(|place| read(&place)).transpose()
    }

    /// All fields in the order they were written.
    pub(crate) fn places(&self) -> impl Iterator<Item = (&'a str, Place<'a>)> {
        self.fields.iter().map(|(name, value)| {
            let path = self.path_of(name);
            (name.as_str(), Place { value, path })
        })
    }

    fn path_of(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }
}

impl<'a> Place<'a> {
    /// A value that stands at `path`.
    pub(crate) fn new(value: &'a Value, path: &str) -> Self {
        Self {
            value,
            path: path.to_owned(),
        }
    }

    /// The value as it stands.
    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// Where the value stands, such as `messages[2].content`.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A string.
    pub(crate) fn string(&self) -> Result<&'a str, ApiError> {
        self.value
            .as_str()
            .ok_or_else(|| self.wrong_type("a string"))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Result<bool, ApiError> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong_type("true or false"))
    }

    /// A whole number in `range`.
    pub(crate) fn integer(&self, range: RangeInclusive<i64>) -> Result<i64, ApiError> {
        let expected = || format!("an integer from {} to {}", range.start(), range.end());
        match self.value.as_i64() {
            Some(number) if range.contains(&number) => Ok(number),
            // Too large for 64 bits is out of range, not another type.
            None if !self.value.is_u64() => Err(self.wrong_type(expected())),
            _ => Err(self.out_of_range(expected())),
        }
    }

    /// A number in `range`.
    pub(crate) fn number(&self, range: RangeInclusive<f64>) -> Result<f64, ApiError> {
        let expected = || format!("a number from {} to {}", range.start(), range.end());
        match self.value.as_f64() {
            Some(number) if range.contains(&number) => Ok(number),
            Some(_) => Err(self.out_of_range(expected())),
            None => Err(self.wrong_type(expected())),
        }
    }

    /// One of a few words, each with its meaning.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, ApiError> {
        let word = self.string()?;
        let chosen = choices.iter().find(|(name, _)| *name == word);
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let names: Vec<_> = choices
                .iter()
                .map(|(name, _)| format!("\"{name}\""))
                .collect();
            self.out_of_range(format!("one of {}", names.join(", ")))
        })
    }

    /// The items of an array.
    pub(crate) fn items(&self) -> Result<Vec<Place<'a>>, ApiError> {
        let values = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong_type("an array"))?;
        Ok(self.item_places(values))
    }

    /// One string, or an array of strings.
    pub(crate) fn one_or_more(&self) -> Result<Vec<Place<'a>>, ApiError> {
        let places = match self.value {
            Value::String(_) => vec![Place {
                value: self.value,
                path: self.path.clone(),
            }],
            Value::Array(values) => self.item_places(values),
            _ => return Err(self.wrong_type("a string or an array of strings")),
        };
        for place in &places {
            place.string()?;
        }
        Ok(places)
    }

    /// An object.
    pub(crate) fn object(&self) -> Result<Object<'a>, ApiError> {
        let fields = self
            .value
            .as_object()
            .ok_or_else(|| self.wrong_type("an object"))?;
        Ok(Object {
            fields,
            path: self.path.clone(),
        })
    }

    /// The refusal of a value of another type than `expected`.
    pub(crate) fn wrong_type(&self, expected: impl Display) -> ApiError {
        self.refuse(ErrorKind::InvalidType, must_be(expected, self.value))
    }

    /// The refusal of a value outside of `expected`.
    pub(crate) fn out_of_range(&self, expected: impl Display) -> ApiError {
        self.refuse(ErrorKind::InvalidValue, must_be(expected, self.value))
    }

    /// The refusal of this value; `why` continues a sentence that begins with its path.
    pub(crate) fn refuse(&self, kind: ErrorKind, why: impl Display) -> ApiError {
        ApiError::new(kind, format!("'{}' {why}", self.path)).at(self.path.clone())
    }

    fn item_places(&self, values: &'a [Value]) -> Vec<Place<'a>> {
        let place = |(index, value)| Place {
            value,
            path: format!("{}[{index}]", self.path),
        };
        values.iter().enumerate().map(place).collect()
    }
}

fn must_be(expected: impl Display, value: &Value) -> String {
    format!("must be {expected}, but is {}", describe(value))
}

/// A value in a few words, however large it is.
fn describe(value: &Value) -> String {
    const SHOWN: usize = 40;
    match value {
        Value::Null => "null".into(),
        Value::Bool(boolean) => boolean.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() <= SHOWN => format!("{text:?}"),
        Value::String(_) => "a long string".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}
