//! Products of one vector with many, in plain Rust that the compiler turns into vector
//! instructions; pulp picks at run time which of them this processor has.

/// A vector in 8-bit numbers: `numbers[i] * scale` is about what it was.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantised {
    pub(super) numbers: Vec<i8>,
    pub(super) scale: f32,
}

impl Quantised {
    /// Rounds to 255 steps between the largest number and its negative.
    pub(super) fn new(vector: &[f32]) -> Self {
        let largest = vector.iter().fold(0f32, |most, x| most.max(x.abs()));
        let scale = largest / 127.0;
        let numbers = vector.iter().map(|x| match scale > 0.0 {
            true => (x / scale).round() as i8,
            false => 0,
        });
        Self {
            numbers: numbers.collect(),
            scale,
        }
    }
}

/// The products of a vector with rows of the same length, whose bytes are 8-bit signed numbers.
/// `products` has one place for each row.
pub(super) fn products(vector: &[i16], rows: &[u8], products: &mut [i32]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, product) in rows.chunks_exact(vector.len()).zip(products) {
                *product = product_of(vector, row);
            }
        },
    );
}

/// One product. The sum fits 32 bits for vectors of up to 130,000 numbers. In this plain form the
/// compiler multiplies 16 numbers at a time with AVX2, and the memory is the bound.
#[inline(always)]
fn product_of(vector: &[i16], row: &[u8]) -> i32 {
    let terms = vector.iter().zip(row);
    terms
        .map(|(x, y)| i32::from(*x) * i32::from(*y as i8))
        .sum()
}

/// The exact product of a vector with a row of f32, given as bytes.
pub(super) fn exact_product(vector: &[f32], row: &[u8]) -> f32 {
    let numbers = row
        .as_chunks::<4>()
        .0
        .iter()
        .copied()
        .map(f32::from_le_bytes);
    vector.iter().zip(numbers).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_plain_sum() {
        for length in [1, 15, 16, 17, 384, 1000] {
            let number = |seed: usize| (seed.wrapping_mul(2_654_435_761) >> 7) as i8;
            let vector: Vec<i16> = (0..length).map(|n| i16::from(number(n))).collect();
            let rows: Vec<u8> = (0..3 * length).map(|n| number(n + 7) as u8).collect();
            let mut found = [0; 3];
            products(&vector, &rows, &mut found);
            for (row, found) in rows.chunks(length).zip(found) {
                let terms = vector.iter().zip(row);
                let plain: i32 = terms
                    .map(|(x, y)| i32::from(*x) * i32::from(*y as i8))
                    .sum();
                assert_eq!(found, plain, "{length}");
            }
        }
    }

    #[test]
    fn quantising_keeps_a_vector_within_half_a_step() {
        let vector = [0.5, -0.25, 0.1, 0.0];
        let quantised = Quantised::new(&vector);
        for (x, number) in vector.iter().zip(&quantised.numbers) {
            let back = f32::from(*number) * quantised.scale;
            assert!(
                (x - back).abs() <= quantised.scale / 2.0 + 1e-6,
                "{x} {back}"
            );
        }
        assert_eq!(Quantised::new(&[0.0; 2]).numbers, [0, 0]);
    }
}
