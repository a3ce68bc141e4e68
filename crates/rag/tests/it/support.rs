//! What the tests of this crate share: a small collection, an engine that speaks in pieces,
//! and an answer collected to its end.

use std::sync::{Arc, Mutex};

use engine::{
    Card, Engine, EngineError, FinishReason, Load, Message, ModelInfo, Prompt, Request, Role,
    ScriptedEngine, Token, TokenScore, TokenSender, TokenStream, Usage,
};
use rag::{
    Answer, AnswerEvent, Citation, Ledger, Pipeline, Question, RagError, Settings, Support,
    TextPiece, Unsupported,
};
use retrieval::{Change, Heading, Index, PassageSettings, SourceDocument, split};

/// Rivers in English, a statute in Korean, and a page that says nothing.
pub(crate) fn library() -> Arc<Index> {
    index(&[
        (
            "nile.md",
            "# The Nile\n\nThe Nile is 6650 kilometres long. It flows north through Egypt into \
             the Mediterranean sea.\n\n```rust\nlet nile = long();\n```\n",
        ),
        (
            "amazon.md",
            "# The Amazon\n\n- The Amazon river carries more water than any other river.\n\
             - It is home to the pink dolphin.\n",
        ),
        (
            "leave.md",
            "# 근로기준법\n\n## 연차 휴가\n\n1. 사용자는 1년간 80퍼센트 이상 출근한 근로자에게 15일의 \
             유급휴가를 주어야 한다.\n\n2. 가산휴가를 포함한 총 휴가 일수는 25일을 한도로 한다.\n",
        ),
        (
            "empty.md",
            "# Colophon\n\nSet in a fine typeface by nobody in particular.\n",
        ),
    ])
}

/// An index of `documents`, each a name and a Markdown text.
pub(crate) fn index(documents: &[(&str, &str)]) -> Arc<Index> {
    let index = Index::in_memory().expect("an index in memory");
    let changes = documents.iter().map(|(name, text)| upsert(name, text, 120));
    index.apply(changes.collect(), 1).expect("indexing");
    Arc::new(index)
}

/// The change that makes the passages of `text`, of at most `max_tokens` words each, those of
/// the file `name`.
pub(crate) fn upsert(name: &str, text: &str, max_tokens: usize) -> Change {
    let headings = headings(text);
    let document = SourceDocument {
        file_id: &format!("file-{name}"),
        filename: name,
        title: headings.first().map_or(name, |heading| &heading.title),
        text,
        headings: &headings,
        pages: &[],
        markdown: true,
    };
    let settings = PassageSettings {
        max_tokens,
        overlap_tokens: 0,
        count_tokens: &|text| text.split_whitespace().count(),
    };
    Change::Upsert {
        file_id: document.file_id.into(),
        passages: split(&document, &settings),
    }
}

fn headings(text: &str) -> Vec<Heading> {
    let mut headings = Vec::new();
    let mut start = 0;
    let mut is_code = false;
    for line in text.split_inclusive('\n') {
        is_code ^= line.starts_with("```");
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        if (1..=6).contains(&level) && title.starts_with(' ') && !is_code {
            headings.push(Heading {
                level: level as u8,
                start,
                title: title.trim().into(),
            });
        }
        start += line.len();
    }
    headings
}

/// A user's question and nothing else.
pub(crate) fn ask(question: &str) -> Question {
    Question {
        messages: vec![message(Role::User, question)],
        ..Question::default()
    }
}

/// One turn.
pub(crate) fn message(role: Role, content: &str) -> Message {
    Message::new(role, content)
}

/// A model of 4,096 tokens that takes documents.
pub(crate) fn model() -> ModelInfo {
    ModelInfo {
        name: "scripted".into(),
        context: 4096,
        reads_documents: true,
        reads_tools: true,
        card: Card::default(),
    }
}

/// A pipeline whose model always says `reply`.
pub(crate) fn replying(reply: &str) -> Pipeline {
    let reply = reply.to_owned();
    let engine = ScriptedEngine::new(move |_| Ok(reply.clone()));
    Pipeline::new(Arc::new(engine), Settings::default())
}

/// A pipeline whose model must not be asked.
pub(crate) fn speechless() -> Pipeline {
    speechless_as(model())
}

/// A pipeline whose model is `model` and must not be asked.
pub(crate) fn speechless_as(model: ModelInfo) -> Pipeline {
    let engine = ScriptedEngine::new(|_| panic!("the model was asked")).with_model(model);
    Pipeline::new(Arc::new(engine), Settings::default())
}

