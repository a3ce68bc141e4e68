//! From a request to an answer, the same way for whoever asks: a client, or a replay.
//!
//! Beside the answer goes a [`Record`] of it, from which its receipt is made.

mod digest;
mod record;

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::Role;
use library::{DEFAULT_COLLECTION, Library};
use rag::{Answer, Method, Pipeline, Profile, Question};
use retrieval::{Fusion, Index};
use serde_json::{Map, Value};

use crate::app::App;
use crate::error::ApiError;
use crate::routes::unknown_model;
use crate::wire::chat_request::ChatRequest;
use crate::wire::place::Object;
use crate::wire::retrieval::{Collections, NamedCollection, RetrievalOptions};

pub(crate) use digest::{hex, sha256};
use record::Asked;
pub(crate) use record::{Receipts, Record, Whole};

/// Under this name the metadata of a collection say which profile it has.
pub(crate) const PROFILE: &str = "profile";

/// A chat request that was read, with the model it goes to.
pub(crate) struct Asking {
    pub(crate) request: ChatRequest,
    /// The name of the model.
    pub(crate) model: String,
    pipeline: Arc<Pipeline>,
    /// The request as it was sent, with a seed.
    body: Map<String, Value>,
}

/// A collection that is searched, and the state of its index.
pub(crate) struct Searched {
    pub(crate) collection: String,
    pub(crate) generation: u64,
}

impl Asking {
    /// Reads the body of a chat request. One that draws tokens by chance and names no seed is
    /// given one, so that its answer can be had again.
    pub(crate) fn read(app: &App, mut body: Map<String, Value>) -> Result<Self, ApiError> {
        let mut request = ChatRequest::read(&Object::root(&body), &app.limits)?;
        let resolved = app.models.resolve(&request.model);
        let (model, collection) = resolved.ok_or_else(|| unknown_model(app, &request.model))?;
        request.retrieval.collections.prefer(collection);
        if request.sampling.temperature > 0.0 && request.sampling.seed.is_none() {
            let seed = random_seed();
            request.sampling.seed = Some(u64::from(seed));
            body.insert("seed".into(), seed.into());
        }
        Ok(Self {
            model: model.info.name.clone(),
            pipeline: model.pipeline.clone(),
            request,
            body,
        })
    }

    /// The question.
    pub(crate) fn asked(&self) -> String {
        let mut messages = self.request.messages.iter().rev();
        let asked = messages.find(|message| message.role == Role::User);
        asked.map_or_else(String::new, |message| message.content.clone())
    }

    /// Searches and begins the answer, which is to have this `id`. May block.
    pub(crate) fn answer(self, app: &App, id: String) -> Result<(Answer, Record), ApiError> {
        let metered = app.receipts.meter.begin();
        let retrieval = &self.request.retrieval;
        let indexes = open_indexes(&app.library, &retrieval.collections)?;
        let searched = searched(retrieval, &indexes);
        let files = files(&app.library, retrieval)?;
        let profile = profile(app, &retrieval.collections)?;
        let rebuilding = is_rebuilding(&app.library, retrieval)?;
        let question = Question {
            profile,
            files: files.map(Arc::new),
            ..question(self.request)
        };
        let sampling = question.sampling;
        let answer = self.pipeline.answer(&indexes, question)?;
        let asked = Asked {
            id,
            body: self.body,
            model: self.model,
            pipeline: self.pipeline,
            searched,
            sampling,
            rebuilding,
        };
        let record = Record::new(asked, metered, &answer);
        Ok((answer, record))
    }
}

fn random_seed() -> u32 {
    getrandom::u32().expect("the operating system gives random bytes")
}

fn searched(retrieval: &RetrievalOptions, indexes: &[Arc<Index>]) -> Vec<Searched> {
    let names = names(&retrieval.collections);
    let searched = names.into_iter().zip(indexes);
    let searched = searched.map(|(name, index)| Searched {
        collection: name.to_owned(),
        generation: index.generation(),
    });
    searched.collect()
}

fn names(collections: &Collections) -> Vec<&str> {
    match collections {
        Collections::None => Vec::new(),
        Collections::Default => vec![DEFAULT_COLLECTION],
        Collections::Named(names) => names.iter().map(|named| named.name.as_str()).collect(),
    }
}

/// The profile of the first collection that names one.
fn profile(app: &App, collections: &Collections) -> Result<Option<Arc<Profile>>, ApiError> {
    for name in names(collections) {
        let metadata = app.library.metadata(name)?;
        let Some(wanted) = metadata.as_ref().and_then(|noted| noted.get(PROFILE)) else {
            continue;
        };
        let found = app.profiles.iter().find(|profile| profile.name == *wanted);
        return match found {
            Some(profile) => Ok(Some(profile.clone())),
            // It was there when it was noted; answering without it could do harm.
            None => Err(ApiError::internal(format!(
                "the collection {name:?} has the profile {wanted:?}, which is not configured"
            ))),
        };
    }
    Ok(None)
}

/// The files that the filters let through, of all collections that are searched.
fn files(
    library: &Library,
    retrieval: &RetrievalOptions,
) -> Result<Option<BTreeSet<String>>, ApiError> {
    let Some(filter) = &retrieval.filter else {
        return Ok(None);
    };
    let mut files = BTreeSet::new();
    for name in names(&retrieval.collections) {
        files.extend(library.matching(name, filter)?);
    }
    Ok(Some(files))
}

/// Whether an index that is searched is being built again.
fn is_rebuilding(library: &Library, retrieval: &RetrievalOptions) -> Result<bool, ApiError> {
    for name in names(&retrieval.collections) {
        if library.is_rebuilding(name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn question(request: ChatRequest) -> Question {
    Question {
        messages: request.messages,
        verbatim_quotations: request.verbatim_quotations,
        groundedness: request.groundedness,
        task: request.task.task,
        examples: request.task.examples,
        mode: request.answer,
        citations: request.citations,
        support: request.support,
        top_k: request.retrieval.top_k,
        choices: request.choices,
        method: Method {
            mode: request.retrieval.mode,
            fusion: Fusion::default(),
            diversity: request.retrieval.diversity,
        },
        sampling: request.sampling,
        max_tokens: request.max_tokens,
        stop: request.stop,
        salt: request.cache_salt,
        logit_bias: request.logit_bias,
        logprobs: request.logprobs,
        format: request.format,
        tools: request.tools.tools,
        tool_choice: request.tools.choice,
        ..Question::default()
    }
}

/// The indexes to search; none means a chat without documents.
fn open_indexes(library: &Library, collections: &Collections) -> Result<Vec<Arc<Index>>, ApiError> {
    match collections {
        Collections::None => Ok(Vec::new()),
        Collections::Default => {
            let index = library.index(DEFAULT_COLLECTION)?;
            let holds_documents = index.passage_count() > 0;
            Ok(holds_documents.then_some(index).into_iter().collect())
        }
        Collections::Named(names) => names
            .iter()
            .map(|named| open_index(library, named))
            .collect(),
    }
}

fn open_index(library: &Library, named: &NamedCollection) -> Result<Arc<Index>, ApiError> {
    let index = library.index(&named.name);
    index.map_err(|error| ApiError::from(error).at(named.param.clone()))
}
