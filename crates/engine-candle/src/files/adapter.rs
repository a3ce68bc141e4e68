//! An adapter beside a model: low-rank changes of its matrices (LoRA, Hu et al. 2021,
//! arXiv:2106.09685), and the head that was trained with them, in the files of PEFT.

use candle_core::Tensor;
use candle_core::quantized::{GgmlDType, QTensor};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ModelSource, Safetensors, Stored, Weights};
use crate::LoadError;
use crate::kernels::{Matrix, MatrixBuilder};

/// What an adapter is described by.
const CONFIG: &str = "adapter_config.json";
/// Its tensors.
const TENSORS: &str = "adapter_model.safetensors";
/// What PEFT puts before the names of the adapted model.
const PREFIX: &str = "base_model.model.";
/// What the adapted model may put before the names of an encoder that alone has none.
const ENCODER: [&str; 2] = ["", "bert."];

/// The changes that an adapter makes to a model.
pub(crate) struct Adapter {
    tensors: Safetensors,
    rank: usize,
    scale: f64,
}

/// What [`CONFIG`] says.
#[derive(Deserialize)]
struct Config {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    use_rslora: bool,
    /// Other scales than `lora_alpha` for some matrices.
    #[serde(default)]
    alpha_pattern: Map<String, Value>,
}

impl Adapter {
    /// The adapter beside a model, if there is one.
    ///
    /// # Errors
    ///
    /// When it is damaged, or of another kind than plain LoRA.
    pub(crate) fn beside(source: &ModelSource) -> Result<Option<Self>, LoadError> {
        let config = source.json_beside(CONFIG)?;
        if config.is_null() {
            return Ok(None);
        }
        let config: Config = serde_json::from_value(config)
            .map_err(|error| LoadError::Config(format!("{CONFIG}: {error}")))?;
        let is_plain = config.peft_type == "LORA" && !config.use_dora && !config.use_rslora;
        if !is_plain || !config.alpha_pattern.is_empty() || config.r == 0 {
            let what = format!("an adapter that is not plain LoRA ({CONFIG})");
            return Err(LoadError::Unsupported(what));
        }
        let tensors = Safetensors::open(vec![source.blob_beside(TENSORS)?])?;
        if let Some((name, _)) = tensors.tensors().iter().find(|(name, _)| !is_read(name)) {
            let what = format!("tensor {name} of an adapter");
            return Err(LoadError::Unsupported(what));
        }
        Ok(Some(Self {
            tensors,
            rank: config.r,
            scale: config.lora_alpha / config.r as f64,
        }))
    }

    /// It has this tensor itself.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.has(&format!("{PREFIX}{name}"))
    }

    /// A tensor that it has itself.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Stored<'_>, LoadError> {
        self.tensors.tensor(&format!("{PREFIX}{name}"), shape)
    }

    /// The matrix `name.weight` of `base` with what the adapter adds to it, W + scale · B · A;
    /// `None` where it adds nothing.
    pub(crate) fn changed(
        &self,
        base: &Weights,
        name: &str,
        [outputs, inputs]: [usize; 2],
    ) -> Result<Option<Matrix>, LoadError> {
        let changed = |name: &String| self.has(&format!("{name}.lora_A.weight"));
        let names = ENCODER.map(|encoder| format!("{encoder}{name}"));
        let Some(known) = names.iter().find(|name| changed(name)) else {
            return Ok(None);
        };
        let part = |part: &str, shape: [usize; 2]| {
            self.tensor(&format!("{known}.{part}.weight"), &shape)?
                .numbers()
        };
        let down = part("lora_A", [self.rank, inputs])?;
        let up = part("lora_B", [outputs, self.rank])?;
        let added = (up.matmul(&down)? * self.scale)?;
        let weight = base.tensor(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Some(packed(&(weight + added)?)?))
    }
}

/// Of the layers low-rank changes are read, and of the rest the head as a whole; another tensor would
/// be left out silently.
fn is_read(name: &str) -> bool {
    let is_change = name.ends_with(".lora_A.weight") || name.ends_with(".lora_B.weight");
    match name.contains(".layer.") {
        true => is_change,
        false => !name.contains("lora_") && !name.contains("embeddings."),
    }
}

/// In eight bits, as four would lose what an adapter adds; in f32 where rows do not fill the blocks.
fn packed(weight: &Tensor) -> Result<Matrix, LoadError> {
    let (outputs, inputs) = weight.dims2()?;
    let dtype = match inputs.is_multiple_of(GgmlDType::Q8_0.block_size()) {
        true => GgmlDType::Q8_0,
        false => GgmlDType::F32,
    };
    let mut matrix = MatrixBuilder::new(dtype, outputs, inputs)?;
    matrix.push(&QTensor::quantize(weight, dtype)?.data()?)?;
    Ok(matrix.finish())
}
