//! The GGUF format, version 3: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;

use super::metadata::Metadata;
use super::plan::Tensor;

/// Every tensor begins at a multiple of so many bytes.
const ALIGNMENT: u64 = 32;

/// Everything before the first tensor's numbers.
pub(super) fn header(metadata: &Metadata, tensors: &[Tensor<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(b"GGUF");
    out.extend_from_slice(&3u32.to_le_bytes());
    out.extend_from_slice(&(tensors.len() as u64).to_le_bytes());
    let keys = metadata.iter();
    let keys = keys.filter(|(key, _)| *key != "general.alignment");
    out.extend_from_slice(&(keys.clone().count() as u64).to_le_bytes());
    for (key, value) in keys {
        string(&mut out, key);
        out.extend_from_slice(&type_of(value).to_le_bytes());
        write(&mut out, value);
    }
    let mut offset = 0;
    for tensor in tensors {
        string(&mut out, &tensor.name);
        out.extend_from_slice(&(tensor.shape.len() as u32).to_le_bytes());
        // The format counts dimensions from the innermost.
        for dimension in tensor.shape.iter().rev() {
            out.extend_from_slice(&(*dimension as u64).to_le_bytes());
        }
        out.extend_from_slice(&number_of(tensor.dtype).to_le_bytes());
        out.extend_from_slice(&u64::to_le_bytes(offset));
        offset += tensor.bytes() + padding(tensor.bytes());
    }
    let padding = padding(out.len() as u64);
    out.resize(out.len() + padding as usize, 0);
    out
}

/// Bytes between this many and the next multiple of the alignment.
pub(super) fn padding(bytes: u64) -> u64 {
    bytes.next_multiple_of(ALIGNMENT) - bytes
}

fn type_of(value: &Value) -> u32 {
    match value {
        Value::U8(_) => 0,
        Value::I8(_) => 1,
        Value::U16(_) => 2,
        Value::I16(_) => 3,
        Value::U32(_) => 4,
        Value::I32(_) => 5,
        Value::F32(_) => 6,
        Value::Bool(_) => 7,
        Value::String(_) => 8,
        Value::Array(_) => 9,
        Value::U64(_) => 10,
        Value::I64(_) => 11,
        Value::F64(_) => 12,
    }
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U8(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::I8(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::U16(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::I16(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::U32(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::I32(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::U64(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::I64(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::F32(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::F64(x) => out.extend_from_slice(&x.to_le_bytes()),
        Value::Bool(x) => out.push(u8::from(*x)),
        Value::String(text) => string(out, text),
        Value::Array(items) => {
            // Of what type the items of an empty array would be, nobody can tell.
            let item_type = items.first().map_or(type_of(&Value::U8(0)), type_of);
            out.extend_from_slice(&item_type.to_le_bytes());
            out.extend_from_slice(&(items.len() as u64).to_le_bytes());
            for item in items {
                write(out, item);
            }
        }
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn number_of(dtype: GgmlDType) -> u32 {
    match dtype {
        GgmlDType::F32 => 0,
        GgmlDType::F16 => 1,
        GgmlDType::Q4_0 => 2,
        GgmlDType::Q4_1 => 3,
        GgmlDType::Q5_0 => 6,
        GgmlDType::Q5_1 => 7,
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q8_1 => 9,
        GgmlDType::Q2K => 10,
        GgmlDType::Q3K => 11,
        GgmlDType::Q4K => 12,
        GgmlDType::Q5K => 13,
        GgmlDType::Q6K => 14,
        GgmlDType::Q8K => 15,
        GgmlDType::BF16 => 30,
    }
}
