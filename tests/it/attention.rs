//! `POST /v1/attention`: which token of a text attends to which.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{TestServer, bundled_model, must_not_be_asked};

async fn ask(server: &TestServer, body: Value) -> Value {
    let (status, reply) = server.post_json("/v1/attention", &body).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    reply
}

fn rows(head: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(head["weights"].clone()).expect("rows of numbers")
}

#[tokio::test]
async fn every_token_shares_out_its_attention() {
    let server = TestServer::start(bundled_model()).await;
    let text = "🙂 서울은 대한민국의 수도이다.";
    let body = json!({"model": "default", "input": text, "heads": "all", "value_norms": true});
    let all = ask(&server, body).await;
    assert_eq!(
        (&all["object"], &all["text"]),
        (&json!("attention"), &json!(text))
    );
    let points: Vec<char> = text.chars().collect();
    let tokens = all["tokens"].as_array().expect("a list");
    let mut covered = 0;
    for (index, token) in tokens.iter().enumerate() {
        let place = |name: &str| token[name].as_u64().expect("a number") as usize;
        let (start, end) = (place("start"), place("end"));
        assert_eq!(place("index"), index);
        assert_eq!(token["text"], points[start..end].iter().collect::<String>());
        assert!(start <= covered);
        covered = covered.max(end);
    }
    assert_eq!(covered, points.len());
    let layers = all["layers"].as_array().expect("a list");
    assert_eq!(layers.len(), 5);
    for (index, layer) in layers.iter().enumerate() {
        assert_eq!(layer["layer"], index);
        let heads = layer["heads"].as_array().expect("a list");
        assert_eq!(heads.len(), 8);
        for head in heads {
            assert_eq!(
                head["value_norms"].as_array().map(Vec::len),
                Some(tokens.len())
            );
            let rows = rows(head);
            assert_eq!(rows.len(), tokens.len());
            for (position, row) in rows.iter().enumerate() {
                assert_eq!(row.len(), tokens.len());
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-4, "{row:?}");
                assert!(
                    row[position + 1..].iter().all(|later| *later == 0.0),
                    "{row:?}"
                );
            }
        }
    }
    assert_eq!(all["roles"]["query"]["heads"], 8);
    assert_eq!(all["roles"]["scale"], 0.125);

    let mean = ask(
        &server,
        json!({"model": "built-in", "input": text, "layers": [2]}),
    )
    .await;
    assert_eq!(mean["layers"].as_array().map(Vec::len), Some(1));
    let [mean, of] = [&mean["layers"][0], &layers[2]];
    assert_eq!(
        (&mean["layer"], &mean["heads"][0]["head"]),
        (&json!(2), &Value::Null)
    );
    assert!(mean["heads"][0].get("value_norms").is_none());
    let of = of["heads"]
        .as_array()
        .expect("a list")
        .iter()
        .map(rows)
        .collect::<Vec<_>>();
    for (position, row) in rows(&mean["heads"][0]).iter().enumerate() {
        for (column, weight) in row.iter().enumerate() {
            let sum = of.iter().map(|rows| rows[position][column]).sum::<f64>();
            assert!((weight - sum / of.len() as f64).abs() < 1e-5);
        }
    }
}

#[tokio::test]
async fn a_conversation_is_read_with_its_template() {
    let server = TestServer::start(bundled_model()).await;
    let messages = json!([{"role": "user", "content": "What is tea?"}]);
    let body = json!({"model": "default", "messages": messages, "layers": [0, 4]});
    let seen = ask(&server, body).await;
    let text = seen["text"].as_str().expect("a text");
    assert!(
        text.contains("What is tea?") && text.len() > "What is tea?".len(),
        "{text}"
    );
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_by_field() {
    let server = TestServer::start(bundled_model()).await;
    let check = async |change: Value, status: u16, code: &str, param: &str| {
        let mut body = json!({"model": "default", "input": "tea"});
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let (found, reply) = server.post_json("/v1/attention", &body).await;
        let error = &reply["error"];
        assert_eq!(found.as_u16(), status, "{body}: {reply}");
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!(code), &json!(param)),
            "{body}"
        );
    };
    let messages = json!([{"role": "user", "content": "tea"}]);
    check(
        json!({"model": null}),
        400,
        "missing_required_parameter",
        "model",
    )
    .await;
    check(json!({"model": "gpt"}), 404, "model_not_found", "model").await;
    check(
        json!({"input": null}),
        400,
        "missing_required_parameter",
        "input",
    )
    .await;
    check(json!({"input": ["tea"]}), 400, "invalid_type", "input").await;
    check(json!({"input": ""}), 400, "invalid_value", "input").await;
    check(
        json!({"input": "tea ".repeat(300)}),
        400,
        "invalid_value",
        "input",
    )
    .await;
    check(
        json!({"input": "tea ".repeat(99_999)}),
        400,
        "invalid_value",
        "input",
    )
    .await;
    check(
        json!({"messages": messages}),
        400,
        "invalid_value",
        "messages",
    )
    .await;
    check(json!({"layers": []}), 400, "invalid_value", "layers").await;
    check(json!({"layers": [5]}), 400, "invalid_value", "layers").await;
    check(json!({"layers": [-1]}), 400, "invalid_value", "layers[0]").await;
    check(json!({"heads": "some"}), 400, "invalid_value", "heads").await;
    check(
        json!({"value_norms": 1}),
        400,
        "invalid_type",
        "value_norms",
    )
    .await;

    let server = TestServer::start(must_not_be_asked()).await;
    let body = json!({"model": "default", "input": "tea"});
    let (status, reply) = server.post_json("/v1/attention", &body).await;
    assert_eq!(
        (status, &reply["error"]["param"]),
        (StatusCode::BAD_REQUEST, &json!("model"))
    );
}
