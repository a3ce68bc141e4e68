//! `model` objects.

use serde::Serialize;

use crate::app::{Model, Models};

/// One model that answers.
#[derive(Serialize)]
pub(crate) struct ModelObject {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    /// Tokens it can take, prompt and answer together. Not OpenAI's; other servers use it.
    context_length: usize,
}

/// All models; this list of OpenAI's has no pages.
#[derive(Serialize)]
pub(crate) struct ModelList {
    object: &'static str,
    data: Vec<ModelObject>,
}

impl ModelObject {
    /// The object for `model`, which is one of `models`.
    pub(crate) fn new(model: &Model, models: &Models) -> Self {
        Self {
            id: model.info.name.clone(),
            object: "model",
            created: models.loaded_at(),
            owned_by: "ibid",
            context_length: model.info.context,
        }
    }
}

impl From<&Models> for ModelList {
    fn from(models: &Models) -> Self {
        let object = |model| ModelObject::new(model, models);
        Self {
            object: "list",
            data: models.iter().map(object).collect(),
        }
    }
}
