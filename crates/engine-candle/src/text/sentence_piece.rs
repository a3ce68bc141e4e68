//! SentencePiece's byte pair encoding: of all neighbours that make a piece together, those with
//! the best score are joined first (Kudo and Richardson 2018). Hugging Face's library only merges
//! by rank, which is not the same where one piece can be made in two ways.

use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

use super::controls::Cut;

/// Stands for a blank inside pieces.
const BLANK: &str = "▁";

/// A vocabulary of scored pieces.
pub(crate) struct SentencePiece {
    pieces: Vec<Piece>,
    /// Pieces that merging can make, with their scores.
    merged: HashMap<String, (u32, f32)>,
    ids: HashMap<String, u32>,
    bytes: Vec<Option<u32>>,
    unknown: Option<u32>,
    /// Text is read as if a blank stood before it.
    adds_blank: bool,
}

/// A token.
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) score: f32,
    pub(crate) kind: PieceKind,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PieceKind {
    /// Made by merging.
    Merged,
    /// Text that is found before anything is merged.
    Whole,
    /// Steers the model; no text of its own.
    Control,
    /// One byte of a character that no piece holds.
    Byte(u8),
}

impl SentencePiece {
    /// Pieces in the order of their ids.
    pub(crate) fn new(pieces: Vec<Piece>, unknown: Option<u32>, adds_blank: bool) -> Self {
        let mut merged = HashMap::new();
        let mut ids = HashMap::new();
        let mut bytes = vec![None; 256];
        for (id, piece) in (0..).zip(&pieces) {
            ids.insert(piece.text.clone(), id);
            match piece.kind {
                PieceKind::Merged => drop(merged.insert(piece.text.clone(), (id, piece.score))),
                PieceKind::Byte(byte) => bytes[usize::from(byte)] = Some(id),
                PieceKind::Whole | PieceKind::Control => {}
            }
        }
        Self {
            pieces,
            merged,
            ids,
            bytes,
            unknown,
            adds_blank,
        }
    }

    /// The id of the token with this name.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// What the vocabulary calls a token; empty if it has none of this id.
    pub(crate) fn name(&self, id: u32) -> &str {
        let piece = self.pieces.get(id as usize);
        piece.map_or("", |piece| &piece.text)
    }

    /// The bytes that a token adds to the text.
    pub(crate) fn bytes(&self, id: u32) -> Vec<u8> {
        let Some(piece) = self.pieces.get(id as usize) else {
            return Vec::new();
        };
        match piece.kind {
            PieceKind::Merged | PieceKind::Whole => piece.text.replace(BLANK, " ").into_bytes(),
            PieceKind::Byte(byte) => vec![byte],
            PieceKind::Control => Vec::new(),
        }
    }

    /// The largest id a text can give.
    pub(crate) fn largest_id(&self) -> u32 {
        self.pieces.len().saturating_sub(1) as u32
    }

    /// The tokens of a text with some of its tokens already found, and the bytes that each stands
    /// for. Where the model expects a blank before a text it expects one after each of those, too.
    pub(crate) fn encode(&self, text: &str, cuts: &[Cut]) -> Vec<(u32, Range<usize>)> {
        let mut tokens = Vec::new();
        let mut end = 0;
        for Cut { range, id } in cuts {
            self.encode_between(text, end..range.start, &mut tokens);
            tokens.push((*id, range.clone()));
            end = range.end;
        }
        self.encode_between(text, end..text.len(), &mut tokens);
        tokens
    }

    fn encode_between(
        &self,
        text: &str,
        between: Range<usize>,
        tokens: &mut Vec<(u32, Range<usize>)>,
    ) {
        if between.is_empty() {
            return;
        }
        let mut escaped = text[between.clone()].replace(' ', BLANK);
        if self.adds_blank {
            escaped.insert_str(0, BLANK);
        }
        // The parts are in order, and each character is one of the text's but for the blank.
        let mut characters = text[between.clone()].chars();
        let mut added = usize::from(self.adds_blank);
        let mut end = between.start;
        for part in self.merge(&escaped) {
            let count = escaped[part.clone()].chars().count() - added;
            added = 0;
            let start = end;
            end += characters
                .by_ref()
                .take(count)
                .map(char::len_utf8)
                .sum::<usize>();
            match self.merged.get(&escaped[part.clone()]) {
                Some((id, _)) => tokens.push((*id, start..end)),
                None => {
                    let spelt = self.spell(&escaped[part]).into_iter();
                    tokens.extend(spelt.map(|id| (id, start..end)));
                }
            }
        }
    }

