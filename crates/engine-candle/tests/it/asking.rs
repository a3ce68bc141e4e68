//! Requests and whole answers.

use engine::{
    Engine, EngineError, Event, FinishReason, Message, Prompt, PromptDocument, Request, Role,
    TokenStream, Usage,
};

/// One user message, without documents.
pub(crate) fn question(content: &str) -> Request {
    let message = Message::new(Role::User, content);
    Request {
        prompt: Prompt {
            messages: vec![message],
            ..Prompt::default()
        },
        ..Request::default()
    }
}

/// One user message about one document.
pub(crate) fn question_about(title: &str, text: &str, content: &str) -> Request {
    let mut request = question(content);
    request.prompt.documents.push(PromptDocument {
        title: title.into(),
        text: text.into(),
    });
    request
}

/// Everything a stream yields.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    /// The tokens' ids.
    pub(crate) ids: Vec<u32>,
    /// The tokens' texts.
    pub(crate) pieces: Vec<String>,
    /// Why it ended.
    pub(crate) finish_reason: FinishReason,
    /// What it took.
    pub(crate) usage: Usage,
}

impl Answer {
    /// The whole text.
    pub(crate) fn text(&self) -> String {
        self.pieces.concat()
    }
}

/// Asks and waits for the whole answer.
pub(crate) fn ask(engine: &dyn Engine, request: Request) -> Answer {
    let mut stream = engine.generate(request).expect("the request is taken");
    read(&mut stream).expect("the answer ends well")
}

/// Reads a stream to its end.
pub(crate) fn read(stream: &mut TokenStream) -> Result<Answer, EngineError> {
    let (mut ids, mut pieces) = (Vec::new(), Vec::new());
    while let Some(event) = stream.next_blocking() {
        match event? {
            Event::Token(token) => {
                ids.push(token.id);
                pieces.push(token.text);
            }
            Event::Done {
                finish_reason,
                usage,
            } => {
                return Ok(Answer {
                    ids,
                    pieces,
                    finish_reason,
                    usage,
                });
            }
        }
    }
    panic!("the stream ended without saying so")
}
