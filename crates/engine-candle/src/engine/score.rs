//! How likely a text is as the answer to a prompt.

use engine::{EngineError, Prompt, Sharing, TokenScore, TokenStream};

use super::CandleEngine;
use crate::serving::{Job, Scoring};

impl CandleEngine {
    /// Judges the tokens of a text behind a prompt. It is cut into tokens by itself, as an answer
    /// begins anew.
    pub(super) fn judge(
        &self,
        prompt: &Prompt,
        text: &str,
        sharing: &Sharing,
    ) -> Result<Vec<TokenScore>, EngineError> {
        self.pool.check_room()?;
        let context = self.model.context;
        let text = self.text.ranged_content(text, context)?;
        let (Some((_, all_but_last)), ids) = (text.ids.split_last(), text.ids.clone()) else {
            return Ok(Vec::new());
        };
        let mut read = self.checked_prompt(prompt, "")?;
        let all = read.len() + ids.len();
        if all > context {
            return Err(EngineError::PromptTooLong {
                prompt: all,
                context,
            });
        }
        let (sender, stream) = TokenStream::channel(0);
        let (task, reply) = Scoring::task(read.len(), ids, stream);
        read.extend(all_but_last);
        self.pool.submit(Job {
            prompt: read,
            task,
            sharing: sharing.clone(),
            sender,
        })?;
        let logprobs = reply.wait()?.into_iter();
        let tokens = text.ids.into_iter().zip(text.ranges).zip(logprobs);
        let score = |((id, range), logprob)| TokenScore { id, range, logprob };
        Ok(tokens.map(score).collect())
    }
}