    /// A character that no piece holds, byte by byte.
    fn spell(&self, character: &str) -> Vec<u32> {
        let bytes = character.bytes().map(|byte| self.bytes[usize::from(byte)]);
        match bytes.collect::<Option<Vec<_>>>() {
            Some(ids) => ids,
            None => self.unknown.into_iter().collect(),
        }
    }

    /// Joins neighbours until no two of them make a piece: where the parts lie that are left.
    fn merge(&self, text: &str) -> Vec<Range<usize>> {
        let mut parts = Parts::characters(text);
        let mut queue = BinaryHeap::new();
        for left in 0..parts.0.len() {
            queue.extend(self.candidate(text, &parts, Some(left)));
        }
        while let Some(best) = queue.pop() {
            if parts.is_outdated(&best) {
                continue;
            }
            parts.join(best.left, best.right);
            queue.extend(self.candidate(text, &parts, parts.0[best.left].previous));
            queue.extend(self.candidate(text, &parts, Some(best.left)));
        }
        parts.left().collect()
    }

    /// The part and its right neighbour, if they make a piece.
    fn candidate(&self, text: &str, parts: &Parts, left: Option<usize>) -> Option<Candidate> {
        let left = left?;
        let right = parts.0[left].next?;
        let range = parts.0[left].range.start..parts.0[right].range.end;
        let (_, score) = self.merged.get(&text[range.clone()])?;
        Some(Candidate {
            score: *score,
            left,
            right,
            end: range.end,
        })
    }

    /// The text of tokens, without those that steer the model.
    pub(crate) fn decode(&self, ids: &[u32]) -> String {
        let mut bytes = Vec::new();
        for piece in ids.iter().filter_map(|id| self.pieces.get(*id as usize)) {
            match piece.kind {
                PieceKind::Merged => bytes.extend(piece.text.replace(BLANK, " ").into_bytes()),
                PieceKind::Whole => bytes.extend(piece.text.as_bytes()),
                PieceKind::Byte(byte) => bytes.push(byte),
                PieceKind::Control => {}
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match text.strip_prefix(' ').filter(|_| self.adds_blank) {
            Some(text) => text.to_owned(),
            None => text,
        }
    }
}

/// The parts of a text, as a list that can be joined anywhere.
struct Parts(Vec<Part>);

struct Part {
    /// In bytes; empty once it was joined to the part before it.
    range: Range<usize>,
    previous: Option<usize>,
    next: Option<usize>,
}

impl Parts {
    fn characters(text: &str) -> Self {
        let characters = text.char_indices().enumerate();
        let mut parts = characters
            .map(|(index, (start, character))| Part {
                range: start..start + character.len_utf8(),
                previous: index.checked_sub(1),
                next: Some(index + 1),
            })
            .collect::<Vec<_>>();
        if let Some(last) = parts.last_mut() {
            last.next = None;
        }
        Self(parts)
    }

    /// One of the two was joined to something else since.
    fn is_outdated(&self, candidate: &Candidate) -> bool {
        let (left, right) = (&self.0[candidate.left], &self.0[candidate.right]);
        left.range.is_empty()
            || right.range.is_empty()
            || left.next != Some(candidate.right)
            || right.range.end != candidate.end
    }

    fn join(&mut self, left: usize, right: usize) {
        let Part { range, next, .. } = &mut self.0[right];
        let (end, next) = (range.end, *next);
        range.end = range.start;
        self.0[left].range.end = end;
        self.0[left].next = next;
        if let Some(next) = next {
            self.0[next].previous = Some(left);
        }
    }

    fn left(self) -> impl Iterator<Item = Range<usize>> {
        let ranges = self.0.into_iter().map(|part| part.range);
        ranges.filter(|range| !range.is_empty())
    }
}

/// Two neighbours that make a piece.
struct Candidate {
    score: f32,
    left: usize,
    right: usize,
    /// Where the right one ended.
    end: usize,
}

impl Ord for Candidate {
    /// The best score first, and of equals the leftmost.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}
