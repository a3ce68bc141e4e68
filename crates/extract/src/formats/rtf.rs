//! Rich Text Format (RTF 1.9.1): the text without its formatting.
//!
//! A file is a tree of groups, walked with a stack of our own. Text comes as ASCII, as bytes
//! `\'hh` in the encoding of the font in force, or as code points `\u` with a substitute for
//! readers of old to skip.

mod token;

use std::collections::HashMap;

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS, WINDOWS_1252};

use self::token::{Token, Tokens};
use super::{Confidence, Format, certain_if};
use crate::ExtractError;
use crate::draft::Draft;
use crate::source::Source;

/// RTF of any version.
pub(super) const FORMAT: Format = Format {
    name: "rtf",
    media_type: "application/rtf",
    extensions: &["rtf"],
    is_text: false,
    is_markdown: false,
    recognise,
    read,
};

/// Groups within groups.
const MAX_DEPTH: usize = 1000;

/// Groups that hold no text of the document.
const SKIPPED: &[&str] = &[
    "colortbl",
    "stylesheet",
    "listtable",
    "listoverridetable",
    "revtbl",
    "rsidtbl",
    "generator",
    "pict",
    "object",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "fldinst",
    "filetbl",
    "themedata",
    "colorschememapping",
    "datastore",
    "latentstyles",
    "xmlnstbl",
    "bkmkstart",
    "bkmkend",
    "nonshppict",
    "pntext",
    "info",
    "annotation",
];

fn recognise(source: &Source) -> Confidence {
    certain_if(source.bytes().starts_with(b"{\\rtf"))
}

fn read(source: &Source, draft: &mut Draft) -> Result<(), ExtractError> {
    let mut reader = Reader::default();
    for token in Tokens::new(source.bytes()) {
        reader.take(token)?;
    }
    reader.settle();
    for paragraph in reader.text.split('\n') {
        draft.paragraph(paragraph)?;
    }
    Ok(())
}

/// What holds within a group, and ends with it.
#[derive(Clone, Default)]
struct State {
    is_skipped: bool,
    /// Inside the table of fonts, where text names them.
    in_fonts: bool,
    font: i32,
    /// Bytes that stand in for a code point.
    substitutes: usize,
}

#[derive(Default)]
struct Reader {
    text: String,
    /// Bytes whose encoding is that of the font in force.
    pending: Vec<u8>,
    /// The first half of a pair of surrogates.
    surrogate: Option<u16>,
    state: State,
    outer: Vec<State>,
    /// Of a text without a font of its own.
    encoding: Option<&'static Encoding>,
    fonts: HashMap<i32, &'static Encoding>,
    /// Substitutes still to be skipped.
    skip: usize,
}

impl Reader {
    fn take(&mut self, token: Token) -> Result<(), ExtractError> {
        match token {
            Token::Open => {
                self.settle();
                if self.outer.len() >= MAX_DEPTH {
                    return Err(ExtractError::TooDeep);
                }
                self.outer.push(self.state.clone());
            }
            Token::Close => {
                self.settle();
                self.state = self.outer.pop().unwrap_or_default();
            }
            // An optional group of a kind that older readers do not know.
            Token::Ignorable => self.state.is_skipped = true,
            Token::Byte(byte) => self.byte(byte),
            Token::Word(word, number) => self.word(word, number),
        }
        Ok(())
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if !self.state.is_skipped && !self.state.in_fonts {
            self.pending.push(byte);
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) {
        self.skip = 0;
        match word {
            "par" | "sect" | "page" | "row" | "line" => self.put("\n"),
            "cell" => self.put(" | "),
            "tab" => self.put("\t"),
            "emdash" => self.put("—"),
            "endash" => self.put("–"),
            "bullet" => self.put("•"),
            "lquote" => self.put("‘"),
            "rquote" => self.put("’"),
            "ldblquote" => self.put("“"),
            "rdblquote" => self.put("”"),
            "u" => self.code_unit(number.unwrap_or(0)),
            "uc" => {
                let count = number.and_then(|count| usize::try_from(count).ok());
                self.state.substitutes = count.unwrap_or(1).min(8);
            }
            "rtf" => self.state.substitutes = 1,
            "ansicpg" => self.encoding = number.and_then(code_page),
            "fonttbl" => self.state.in_fonts = true,
            "f" => {
                self.settle();
                self.state.font = number.unwrap_or(0);
            }
            "fcharset" => {
                if let Some(encoding) = number.and_then(charset) {
                    self.fonts.insert(self.state.font, encoding);
                }
            }
            // Hidden text: what a person does not see must not become evidence.
            "v" => self.state.is_skipped = number != Some(0),
            word if SKIPPED.contains(&word) => self.state.is_skipped = true,
            _ => {}
        }
    }

    fn put(&mut self, text: &str) {
        self.settle();
        if !self.state.is_skipped && !self.state.in_fonts {
            self.text.push_str(text);
        }
    }

    /// A code unit of UTF-16, written as a signed number of 16 bits.
    fn code_unit(&mut self, number: i32) {
        self.skip = self.state.substitutes;
        let unit = (number & 0xFFFF) as u16;
        let units = self.surrogate.take().into_iter().chain([unit]);
        if (0xD800..0xDC00).contains(&unit) {
            self.surrogate = Some(unit);
            return;
        }
        let text: String = char::decode_utf16(units).flatten().collect();
        self.put(&text);
    }

    /// Turns the pending bytes into text.
    fn settle(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let encoding = self.fonts.get(&self.state.font).copied().or(self.encoding);
        let bytes = std::mem::take(&mut self.pending);
        let (text, _) = encoding
            .unwrap_or(WINDOWS_1252)
            .decode_without_bom_handling(&bytes);
        self.text.push_str(&text);
    }
}

/// The encoding of a Windows code page.
fn code_page(number: i32) -> Option<&'static Encoding> {
    match number {
        932 => Some(SHIFT_JIS),
        936 => Some(GBK),
        949 => Some(EUC_KR),
        950 => Some(BIG5),
        number => Encoding::for_label(format!("windows-{number}").as_bytes()),
    }
}

/// The encoding of a font's character set; the default one says nothing.
fn charset(number: i32) -> Option<&'static Encoding> {
    match number {
        128 => code_page(932),
        129 => code_page(949),
        134 => code_page(936),
        136 => code_page(950),
        161 => code_page(1253),
        162 => code_page(1254),
        163 => code_page(1258),
        177 => code_page(1255),
        178 => code_page(1256),
        186 => code_page(1257),
        204 => code_page(1251),
        222 => code_page(874),
        238 => code_page(1250),
        _ => None,
    }
}
