//! What a model can be written as, and the type of each tensor then.

use candle_core::quantized::GgmlDType;

/// The mixes of types that can be written, as llama.cpp names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// 16 bits a number: nearly what the folder holds.
    F16,
    /// 8.5 bits.
    Q8_0,
    /// 4.5 bits, and 6.6 for the output.
    Q4_0,
    /// 4.5 bits, and 6.6 for the output and for half of the matrices that suffer most.
    Q4KM,
    /// 6.6 bits.
    Q6K,
}

/// The model a tensor is part of.
pub(super) struct Whole {
    pub(super) layers: usize,
    /// The embedding is the output as well.
    pub(super) tied: bool,
}

impl Target {
    /// The number of `general.file_type`.
    pub(super) fn file_type(self) -> u32 {
        match self {
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q8_0 => 7,
            Self::Q4KM => 15,
            Self::Q6K => 18,
        }
    }

    fn usual_type(self) -> GgmlDType {
        match self {
            Self::F16 => GgmlDType::F16,
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q4_0 => GgmlDType::Q4_0,
            Self::Q4KM => GgmlDType::Q4K,
            Self::Q6K => GgmlDType::Q6K,
        }
    }

    /// The type of the tensor with this name and shape: the choices of llama.cpp's quantiser
    /// (`llama_tensor_get_type`). Vectors stay in f32.
    pub(super) fn type_of(self, name: &str, shape: &[usize], whole: &Whole) -> GgmlDType {
        let is_matrix = shape.len() == 2 && name.ends_with(".weight") && !name.contains("_norm");
        if !is_matrix {
            return GgmlDType::F32;
        }
        let usual = self.usual_type();
        let part = name.rsplit('.').nth(1).unwrap_or_default();
        let is_output = part == "output" || (part == "token_embd" && whole.tied);
        let wanted = match (self, part) {
            (Self::Q4_0 | Self::Q4KM, _) if is_output => GgmlDType::Q6K,
            (Self::Q4KM, "attn_v" | "ffn_down") if has_more_bits(layer(name), whole.layers) => {
                GgmlDType::Q6K
            }
            (Self::Q4KM, "attn_qkv") => GgmlDType::Q5K,
            _ => usual,
        };
        fitting(wanted, shape[1])
    }
}

fn layer(name: &str) -> usize {
    let mut parts = name.split('.');
    parts.nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The first and the last eighth of the layers, and every third between.
fn has_more_bits(layer: usize, layers: usize) -> bool {
    let eighth = layers / 8;
    layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2
}

/// The type itself, or the next larger one that can hold rows of this length.
fn fitting(wanted: GgmlDType, row_len: usize) -> GgmlDType {
    let smaller_blocks = match wanted {
        GgmlDType::Q4K => GgmlDType::Q5_0,
        GgmlDType::Q5K => GgmlDType::Q5_1,
        GgmlDType::Q6K => GgmlDType::Q8_0,
        other => other,
    };
    let mut types = [wanted, smaller_blocks].into_iter();
    let fits = |dtype: &GgmlDType| row_len.is_multiple_of(dtype.block_size());
    types.find(fits).unwrap_or(GgmlDType::F16)
}

/// As the format writes it; candle leaves out the line in `Q4_K`.
pub(super) fn type_name(dtype: GgmlDType) -> String {
    format!("{dtype:?}").replace('K', "_K")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_llama_cpps() {
        let check = |target: Target, name: &str, shape: [usize; 2], expected: GgmlDType| {
            let whole = Whole {
                layers: 16,
                tied: true,
            };
            assert_eq!(target.type_of(name, &shape, &whole), expected, "{name}");
        };
        let shape = [512, 2048];
        check(Target::Q4KM, "token_embd.weight", shape, GgmlDType::Q6K);
        check(Target::Q8_0, "token_embd.weight", shape, GgmlDType::Q8_0);
        check(Target::Q4_0, "token_embd.weight", shape, GgmlDType::Q6K);
        check(Target::Q4KM, "blk.3.attn_q.weight", shape, GgmlDType::Q4K);
        check(Target::Q4KM, "blk.0.attn_v.weight", shape, GgmlDType::Q6K);
        check(Target::Q4KM, "blk.2.attn_v.weight", shape, GgmlDType::Q4K);
        check(Target::Q4KM, "blk.4.ffn_down.weight", shape, GgmlDType::Q6K);
        check(
            Target::Q4KM,
            "blk.15.ffn_down.weight",
            shape,
            GgmlDType::Q6K,
        );
        check(
            Target::Q4KM,
            "blk.1.ffn_up.weight",
            [8, 896],
            GgmlDType::Q5_0,
        );
        check(
            Target::Q6K,
            "blk.1.ffn_up.weight",
            [8, 896],
            GgmlDType::Q8_0,
        );
        check(Target::Q4_0, "blk.1.ffn_up.weight", [8, 33], GgmlDType::F16);
        check(
            Target::Q4_0,
            "blk.1.attn_norm.weight",
            shape,
            GgmlDType::F32,
        );
    }
}
