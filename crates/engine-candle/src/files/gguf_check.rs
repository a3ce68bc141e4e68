//! The check every GGUF file passes before candle reads it.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. candle 0.11.1 divides by
//! an alignment of zero, multiplies dimensions without looking for overflow, and keeps 32 bytes
//! for each byte of a metadata array. Here every count, length, shape and offset is compared with
//! the length of the file first.

use std::collections::HashSet;
use std::io::Read;

/// Checks a whole GGUF header against the length of its file, and says what is wrong.
pub(crate) fn check(reader: &mut dyn Read, file_len: u64) -> Result<(), String> {
    let mut header = Header {
        reader,
        position: 0,
        len: file_len,
        array_elements: 0,
    };
    if header.bytes::<4>()? != *b"GGUF" {
        return Err("it does not begin with GGUF".into());
    }
    match header.u32()? {
        2 | 3 => {}
        version => return Err(format!("its version is {version}, and 2 and 3 are read")),
    }
    let tensor_count = bounded(header.u64()?, MOST_TENSORS, "tensors")?;
    let key_count = bounded(header.u64()?, MOST_KEYS, "metadata keys")?;
    let alignment = check_metadata(&mut header, key_count)?;
    let mut tensors = (0..tensor_count)
        .map(|_| check_tensor(&mut header, alignment))
        .collect::<Result<Vec<_>, _>>()?;
    check_places(
        &mut tensors,
        header.position.next_multiple_of(alignment),
        file_len,
    )
}

const MOST_TENSORS: u64 = 1 << 16;
const MOST_KEYS: u64 = 1 << 16;
const MOST_ARRAY_ELEMENTS: u64 = 4 << 20;
const LONGEST_STRING: u64 = 16 << 20;
const LONGEST_NAME: u64 = 1 << 12;
const DEEPEST_ARRAY: usize = 4;
const DEFAULT_ALIGNMENT: u64 = 32;
const LARGEST_ALIGNMENT: u64 = 1 << 20;

struct TensorPlace {
    name: String,
    offset: u64,
    bytes: u64,
}

fn check_metadata(header: &mut Header, key_count: u64) -> Result<u64, String> {
    let mut alignment = DEFAULT_ALIGNMENT;
    for _ in 0..key_count {
        let key = header.string(LONGEST_NAME)?;
        let value_type = header.u32()?;
        if key != b"general.alignment" {
            header.skip_value(value_type, 0)?;
            continue;
        }
        if value_type != TYPE_U32 {
            return Err("its alignment is not a 32-bit number".into());
        }
        alignment = header.u32()?.into();
        if !alignment.is_power_of_two() || alignment > LARGEST_ALIGNMENT {
            return Err(format!("an alignment of {alignment} cannot be"));
        }
    }
    Ok(alignment)
}

fn check_tensor(header: &mut Header, alignment: u64) -> Result<TensorPlace, String> {
    let name = String::from_utf8_lossy(&header.string(LONGEST_NAME)?).into_owned();
    let dimensions = header.u32()?;
    if !(1..=4).contains(&dimensions) {
        return Err(format!("tensor {name} has {dimensions} dimensions"));
    }
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        shape.push(header.u64()?);
    }
    let tensor_type = header.u32()?;
    let offset = header.u64()?;
    let (block, block_bytes) = block_of(tensor_type)
        .ok_or_else(|| format!("tensor {name} is of type {tensor_type}, which is not read"))?;
    let elements = shape
        .iter()
        .try_fold(1u64, |product, &dimension| product.checked_mul(dimension));
    let elements = elements
        .filter(|&elements| elements > 0 && shape[0].is_multiple_of(block))
        .ok_or_else(|| format!("tensor {name} cannot have the shape {shape:?}"))?;
    let bytes = (elements / block)
        .checked_mul(block_bytes)
        .ok_or_else(|| format!("tensor {name} is too large"))?;
    if !offset.is_multiple_of(alignment) {
        return Err(format!("tensor {name} is not aligned"));
    }
    Ok(TensorPlace {
        name,
        offset,
        bytes,
    })
}

