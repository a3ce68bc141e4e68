//! Choosing a part of the questions, the same part every time.

/// `limit` of the items at random, in their old order; all when there are no more than that.
/// The same seed chooses the same items.
pub(super) fn sample<T>(items: Vec<T>, limit: Option<usize>, seed: u64) -> Vec<T> {
    let Some(limit) = limit.filter(|limit| *limit < items.len()) else {
        return items;
    };
    let mut ranked: Vec<(u64, usize)> = (0..items.len())
        .map(|place| (mixed(seed, place as u64), place))
        .collect();
    ranked.sort_unstable();
    ranked.truncate(limit);
    let mut chosen = vec![false; items.len()];
    for (_, place) in ranked {
        chosen[place] = true;
    }
    let pairs = items.into_iter().zip(chosen);
    pairs
        .filter_map(|(item, is_chosen)| is_chosen.then_some(item))
        .collect()
}

/// SplitMix64 (Steele et al. 2014): spreads neighbouring numbers over all of 64 bits.
fn mixed(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add((place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::sample;

    #[test]
    fn the_same_seed_chooses_the_same_items_in_order() {
        let items = || (0..1000).collect::<Vec<u32>>();
        let chosen = sample(items(), Some(100), 7);
        assert_eq!(chosen.len(), 100);
        assert!(chosen.is_sorted());
        assert_eq!(chosen, sample(items(), Some(100), 7));
        assert_ne!(chosen, sample(items(), Some(100), 8));
        assert_eq!(sample(items(), None, 7), items());
        assert_eq!(sample(items(), Some(5000), 7), items());
    }
}
