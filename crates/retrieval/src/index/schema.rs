//! Which fields a passage has in the index, and how it becomes a tantivy document.

use tantivy::TantivyDocument;
use tantivy::schema::{
    Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};

use crate::analysis::{Analyzer, Kind, Language, Sounds};
use crate::passage::Passage;

/// So much of a file is looked at to tell its language.
const SAMPLE_BYTES: usize = 16 * 1024;

/// The language field of passages whose Latin words have no stemmer.
const NO_LANGUAGE: &str = "none";

/// The fields of a passage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// Exact, to replace and delete a file's passages.
    pub(super) file_id: Field,
    /// Exact: file and place of the passage, to find it by its vector.
    pub(super) place: Field,
    /// Exact: the language that the Latin words were stemmed by.
    pub(super) language: Field,
    /// The passage's words, with its title and headings before them: a passage about a subject
    /// seldom repeats the subject's name.
    pub(super) body: Field,
    /// What the words of the body sound like, to find loanwords in the other script.
    pub(super) sounds: Field,
    /// The headings above it.
    pub(super) heading: Field,
    /// Its document's title.
    pub(super) title: Field,
    /// Its file's name.
    pub(super) filename: Field,
    /// The [`Passage`] itself as JSON: stored, not searched.
    pub(super) passage: Field,
}

/// The schema and its fields. Raise the storage format when either changes.
pub(super) fn build() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    // Texts come analysed, so the tokenizer is never called. Positions are only kept of the body,
    // where `nearness` asks for them.
    let searched_with = |option| {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_index_option(option);
        TextOptions::default().set_indexing_options(indexing)
    };
    let searched = searched_with(IndexRecordOption::WithFreqs);
    let searched_in_place = searched_with(IndexRecordOption::WithFreqsAndPositions);
    let fields = Fields {
        file_id: builder.add_text_field("file_id", STRING),
        place: builder.add_text_field("place", STRING),
        language: builder.add_text_field("language", STRING),
        body: builder.add_text_field("body", searched_in_place),
        sounds: builder.add_text_field("sounds", searched.clone()),
        heading: builder.add_text_field("heading", searched.clone()),
        title: builder.add_text_field("title", searched.clone()),
        filename: builder.add_text_field("filename", searched),
        passage: builder.add_text_field("passage", STORED),
    };
    (builder.build(), fields)
}

/// The language of a file's Latin words, by a sample of its passages.
pub(super) fn language_of(passages: &[Passage]) -> Option<Language> {
    let mut sample = String::new();
    for passage in passages {
        let room = SAMPLE_BYTES.saturating_sub(sample.len());
        sample.push_str(&passage.text[..passage.text.floor_char_boundary(room)]);
        sample.push('\n');
    }
    Language::detect(&sample)
}

/// The term by which passages of a language are counted.
pub(super) fn language_code(language: Option<Language>) -> &'static str {
    language.map_or(NO_LANGUAGE, Language::code)
}

/// The term by which one passage is found.
pub(super) fn place(file_id: &str, start: usize, end: usize) -> String {
    format!("{file_id} {start} {end}")
}

impl Fields {
    /// The tantivy document of one passage of `file_id`.
    pub(super) fn document(
        &self,
        file_id: &str,
        passage: &Passage,
        language: Option<Language>,
    ) -> TantivyDocument {
        let analyzer = Analyzer {
            latin: language.into_iter().collect(),
            sounds: Sounds::OfPassage,
        };
        let heading = passage.heading.as_deref().unwrap_or_default();
        let stored = serde_json::to_string(passage).expect("a passage has a JSON form");
        let mut document = TantivyDocument::default();
        document.add_text(self.file_id, file_id);
        document.add_text(self.place, place(file_id, passage.start, passage.end));
        document.add_text(self.language, language_code(language));
        let body = format!("{}\n{heading}\n{}", passage.title, passage.text);
        let (sounds, words) = apart(analyzer.tokens(&body));
        document.add_pre_tokenized_text(self.body, words);
        document.add_pre_tokenized_text(self.sounds, sounds);
        for (field, text) in [
            (self.heading, heading),
            (self.title, &passage.title),
            (self.filename, &passage.filename),
        ] {
            let (_, words) = apart(analyzer.tokens(text));
            document.add_pre_tokenized_text(field, words);
        }
        document.add_text(self.passage, stored);
        document
    }
}

/// The sounds of a text, and its words.
fn apart(tokens: Vec<crate::analysis::Token>) -> (PreTokenizedString, PreTokenizedString) {
    let is_sound = |token: &crate::analysis::Token| token.kind == Kind::Sound;
    let (sounds, words) = tokens.into_iter().partition(is_sound);
    (as_read(sounds), as_read(words))
}

fn as_read(tokens: Vec<crate::analysis::Token>) -> PreTokenizedString {
    let token = |token: crate::analysis::Token| Token {
        offset_from: token.term.start,
        offset_to: token.term.end,
        position: token.position as usize,
        text: token.term.text,
        position_length: 1,
    };
    // The text itself is only needed by fields that store it.
    PreTokenizedString {
        text: String::new(),
        tokens: tokens.into_iter().map(token).collect(),
    }
}
