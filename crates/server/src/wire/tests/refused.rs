//! What is refused, naming which field and with which code.

use serde_json::{Value, json};

use super::{chat_body, read_chat};
use crate::app::Limits;
use crate::error::ApiError;
use crate::wire::place::{Object, parse_object};
use crate::wire::search::SearchRequest;
use crate::wire::vector_stores::parse_attributes;

fn read_search(body: &Value) -> Result<SearchRequest, ApiError> {
    let fields = parse_object(body.to_string().as_bytes())?;
    SearchRequest::read(&Object::root(&fields), &Limits::default())
}

/// The request is refused at `param` with `code`.
fn check_refused<T>(read: Result<T, ApiError>, case: &Value, param: &str, code: &str) {
    let Err(error) = read else {
        panic!("accepted {case}");
    };
    let error = &error.body()["error"];
    assert_eq!(error["type"], "invalid_request_error", "{case}");
    assert_eq!(
        (&error["param"], &error["code"]),
        (&json!(param), &json!(code)),
        "{case}: {error}"
    );
}

#[test]
fn bad_chat_fields_are_refused_by_name() {
    let long = "x".repeat(257);
    for (fields, param, code) in [
        (
            json!({"model": null}),
            "model",
            "missing_required_parameter",
        ),
        (json!({"model": 3}), "model", "invalid_type"),
        (json!({"temperature": "hot"}), "temperature", "invalid_type"),
        (json!({"temperature": -0.1}), "temperature", "invalid_value"),
        (json!({"temperature": 2.1}), "temperature", "invalid_value"),
        (
            json!({"temperature": 1e308}),
            "temperature",
            "invalid_value",
        ),
        (json!({"top_p": 0}), "top_p", "invalid_value"),
        (json!({"top_p": 1.1}), "top_p", "invalid_value"),
        (json!({"min_p": -1}), "min_p", "invalid_value"),
        (
            json!({"frequency_penalty": 3}),
            "frequency_penalty",
            "invalid_value",
        ),
        (
            json!({"presence_penalty": -3}),
            "presence_penalty",
            "invalid_value",
        ),
        (
            json!({"repetition_penalty": 0}),
            "repetition_penalty",
            "invalid_value",
        ),
        (
            json!({"logit_bias": {"7": 101}}),
            "logit_bias.7",
            "invalid_value",
        ),
        (
            json!({"logit_bias": {"tea": 1}}),
            "logit_bias.tea",
            "invalid_value",
        ),
        (json!({"logit_bias": [7]}), "logit_bias", "invalid_type"),
        (json!({"top_k": 0}), "top_k", "invalid_value"),
        (json!({"max_tokens": 0}), "max_tokens", "invalid_value"),
        (json!({"max_tokens": 1.5}), "max_tokens", "invalid_type"),
        (
            json!({"max_completion_tokens": -1}),
            "max_completion_tokens",
            "invalid_value",
        ),
        (json!({"seed": u64::MAX}), "seed", "invalid_value"),
        (
            json!({"stop": ["a", "b", "c", "d", "e"]}),
            "stop",
            "invalid_value",
        ),
        (json!({"stop": ["a", 1]}), "stop[1]", "invalid_type"),
        (json!({"stop": ""}), "stop", "invalid_value"),
        (json!({"stop": ["a", long]}), "stop[1]", "invalid_value"),
        (json!({"cache_salt": 7}), "cache_salt", "invalid_type"),
        (json!({"cache_salt": ""}), "cache_salt", "invalid_value"),
        (json!({"cache_salt": long}), "cache_salt", "invalid_value"),
        (json!({"stream": "yes"}), "stream", "invalid_type"),
        (
            json!({"stream_options": {"include_usage": 1}}),
            "stream_options.include_usage",
            "invalid_type",
        ),
        (json!({"citations": "some"}), "citations", "invalid_value"),
        (json!({"support": "some"}), "support", "invalid_value"),
        (json!({"task": "sing"}), "task", "invalid_value"),
        (json!({"task": "translate"}), "task", "invalid_value"),
        (
            json!({"task": {"type": "translate"}}),
            "task.to",
            "missing_required_parameter",
        ),
        (
            json!({"task": {"type": "extract", "fields": []}}),
            "task.fields",
            "invalid_value",
        ),
        (
            json!({"task": {"type": "extract", "fields": ["a", "a"]}}),
            "task.fields[1]",
            "invalid_value",
        ),
        (
            json!({"task": {"type": "answer", "examples": [{"input": "a"}]}}),
            "task.examples[0].output",
            "missing_required_parameter",
        ),
        (json!({"quotations": true}), "quotations", "invalid_type"),
        (json!({"groundedness": 1}), "groundedness", "invalid_type"),
        (
            json!({"groundedness": true, "n": 2}),
            "groundedness",
            "invalid_value",
        ),
        (json!({"include": ["all"]}), "include[0]", "invalid_value"),
        (json!({"answer": "nobody"}), "answer", "invalid_value"),
        (json!({"n": 0}), "n", "invalid_value"),
        (json!({"n": 9}), "n", "invalid_value"),
        (json!({"n": 1.5}), "n", "invalid_type"),
        (json!({"tools": {}}), "tools", "invalid_type"),
        (
            json!({"tools": [{}]}),
            "tools[0].type",
            "missing_required_parameter",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "a b"}}]}),
            "tools[0].function.name",
            "invalid_value",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "a", "parameters": 3}}]}),
            "tools[0].function.parameters",
            "invalid_type",
        ),
        (
            json!({"tools": vec![json!({"type": "function", "function": {"name": "a"}}); 2]}),
            "tools[1].function.name",
            "invalid_value",
        ),
        (
            json!({"tool_choice": "required"}),
            "tool_choice",
            "invalid_value",
        ),
        (json!({"tool_choice": 3}), "tool_choice", "invalid_value"),
        (
            json!({"tool_choice": {"type": "function", "function": {"name": "a"}}}),
            "tool_choice",
            "invalid_value",
        ),
        (
            json!({"parallel_tool_calls": false}),
            "parallel_tool_calls",
            "unsupported_parameter",
        ),
        (json!({"logprobs": 3}), "logprobs", "invalid_type"),
        (
            json!({"logprobs": true, "top_logprobs": 21}),
            "top_logprobs",
            "invalid_value",
        ),
        (json!({"top_logprobs": 1}), "top_logprobs", "invalid_value"),
        (
            json!({"response_format": "json_object"}),
            "response_format",
            "invalid_type",
        ),
        (
            json!({"response_format": {"type": "xml"}}),
            "response_format.type",
            "invalid_value",
        ),
        (
            json!({"response_format": {"type": "json_schema"}}),
            "response_format.json_schema",
            "missing_required_parameter",
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}}),
            "response_format.json_schema.schema",
            "missing_required_parameter",
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}}}),
            "response_format.json_schema.name",
            "invalid_value",
        ),
        (json!({"retrieval": true}), "retrieval", "invalid_type"),
        (
            json!({"retrieval": {"top_k": 0}}),
            "retrieval.top_k",
            "invalid_value",
        ),
        (
            json!({"retrieval": {"top_k": 201}}),
            "retrieval.top_k",
            "invalid_value",
        ),
        (
            json!({"retrieval": {"mode": "sparse"}}),
            "retrieval.mode",
            "invalid_value",
        ),
        (
            json!({"retrieval": {"filters": {}}}),
            "retrieval.filters.type",
            "missing_required_parameter",
        ),
        (
            json!({"retrieval": {"collections": []}}),
            "retrieval.collections",
            "invalid_value",
        ),
        (
            json!({"retrieval": {"collections": [1]}}),
            "retrieval.collections[0]",
            "invalid_type",
        ),
    ] {
        check_refused(read_chat(&chat_body(&fields)), &fields, param, code);
    }
}

