//! How T5 knows places: each head has a number for every distance between two tokens, with far
//! distances sharing one.

use candle_core::{Device, Result, Tensor};

use super::config::Config;
use crate::LoadError;
use crate::files::Weights;

/// The numbers of each head, `[buckets, heads]`.
pub(super) struct RelativePositions {
    table: Tensor,
    buckets: Buckets,
}

/// Which distances share a number.
#[derive(Clone, Copy)]
struct Buckets {
    count: usize,
    max_distance: usize,
    /// Half of the buckets are for keys after the query.
    both_ways: bool,
}

impl RelativePositions {
    /// Reads the table of a stack; `both_ways` in the encoder.
    pub(super) fn load(
        weights: &Weights,
        name: &str,
        config: &Config,
        both_ways: bool,
    ) -> std::result::Result<Self, LoadError> {
        Ok(Self {
            table: weights.tensor(name, &[config.buckets, config.heads])?,
            buckets: Buckets {
                count: config.buckets,
                max_distance: config.max_distance,
                both_ways,
            },
        })
    }

    /// What is added to the scores of the last `queries` of `keys` places, `[heads, queries,
    /// keys]`. In the decoder, keys after the query are out of sight.
    pub(super) fn bias(&self, queries: usize, keys: usize) -> Result<Tensor> {
        let first = keys - queries;
        let mut buckets = Vec::with_capacity(queries * keys);
        let mut mask = Vec::with_capacity(queries * keys);
        for query in first..keys {
            for key in 0..keys {
                buckets.push(self.buckets.of(query, key));
                let hidden = key > query && !self.buckets.both_ways;
                mask.push(if hidden { f32::NEG_INFINITY } else { 0.0 });
            }
        }
        let buckets = Tensor::from_vec(buckets, queries * keys, &Device::Cpu)?;
        let heads = self.table.dim(1)?;
        let numbers = self.table.index_select(&buckets, 0)?.t()?;
        let mask = Tensor::from_vec(mask, (1, queries, keys), &Device::Cpu)?;
        numbers
            .reshape((heads, queries, keys))?
            .broadcast_add(&mask)
    }
}

impl Buckets {
    /// Near distances have a bucket each, further ones share them by their logarithm.
    fn of(self, query: usize, key: usize) -> u32 {
        let (count, start) = match self.both_ways {
            true if key > query => (self.count / 2, self.count / 2),
            true => (self.count / 2, 0),
            false => (self.count, 0),
        };
        let distance = match self.both_ways {
            true => query.abs_diff(key),
            false => query.saturating_sub(key),
        };
        (start + self.near_or_far(distance, count)) as u32
    }

    fn near_or_far(self, distance: usize, count: usize) -> usize {
        let exact = count / 2;
        if distance < exact {
            return distance;
        }
        // In f32 and in this order, as in the reference: a border must not fall differently.
        let share = (distance as f32 / exact as f32).ln()
            / (self.max_distance as f64 / exact as f64).ln() as f32;
        let far = exact + (share * (count - exact) as f32) as usize;
        far.min(count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Buckets;

    #[test]
    fn buckets_are_those_of_the_reference() {
        let check = |both_ways: bool, cases: &[(usize, usize, u32)]| {
            let buckets = Buckets {
                count: 32,
                max_distance: 128,
                both_ways,
            };
            for &(query, key, expected) in cases {
                let found = buckets.of(query, key);
                assert_eq!(found, expected, "{query} to {key}, {both_ways}");
            }
        };
        check(
            true,
            &[
                (0, 0, 0),
                (7, 0, 7),
                (8, 0, 8),
                (0, 7, 23),
                (0, 500, 31),
                (500, 0, 15),
            ],
        );
        check(
            false,
            &[
                (0, 9, 0),
                (15, 0, 15),
                (16, 0, 16),
                (20, 0, 17),
                (500, 0, 31),
            ],
        );
    }
}
