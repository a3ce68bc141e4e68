//! What an answer stands on, on the wire: citations, search results, evidence, the ledger.
//!
//! All offsets are Unicode code points, ends exclusive, as `rag` already counts them.

use std::ops::Range;

use rag::{AnsweredBy, Citation, Evidence, Ledger, SearchResult, Support, Unsupported, Vote};
use serde::Serialize;

/// One footnote: a sentence of the answer and the place in a document it stands on.
#[derive(Serialize)]
pub(crate) struct CitationObject {
    n: usize,
    file_id: String,
    filename: String,
    title: String,
    page: Option<u32>,
    heading: Option<String>,
    start: usize,
    end: usize,
    quote: String,
    score: f32,
    votes: Vec<&'static str>,
    sentence: Span,
}

/// A sentence of the answer that nothing supports.
#[derive(Serialize)]
pub(crate) struct UnsupportedObject {
    sentence: Span,
    score: f32,
}

/// How many sentences of an answer rest on a source.
#[derive(Serialize)]
pub(crate) struct SupportObject {
    sentences: usize,
    supported: usize,
    unsupported: usize,
    declining: usize,
    withheld: bool,
}

/// Part of a text.
#[derive(Clone, Serialize)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

/// One passage that was spliced into the prompt, numbered as the citations are.
#[derive(Serialize)]
pub(crate) struct SearchResultObject {
    n: usize,
    file_id: String,
    filename: String,
    title: String,
    page: Option<u32>,
    heading: Option<String>,
    start: usize,
    end: usize,
    text: String,
    score: f32,
}

/// How likely the answer is in what was found, and whether it was used.
#[derive(Serialize)]
pub(crate) struct EvidenceObject {
    score: f32,
    answered: bool,
    /// For want of time, not all passages were looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut_short: bool,
}

/// Which tokens went where.
#[derive(Serialize)]
pub(crate) struct LedgerObject {
    context: usize,
    system: usize,
    history: usize,
    question: usize,
    passages: Vec<LedgerPassageObject>,
    reserved_for_answer: usize,
    dropped: Vec<DroppedObject>,
}

#[derive(Serialize)]
struct LedgerPassageObject {
    n: usize,
    tokens: usize,
}

#[derive(Serialize)]
struct DroppedObject {
    what: String,
    tokens: usize,
    why: String,
}

/// OpenAI's `url_citation`: a footnote as clients already show it, with a link to our text.
#[derive(Serialize)]
pub(crate) struct Annotation {
    r#type: &'static str,
    url_citation: UrlCitation,
}

#[derive(Serialize)]
struct UrlCitation {
    url: String,
    title: String,
    start_index: usize,
    end_index: usize,
}

impl Annotation {
    /// The link opens the document's text; `#char=START,END` is how RFC 5147 points into
    /// plain text, and counts characters as we do.
    pub(crate) fn new(citation: &Citation, base_url: &str) -> Self {
        let Citation {
            file_id,
            start,
            end,
            ..
        } = citation;
        Self {
            r#type: "url_citation",
            url_citation: UrlCitation {
                url: format!("{base_url}/v1/files/{file_id}/text#char={start},{end}"),
                title: citation.title.clone(),
                start_index: citation.sentence.start,
                end_index: citation.sentence.end,
            },
        }
    }
}

impl From<&Citation> for CitationObject {
    fn from(citation: &Citation) -> Self {
        Self {
            n: citation.n,
            file_id: citation.file_id.clone(),
            filename: citation.filename.clone(),
            title: citation.title.clone(),
            page: citation.page,
            heading: citation.heading.clone(),
            start: citation.start,
            end: citation.end,
            quote: citation.quote.clone(),
            score: citation.score,
            votes: citation.votes.iter().map(|vote| vote_name(*vote)).collect(),
            sentence: Span::from(&citation.sentence),
        }
    }
}

impl From<&Range<usize>> for Span {
    fn from(range: &Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

impl From<&Unsupported> for UnsupportedObject {
    fn from(unsupported: &Unsupported) -> Self {
        Self {
            sentence: Span::from(&unsupported.sentence),
            score: unsupported.score,
        }
    }
}

impl From<&Support> for SupportObject {
    fn from(support: &Support) -> Self {
        Self {
            sentences: support.sentences,
            supported: support.supported,
            unsupported: support.unsupported(),
            declining: support.declining,
            withheld: support.withheld,
        }
    }
}

fn vote_name(vote: Vote) -> &'static str {
    match vote {
        Vote::Verbatim => "verbatim",
        Vote::Words => "words",
        Vote::Numbers => "numbers",
        Vote::Names => "names",
        Vote::Meaning => "meaning",
        Vote::Attention => "attention",
    }
}

impl From<&SearchResult> for SearchResultObject {
    fn from(result: &SearchResult) -> Self {
        Self {
            n: result.n,
            file_id: result.file_id.clone(),
            filename: result.filename.clone(),
            title: result.title.clone(),
            page: result.page,
            heading: result.heading.clone(),
            start: result.start,
            end: result.end,
            text: result.text.clone(),
            score: result.score,
        }
    }
}

impl From<&Evidence> for EvidenceObject {
    fn from(evidence: &Evidence) -> Self {
        Self {
            score: evidence.score,
            answered: evidence.answered,
            cut_short: evidence.cut_short,
        }
    }
}

impl EvidenceObject {
    /// The same, but the question was not answered after all.
    pub(crate) fn unanswered(self) -> Self {
        Self {
            answered: false,
            ..self
        }
    }
}

impl From<&Ledger> for LedgerObject {
    fn from(ledger: &Ledger) -> Self {
        let passages = ledger.passages.iter().map(|passage| LedgerPassageObject {
            n: passage.n,
            tokens: passage.tokens,
        });
        let dropped = ledger.dropped.iter().map(|dropped| DroppedObject {
            what: dropped.what.clone(),
            tokens: dropped.tokens,
            why: dropped.why.clone(),
        });
        Self {
            context: ledger.context,
            system: ledger.system,
            history: ledger.history,
            question: ledger.question,
            passages: passages.collect(),
            reserved_for_answer: ledger.reserved_for_answer,
            dropped: dropped.collect(),
        }
    }
}

/// The word for whoever wrote the answer.
pub(crate) fn answered_by(answered_by: AnsweredBy) -> &'static str {
    match answered_by {
        AnsweredBy::Model => "model",
        AnsweredBy::Quotes => "quotes",
        AnsweredBy::Refusal => "refusal",
    }
}