#[test]
fn bad_messages_are_refused_by_place() {
    let hello = json!({"role": "user", "content": "Hello"});
    let image = json!({"type": "image_url", "image_url": {}});
    for (messages, param, code) in [
        (json!(null), "messages", "missing_required_parameter"),
        (json!("Hello"), "messages", "invalid_type"),
        (json!([]), "messages", "invalid_value"),
        (json!(vec![hello.clone(); 513]), "messages", "invalid_value"),
        (json!(["Hello"]), "messages[0]", "invalid_type"),
        (
            json!([{"content": "Hello"}]),
            "messages[0].role",
            "missing_required_parameter",
        ),
        (
            json!([{"role": "function", "content": "Hello"}]),
            "messages[0].role",
            "invalid_value",
        ),
        (
            json!([hello, {"role": "tool", "content": "Hello"}]),
            "messages[1].tool_call_id",
            "missing_required_parameter",
        ),
        (
            json!([hello, {"role": "tool", "tool_call_id": "1", "content": "Hello"}]),
            "messages[1].tool_call_id",
            "invalid_value",
        ),
        (
            json!([{"role": "assistant", "tool_calls": [{"id": "1", "type": "function"}]}, hello]),
            "messages[0].tool_calls[0].function",
            "missing_required_parameter",
        ),
        (
            json!([{"role": "user"}]),
            "messages[0].content",
            "missing_required_parameter",
        ),
        (
            json!([{"role": "user", "content": null}]),
            "messages[0].content",
            "missing_required_parameter",
        ),
        (
            json!([hello, {"role": "user", "content": 5}]),
            "messages[1].content",
            "invalid_type",
        ),
        (
            json!([{"role": "user", "content": " \n"}]),
            "messages[0].content",
            "invalid_value",
        ),
        (
            json!([{"role": "user", "content": []}]),
            "messages[0].content",
            "invalid_value",
        ),
        (
            json!([{"role": "user", "content": [image]}]),
            "messages[0].content[0].type",
            "invalid_value",
        ),
        (
            json!([hello, {"role": "assistant", "content": "Hi"}]),
            "messages[1].role",
            "invalid_value",
        ),
    ] {
        let body = chat_body(&json!({"messages": messages}));
        check_refused(read_chat(&body), &messages, param, code);
    }
}

