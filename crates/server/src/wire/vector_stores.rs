//! `vector_store` objects, which are our collections, and `vector_store.file` objects, which
//! are a file's membership in one.

use std::collections::BTreeMap;

use library::{
    AttributeValue, Attributes, Collection, FileCounts, LastError, Membership, Metadata, Status,
    VectorStatus,
};
use serde::Serialize;
use serde_json::Value;

use super::files::FSYNC;
use super::list::Identified;
use super::place::{Object, Place};
use crate::error::{ApiError, ErrorKind};

/// Keys that begin with this are ours: search results carry a passage's place under them.
pub(crate) const RESERVED_PREFIX: &str = "ibid.";

/// A named set of documents.
#[derive(Serialize)]
pub(crate) struct VectorStoreObject {
    id: String,
    object: &'static str,
    created_at: i64,
    name: String,
    usage_bytes: u64,
    file_counts: FileCountsObject,
    status: &'static str,
    expires_after: Option<()>,
    expires_at: Option<()>,
    last_active_at: i64,
    metadata: Metadata,
    durability: &'static str,
    /// "rebuilding" while searches find only a part of what is completed.
    index: &'static str,
    /// How far the vectors are, if there is an embedder. Not OpenAI's, and only given of one
    /// collection, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<EmbeddingObject>,
}

#[derive(Serialize)]
struct EmbeddingObject {
    model: String,
    vectors: usize,
    files_left: u64,
    searchable: bool,
}

impl VectorStoreObject {
    /// Says how far the vectors are.
    pub(crate) fn with_embedding(mut self, status: Option<VectorStatus>) -> Self {
        self.embedding = status.map(|status| EmbeddingObject {
            model: status.model,
            vectors: status.vectors,
            files_left: status.files_left,
            searchable: status.searchable,
        });
        self
    }
}

/// Files by status.
#[derive(Serialize)]
pub(crate) struct FileCountsObject {
    in_progress: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    total: u64,
}

/// A file in a collection; its id is the file's.
#[derive(Serialize)]
pub(crate) struct VectorStoreFileObject {
    id: String,
    object: &'static str,
    created_at: i64,
    vector_store_id: String,
    /// OpenAI's object has no name; a list without one is of little use.
    filename: String,
    usage_bytes: u64,
    status: &'static str,
    last_error: Option<LastErrorObject>,
    /// As ISO 639's two letters; null until the file was read, and where it cannot be told.
    language: Option<String>,
    attributes: Attributes,
    durability: &'static str,
}

/// Why a file could not be indexed.
#[derive(Serialize)]
pub(crate) struct LastErrorObject {
    code: &'static str,
    message: String,
}

/// The body of `POST /v1/vector_stores`.
pub(crate) struct CreateRequest {
    pub(crate) name: String,
    pub(crate) metadata: Metadata,
}

/// The body of `POST /v1/vector_stores/{id}/files` in JSON.
pub(crate) struct AttachRequest {
    pub(crate) what: Attached,
    pub(crate) attributes: Attributes,
}

/// What is to be attached.
pub(crate) enum Attached {
    /// A stored file, by its id.
    File(String),
    /// What is to be fetched from a URL.
    Url(String),
}

impl CreateRequest {
    /// Reads the body.
    pub(crate) fn read(body: &Object<'_>) -> Result<Self, ApiError> {
        for field in ["file_ids", "expires_after", "chunking_strategy"] {
            if let Some(place) = body.get(field) {
                let why = "is not supported; create the collection, then attach files to it";
                return Err(place.refuse(ErrorKind::UnsupportedParameter, why));
            }
        }
        Ok(Self {
            name: body.require("name")?.string()?.to_owned(),
            metadata: body
                .optional("metadata", read_metadata)?
                .unwrap_or_default(),
        })
    }
}

/// Reads the body of `POST /v1/vector_stores/{id}`, which must say what the metadata are to be;
/// `null` and `{}` take all away.
pub(crate) fn read_modification(body: &Object<'_>) -> Result<Metadata, ApiError> {
    for field in ["name", "expires_after"] {
        if let Some(place) = body.get(field) {
            let why = "cannot be changed; only metadata can";
            return Err(place.refuse(ErrorKind::UnsupportedParameter, why));
        }
    }
    if !body.mentions("metadata") {
        body.require("metadata")?;
    }
    let metadata = body.optional("metadata", read_metadata)?;
    Ok(metadata.unwrap_or_default())
}

/// Whether there are too many is the library's to say.
fn read_metadata(place: &Place<'_>) -> Result<Metadata, ApiError> {
    let fields = place.object()?;
    let texts = fields.places();
    texts
        .map(|(name, text)| Ok((name.to_owned(), text.string()?.to_owned())))
        .collect()
}

