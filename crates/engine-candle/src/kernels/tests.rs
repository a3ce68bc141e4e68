//! Each kernel against plain Rust, bit for bit, with random weights in odd shapes.

use half::{bf16, f16};

use super::activations::{BLOCK, Block, Input};
use super::columns::Columns;
use super::dense::{Dense, Stored};
use super::format::{self, Format, GROUP};
use super::level::Level;
use super::packed::Packed;
use super::q4_0::Q4_0;
use super::q4_k::Q4K;
use super::q5_k::Q5K;
use super::q6_k::Q6K;
use super::q8_0::Q8_0;

/// Numbers that look random and are always the same (Steele et al. 2014).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Around zero, most of them near it.
    fn number(&mut self) -> f32 {
        let uniform = |bits: u64| (bits >> 40) as f32 / (1 << 24) as f32 - 0.5;
        uniform(self.bits()) * uniform(self.bits()) * 8.0
    }

    fn numbers(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.number()).collect()
    }

    /// Rows of blocks as in a file: any bits, but for the scales at these places.
    fn blocks(&mut self, blocks: usize, bytes: usize, scales: &[usize]) -> Vec<u8> {
        let mut out = (0..blocks * bytes)
            .map(|_| self.bits() as u8)
            .collect::<Vec<_>>();
        for block in out.chunks_exact_mut(bytes) {
            for &place in scales {
                let scale = f16::from_f32(self.number()).to_le_bytes();
                block[place..place + 2].copy_from_slice(&scale);
            }
        }
        out
    }
}

/// Outputs, and blocks of inputs.
const SHAPES: [(usize, usize); 4] = [(1, 1), (8, 2), (13, 3), (70, 2)];

#[test]
fn quantised_kernels_agree_with_plain_rust() {
    check_format::<Q8_0>(&[0]);
    check_format::<Q4_0>(&[0]);
    check_format::<Q4K>(&[0, 2]);
    check_format::<Q5K>(&[0, 2]);
    check_format::<Q6K>(&[208]);
}

fn check_format<F: Format>(scales: &[usize]) {
    let mut random = Random(F::FILE_BYTES as u64);
    for (outputs, blocks) in SHAPES {
        let inputs = blocks * F::PARTS * BLOCK;
        let file = random.blocks(outputs * blocks, F::FILE_BYTES, scales);
        let mut matrix = Packed::<F>::new(inputs, outputs);
        matrix.push(&file);
        let packed = file.chunks(blocks * F::FILE_BYTES * GROUP);
        let packed = packed.map(|rows| pack_group::<F>(rows, blocks));
        let packed = packed.collect::<Vec<_>>();
        let values = random.numbers(70 * inputs);
        // Each row by itself.
        let expected = values.chunks_exact(inputs).flat_map(|row| {
            let x = Input::new(row, inputs);
            let groups = packed.iter();
            let all = groups.flat_map(|group| format::group::<F, 1>(group, [x.rounded()])[0]);
            all.take(outputs).collect::<Vec<_>>()
        });
        let expected = expected.collect::<Vec<_>>();
        for rows in 1..=70 {
            let values = &values[..rows * inputs];
            for level in Level::all() {
                let x = Input::new(values, inputs);
                let got = whole(rows, outputs, |part| matrix.multiply(level, &x, part));
                assert_eq!(got, expected[..rows * outputs], "{level:?}: {rows} rows");
            }
            if [1, 69].contains(&rows) {
                near_exact(&matrix, values, &expected[..rows * outputs]);
            }
        }
    }
}

