//! Prints what it costs to watch attention, to judge a text and to look inside:
//! `costs [MODEL [PROMPT_TOKENS]]`, where a model is a GGUF file or a folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine::{
    AttentionInput, AttentionRequest, Engine, EngineError, Event, Heads, Message, Prompt, Request,
    Role, Sharing,
};
use engine_candle::{CandleEngine, ModelSource, Settings};

/// Each time is the best of so many.
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bundled/model/model.gguf");
    let model = arguments.next().map_or(bundled, PathBuf::from);
    let words = arguments.next().map_or(Ok(512), |words| words.parse())?;
    let engine = CandleEngine::load(ModelSource::Path(model), Settings::default())?;

    let sentences = (0..words / 16).map(|n| format!("The {n} river flows to the sea at town {n}."));
    let sentences = sentences.collect::<Vec<_>>();
    let request = Request {
        prompt: Prompt {
            messages: vec![Message::new(Role::User, sentences.join(" "))],
            ..Prompt::default()
        },
        max_tokens: Some(64),
        ..Request::default()
    };
    let watching = Request {
        watch: sentences,
        ..request.clone()
    };
    println!(
        "{} tokens of prompt",
        engine.count_prompt_tokens(&request.prompt)?
    );
    println!("a token:          {:?}", per_token(&engine, &request)?);
    println!("a token, watched: {:?}", per_token(&engine, &watching)?);

    let text = "The river flows to the sea, and the town lies at its mouth. ".repeat(5);
    let tokens = engine.count_tokens(&text);
    let known = best(|| {
        engine
            .score(&request.prompt, &text, &Sharing::default())
            .map(drop)
    })?;
    println!("{tokens} tokens judged behind the same prompt: {known:?}");
    let anew = Prompt {
        messages: vec![Message::new(Role::User, "What is a river?")],
        ..Prompt::default()
    };
    let other = best(|| engine.score(&anew, &text, &Sharing::default()).map(drop))?;
    println!("{tokens} tokens judged behind a short prompt: {other:?}");

    let inside = engine.inside()?;
    let look = AttentionRequest {
        input: AttentionInput::Text(text),
        layers: None,
        heads: Heads::Mean,
    };
    let looked = best(|| inside.attention(&look).map(drop))?;
    println!("attention of {tokens} tokens in all layers: {looked:?}");
    Ok(())
}

/// The time of a token behind the first.
fn per_token(engine: &CandleEngine, request: &Request) -> Result<Duration, EngineError> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut stream = engine.generate(request.clone())?;
        let (mut start, mut tokens) = (None, 0);
        while let Some(Event::Token(_)) = stream.next_blocking().transpose()? {
            tokens += 1;
            start.get_or_insert_with(Instant::now);
        }
        let all = start.map_or(Duration::ZERO, |start| start.elapsed());
        times.push(all / (tokens - 1).max(1));
    }
    Ok(times.into_iter().min().unwrap_or_default())
}

fn best(work: impl Fn() -> Result<(), EngineError>) -> Result<Duration, EngineError> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed());
    }
    Ok(times.into_iter().min().unwrap_or_default())
}