/// Each tensor lies inside the file, and no two share a byte: together they do not need more
/// memory than the file is long.
fn check_places(tensors: &mut [TensorPlace], data_start: u64, file_len: u64) -> Result<(), String> {
    tensors.sort_unstable_by_key(|tensor| tensor.offset);
    let mut names = HashSet::new();
    let data_bytes = file_len.saturating_sub(data_start);
    let mut free_from = 0;
    for tensor in tensors {
        let name = &tensor.name;
        if !names.insert(name) {
            return Err(format!("tensor {name} appears twice"));
        }
        if tensor.offset < free_from {
            return Err(format!("tensor {name} overlaps another"));
        }
        let end = tensor.offset.checked_add(tensor.bytes);
        free_from = end.filter(|&end| end <= data_bytes).ok_or_else(|| {
            format!("tensor {name} lies outside the file; was it downloaded completely?")
        })?;
    }
    Ok(())
}

/// Elements and bytes of one block of a tensor type.
fn block_of(tensor_type: u32) -> Option<(u64, u64)> {
    Some(match tensor_type {
        0 => (1, 4),      // F32
        1 | 30 => (1, 2), // F16, BF16
        2 => (32, 18),    // Q4_0
        3 => (32, 20),    // Q4_1
        6 => (32, 22),    // Q5_0
        7 => (32, 24),    // Q5_1
        8 => (32, 34),    // Q8_0
        10 => (256, 84),  // Q2_K
        11 => (256, 110), // Q3_K
        12 => (256, 144), // Q4_K
        13 => (256, 176), // Q5_K
        14 => (256, 210), // Q6_K
        _ => return None,
    })
}

fn bounded(count: u64, most: u64, what: &str) -> Result<u64, String> {
    if count > most {
        return Err(format!("{count} {what} cannot be"));
    }
    Ok(count)
}

const TYPE_U32: u32 = 4;
const TYPE_STRING: u32 = 8;
const TYPE_ARRAY: u32 = 9;

/// Bytes of a value of a fixed size.
fn size_of_value(value_type: u32) -> Option<u64> {
    match value_type {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

/// Reads forward, and never further than the file is long.
struct Header<'r> {
    reader: &'r mut dyn Read,
    position: u64,
    len: u64,
    array_elements: u64,
}

impl Header<'_> {
    fn advance(&mut self, bytes: u64) -> Result<(), String> {
        let end = self.position.checked_add(bytes);
        self.position = end
            .filter(|&end| end <= self.len)
            .ok_or("it ends in the middle of its header")?;
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.advance(N as u64)?;
        let mut bytes = [0; N];
        let read = self.reader.read_exact(&mut bytes);
        read.map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn string(&mut self, longest: u64) -> Result<Vec<u8>, String> {
        let length = bounded(self.u64()?, longest, "bytes in one string")?;
        self.advance(length)?;
        let mut bytes = vec![0; length as usize];
        let read = self.reader.read_exact(&mut bytes);
        read.map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), String> {
        self.advance(bytes)?;
        let skipped = std::io::copy(&mut (&mut *self.reader).take(bytes), &mut std::io::sink());
        match skipped {
            Ok(skipped) if skipped == bytes => Ok(()),
            Ok(_) => Err("it ends in the middle of its header".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn skip_value(&mut self, value_type: u32, depth: usize) -> Result<(), String> {
        match (value_type, size_of_value(value_type)) {
            (7, _) => match self.bytes::<1>()? {
                [0 | 1] => Ok(()),
                [other] => Err(format!("{other} is neither true nor false")),
            },
            (_, Some(bytes)) => self.skip(bytes),
            (TYPE_STRING, _) => self.string(LONGEST_STRING).map(drop),
            (TYPE_ARRAY, _) if depth < DEEPEST_ARRAY => self.skip_array(depth),
            _ => Err(format!("a metadata value is of type {value_type}")),
        }
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), String> {
        let value_type = self.u32()?;
        let count = self.u64()?;
        self.array_elements = self.array_elements.saturating_add(count);
        bounded(self.array_elements, MOST_ARRAY_ELEMENTS, "array elements")?;
        for _ in 0..count {
            self.skip_value(value_type, depth + 1)?;
        }
        Ok(())
    }
}
