//! The field `retrieval` of a chat request: which collections to search, and how.

use library::Filter;
use retrieval::Mode;

use super::filters::read_filter;
use super::place::{Object, Place};
use crate::app::Limits;
use crate::error::{ApiError, ErrorKind};

/// The most collections one question may search.
const MAX_COLLECTIONS: usize = 16;

/// What to search for an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RetrievalOptions {
    /// Which collections.
    pub(crate) collections: Collections,
    /// How many passages; `None` leaves it to the pipeline.
    pub(crate) top_k: Option<usize>,
    /// Which of their files.
    pub(crate) filter: Option<Filter>,
    /// By words, by meaning, or both.
    pub(crate) mode: Mode,
    /// How much it counts that they say different things; `None` leaves it to the configuration.
    pub(crate) diversity: Option<f32>,
}

/// Which collections to search.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Collections {
    /// None: a chat without documents.
    None,
    /// The default collection, if it holds documents.
    #[default]
    Default,
    /// These, by id or name.
    Named(Vec<NamedCollection>),
}

impl Collections {
    /// Takes the collection of `NAME@COLLECTION` in place of the default one. What the field
    /// `retrieval` says itself is more exact and stays.
    pub(crate) fn prefer(&mut self, collection: Option<&str>) {
        if let (Self::Default, Some(name)) = (&self, collection) {
            *self = Self::Named(vec![NamedCollection {
                name: name.to_owned(),
                param: "model".to_owned(),
            }]);
        }
    }
}

/// A collection as the request names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedCollection {
    /// Its id or name.
    pub(crate) name: String,
    /// The field that named it, for the refusal if there is no such collection.
    pub(crate) param: String,
}

impl RetrievalOptions {
    /// Reads the field, which may be absent, null or an object.
    pub(crate) fn read(body: &Object<'_>, limits: &Limits) -> Result<Self, ApiError> {
        match body.get("retrieval") {
            Some(place) => Self::read_object(&place.object()?, limits),
            None if body.mentions("retrieval") => Ok(Self {
                collections: Collections::None,
                ..Self::default()
            }),
            None => Ok(Self::default()),
        }
    }

    fn read_object(fields: &Object<'_>, limits: &Limits) -> Result<Self, ApiError> {
        let top_k = 1..=limits.top_k as i64;
        Ok(Self {
            collections: fields
                .optional("collections", read_collections)?
                .unwrap_or_default(),
            top_k: fields
                .optional("top_k", |place| place.integer(top_k))?
                .map(|k| k as usize),
            filter: fields.optional("filters", read_filter)?,
            mode: fields.optional("mode", read_mode)?.unwrap_or_default(),
            diversity: fields
                .optional("diversity", |place| place.number(0.0..=1.0))?
                .map(|share| share as f32),
        })
    }
}

/// By what passages are found. Without an embedder a hybrid search goes by words, and a dense one
/// is refused when it is begun.
pub(crate) fn read_mode(place: &Place<'_>) -> Result<Mode, ApiError> {
    place.choice(&[
        ("hybrid", Mode::Hybrid),
        ("lexical", Mode::Lexical),
        ("dense", Mode::Dense),
    ])
}

fn read_collections(place: &Place<'_>) -> Result<Collections, ApiError> {
    let items = place.items()?;
    if !(1..=MAX_COLLECTIONS).contains(&items.len()) {
        let why = format!(
            "must name 1 to {MAX_COLLECTIONS} collections; send \"retrieval\": null to search none"
        );
        return Err(place.refuse(ErrorKind::InvalidValue, why));
    }
    let names = items.iter().map(|item| {
        Ok(NamedCollection {
            name: item.string()?.to_owned(),
            param: item.path().to_owned(),
        })
    });
    Ok(Collections::Named(names.collect::<Result<_, ApiError>>()?))
}
