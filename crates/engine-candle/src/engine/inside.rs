//! Showing which token of a short text attends to which.

use engine::{
    Anatomy, Attention, AttentionInput, AttentionRequest, EngineError, Heads, Inside, Sharing,
    TextToken, TokenStream,
};

use super::{CandleEngine, invalid};
use crate::decoder::AttentionWeights;
use crate::serving::{Job, Looking};

impl Inside for CandleEngine {
    fn anatomy(&self) -> Anatomy {
        self.anatomy
            .expect("only engines that have one can be looked into")
    }

    fn attention(&self, request: &AttentionRequest) -> Result<Attention, EngineError> {
        let layers = checked_layers(request, self.anatomy().layers)?;
        self.pool.check_room()?;
        let most = AttentionRequest::MOST_TOKENS.min(self.model.context);
        let read = match &request.input {
            AttentionInput::Text(text) => self.text.ranged_content(text, most),
            AttentionInput::Prompt(prompt) => self.text.ranged_prompt(prompt, most, ""),
        };
        let read = read.map_err(|error| match error {
            EngineError::PromptTooLong { prompt, .. } => too_long(request, prompt, most),
            other => other,
        })?;
        if read.ids.len() > most {
            return Err(too_long(request, read.ids.len(), most));
        }
        check_sizes(request, &layers, read.ids.len(), self.anatomy())?;
        let (sender, stream) = TokenStream::channel(0);
        let (task, reply) = Looking::task(AttentionWeights::new(&layers, request.heads), stream);
        self.pool.submit(Job {
            prompt: read.ids.clone(),
            task,
            sharing: Sharing::default(),
            sender,
        })?;
        let layers = reply.wait()?.into_layers();
        let tokens = read.ids.into_iter().zip(read.ranges);
        Ok(Attention {
            text: read.text,
            tokens: tokens.map(|(id, range)| TextToken { id, range }).collect(),
            layers,
        })
    }
}

fn checked_layers(request: &AttentionRequest, count: usize) -> Result<Vec<usize>, EngineError> {
    let Some(wanted) = &request.layers else {
        return Ok((0..count).collect());
    };
    let mut layers = wanted.clone();
    layers.sort_unstable();
    layers.dedup();
    match layers.last() {
        None => Err(invalid("layers", "name at least one layer")),
        Some(last) if *last >= count => {
            let message = format!("there is no layer {last}; the model has 0 to {}", count - 1);
            Err(invalid("layers", &message))
        }
        Some(_) => Ok(layers),
    }
}

fn too_long(request: &AttentionRequest, tokens: usize, most: usize) -> EngineError {
    let message = format!("that is {tokens} tokens; attention is shown of at most {most}");
    invalid(input(request), &message)
}

fn input(request: &AttentionRequest) -> &'static str {
    match request.input {
        AttentionInput::Text(_) => "input",
        AttentionInput::Prompt(_) => "messages",
    }
}

fn check_sizes(
    request: &AttentionRequest,
    layers: &[usize],
    tokens: usize,
    anatomy: Anatomy,
) -> Result<(), EngineError> {
    if tokens == 0 {
        return Err(invalid(input(request), "there is nothing to read"));
    }
    let heads = match request.heads {
        Heads::Mean => 1,
        Heads::All => anatomy.heads,
    };
    let weights = layers.len() * heads * tokens * tokens;
    if weights > AttentionRequest::MOST_WEIGHTS {
        let message = format!(
            "{} layers of {heads} heads over {tokens} tokens are {weights} weights, and {} are \
             told at once: name fewer layers, or take the mean of the heads",
            layers.len(),
            AttentionRequest::MOST_WEIGHTS
        );
        return Err(invalid("layers", &message));
    }
    Ok(())
}