#[test]
fn what_is_not_a_json_object_is_refused() {
    let deep = "[".repeat(10_000);
    for body in [
        "",
        "{",
        "{} {}",
        "[]",
        "3",
        "\"\\ud800\"",
        "{\"a\":NaN}",
        deep.as_str(),
    ] {
        let Err(error) = parse_object(body.as_bytes()) else {
            panic!("accepted {body}");
        };
        assert_eq!(error.body()["error"]["code"], "invalid_json", "{body}");
    }
}

#[test]
fn search_requests_are_checked() {
    let request = read_search(&json!({"query": ["a", "b"], "max_num_results": 50}));
    let request = request.expect("the request is valid");
    assert_eq!((request.queries.len(), request.max_results), (2, 50));
    let long = "x".repeat(2049);
    for (body, param, code) in [
        (json!({}), "query", "missing_required_parameter"),
        (json!({"query": 1}), "query", "invalid_type"),
        (json!({"query": []}), "query", "invalid_value"),
        (json!({"query": " "}), "query", "invalid_value"),
        (json!({"query": ["a", 1]}), "query[1]", "invalid_type"),
        (json!({"query": long}), "query", "invalid_value"),
        (
            json!({"query": "a", "max_num_results": 0}),
            "max_num_results",
            "invalid_value",
        ),
        (
            json!({"query": "a", "max_num_results": 51}),
            "max_num_results",
            "invalid_value",
        ),
        (
            json!({"query": "a", "filters": {}}),
            "filters.type",
            "missing_required_parameter",
        ),
        (
            json!({"query": "a", "filters": {"type": "like", "key": "k", "value": "v"}}),
            "filters.type",
            "invalid_value",
        ),
        (
            json!({"query": "a", "filters": {"type": "eq", "key": "k", "value": ["v"]}}),
            "filters.value",
            "invalid_type",
        ),
        (
            json!({"query": "a", "filters": {"type": "and", "filters": [{"type": "in", "key": "k", "value": []}]}}),
            "filters.filters[0].value",
            "invalid_value",
        ),
        (
            json!({"query": "a", "ranking_options": {"score_threshold": 2}}),
            "ranking_options.score_threshold",
            "invalid_value",
        ),
    ] {
        check_refused(read_search(&body), &body, param, code);
    }
}

#[test]
fn attributes_are_checked() {
    let valid = parse_attributes(r#"{"year": 2024, "draft": false, "author": "지은"}"#);
    assert_eq!(valid.expect("the attributes are valid").iter().count(), 3);
    for (attributes, param, code) in [
        ("{", "attributes", "invalid_json"),
        ("[]", "attributes", "invalid_type"),
        (r#"{"a": []}"#, "attributes.a", "invalid_type"),
        (
            r#"{"ibid.page": 1}"#,
            "attributes.ibid.page",
            "invalid_value",
        ),
    ] {
        check_refused(
            parse_attributes(attributes),
            &json!(attributes),
            param,
            code,
        );
    }
}