/// A pipeline with `model`, and what reaches it.
pub(crate) fn recording(model: ModelInfo) -> (Pipeline, Arc<Mutex<Vec<Request>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    let engine = ScriptedEngine::new(move |request| {
        seen.lock()
            .expect("no test panics here")
            .push(request.clone());
        Ok("Yes.".into())
    });
    let engine = Arc::new(engine.with_model(model));
    (Pipeline::new(engine, Settings::default()), requests)
}

/// An answer that came to its end.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Collected {
    pub(crate) text: String,
    pub(crate) citations: Vec<Citation>,
    pub(crate) unsupported: Vec<Unsupported>,
    pub(crate) support: Option<Support>,
    pub(crate) ledger: Ledger,
    pub(crate) usage: Usage,
}

impl Collected {
    /// The characters `span` of the text.
    pub(crate) fn chars(&self, span: std::ops::Range<usize>) -> String {
        chars(&self.text, span)
    }
}

/// The characters `span` of `text`.
pub(crate) fn chars(text: &str, span: std::ops::Range<usize>) -> String {
    text.chars().skip(span.start).take(span.len()).collect()
}

/// Reads `answer` to its end, which must be a good one.
pub(crate) fn collect(mut answer: Answer) -> Collected {
    let mut collected = Collected::default();
    let mut ended = false;
    while let Some(event) = answer.next_blocking() {
        assert!(!ended, "something came behind the end");
        match event.expect("no error") {
            AnswerEvent::Text { piece, .. } => {
                assert_ne!(piece, TextPiece::default(), "an empty event");
                collected.text.push_str(&piece.text);
                collected.citations.extend(piece.citations);
                collected.unsupported.extend(piece.unsupported);
            }
            AnswerEvent::ToolCall { .. } => {}
            AnswerEvent::Finished { support, .. } => collected.support = support,
            AnswerEvent::Done { ledger, usage } => {
                collected.ledger = ledger;
                collected.usage = usage;
                ended = true;
            }
        }
    }
    assert!(ended, "no end came");
    collected
}

/// The error of a question that must not be answered.
pub(crate) fn refused(result: Result<Answer, RagError>) -> RagError {
    result.err().expect("an error")
}

/// Says `reply` cut into pieces by a seed, or hangs after them, or fails.
pub(crate) struct PiecewiseEngine {
    pub(crate) reply: String,
    pub(crate) seed: u64,
    pub(crate) ending: Ending,
    pub(crate) model: ModelInfo,
    /// The sender of an answer that hangs.
    pub(crate) hanging: Arc<Mutex<Option<TokenSender>>>,
}

/// How the answer of a [`PiecewiseEngine`] ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Done,
    Fails(EngineError),
    Hangs,
}

impl PiecewiseEngine {
    pub(crate) fn new(reply: &str, seed: u64, ending: Ending) -> Self {
        Self {
            reply: reply.into(),
            seed,
            ending,
            model: model(),
            hanging: Arc::default(),
        }
    }
}

impl Engine for PiecewiseEngine {
    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn count_prompt_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        let messages = prompt.messages.iter();
        Ok(messages.map(|m| self.count_tokens(&m.content)).sum())
    }

    fn generate(&self, _request: Request) -> Result<TokenStream, EngineError> {
        let (sender, stream) = TokenStream::channel(self.reply.len() + 1);
        let mut random = Random(self.seed);
        let mut rest = self.reply.as_str();
        while !rest.is_empty() {
            let count = 1 + random.below(if self.seed.is_multiple_of(3) { 1 } else { 9 });
            let len = rest
                .char_indices()
                .nth(count)
                .map_or(rest.len(), |(at, _)| at);
            let text = rest[..len].to_owned();
            sender.token(Token {
                text,
                ..Token::default()
            });
            rest = &rest[len..];
        }
        match &self.ending {
            Ending::Done => sender.done(FinishReason::Stop, Usage::default()),
            Ending::Fails(error) => sender.fail(error.clone()),
            Ending::Hangs => {
                *self.hanging.lock().expect("no test panics here") = Some(sender);
            }
        }
        Ok(stream)
    }

    fn score(
        &self,
        _: &Prompt,
        _: &str,
        _: &engine::Sharing,
    ) -> Result<Vec<TokenScore>, EngineError> {
        Ok(Vec::new())
    }

    fn load(&self) -> Load {
        Load::default()
    }
}

/// A small generator (splitmix64), so that a failing seed can be run again.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

pub(crate) fn check_invalid(pipeline: &Pipeline, question: Question, param: &str) {
    match refused(pipeline.answer(&[library()], question)) {
        RagError::Invalid {
            param: got,
            message,
        } => assert_eq!(got, param, "{message}"),
        other => panic!("{other}"),
    }
}
