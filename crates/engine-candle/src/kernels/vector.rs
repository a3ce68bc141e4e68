//! Loops over plain numbers: everything of the forward pass but the products with matrices.
//!
//! Each is one body in plain Rust that is compiled twice, so that it gives the same bits with and
//! without wide instructions. Sums are taken in sixteen lanes, which are then added in a tree.

use super::twice;

const LANES: usize = 16;

/// Numbers that one thread takes at a time: fewer are done before another one wakes.
pub(crate) const TOGETHER: usize = 1 << 14;

twice! {
    /// Scales a vector to a mean square of 1, then by `weights`.
    pub(crate) fn rms_norm(x: &[f32], weights: &[f32], eps: f32, out: &mut [f32]) {
        let mean = dot_body(x, x) / x.len() as f32;
        let scale = 1.0 / (mean + eps).sqrt();
        for ((out, x), weight) in out.iter_mut().zip(x).zip(weights) {
            *out = x * scale * weight;
        }
    }
}

twice! {
    /// Takes the mean from a vector, scales it to a variance of 1, then by `weights`, and adds
    /// `bias`.
    pub(crate) fn layer_norm(x: &mut [f32], weights: &[f32], bias: &[f32], eps: f32) {
        let mean = sum_body(x) / x.len() as f32;
        for x in x.iter_mut() {
            *x -= mean;
        }
        let variance = dot_body(x, x) / x.len() as f32;
        let scale = 1.0 / (variance + eps).sqrt();
        for ((x, weight), bias) in x.iter_mut().zip(weights).zip(bias) {
            *x = (*x * scale).mul_add(*weight, *bias);
        }
    }
}

twice! {
    /// `sum += other`
    pub(crate) fn add(sum: &mut [f32], other: &[f32]) {
        for (sum, other) in sum.iter_mut().zip(other) {
            *sum += other;
        }
    }
}

twice! {
    /// `sum += factor * other`
    pub(crate) fn add_scaled(sum: &mut [f32], other: &[f32], factor: f32) {
        for (sum, other) in sum.iter_mut().zip(other) {
            *sum = other.mul_add(factor, *sum);
        }
    }
}

twice! {
    /// `x *= factor`
    pub(crate) fn scale(x: &mut [f32], factor: f32) {
        for x in x {
            *x *= factor;
        }
    }
}

twice! {
    /// `gate = silu(gate) * up` (Elfwing et al. 2017)
    pub(crate) fn silu_times(gate: &mut [f32], up: &[f32]) {
        for (gate, up) in gate.iter_mut().zip(up) {
            *gate = *gate / (1.0 + exp_body(-*gate)) * up;
        }
    }
}

twice! {
    /// `gate = gelu(gate) * up`, by the approximation with a tanh (Hendrycks and Gimpel 2016).
    pub(crate) fn gelu_times(gate: &mut [f32], up: &[f32]) {
        const FACTOR: f32 = 0.797_884_6; // the square root of 2/π
        for (gate, up) in gate.iter_mut().zip(up) {
            let x = *gate;
            let inner = FACTOR * (x + 0.044_715 * x * x * x);
            // (1 + tanh(inner)) / 2, written with one exponential.
            *gate = x / (1.0 + exp_body(-2.0 * inner)) * up;
        }
    }
}

twice! {
    /// `x = gelu(x)`, with the error function to within 2e-7 (Abramowitz and Stegun 1964, 7.1.26).
    pub(crate) fn gelu(x: &mut [f32]) {
        const TERMS: [f32; 5] = [1.061_405_4, -1.453_152, 1.421_413_8, -0.284_496_72, 0.254_829_6];
        for x in x {
            let root = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
            let t = 1.0 / (0.327_591_1f32).mul_add(root, 1.0);
            let mut series = 0.0f32;
            for term in TERMS {
                series = series.mul_add(t, term);
            }
            let error = 1.0 - series * t * exp_body(-root * root);
            *x = 0.5 * *x * (1.0 + error.copysign(*x));
        }
    }
}

twice! {
    /// Replaces scores by the exponentials of their distance to the largest, and sums those.
    pub(crate) fn exponentials(scores: &mut [f32]) -> f32 {
        let largest = largest_body(scores);
        for score in scores.iter_mut() {
            *score = exp_body(*score - largest);
        }
        sum_body(scores)
    }
}

