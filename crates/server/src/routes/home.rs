//! `GET /`: what this is, for whoever opens the address in a browser.

use axum::http::HeaderMap;

use super::base_url::base_url;

/// A page of plain text with a line to paste.
pub(super) async fn show(headers: HeaderMap) -> String {
    let address = match base_url(&headers) {
        url if url.is_empty() => "http://localhost:8080".to_owned(),
        url => url,
    };
    format!(
        r#"ibid answers questions from your documents, with footnotes.

Ask:

  curl -N {address}/v1/chat/completions -H 'content-type: application/json' \
    -d '{{"model":"default","stream":true,"messages":[{{"role":"user","content":"What is ibid?"}}]}}'

Add a document:

  curl {address}/v1/vector_stores/default/files -F file=@FILE

Routes, in OpenAI's wire format:

  POST   /v1/chat/completions
  POST   /v1/embeddings, /v1/rerank
  POST   /v1/attention                                   which token attends to which
  GET    /v1/models, /v1/models/NAME
  GET    /v1/files, /v1/files/ID, /v1/files/ID/text      POST /v1/files      DELETE /v1/files/ID
  GET    /v1/vector_stores, /v1/vector_stores/ID         POST /v1/vector_stores
  POST   /v1/vector_stores/ID/search
  GET    /v1/vector_stores/ID/files                      POST, DELETE likewise
  POST   /v1/vector_stores/ID/file_batches               many files in one call
  GET    /v1/vector_stores/ID/events                     what happens to them, as it happens
  GET    /healthz, /readyz
"#
    )
}
