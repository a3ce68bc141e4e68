//! Narrowing a long passage to the sentences that matter.

use std::cmp::Ordering;
use std::ops::Range;

use crate::search::Found;
use crate::sentences::{Kind, sentences};
use crate::sources::Source;

/// The run of whole sentences around the one that matches the question best, within `limit`
/// tokens; `None` when not one sentence fits.
pub(crate) fn narrow(
    source: &Source,
    limit: usize,
    found: &Found,
    count_tokens: impl Fn(&str) -> usize,
) -> Option<Source> {
    let text = source.passage.text.as_str();
    // A heading says nothing that the title of the source does not say already.
    let telling = sentences(text)
        .into_iter()
        .filter(|s| s.kind != Kind::Heading);
    let spans: Vec<Range<usize>> = telling.map(|s| s.span).collect();
    let scores: Vec<f32> = spans
        .iter()
        .map(|span| {
            found
                .words
                .share_in(&found.lexicon.vocabulary(&text[span.clone()]))
        })
        .collect();
    let fits = |run: &Range<usize>| count_tokens(&text[bytes(&spans, run)]) <= limit;
    let mut run = best_first(&scores)
        .into_iter()
        .map(|at| at..at + 1)
        .find(fits)?;
    while let Some(longer) = neighbours(&run, &scores).into_iter().find(fits) {
        run = longer;
    }
    Some(source.narrowed_to(&bytes(&spans, &run)))
}

/// From the first byte of the first sentence to the last byte of the last.
fn bytes(spans: &[Range<usize>], run: &Range<usize>) -> Range<usize> {
    spans[run.start].start..spans[run.end - 1].end
}

/// Equal scores stay in the order of the text.
fn best_first(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).unwrap_or(Ordering::Equal));
    order
}

/// The run with one more sentence at either side, the better one first; of equals the one
/// that reads on.
fn neighbours(run: &Range<usize>, scores: &[f32]) -> Vec<Range<usize>> {
    let earlier = (run.start > 0).then(|| (scores[run.start - 1], run.start - 1..run.end));
    let later = (run.end < scores.len()).then(|| (scores[run.end], run.start..run.end + 1));
    let mut longer: Vec<_> = later.into_iter().chain(earlier).collect();
    longer.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal));
    longer.into_iter().map(|(_, run)| run).collect()
}
