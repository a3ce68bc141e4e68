//! OpenAI's responses: the request is put as the chat request that means the same, and the answer
//! told in items and events (openai-openapi, `createResponse`).

mod items;
mod request;
mod responder;

pub(crate) use request::{ResponsesRequest, in_our_words};
pub(crate) use responder::{Responder, ResponseForm};
