//! What a family is built from: its configuration and its weights.

use std::borrow::Cow;
use std::sync::Arc;

use candle_core::{DType, Device, Error, Shape, Tensor, bail};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::LoadError;
use crate::decoder::Linear;
use crate::files::{Adapter, Weights};

/// A model folder's configuration and weights, and how much is wanted of the model.
pub(super) struct Source {
    /// `config.json`.
    pub(super) config: Value,
    /// The weights, as they are in the file.
    pub(super) tensors: Arc<Weights>,
    /// What is changed of them.
    adapter: Option<Arc<Adapter>>,
    /// The same in f32, as candle-transformers asks for them.
    pub(super) weights: VarBuilder<'static>,
    /// No text will have more tokens; tables of positions need not be larger.
    pub(super) most_tokens: usize,
}

impl Source {
    /// The description and weights of an encoder.
    pub(super) fn new(
        config: Value,
        weights: Weights,
        adapter: Option<Adapter>,
        most_tokens: usize,
    ) -> Self {
        let (tensors, adapter) = (Arc::new(weights), adapter.map(Arc::new));
        let backend = Box::new(WeightsBackend {
            tensors: tensors.clone(),
            adapter: adapter.clone(),
        });
        Self {
            config,
            tensors,
            adapter,
            weights: VarBuilder::from_backend(backend, DType::F32, Device::Cpu),
            most_tokens,
        }
    }

    /// The configuration in the form candle-transformers wants it. Newer folders leave out keys
    /// that it insists on, such as those of training; `defaults` has them.
    pub(super) fn config_or<T: DeserializeOwned>(&self, defaults: Value) -> Result<T, LoadError> {
        let mut complete = defaults;
        if let (Some(complete), Some(config)) = (complete.as_object_mut(), self.config.as_object())
        {
            let known = config.iter().filter(|(_, value)| !value.is_null());
            complete.extend(known.map(|(key, value)| (key.clone(), value.clone())));
        }
        serde_json::from_value(complete)
            .map_err(|error| LoadError::Config(format!("config.json: {error}")))
    }

    /// The weights below `prefix`, or all of them where the folder has the bare encoder without
    /// a task's head, in which names have no prefix. `probe` is a tensor every model has.
    pub(super) fn weights_under(&self, prefix: &str, probe: &str) -> VarBuilder<'static> {
        match self.is_under(prefix, probe) {
            true => self.weights.pp(prefix),
            false => self.weights.clone(),
        }
    }

    /// The names of the weights begin with this prefix and a dot.
    pub(super) fn is_under(&self, prefix: &str, probe: &str) -> bool {
        self.tensors.has(&format!("{prefix}.{probe}"))
    }

    /// An adapter changes the weights.
    pub(super) fn is_adapted(&self) -> bool {
        self.adapter.is_some()
    }

    /// A vector, in f32, by its name today.
    pub(super) fn vector(&self, name: &str, len: usize) -> Result<Vec<f32>, LoadError> {
        self.tensors.vector(&known_name(&self.tensors, name), len)
    }

    /// `name.weight` of shape `[outputs, inputs]`, with what an adapter adds to it, and `name.bias`
    /// if it is there.
    pub(super) fn linear(&self, name: &str, shape: [usize; 2]) -> Result<Linear, LoadError> {
        let adapter = self.adapter.as_deref();
        let changed = adapter.map(|adapter| adapter.changed(&self.tensors, name, shape));
        match changed.transpose()?.flatten() {
            Some(weight) => Linear::with(weight, &self.tensors, name),
            None => Linear::load(&self.tensors, name, shape),
        }
    }

    /// Refuses a model whose configuration asks for something candle-transformers would ignore.
    pub(super) fn refuse_unless(&self, key: &str, known: &[Value]) -> Result<(), LoadError> {
        let value = &self.config[key];
        if value.is_null() || known.contains(value) {
            return Ok(());
        }
        Err(LoadError::Unsupported(format!("a {key} of {value}")))
    }
}

/// Heads share the hidden size, and candle divides by their number.
pub(super) fn check_heads(hidden: usize, heads: usize) -> Result<(), LoadError> {
    if heads > 0 && hidden > 0 && hidden.is_multiple_of(2 * heads) {
        return Ok(());
    }
    Err(LoadError::Config(format!(
        "{heads} heads for a hidden size of {hidden}"
    )))
}

/// What candle says of weights that do not fit the configuration.
pub(super) fn unfit(error: Error) -> LoadError {
    LoadError::Config(error.to_string())
}

/// Our checked weights as candle-transformers asks for them.
struct WeightsBackend {
    tensors: Arc<Weights>,
    adapter: Option<Arc<Adapter>>,
}

/// What norms were called in BERT's first release, and in the folders that still have its files.
const OLD_NAMES: [(&str, &str); 2] = [
    ("LayerNorm.weight", "LayerNorm.gamma"),
    ("LayerNorm.bias", "LayerNorm.beta"),
];

/// The name under which these weights have a tensor.
fn known_name<'a>(weights: &Weights, name: &'a str) -> Cow<'a, str> {
    let old = OLD_NAMES.iter().find(|(new, _)| name.ends_with(new));
    let old = old.map(|(new, old)| name.replace(new, old));
    match old.filter(|old| weights.has(old) && !weights.has(name)) {
        Some(old) => Cow::Owned(old),
        None => Cow::Borrowed(name),
    }
}

impl WeightsBackend {
    /// The adapter, if it has this tensor itself.
    fn adapter_with(&self, name: &str) -> Option<&Adapter> {
        self.adapter.as_deref().filter(|adapter| adapter.has(name))
    }

    fn read(&self, name: &str, shape: &Shape) -> Result<Tensor, LoadError> {
        match shape.dims() {
            dims @ ([_] | [_, _]) => match self.adapter_with(name) {
                Some(adapter) => adapter.tensor(name, dims)?.numbers(),
                None => self.tensors.tensor(name, dims),
            },
            _ => Err(LoadError::Unsupported(format!(
                "the shape of tensor {name}"
            ))),
        }
    }
}

impl SimpleBackend for WeightsBackend {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: candle_nn::Init,
        _: DType,
        _: &Device,
    ) -> candle_core::Result<Tensor> {
        self.read(&known_name(&self.tensors, name), &shape)
            .map_err(|error| Error::Msg(error.to_string()))
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        bail!("tensor {name} was asked for without its shape")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.tensors.has(name) || self.adapter_with(name).is_some()
    }
}
