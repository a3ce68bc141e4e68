//! Asks the bundled model a question about some sentences and prints how fast it answered:
//! `ask [QUESTION [TEXT…]]`, where each text becomes a document.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use engine::{Engine, Event, Message, Prompt, PromptDocument, Request, Role};
use engine_candle::{CandleEngine, ModelSource, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundled/model/model.gguf");
    let start = Instant::now();
    let engine = CandleEngine::load(ModelSource::Path(folder), Settings::default())?;
    println!("loaded in {:?}", start.elapsed());

    let mut arguments = std::env::args().skip(1);
    let question = arguments.next();
    let mut texts = arguments.collect::<Vec<_>>();
    if texts.is_empty() {
        texts.push("Tea is brewed for four minutes.".into());
    }
    let request = request(
        question.unwrap_or_else(|| "How long is tea brewed?".into()),
        texts,
    );
    let start = Instant::now();
    let mut stream = engine.generate(request)?;
    let mut first = None;
    while let Some(event) = stream.next_blocking() {
        match event? {
            Event::Token(token) => {
                first.get_or_insert_with(|| start.elapsed());
                print!("{}", token.text);
                io::stdout().flush()?;
            }
            Event::Done { usage, .. } => {
                let (first, all) = (first.unwrap_or_default(), start.elapsed());
                println!("\n{usage:?}, first token after {first:?}, all after {all:?}");
            }
        }
    }
    Ok(())
}

fn request(question: String, texts: Vec<String>) -> Request {
    let document = |text: String| PromptDocument {
        title: text.split(' ').next().unwrap_or_default().to_owned(),
        text,
    };
    let message = Message::new(Role::User, question);
    Request {
        prompt: Prompt {
            messages: vec![message],
            documents: texts.into_iter().map(document).collect(),
            ..Prompt::default()
        },
        max_tokens: Some(64),
        ..Request::default()
    }
}
