//! Which tokens went where, what was left out and why.

/// The account of one prompt, in tokens of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Tokens the model can take, prompt and answer together.
    pub context: usize,
    /// Tokens of the system messages, of the tools, and of examples.
    pub system: usize,
    /// Tokens of the earlier turns that were kept.
    pub history: usize,
    /// Tokens of the question, without the passages written into its message.
    pub question: usize,
    /// Tokens of each passage, in the order of their numbers.
    pub passages: Vec<LedgerPassage>,
    /// Tokens kept free for the answer.
    pub reserved_for_answer: usize,
    /// What the model did not get to read.
    pub dropped: Vec<Dropped>,
}

/// What one passage took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerPassage {
    /// The passage's number in search results and citations, from 1.
    pub n: usize,
    /// Tokens of its text and title.
    pub tokens: usize,
}

/// Something that was left out of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// What it is, for people to read.
    pub what: String,
    /// Tokens it would have taken.
    pub tokens: usize,
    /// Why it was left out.
    pub why: String,
}
