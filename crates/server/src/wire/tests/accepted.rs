//! What accepted requests come to.

use engine::{Message, OutputFormat, Role, SamplingParams, ToolChoice};
use rag::{CitationStyle, Mode, SupportPolicy, Task};
use serde_json::{Value, json};

use super::{chat_body, read_chat};
use crate::wire::chat_request::ChatRequest;
use crate::wire::retrieval::{Collections, NamedCollection, RetrievalOptions};
use crate::wire::task::TaskRequest;
use crate::wire::tools::Tools;

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
        task: TaskRequest::default(),
        verbatim_quotations: false,
        groundedness: false,
        include_context: false,
        citations: CitationStyle::Inline,
        support: None,
        answer: Mode::Auto,
        sampling: SamplingParams::GREEDY,
        max_tokens: None,
        logit_bias: vec![],
        choices: 1,
        logprobs: None,
        format: OutputFormat::Text,
        tools: Tools::default(),
        stop: vec![],
        cache_salt: None,
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
        "cache_salt": "family", "n": 3, "logprobs": true, "top_logprobs": 5,
        "stream": true, "stream_options": {"include_usage": true},
        "citations": "fields", "support": "strict", "answer": "quotes",
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
    assert_eq!((request.choices, request.logprobs), (3, Some(5)));
    assert_eq!(request.max_tokens, Some(7));
    assert_eq!(request.stop, ["\n\n", "END"]);
    assert_eq!(request.cache_salt.as_deref(), Some("family"));
    assert!(request.stream && request.include_usage);
    assert_eq!(
        (request.citations, request.support, request.answer),
        (
            CitationStyle::Fields,
            Some(SupportPolicy::Strict),
            Mode::Quotes
        )
    );
    let law = NamedCollection {
        name: "law".into(),
        param: "retrieval.collections[0]".into(),
    };
    assert_eq!(request.retrieval.collections, Collections::Named(vec![law]));
    assert_eq!(request.retrieval.top_k, Some(3));
}

#[test]
fn tasks_are_read() {
    let request = check_accepted(&json!({"task": "summarize"}));
    assert_eq!(request.task.task, Task::Summarise);
    assert_eq!(request.retrieval.collections, Collections::None);
    let request = check_accepted(&json!({"task": "summarise", "retrieval": {}}));
    assert_eq!(request.retrieval.collections, Collections::Default);
    let request = check_accepted(&json!({"task": {
        "type": "translate", "to": "한국어", "examples": [{"input": "Hello", "output": "안녕"}],
    }}));
    assert_eq!(
        request.task.task,
        Task::Translate {
            to: "한국어".into()
        }
    );
    assert_eq!(request.task.examples[0].output, "안녕");
    assert_eq!(request.format, OutputFormat::Text);
    let request = check_accepted(&json!({"task": {"type": "extract", "fields": ["name"]}}));
    let OutputFormat::JsonSchema(schema) = request.format else {
        panic!("extracting gives JSON");
    };
    assert!(schema.contains("\"required\":[\"name\"]"), "{schema}");
    assert_eq!(request.citations, CitationStyle::Fields);
}

#[test]
fn json_may_be_asked_for() {
    let request = check_accepted(&json!({"response_format": {"type": "json_object"}}));
    assert_eq!(request.format, OutputFormat::JsonObject);
    assert_eq!(request.citations, CitationStyle::Fields);
    let schema = json!({"type": "object", "properties": {"b": {}, "a": {}}});
    let json_schema = json!({"name": "an_answer-1", "strict": true, "schema": schema});
    let request = check_accepted(
        &json!({"response_format": {"type": "json_schema", "json_schema": json_schema}}),
    );
    assert_eq!(
        request.format,
        OutputFormat::JsonSchema(schema.to_string()),
        "the order of fields is kept"
    );
}

#[test]
fn tools_are_read_and_their_results_too() {
    let function = json!({"name": "weather", "strict": true});
    let tools = json!([{"type": "function", "function": function}]);
    let named = json!({"type": "function", "function": {"name": "weather"}});
    let read = |choice: Value| {
        check_accepted(&json!({"tools": tools.clone(), "tool_choice": choice})).tools
    };
    let empty = json!({"type": "object", "properties": {}});
    let function = json!({"name": "weather", "description": "", "parameters": empty});
    let as_templates_know_it = json!({"type": "function", "function": function});
    assert_eq!(read(json!("auto")).tools, [as_templates_know_it]);
    assert_eq!(read(json!("required")).choice, ToolChoice::Required);
    assert_eq!(read(named).choice, ToolChoice::Named("weather".into()));
    assert_eq!(read(json!("none")), Tools::default());

    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
    let messages = json!([
        {"role": "user", "content": "And in Seoul?"},
        {"role": "assistant", "content": null, "tool_calls": [call("a", "{\"city\": 1}"), call("b", "{")]},
        {"role": "tool", "tool_call_id": "a", "content": "Rain."},
    ]);
    let read = check_accepted(&json!({"messages": messages})).messages;
    let arguments = read[1].tool_calls.iter().map(|call| call.arguments.clone());
    assert_eq!(
        arguments.collect::<Vec<_>>(),
        [json!({"city": 1}), json!("{")]
    );
    let result = (
        read[2].role,
        read[2].name.as_deref(),
        read[2].tool_call_id.as_deref(),
    );
    assert_eq!(result, (Role::Tool, Some("weather"), Some("a")));
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
        json!({"tools": [], "tool_choice": "none", "parallel_tool_calls": true}),
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
