//! Measures of a ranking, and of times.

/// Normalised discounted cumulative gain of the first ten (Järvelin and Kekäläinen 2002), with
/// gain 2^grade − 1. `found` are the grades of what was found, best first; `right` all grades
/// above 0 that were to be had.
pub(super) fn ndcg_at_10(found: &[f64], right: &[f64]) -> f64 {
    let gain = |grades: &[f64]| -> f64 {
        let discounted = grades.iter().take(10).zip(2_u32..);
        discounted
            .map(|(grade, rank)| (grade.exp2() - 1.0) / f64::from(rank).log2())
            .sum()
    };
    let mut ideal = right.to_vec();
    ideal.sort_by(|a, b| b.total_cmp(a));
    gain(found) / gain(&ideal).max(f64::MIN_POSITIVE)
}

/// The share of the right documents that are among the first five.
pub(super) fn recall_at_5(found: &[f64], right: &[f64]) -> f64 {
    let hits = found.iter().take(5).filter(|grade| **grade > 0.0).count();
    hits as f64 / right.len().max(1) as f64
}

/// One over the rank of the first right document; 0 when there is none.
pub(super) fn reciprocal_rank(found: &[f64]) -> f64 {
    let first = found.iter().position(|grade| *grade > 0.0);
    first.map_or(0.0, |place| 1.0 / (place as f64 + 1.0))
}

/// The mean; `None` of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The value that `share` of the values do not exceed, 0 to 1; `None` of nothing.
pub(super) fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}

/// Three digits after the point: more would be noise.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_ranking_scores_one_and_a_later_hit_less() {
        assert_eq!(ndcg_at_10(&[1.0, 0.0], &[1.0]), 1.0);
        let second = ndcg_at_10(&[0.0, 1.0], &[1.0]);
        assert!((second - 1.0 / 3.0_f64.log2()).abs() < 1e-12, "{second}");
        // Graded: 3 before 1 is ideal, 1 before 3 is not.
        assert_eq!(ndcg_at_10(&[2.0, 1.0], &[1.0, 2.0]), 1.0);
        let swapped = ndcg_at_10(&[1.0, 2.0], &[1.0, 2.0]);
        assert!((0.79..0.80).contains(&swapped), "{swapped}");
        assert_eq!(ndcg_at_10(&[0.0; 10], &[1.0]), 0.0);
        assert_eq!(
            recall_at_5(&[0.0, 1.0, 0.0, 0.0, 0.0, 1.0], &[1.0, 1.0]),
            0.5
        );
        assert_eq!(reciprocal_rank(&[0.0, 0.0, 0.5]), 1.0 / 3.0);
        assert_eq!(reciprocal_rank(&[0.0]), 0.0);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&values, 0.5), Some(2.0));
        assert_eq!(percentile(&values, 0.99), Some(4.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