impl AttachRequest {
    /// Reads the body.
    pub(crate) fn read(body: &Object<'_>) -> Result<Self, ApiError> {
        let url = body.optional("url", |place| Ok(place.string()?.to_owned()))?;
        if let (Some(_), Some(place)) = (&url, body.get("file_id")) {
            let why = "cannot be given together with 'url'";
            return Err(place.refuse(ErrorKind::InvalidValue, why));
        }
        Ok(Self {
            what: match url {
                Some(url) => Attached::Url(url),
                None => Attached::File(body.require("file_id")?.string()?.to_owned()),
            },
            attributes: body
                .optional("attributes", read_attributes)?
                .unwrap_or_default(),
        })
    }
}

/// Reads the body of `POST /v1/vector_stores/{id}/files/{file}`, which must say what the
/// attributes are to be; `null` and `{}` take all away.
pub(crate) fn read_update(body: &Object<'_>) -> Result<Attributes, ApiError> {
    if !body.mentions("attributes") {
        body.require("attributes")?;
    }
    let attributes = body.optional("attributes", read_attributes)?;
    Ok(attributes.unwrap_or_default())
}

/// Reads the field `attributes` of a form, which holds JSON.
pub(crate) fn parse_attributes(json: &str) -> Result<Attributes, ApiError> {
    let value = serde_json::from_str(json).map_err(|error| {
        let message = format!("'attributes' is not valid JSON: {error}");
        ApiError::new(ErrorKind::InvalidJson, message).at("attributes")
    })?;
    read_attributes(&Place::new(&value, "attributes"))
}

/// Reads `attributes`: a few pairs of a name and a string, number or boolean.
pub(crate) fn read_attributes(place: &Place<'_>) -> Result<Attributes, ApiError> {
    let mut pairs = BTreeMap::new();
    for (key, value) in place.object()?.places() {
        if key.starts_with(RESERVED_PREFIX) {
            let why =
                format!("has a name that begins with \"{RESERVED_PREFIX}\", which is reserved");
            return Err(value.refuse(ErrorKind::InvalidValue, why));
        }
        pairs.insert(key.to_owned(), read_attribute(&value)?);
    }
    Ok(Attributes::new(pairs)?)
}

fn read_attribute(place: &Place<'_>) -> Result<AttributeValue, ApiError> {
    match place.value() {
        Value::Bool(boolean) => Ok(AttributeValue::Bool(*boolean)),
        Value::Number(number) => Ok(AttributeValue::Number(number.clone())),
        Value::String(text) => Ok(AttributeValue::String(text.clone())),
        _ => Err(place.wrong_type("a string, a number or a boolean")),
    }
}

/// Reads the `filter` of a list of files.
pub(crate) fn read_status(filter: &str) -> Result<Status, ApiError> {
    Status::parse(filter).ok_or_else(|| {
        let names = Status::ALL.map(Status::as_str).join(", ");
        let message = format!("'filter' must be one of {names}");
        ApiError::new(ErrorKind::InvalidValue, message).at("filter")
    })
}

/// Whether searches find all that is completed.
pub(crate) fn index_state(rebuilding: bool) -> &'static str {
    match rebuilding {
        true => "rebuilding",
        false => "complete",
    }
}

impl From<&Collection> for VectorStoreObject {
    fn from(collection: &Collection) -> Self {
        let in_progress = collection.counts.in_progress > 0;
        Self {
            id: collection.id.clone(),
            object: "vector_store",
            created_at: collection.created_at,
            name: collection.name.clone(),
            usage_bytes: collection.usage_bytes,
            file_counts: FileCountsObject::from(&collection.counts),
            status: if in_progress {
                "in_progress"
            } else {
                "completed"
            },
            expires_after: None,
            expires_at: None,
            last_active_at: collection.last_active_at,
            metadata: collection.metadata.clone(),
            durability: FSYNC,
            index: index_state(collection.rebuilding),
            embedding: None,
        }
    }
}

impl From<&FileCounts> for FileCountsObject {
    fn from(counts: &FileCounts) -> Self {
        Self {
            in_progress: counts.in_progress,
            completed: counts.completed,
            failed: counts.failed,
            cancelled: counts.cancelled,
            total: counts.total,
        }
    }
}

impl From<&Membership> for VectorStoreFileObject {
    fn from(membership: &Membership) -> Self {
        Self {
            id: membership.file_id.clone(),
            object: "vector_store.file",
            created_at: membership.created_at,
            vector_store_id: membership.collection_id.clone(),
            filename: membership.filename.clone(),
            usage_bytes: membership.usage_bytes,
            status: membership.status.as_str(),
            last_error: membership.last_error.as_ref().map(LastErrorObject::from),
            language: membership.language.clone(),
            attributes: membership.attributes.clone(),
            durability: FSYNC,
        }
    }
}

impl From<&LastError> for LastErrorObject {
    fn from(error: &LastError) -> Self {
        Self {
            code: error.code.as_str(),
            message: error.message.clone(),
        }
    }
}

impl Identified for VectorStoreObject {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for VectorStoreFileObject {
    fn id(&self) -> &str {
        &self.id
    }
}
