//! What accepted requests come to.

use engine::{Message, Role, SamplingParams};
use rag::{CitationStyle, Mode};
use serde_json::{Value, json};

use super::{chat_body, read_chat};
use crate::wire::chat_request::ChatRequest;
use crate::wire::retrieval::{Collections, NamedCollection, RetrievalOptions};

fn check_accepted(fields: &Value) -> ChatRequest {
    let read = read_chat(&chat_body(fields));
    read.unwrap_or_else(|error| panic!("refused {fields}: {error}"))
}

#[test]
fn a_plain_request_has_our_defaults() {
    let request = check_accepted(&json!({}));
    let expected = ChatRequest {
        model: "default".into(),
        messages: vec![Message::new(Role::User, "Why?")],
        retrieval: RetrievalOptions::default(),
        citations: CitationStyle::Inline,
        answer: Mode::Auto,
        sampling: SamplingParams::GREEDY,
        max_tokens: None,
        logit_bias: vec![],
        stop: vec![],
        stream: false,
        include_usage: false,
    };
    assert_eq!(request, expected);
}

#[test]
fn every_field_is_read() {
    let request = check_accepted(&json!({
        "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "seed": -1,
        "frequency_penalty": -0.5, "presence_penalty": 2, "repetition_penalty": 1.1,
        "logit_bias": {"7": -100, "9": 2.5},
        "max_tokens": 9, "max_completion_tokens": 7, "stop": ["\n\n", "END"],
        "stream": true, "stream_options": {"include_usage": true},
        "citations": "fields", "answer": "quotes",
        "retrieval": {"collections": ["law"], "top_k": 3, "mode": "lexical"},
    }));
    let sampling = SamplingParams {
        temperature: 0.5,
        top_p: 0.9,
        top_k: Some(40),
        min_p: 0.05,
        frequency_penalty: -0.5,
        presence_penalty: 2.0,
        repetition_penalty: 1.1,
        seed: Some(u64::MAX),
    };
    assert_eq!(request.sampling, sampling);
    assert_eq!(request.logit_bias, [(7, -100.0), (9, 2.5)]);
    assert_eq!(request.max_tokens, Some(7));
    assert_eq!(request.stop, ["\n\n", "END"]);
    assert!(request.stream && request.include_usage);
    assert_eq!(
        (request.citations, request.answer),
        (CitationStyle::Fields, Mode::Quotes)
    );
    let law = NamedCollection {
        name: "law".into(),
        param: "retrieval.collections[0]".into(),
    };
    assert_eq!(request.retrieval.collections, Collections::Named(vec![law]));
    assert_eq!(request.retrieval.top_k, Some(3));
}

#[test]
fn retrieval_may_be_absent_null_or_an_object() {
    let collections = |fields| check_accepted(&fields).retrieval.collections;
    assert_eq!(collections(json!({})), Collections::Default);
    assert_eq!(collections(json!({"retrieval": null})), Collections::None);
    assert_eq!(collections(json!({"retrieval": {}})), Collections::Default);
}

#[test]
fn the_collection_of_the_model_yields_to_retrieval() {
    let prefer = |mut collections: Collections| {
        collections.prefer(Some("law"));
        collections
    };
    let named = |name: &str, param: &str| {
        Collections::Named(vec![NamedCollection {
            name: name.into(),
            param: param.into(),
        }])
    };
    assert_eq!(prefer(Collections::Default), named("law", "model"));
    assert_eq!(prefer(Collections::None), Collections::None);
    let explicit = named("rust", "retrieval.collections[0]");
    assert_eq!(prefer(explicit.clone()), explicit);
}

#[test]
fn content_may_come_in_parts() {
    let messages = json!([
        {"role": "developer", "content": "Be brief."},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": [
            {"type": "text", "text": "Why"}, {"type": "text", "text": "not?"},
        ]},
    ]);
    let request = check_accepted(&json!({"messages": messages}));
    let read: Vec<_> = request
        .messages
        .iter()
        .map(|m| (m.role, m.content.as_str()))
        .collect();
    let expected = [
        (Role::System, "Be brief."),
        (Role::Assistant, "Yes?"),
        (Role::User, "Why\nnot?"),
    ];
    assert_eq!(read, expected);
}

#[test]
fn fields_that_ask_for_nothing_are_accepted() {
    for fields in [
        json!({"n": 1}),
        json!({"tools": [], "tool_choice": "auto"}),
        json!({"tools": null, "logit_bias": null}),
        json!({"logprobs": false, "top_logprobs": 0, "logit_bias": {}}),
        json!({"response_format": {"type": "text"}}),
        json!({"modalities": ["text"]}),
        json!({"presence_penalty": 0, "frequency_penalty": 0.0}),
        json!({"user": "u1", "metadata": {"a": "b"}, "store": false, "service_tier": "auto"}),
        json!({"something": {"never": "heard of"}}),
        json!({"temperature": null, "stop": null, "stream": null, "max_tokens": null}),
        json!({"stop": "END"}),
        json!({"temperature": 0}),
        json!({"temperature": 2}),
        json!({"top_p": 1}),
    ] {
        check_accepted(&fields);
    }
}