twice! {
    /// Turns pairs of numbers, one from each half of a head, by angles with these cosines and
    /// sines.
    pub(crate) fn turn(head: &mut [f32], cos: &[f32], sin: &[f32]) {
        let (first, last) = head.split_at_mut(cos.len());
        for (((a, b), cos), sin) in first.iter_mut().zip(last).zip(cos).zip(sin) {
            (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
        }
    }
}

#[inline(always)]
fn dot_body(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] = a[lane].mul_add(b[lane], sums[lane]);
        }
    }
    let rest = a_rest.iter().zip(b_rest);
    let rest = rest.fold(0.0f32, |sum, (a, b)| a.mul_add(*b, sum));
    tree(sums) + rest
}

#[inline(always)]
fn sum_body(numbers: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] += block[lane];
        }
    }
    tree(sums) + rest.iter().sum::<f32>()
}

#[inline(always)]
fn largest_body(numbers: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let (blocks, rest) = numbers.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            most[lane] = most[lane].max(block[lane]);
        }
    }
    most.into_iter()
        .chain(rest.iter().copied())
        .fold(f32::NEG_INFINITY, f32::max)
}

#[inline(always)]
fn tree(mut sums: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}

/// The exponential to within two units in the last place. The argument is split into a multiple
/// of ln 2, which becomes the exponent, and a rest of at most half of that, for which seven terms
/// of the series are enough.
#[inline(always)]
fn exp_body(x: f32) -> f32 {
    // ln 2 in two parts, the first of which has few bits, so that its multiples are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // Beyond these the result is infinite, or zero up to the smallest normal number.
    let bounded = x.clamp(-87.0, 88.7);
    let power = (bounded * std::f32::consts::LOG2_E).round_ties_even();
    let rest = power.mul_add(-LN_2[1], power.mul_add(-LN_2[0], bounded));
    let mut series = 1.0f32 / 5040.0;
    for factor in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = series.mul_add(rest, factor);
    }
    // 2 to that power, in two steps: 128 is too large for an exponent.
    let power = power as i32;
    let half = power >> 1;
    let two_to = |power: i32| f32::from_bits(((power + 127) as u32) << 23);
    let value = series * two_to(half) * two_to(power - half);
    match x < -87.0 {
        true => 0.0,
        false => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_close() {
        for step in -9000..=8800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            let relative = (f64::from(exp_body(x)) - expected).abs() / expected;
            assert!(relative < 3e-7 || expected < 2e-38, "{x}: {relative}");
        }
        assert_eq!(exp_body(0.0), 1.0);
        assert_eq!(exp_body(f32::NEG_INFINITY), 0.0);
        assert!(exp_body(f32::NAN).is_nan());
    }

    #[test]
    fn units_are_gaussian() {
        for (x, expected) in [
            (-6.0f32, -5.919_529e-9_f64),
            (-1.0, -0.158_655_253_931),
            (-0.1, -0.046_017_216_272),
            (0.0, 0.0),
            (0.5, 0.345_731_230_637),
            (3.0, 2.995_950_305_901),
            (80.0, 80.0),
        ] {
            let mut units = [x];
            gelu(&mut units);
            let distance = (f64::from(units[0]) - expected).abs();
            assert!(distance <= 4e-7 * expected.abs().max(1.0), "{x}: {units:?}");
        }
    }

    #[test]
    fn a_normalised_vector_has_no_mean_and_a_variance_of_one() {
        let mut x = [1.0, 2.0, 3.0, 6.0];
        layer_norm(&mut x, &[1.0, 1.0, 2.0, 1.0], &[0.0, 0.0, 5.0, 0.0], 1e-12);
        let deviation = 3.5f32.sqrt();
        let expected = [-2.0 / deviation, -1.0 / deviation, 5.0, 3.0 / deviation];
        let close = |(x, expected): (&f32, &f32)| (x - expected).abs() < 1e-6;
        assert!(x.iter().zip(&expected).all(close), "{x:?}");
    }

    #[test]
    fn scores_become_shares() {
        let mut scores = [-1.0, 2.0, 0.5, 2.0];
        let total = exponentials(&mut scores);
        assert_eq!((scores[1], scores[3]), (1.0, 1.0));
        assert!((total - scores.iter().sum::<f32>()).abs() < 1e-6);
    }

    #[test]
    fn sums_take_every_number() {
        for len in 0..70 {
            let numbers = (0..len).map(|n| n as f32).collect::<Vec<_>>();
            let expected = (len * (len.max(1) - 1) / 2) as f32;
            assert_eq!(sum_body(&numbers), expected);
            assert_eq!(dot_body(&numbers, &vec![1.0; len]), expected);
            let last = numbers.last().copied().unwrap_or(f32::NEG_INFINITY);
            assert_eq!(largest_body(&numbers), last);
        }
    }
}