/// A product of several shares.
fn whole(rows: usize, outputs: usize, compute: impl Fn(&mut Columns<'_>)) -> Vec<f32> {
    let mut out = vec![f32::NAN; rows * outputs];
    let mut shares = Columns::split(&mut out, outputs, 32);
    shares.iter_mut().for_each(compute);
    out
}

fn pack_group<F: Format>(rows: &[u8], blocks: usize) -> Vec<F::Packed> {
    let row_bytes = blocks * F::FILE_BYTES;
    let mut filled = rows.to_vec();
    filled.resize(row_bytes * GROUP, 0);
    let block = |index: usize| {
        F::pack(std::array::from_fn(|row| {
            &filled[row * row_bytes + index * F::FILE_BYTES..][..F::FILE_BYTES]
        }))
    };
    (0..blocks).map(block).collect()
}

/// The product is that of the weights, but for the rounding of what they are multiplied with.
fn near_exact<F: Format>(matrix: &Packed<F>, values: &[f32], got: &[f32]) {
    let inputs = matrix.inputs();
    let mut weights = vec![0.0; inputs];
    for output in 0..matrix.outputs() {
        matrix.row(output, &mut weights);
        for (row, x) in values.chunks_exact(inputs).enumerate() {
            let pairs = || x.iter().zip(&weights);
            let exact = pairs().map(|(x, w)| f64::from(*x) * f64::from(*w));
            let exact = exact.sum::<f64>();
            let largest = x.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            let sizes = weights.iter().map(|w| f64::from(w.abs())).sum::<f64>();
            let bound = sizes * f64::from(largest) / 127.0;
            let got = f64::from(got[row * matrix.outputs() + output]);
            assert!((got - exact).abs() <= bound, "{got} is not {exact}");
        }
    }
}

#[test]
fn dense_kernels_agree_with_plain_rust() {
    check_dense::<f32>(|x| x.to_le_bytes().to_vec());
    check_dense::<f16>(|x| f16::from_f32(x).to_le_bytes().to_vec());
    check_dense::<bf16>(|x| bf16::from_f32(x).to_le_bytes().to_vec());
}

fn check_dense<T: Stored>(to_file: impl Fn(f32) -> Vec<u8>) {
    let mut random = Random(size_of::<T>() as u64);
    for (outputs, inputs) in [(1, 1), (16, 5), (70, 33), (131, 64)] {
        let numbers = random.numbers(outputs * inputs);
        let file = numbers.iter().flat_map(|x| to_file(*x)).collect::<Vec<_>>();
        let mut matrix = Dense::<T>::new(inputs, outputs);
        matrix.push(&file);
        let values = random.numbers(70 * inputs);
        let mut weights = vec![0.0; inputs];
        let mut expected = vec![0.0; 70 * outputs];
        for output in 0..outputs {
            matrix.row(output, &mut weights);
            for (row, x) in values.chunks_exact(inputs).enumerate() {
                let pairs = x.iter().zip(&weights);
                expected[row * outputs + output] =
                    pairs.fold(0.0f32, |sum, (x, w)| w.mul_add(*x, sum));
            }
        }
        for rows in 1..=70 {
            let x = Input::new(&values[..rows * inputs], inputs);
            for level in Level::all() {
                let got = whole(rows, outputs, |part| matrix.multiply(level, &x, part));
                assert_eq!(got, expected[..rows * outputs], "{level:?}: {rows} rows");
            }
        }
    }
}

#[test]
fn what_is_not_a_number_is_not_hidden() {
    let mut random = Random(9);
    let file = random.blocks(GROUP, Q8_0::FILE_BYTES, &[0]);
    let mut matrix = Packed::<Q8_0>::new(BLOCK, GROUP);
    matrix.push(&file);
    for strange in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for mut values in [random.numbers(BLOCK), vec![0.0; BLOCK]] {
            values[7] = strange;
            let x = Input::new(&values, BLOCK);
            for level in Level::all() {
                let out = whole(1, GROUP, |part| matrix.multiply(level, &x, part));
                assert!(
                    out.iter().all(|x| x.is_nan()),
                    "{level:?}: {strange}: {out:?}"
                );
            }
        }
    }
}

#[test]
fn numbers_are_rounded_in_blocks() {
    let mut random = Random(5);
    let mut values = random.numbers(3 * BLOCK);
    values[BLOCK..2 * BLOCK].fill(0.0);
    let blocks = Input::new(&values, 3 * BLOCK).rounded().to_vec();
    assert_eq!(blocks[1].quants(), [0; BLOCK]);
    for (block, values) in blocks.iter().zip(values.as_chunks::<BLOCK>().0) {
        let quants = block.quants();
        for (quant, value) in quants.iter().zip(values) {
            assert!((f32::from(*quant) * block.scale - value).abs() <= block.scale * 0.501);
        }
        let halves = quants.as_chunks::<{ BLOCK / 2 }>().0;
        let sums =
            [0, 1].map(|half: usize| halves[half].iter().map(|q| i32::from(*q)).sum::<i32>());
        assert_eq!(
            [block.half_sums as i16, (block.half_sums >> 16) as i16],
            sums.map(|s| s as i16)
        );
        assert_eq!(block.sum, block.scale * (sums[0] + sums[1]) as f32);
        assert_eq!(block.excess, -128 * (sums[0] + sums[1]));
    }
    let tiny = Input::new(&[1e-38; BLOCK], BLOCK).rounded()[0];
    assert_eq!(
        tiny,
        Block {
            fours: [0; 8],
            scale: 0.0,
            sum: 0.0,
            half_sums: 0,
            excess: 0,
        }
    );
}
