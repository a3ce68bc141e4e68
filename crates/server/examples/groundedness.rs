//! What a model's groundedness says of sentences that are known to rest on their sources or not.
//!
//! `cargo run --release -p server --example groundedness -- [--model PATH] [--limit N] FILE.jsonl…`
//!
//! A file holds a context a line: `{"context", "qas": [{"question", "answers": […]}]}`. Each answer is
//! judged three times: behind its context among four others that words would find (grounded), behind
//! those others alone (not), and with its numbers altered behind its context (not). An answer of a
//! few words stands for the sentence of the context that holds it. One line comes out for each
//! sentence: whether it is grounded, `support`, and `difference` in nats. The weights in
//! `rag/src/groundedness.rs` are a logistic regression over such lines.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use rag::{AnswerEvent, Pipeline, Question, Settings, sentences};
use retrieval::{Change, Index, Passage, Query};
use serde_json::Value;
use server::config::ModelConfig;
use server::engine::{
    Engine, EngineError, FinishReason, Load, Message, ModelInfo, Prompt, Request, Role, Sharing,
    Token, TokenScore, TokenStream, Usage,
};
use server::startup;

/// Contexts beside the right one.
const OTHERS: usize = 4;

/// Says what it is told to, and judges as the model does.
struct Saying {
    model: Arc<dyn Engine>,
    text: String,
}

impl Engine for Saying {
    fn model(&self) -> &ModelInfo {
        self.model.model()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.count_tokens(text)
    }

    fn count_prompt_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.model.count_prompt_tokens(prompt)
    }

    fn generate(&self, _: Request) -> Result<TokenStream, EngineError> {
        let (sender, stream) = TokenStream::channel(1);
        sender.token(Token {
            text: self.text.clone(),
            ..Token::default()
        });
        sender.done(FinishReason::Stop, Usage::default());
        Ok(stream)
    }

    fn score(
        &self,
        prompt: &Prompt,
        text: &str,
        sharing: &Sharing,
    ) -> Result<Vec<TokenScore>, EngineError> {
        self.model.score(prompt, text, sharing)
    }

    fn load(&self) -> Load {
        self.model.load()
    }
}

fn main() -> anyhow::Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.drain(at..at + 2).nth(1)
    };
    let config = ModelConfig {
        path: option("--model").map(PathBuf::from),
        ..ModelConfig::default()
    };
    let limit = option("--limit").map_or(Ok(usize::MAX), |limit| limit.parse())?;
    let model = startup::load_engine(&config)?;
    for file in &args {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        let rows: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        judge_file(&model, &rows?, limit)?;
    }
    Ok(())
}

fn judge_file(model: &Arc<dyn Engine>, rows: &[Value], limit: usize) -> anyhow::Result<()> {
    let contexts: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["context"].as_str())
        .collect();
    let all = index(&contexts)?;
    let asked = rows.iter().zip(&contexts).filter_map(|(row, context)| {
        let asked = &row["qas"][0];
        let answer = said(asked["answers"][0].as_str()?, context);
        Some((asked["question"].as_str()?, answer, *context))
    });
    for (question, answer, context) in asked.take(limit) {
        let hits = all.search(&Query::new(question, OTHERS + 1))?.into_iter();
        let others = hits
            .map(|hit| hit.passage.text)
            .filter(|text| text != context);
        let others: Vec<String> = others.take(OTHERS).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let with = [&[context][..], &others].concat();
        let altered: String = answer.chars().map(next_digit).collect();
        judge(model, question, &answer, &with, true)?;
        judge(model, question, &answer, &others, false)?;
        if altered != answer {
            judge(model, question, &altered, &with, false)?;
        }
    }
    Ok(())
}

/// The sentence of the context in which a short answer stands.
fn said(answer: &str, context: &str) -> String {
    let sentences = sentences(context)
        .into_iter()
        .map(|sentence| &context[sentence.span]);
    let mut holding = sentences.filter(|sentence| sentence.contains(answer));
    holding.next().unwrap_or(answer).to_owned()
}

fn next_digit(letter: char) -> char {
    match letter.to_digit(10) {
        Some(digit) => char::from_digit((digit + 3) % 10, 10).unwrap_or(letter),
        None => letter,
    }
}

fn index(texts: &[&str]) -> anyhow::Result<Index> {
    let index = Index::in_memory()?;
    let changes = texts.iter().enumerate().map(|(n, text)| {
        let file_id = n.to_string();
        let passage = Passage {
            filename: file_id.clone(),
            file_id: file_id.clone(),
            title: String::new(),
            page: None,
            page_breaks: Vec::new(),
            heading: None,
            start: 0,
            end: text.len(),
            start_char: 0,
            gap: String::new(),
            text: (*text).to_owned(),
        };
        let passages = vec![passage];
        Change::Upsert { file_id, passages }
    });
    index.apply(changes.collect(), 1)?;
    Ok(index)
}

fn judge(
    model: &Arc<dyn Engine>,
    question: &str,
    answer: &str,
    contexts: &[&str],
    grounded: bool,
) -> anyhow::Result<()> {
    let engine = Saying {
        model: model.clone(),
        text: answer.to_owned(),
    };
    let settings = Settings {
        evidence_floor: 0.0,
        ..Settings::default()
    };
    let question = Question {
        messages: vec![Message::new(Role::User, question)],
        mode: rag::Mode::Model,
        groundedness: true,
        ..Question::default()
    };
    let index = Arc::new(index(contexts)?);
    let mut answer = Pipeline::new(Arc::new(engine), settings).answer(&[index], question)?;
    let Some(judge) = answer.judge.clone() else {
        return Ok(());
    };
    while let Some(event) = answer.next_blocking() {
        if let AnswerEvent::Finished {
            written: Some(written),
            ..
        } = event?
        {
            for sentence in judge.judge(&written)?.sentences {
                let difference = sentence.likelihoods.difference();
                println!(
                    "{} {:.4} {difference:.4}",
                    u8::from(grounded),
                    sentence.support
                );
            }
        }
    }
    Ok(())
}
